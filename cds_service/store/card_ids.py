"""Ids of cards and suggestions that prove by themselves that we gave them: UUIDs of version 8 with a keyed check (RFC 9562)."""

import hmac
import secrets
import uuid
from collections.abc import Callable

_RANDOM_BITS = 58
_CHECK_BITS = 64
_VERSION, _VARIANT = 8, 0b10


class CardIds:
    """Gives ids out and recognises them again without reading anything; `draw` gives that many random bits."""

    def __init__(self, secret: bytes, draw: Callable[[int], int] = secrets.randbits) -> None:
        self._secret, self._draw = hmac.digest(secret, b"card-ids", "sha256"), draw

    def minter(self, client: str, service: str) -> Callable[[], str]:
        """A function that gives a new id for a card of this service to this client with each call."""

        def mint() -> str:
            drawn = self._draw(_RANDOM_BITS)
            return str(_together(drawn, self._check(client, service, drawn)))

        return mint

    def ours(self, client: str, service: str, text: str) -> bool:
        """Whether this very service gave this id to this client."""
        try:
            drawn, check = _apart(uuid.UUID(text))
        except (ValueError, TypeError, AttributeError):
            return False
        expected = self._check(client, service, drawn)
        return hmac.compare_digest(check.to_bytes(8), expected.to_bytes(8)) and str(_together(drawn, check)) == text.lower()

    def _check(self, client: str, service: str, drawn: int) -> int:
        names = b"\x00".join((client.encode(), service.encode(), drawn.to_bytes(8)))
        return int.from_bytes(hmac.digest(self._secret, names, "sha256")[: _CHECK_BITS // 8])


def _together(drawn: int, check: int) -> uuid.UUID:
    """48 bits, version, 12 bits, variant, 62 bits: the drawn bits first, then the check."""
    bits = drawn << _CHECK_BITS | check
    high, middle, low = bits >> 74, bits >> 62 & 0xFFF, bits & (1 << 62) - 1
    return uuid.UUID(int=high << 80 | _VERSION << 76 | middle << 64 | _VARIANT << 62 | low)


def _apart(found: uuid.UUID) -> tuple[int, int]:
    number = found.int
    bits = (number >> 80) << 74 | (number >> 64 & 0xFFF) << 62 | number & (1 << 62) - 1
    return bits >> _CHECK_BITS, bits & (1 << _CHECK_BITS) - 1

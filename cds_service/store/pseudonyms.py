"""Keyed hashes: two records of one patient can be told to belong together, and nobody without the key can tell to whom."""

import hmac

_BYTES = 16


class Pseudonyms:
    """Hashes with a key derived from the secret of the installation (HMAC-SHA-256, 128 bits, hexadecimal)."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"pseudonyms", "sha256")

    def of(self, kind: str, *parts: str | bytes) -> str:
        """The hash of one identifier; the kind and each part count, so that no two kinds ever meet."""
        message: list[bytes] = []
        for part in (kind, *parts):
            said = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
            message += (len(said).to_bytes(8), said)
        return hmac.digest(self._key, b"".join(message), "sha256")[:_BYTES].hex()

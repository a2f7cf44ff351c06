"""Keyed hashes: two records of one patient can be told to belong together, and nobody without the key can tell to whom."""

import hmac

_BYTES = 16


class Pseudonyms:
    """Hashes with a key derived from the secret of the installation (HMAC-SHA-256, 128 bits, hexadecimal)."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"pseudonyms", "sha256")

    def of(self, kind: str, *parts: str | bytes) -> str:
        """The hash of one identifier; the kind and each part count, so that no two kinds ever meet."""
        said = [kind.encode(), *(part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in parts)]
        message = b"".join(len(part).to_bytes(8) + part for part in said)
        return hmac.digest(self._key, message, "sha256")[:_BYTES].hex()

"""The public keys of a JWK Set (RFC 7517) and which of them may check which signature."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jwt import PyJWK, PyJWTError

from cds_service.strict_json import strict_json

LARGEST_KEYSET = 64 * 1024
MOST_KEYS = 100
RSA_BITS = range(2_048, 16_385)  # below is weak (RFC 7518), above costs a caller little and us a lot

# What each algorithm needs: key type and, for elliptic curves, the curve.
KEY_OF_ALGORITHM: Mapping[str, tuple[str, str | None]] = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "EdDSA": ("OKP", "Ed25519"),
}
_THUMBPRINT_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One usable public key of a set, with the RFC 7638 thumbprint that tells it apart from all others."""

    kid: str
    kind: tuple[str, str | None]
    algorithm: str | None
    thumbprint: str
    jwk: Mapping[str, Any]

    def fits(self, algorithm: str) -> bool:
        """Whether a signature with this algorithm can be checked with this key."""
        return KEY_OF_ALGORITHM.get(algorithm) == self.kind and self.algorithm in (None, algorithm)

    def for_algorithm(self, algorithm: str) -> PyJWK:
        """The key in the form that PyJWT takes, bound to the algorithm."""
        return PyJWK(dict(self.jwk), algorithm)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of a set, and for each other one the reason why it is left out."""

    keys: tuple[PublicKey, ...]
    faults: tuple[str, ...] = ()

    def find(self, kid: str) -> tuple[PublicKey, ...]:
        """The keys with this id; the comparison takes the id as it is."""
        return tuple(key for key in self.keys if key.kid == kid)


def read_keyset(text: bytes) -> KeySet:
    """Read a JWK Set, or raise ValueError that says what is wrong with the set as a whole."""
    if len(text) > LARGEST_KEYSET:
        raise ValueError(f"the key set has more than {LARGEST_KEYSET} bytes")
    document = strict_json(text)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise ValueError(f'not a JWK Set: an object with a list "keys" of at most {MOST_KEYS} keys is expected')
    keys, faults = [], []
    for place, entry in enumerate(entries):
        fault = _fault(entry)
        if fault:
            faults.append(f"keys[{place}]: {fault}")
        else:
            keys.append(_public_key(entry))
    return KeySet(tuple(keys), (*faults, *_doubles(keys)))


def _fault(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "not an object"
    if not isinstance(entry.get("kid"), str) or not entry["kid"]:
        return "no kid"
    if "d" in entry or "k" in entry:
        return "a private or symmetric key, which must never be shared"
    kind = _kind(entry)
    if kind not in KEY_OF_ALGORITHM.values():
        return "a key type or curve that this service does not use"
    if entry.get("use", "sig") != "sig" or not _may_verify(entry.get("key_ops", ["verify"])):
        return "not a key for signatures"
    return _algorithm_fault(entry, kind) or _number_fault(entry, kind)


def _may_verify(operations: Any) -> bool:
    return isinstance(operations, list) and "verify" in operations


def _kind(entry: Mapping[str, Any]) -> tuple[str, str | None]:
    kty, curve = str(entry.get("kty")), entry.get("crv")
    return (kty, None) if kty == "RSA" else (kty, curve if isinstance(curve, str) else None)


def _algorithm_fault(entry: Mapping[str, Any], kind: tuple[str, str | None]) -> str | None:
    algorithm = entry.get("alg")
    if algorithm is None or (isinstance(algorithm, str) and KEY_OF_ALGORITHM.get(algorithm) == kind):
        return None
    return "alg does not fit the key"


def _number_fault(entry: Mapping[str, Any], kind: tuple[str, str | None]) -> str | None:
    try:
        key = PyJWK(dict(entry), _any_algorithm(kind)).key
    except (PyJWTError, ValueError, TypeError):
        return "its numbers are no public key"
    if kind[0] != "RSA":
        return None
    if key.key_size not in RSA_BITS:
        return f"an RSA key of {key.key_size} bits; {RSA_BITS.start} to {RSA_BITS.stop - 1} are accepted"
    return None


def _any_algorithm(kind: tuple[str, str | None]) -> str:
    return next(name for name, needed in KEY_OF_ALGORITHM.items() if needed == kind)


def _public_key(entry: Mapping[str, Any]) -> PublicKey:
    return PublicKey(entry["kid"], _kind(entry), entry.get("alg"), thumbprint(entry), entry)


def thumbprint(entry: Mapping[str, Any]) -> str:
    """The RFC 7638 thumbprint (SHA-256, hexadecimal) of a public key."""
    members = {name: entry[name] for name in _THUMBPRINT_MEMBERS[entry["kty"]]}
    return hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _doubles(keys: list[PublicKey]) -> Iterator[str]:
    seen: set[tuple[str, tuple[str, str | None]]] = set()
    for key in keys:
        if (key.kid, key.kind) in seen:
            yield f"kid {key.kid[:40]!r} is there twice; neither is used"
        seen.add((key.kid, key.kind))

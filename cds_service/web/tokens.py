"""A client's JSON Web Token: read strictly, and judged by what it says of itself; no key is needed here."""

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cds_service.settings import Client
from cds_service.strict_json import strict_json

LEEWAY_S = 60
LONGEST_LIFE_S = 3_600  # Epic signs for 900 s; the best-practices page asks services to remember a jti for about an hour
LONGEST_TOKEN = 8_192
LONGEST_TOKEN_ID = 255
_LATEST = 1e11  # seconds; a sender of milliseconds is told so by its lifetime

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_BRINGS_OWN_KEY = frozenset({"jwk", "x5u", "x5c"})


class Reason(StrEnum):
    """Why a token is refused: for the log, the metric and `ndm-cds jwt check`, never for the caller."""

    NO_TOKEN = "no-token"  # noqa: S105 - a reason, no password
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    TYPE = "type"
    OWN_KEY = "own-key"
    CRITICAL = "critical"
    KEY_ID = "key-id"
    ISSUER = "issuer"
    TENANT = "tenant"
    KEY_URL = "key-url"
    AUDIENCE = "audience"
    TIMES = "times"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    ISSUED_IN_FUTURE = "issued-in-future"
    LIFETIME = "lifetime"
    TOKEN_ID = "token-id"  # noqa: S105 - a reason, no password
    KEYS_UNAVAILABLE = "keys-unavailable"
    UNKNOWN_KEY = "unknown-key"
    UNFIT_KEY = "unfit-key"
    SIGNATURE = "signature"
    REPLAYED = "replayed"


class Refused(Exception):
    """The token does not show who calls; carries the reason code and nothing from the token."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Token:
    """A token in its three parts, nothing of it believed yet."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def read_token(authorization: str | None) -> Token:
    """Take the token out of an Authorization header."""
    if not authorization:
        raise Refused(Reason.NO_TOKEN)
    found = _BEARER.fullmatch(authorization) if len(authorization) <= LONGEST_TOKEN else None
    if found is None:
        raise Refused(Reason.MALFORMED)
    header, claims, signature = found.groups()
    _decode(signature)
    return Token(".".join(found.groups()), _object(header), _object(claims))


def _object(part: str) -> Mapping[str, Any]:
    try:
        content = strict_json(_decode(part))
    except ValueError:
        raise Refused(Reason.MALFORMED) from None
    if not isinstance(content, dict):
        raise Refused(Reason.MALFORMED)
    return content


def _decode(part: str) -> bytes:
    try:
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise Refused(Reason.MALFORMED) from None
    if base64.urlsafe_b64encode(content).rstrip(b"=") != part.encode():
        raise Refused(Reason.MALFORMED)  # leftover bits: two spellings of one token
    return content


def clients_of(token: Token, clients: Collection[Client]) -> tuple[Client, ...]:
    """The registered clients that this issuer signs for; one issuer can sign for several tenants."""
    return tuple(client for client in clients if client.issuer == token.claims.get("iss"))


def client_of(token: Token, clients: Collection[Client]) -> Client:
    """The registered client that the token names."""
    signed_for = clients_of(token, clients)
    if not signed_for:
        raise Refused(Reason.ISSUER)
    tenant = token.claims.get("tenant")
    for client in signed_for:
        if not client.tenants or tenant in client.tenants:
            return client
    raise Refused(Reason.TENANT)


def header_faults(header: Mapping[str, Any], client: Client) -> Iterator[Reason]:
    """What is wrong with the header, in the order in which it is looked at."""
    if header.get("alg") not in client.algorithms:
        yield Reason.ALGORITHM
    if header.get("typ") != "JWT":
        yield Reason.TYPE
    if not _BRINGS_OWN_KEY.isdisjoint(header):
        yield Reason.OWN_KEY
    if "crit" in header or "b64" in header:
        yield Reason.CRITICAL
    if not isinstance(header.get("kid"), str) or not header["kid"]:
        yield Reason.KEY_ID
    if "jku" in header and (client.jwks_url is None or header["jku"] != client.jwks_url):
        yield Reason.KEY_URL


def claim_faults(claims: Mapping[str, Any], accepted: Collection[str], now: float) -> Iterator[Reason]:
    """What is wrong with the claims at this moment for an endpoint that answers to these audiences."""
    if _audiences(claims.get("aud")).isdisjoint(accepted):
        yield Reason.AUDIENCE
    yield from _time_faults(claims, now)
    if not is_token_id(claims.get("jti")):
        yield Reason.TOKEN_ID


def _audiences(aud: Any) -> frozenset[str]:
    values = [aud] if isinstance(aud, str) else aud
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return frozenset()
    return frozenset(values)


def _time_faults(claims: Mapping[str, Any], now: float) -> Iterator[Reason]:
    expires, issued = _time(claims.get("exp")), _time(claims.get("iat"))
    begins = _time(claims["nbf"]) if "nbf" in claims else 0.0
    if expires is None or issued is None or begins is None:
        yield Reason.TIMES
        return
    if expires <= now - LEEWAY_S:
        yield Reason.EXPIRED
    if begins > now + LEEWAY_S:
        yield Reason.NOT_YET_VALID
    if issued > now + LEEWAY_S:
        yield Reason.ISSUED_IN_FUTURE
    if not 0 < expires - issued <= LONGEST_LIFE_S:
        yield Reason.LIFETIME


def _time(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        return None  # also NaN and infinity, which no comparison lets through
    return float(value)


def is_token_id(value: Any) -> bool:
    """Whether a `jti` can be remembered: 1 to 255 printable characters."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TOKEN_ID and value.isprintable() and not value.isspace()

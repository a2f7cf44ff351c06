"""Explains offline why a token is refused: the caller of a service learns nothing of it, so the administrator has to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jwt import PyJWS, PyJWTError

from cds_service.keysets import PublicKey, read_keyset
from cds_service.settings import Client, Settings
from cds_service.web.jwks import read_file
from cds_service.web.tokens import (
    LEEWAY_S,
    LONGEST_LIFE_S,
    LONGEST_TOKEN,
    LONGEST_TOKEN_ID,
    Reason,
    Refused,
    Token,
    claim_faults,
    client_of,
    clients_of,
    header_faults,
    read_token,
)

EXPLANATIONS: Mapping[Reason, str] = {
    Reason.NO_TOKEN: "There is no token: Authorization: Bearer <token> is expected.",
    Reason.MALFORMED: f"No signed JWT: three parts of base64url, JSON without duplicate names, at most {LONGEST_TOKEN} characters.",
    Reason.ALGORITHM: "header alg: not among the algorithms of this client; clients.<name>.algorithms lists them, none and HS* never are.",
    Reason.TYPE: "header typ: JWT is expected.",
    Reason.OWN_KEY: "header jwk, x5u or x5c: a token may not bring its own key.",
    Reason.CRITICAL: "header crit or b64: extensions are not supported.",
    Reason.KEY_ID: "header kid: the id of the signing key is expected.",
    Reason.ISSUER: "claim iss: no registered client has this issuer; clients.<name>.issuer must be equal to it, character by character.",
    Reason.TENANT: "claim tenant: not among clients.<name>.tenants.",
    Reason.KEY_URL: "header jku: it must be equal to clients.<name>.jwks_url; leave it out where the keys are in a file.",
    Reason.AUDIENCE: "claim aud: the URL of the endpoint as built from server.public_url is expected, or one of clients.<name>.audiences.",
    Reason.TIMES: "claims exp, iat, nbf: exp and iat are required, all are numbers of seconds since 1970.",
    Reason.EXPIRED: f"claim exp: it is over, more than {LEEWAY_S} seconds ago.",
    Reason.NOT_YET_VALID: f"claim nbf: it begins more than {LEEWAY_S} seconds from now.",
    Reason.ISSUED_IN_FUTURE: f"claim iat: more than {LEEWAY_S} seconds from now; compare the clocks.",
    Reason.LIFETIME: f"claims exp and iat: the life must be positive and at most {LONGEST_LIFE_S} seconds.",
    Reason.TOKEN_ID: f"claim jti: 1 to {LONGEST_TOKEN_ID} printable characters are expected.",
    Reason.KEYS_UNAVAILABLE: "The keys are published at clients.<name>.jwks_url only, which is not read offline.",
    Reason.UNKNOWN_KEY: "header kid: the key file has no such key.",
    Reason.UNFIT_KEY: "header kid: the key with this id does not fit the algorithm, or there are two.",
    Reason.SIGNATURE: "The signature was not made with this key, or the token was changed.",
    Reason.REPLAYED: "claim jti: this token was used before; each may be used once.",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What an administrator is told: the client that the token names, all reasons for refusing it, and its readable parts."""

    client: str | None
    reasons: tuple[Reason, ...]
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def explanations(self) -> tuple[str, ...]:
        """One sentence for each reason."""
        return tuple(EXPLANATIONS[reason] for reason in self.reasons)


def check_token(settings: Settings, token: str, now: float, path: str | None = None) -> Report:
    """Judge a token without any network; `path` is the endpoint (`/cds-services/<id>`), any of the service where it is None."""
    try:
        read = read_token(token if token[:7].lower() == "bearer " else f"Bearer {token.strip()}")
    except Refused as refused:
        return Report(None, (refused.reason,), {}, {})
    try:
        client = client_of(read, settings.clients)
    except Refused as refused:
        named = clients_of(read, settings.clients)
        return Report(named[0].name if named else None, (refused.reason,), read.header, read.claims)
    reasons = [*header_faults(read.header, client), *_claim_reasons(settings, client, read, now, path)]
    reasons += [] if reasons else list(_signature_reasons(client, read))
    return Report(client.name, tuple(reasons), read.header, read.claims)


def _claim_reasons(settings: Settings, client: Client, token: Token, now: float, path: str | None) -> Iterator[Reason]:
    accepted = {*client.audiences, *([settings.audience(path)] if path else _endpoints(settings, token))}
    return claim_faults(token.claims, accepted, now)


def _endpoints(settings: Settings, token: Token) -> set[str]:
    """Where no endpoint is named: every audience of the token that is one of this service."""
    stated = token.claims.get("aud")
    values = stated if isinstance(stated, list) else [stated]
    root = settings.audience("/cds-services")
    return {value for value in values if isinstance(value, str) and (value == root or value.startswith(f"{root}/"))}


def _signature_reasons(client: Client, token: Token) -> Iterator[Reason]:
    algorithm = token.header["alg"]
    if client.jwks_file is None:
        yield Reason.KEYS_UNAVAILABLE
        return
    named = read_keyset(read_file(client.jwks_file)).find(token.header["kid"])
    fitting = [key for key in named if key.fits(algorithm)]
    if not named:
        yield Reason.UNKNOWN_KEY if client.jwks_url is None else Reason.KEYS_UNAVAILABLE
    elif len(fitting) != 1:
        yield Reason.UNFIT_KEY
    elif not _signed(token, fitting[0], algorithm):
        yield Reason.SIGNATURE


def _signed(token: Token, key: PublicKey, algorithm: str) -> bool:
    jws = PyJWS(options={"enforce_minimum_key_length": True})
    try:
        jws.decode_complete(token.text, key.for_algorithm(algorithm), algorithms=[algorithm])
    except PyJWTError:
        return False
    return True

"""Who calls: the one way from an Authorization header to a registered client."""

import threading
import time
from collections.abc import Callable, Collection
from typing import Protocol

from jwt import PyJWS, PyJWTError

from cds_service.errors import ServiceError
from cds_service.keysets import PublicKey
from cds_service.settings import DEVELOPMENT_CLIENT, Client, Settings
from cds_service.web.jwks import KeyRing, KeysUnavailable
from cds_service.web.logs import ERROR, event, fault
from cds_service.web.tokens import LEEWAY_S, Reason, Refused, Token, claim_faults, client_of, clients_of, header_faults, read_token

FORGET_EVERY_S = 60.0
RETRY_S = 1.0

# The same for every cause, byte for byte: a caller who fails learns nothing about why.
REFUSAL_STATUS = 401
REFUSAL_HEADERS = {"WWW-Authenticate": "Bearer", "Content-Type": "application/json", "Cache-Control": "no-store"}
REFUSAL_BODY = (
    b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login",'
    b'"diagnostics":"A valid bearer token of a registered CDS client is needed."}]}'
)

__all__ = ["REFUSAL_BODY", "REFUSAL_HEADERS", "REFUSAL_STATUS", "Reason", "Refused", "ReplayStore", "ReplayStoreDown", "Trust"]


class ReplayStore(Protocol):
    """Remembers which tokens have been used, for all workers together."""

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """True for exactly one caller with this issuer and jti; raises if it cannot know."""

    def forget(self, before: float) -> int:
        """Drop what expired before this moment."""


class ReplayStoreDown(ServiceError):
    """Whether a token was used before cannot be known just now, so nobody is let in."""

    status = 503
    code = "replay-store-unavailable"


class _Rest:
    """After a fault nobody asks again for a second, and then one caller alone does."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._retry_at: float | None = None
        self._lock = threading.Lock()

    def holds(self) -> bool:
        """Whether this caller is turned away."""
        with self._lock:
            now = self._clock()
            if self._retry_at is None:
                return False
            if now < self._retry_at:
                return True
            self._retry_at = now + RETRY_S
            return False

    def begin(self) -> None:
        """There was a fault."""
        self._retry_at = self._clock() + RETRY_S

    def end(self) -> None:
        """All is well."""
        self._retry_at = None


class Trust:
    """Authenticates calls against the registered clients; `now` is the wall clock in seconds, `clock` a monotonic one.

    While the replay store is down nobody is let in; after the first fault callers are told so at once, and one each second asks again.
    """

    def __init__(
        self,
        settings: Settings,
        keys: KeyRing,
        used: ReplayStore,
        now: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._keys, self._used, self._now = settings, keys, used, now
        self._rest = _Rest(clock)
        self._jws = PyJWS(options={"verify_signature": True, "enforce_minimum_key_length": True})
        self._forgot = now()
        self._forgetting = threading.Lock()

    def client(self, authorization: str | None, paths: Collection[str]) -> Client:
        """The client that calls one of these endpoint paths (`/cds-services/…`); raises Refused or ReplayStoreDown."""
        if self._settings.development and not self._is_of_registered(authorization):
            return DEVELOPMENT_CLIENT
        token = read_token(authorization)
        client = client_of(token, self._settings.clients)
        for reason in header_faults(token.header, client):
            raise Refused(reason)
        accepted = {*(self._settings.audience(path) for path in paths), *client.audiences}
        for reason in claim_faults(token.claims, accepted, self._now()):
            raise Refused(reason)
        self.check_signature(token, client)
        self._use(token)
        return client

    def check_signature(self, token: Token, client: Client) -> None:
        """Raise Refused unless one key of this client, and of no other, made the signature."""
        key = self._key(client, token.header["kid"], token.header["alg"])
        algorithm = token.header["alg"]
        try:
            self._jws.decode_complete(token.text, key.for_algorithm(algorithm), algorithms=[algorithm])
        except PyJWTError:
            raise Refused(Reason.SIGNATURE) from None

    def _key(self, client: Client, kid: str, algorithm: str) -> PublicKey:
        try:
            named = self._keys.find(client, kid)
        except KeysUnavailable:
            raise Refused(Reason.KEYS_UNAVAILABLE) from None
        if not named:
            raise Refused(Reason.UNKNOWN_KEY)
        fitting = [key for key in named if key.fits(algorithm)]
        if len(fitting) != 1:
            raise Refused(Reason.UNFIT_KEY)
        return fitting[0]

    def _use(self, token: Token) -> None:
        now, expires = self._now(), float(token.claims["exp"]) + LEEWAY_S
        if self._rest.holds():
            raise _replay_store_down()
        try:
            first = self._used.first_use(token.claims["iss"], token.claims["jti"], expires)
        except Exception as error:  # whatever breaks there, the answer is the same: closed
            self._rest.begin()
            raise _replay_store_down() from error
        self._rest.end()
        self._forget_expired(now)
        if not first:
            raise Refused(Reason.REPLAYED)

    def _forget_expired(self, now: float) -> None:
        if now - self._forgot < FORGET_EVERY_S or not self._forgetting.acquire(blocking=False):
            return
        try:
            self._forgot = now
            self._used.forget(now)
        except Exception as error:  # noqa: BLE001 - the caller's token is good, and what expired can be dropped a minute later
            event("expired-tokens-kept", ERROR, **fault(error))
        finally:
            self._forgetting.release()

    def _is_of_registered(self, authorization: str | None) -> bool:
        try:
            return bool(clients_of(read_token(authorization), self._settings.clients))
        except Refused:
            return False


def _replay_store_down() -> ReplayStoreDown:
    return ReplayStoreDown("Authentication is not possible at the moment.")

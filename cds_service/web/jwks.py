"""The public keys of a client, from its file or its registered URL: cached, refreshed for an unknown key, kept through outages."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from ssl import SSLContext, create_default_context

import certifi

from cds_service.keysets import LARGEST_KEYSET, KeySet, PublicKey, read_keyset
from cds_service.settings import Client, Settings
from cds_service.turns import aside
from cds_service.web.jwks_fetch import TIMEOUT_S, fetch

FRESH_S = 300.0
# After this long without a request the next caller waits for a refresh, so that a withdrawn key does not live on in an idle service.
IDLE_S = 3_600.0
USABLE_S = 24 * 3_600.0
COOL_DOWN_S = 10.0

Load = Callable[[], bytes]
Start = Callable[[Callable[[], None]], None]


class KeysUnavailable(Exception):
    """No key set of this client could be had, or the last one is too old."""


@dataclass(frozen=True, slots=True)
class _Read:
    keys: KeySet
    at: float


class KeySource:
    """One key set and its age; `load` is asked once in the cool-down at most, away from the thread of the request."""

    def __init__(self, load: Load, clock: Callable[[], float], start: Start) -> None:
        self._load, self._clock, self._start = load, clock, start
        self._last: _Read | None = None
        self._asked: float | None = None
        self._answered = threading.Event()
        self._lock = threading.Lock()

    def find(self, kid: str) -> tuple[PublicKey, ...]:
        """The keys with this id, after a refresh where the id is unknown or the service was idle."""
        now, last = self._clock(), self._last
        known = last.keys.find(kid) if last and now - last.at < USABLE_S else ()
        if last and known and now - last.at < FRESH_S:
            return known
        idle = self._asked is None or now - self._asked >= IDLE_S
        refresh = self._ask(now)
        if known and not idle:
            return known
        aside(refresh.wait)(TIMEOUT_S)
        return self._usable().keys.find(kid)

    def age(self) -> float | None:
        """Seconds since the last successful reading, for the metric; None before the first."""
        return self._clock() - self._last.at if self._last else None

    def _usable(self) -> _Read:
        if self._last is None or self._clock() - self._last.at >= USABLE_S:
            raise KeysUnavailable
        return self._last

    def _ask(self, now: float) -> threading.Event:
        with self._lock:
            if self._asked is not None and now - self._asked < COOL_DOWN_S:
                return self._answered
            self._asked, self._answered = now, threading.Event()
            answered = self._answered
        self._start(partial(self._refresh, answered))
        return answered

    def _refresh(self, answered: threading.Event) -> None:
        try:
            self._last = _Read(read_keyset(self._load()), self._clock())
        except (OSError, ValueError, HTTPException):
            pass  # the last good set stays in use, and its age tells the operator
        finally:
            answered.set()


class KeyRing:
    """The key sources of all registered clients."""

    def __init__(self, settings: Settings, clock: Callable[[], float], start: Start | None = None) -> None:
        context = create_default_context(cafile=str(settings.ca_bundle or certifi.where()))
        begin = start or _in_background
        self._sources: Mapping[str, tuple[KeySource, ...]] = {
            client.name: tuple(KeySource(load, clock, begin) for load in _loads(client, context)) for client in settings.clients
        }

    def find(self, client: Client, kid: str) -> tuple[PublicKey, ...]:
        """The client's keys with this id; raises KeysUnavailable when no source can be read and none knows the id."""
        unavailable = False
        for source in self._sources[client.name]:
            try:
                found = source.find(kid)
            except KeysUnavailable:
                unavailable = True
                continue
            if found:
                return found
        if unavailable:
            raise KeysUnavailable
        return ()

    def ages(self) -> Mapping[str, float | None]:
        """For each client the age of its oldest key set; None where one was never read."""
        return {name: _oldest([source.age() for source in sources]) for name, sources in self._sources.items()}


def _oldest(ages: list[float | None]) -> float | None:
    known = [age for age in ages if age is not None]
    return max(known) if known and len(known) == len(ages) else None


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="jwks-refresh", daemon=True).start()


def _loads(client: Client, context: SSLContext) -> list[Load]:
    loads: list[Load] = []
    if client.jwks_file is not None:
        loads.append(partial(read_file, client.jwks_file))
    if client.jwks_url is not None:
        loads.append(partial(fetch, client.jwks_url, context))
    return loads


def read_file(path: Path) -> bytes:
    """The bytes of a key file, one more than may be at most."""
    with path.open("rb") as file:
        return file.read(LARGEST_KEYSET + 1)

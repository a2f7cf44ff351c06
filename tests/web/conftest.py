"""An application with one registered hospital, a memory that can be looked into, and a clock that stands still."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.knowledge import Knowledge
from cds_service.protocol.prefetch import Fetch
from cds_service.settings import Client, Server, Settings, Store
from cds_service.store.engine import open_engine
from cds_service.store.used_tokens import UsedTokens
from cds_service.web import create_app
from cds_service.web.jwks import KeyRing
from cds_service.web.trust import Trust

from .hospital import ISSUER, NOW, PUBLIC_URL, Hospital

SECRET = b"a secret of the tests, 32 letters"


class Kept:
    """A memory that keeps everything in lists; `full` makes it fail."""

    def __init__(self) -> None:
        self.decisions: list[Mapping[str, Any]] = []
        self.entries: list[Mapping[str, Any]] = []
        self.overrides: frozenset[Any] = frozenset()
        self.since: float | None = None
        self.up = True
        self.lost = 0
        self.fault: Exception | None = None

    def decided(self, record: Mapping[str, Any]) -> None:
        self.decisions.append(record)

    def feedback(self, records: list[Mapping[str, Any]]) -> None:
        if self.fault:
            raise self.fault
        self.entries += records

    def overridden(self, patient: str, clinician: str, since: float) -> frozenset[Any]:
        self.since = since
        return self.overrides

    def healthy(self) -> bool:
        return self.up

    def waiting(self) -> int:
        return 0

    def take_dropped(self) -> int:
        lost, self.lost = self.lost, 0
        return lost


Build = Callable[..., Flask]


@pytest.fixture
def hospital() -> Hospital:
    """The registered record system."""
    return Hospital()


@pytest.fixture
def kept() -> Kept:
    """The memory of the application."""
    return Kept()


@pytest.fixture
def settings(tmp_path: Path, hospital: Hospital) -> Settings:
    """Production settings with this hospital as the one client."""
    keys = tmp_path / "keys.json"
    keys.write_bytes(hospital.keyset())
    client = Client("general", ISSUER, ("https://ehr.example.org/fhir",), jwks_file=keys)
    return Settings(Server(public_url=PUBLIC_URL), Store(f"sqlite:///{tmp_path}/store.db"), (client,))


@pytest.fixture
def build(knowledge: Knowledge, settings: Settings, kept: Kept) -> Iterator[Build]:
    """Makes applications from settings; what they do on the outside can be replaced."""
    engines = []

    def make(given: Settings = settings, fetch: Fetch | None = None, knowledge: Knowledge = knowledge, **other: Any) -> Flask:
        engine = open_engine(given.store.url)
        engines.append(engine)
        used = UsedTokens(engine)
        used.create()
        keys = KeyRing(given, lambda: 0.0, start=lambda work: work())
        trust = Trust(given, keys, used, lambda: NOW)
        parts = {"store": kept, "trust": trust, "fetch_for": lambda _client: fetch, "secret": SECRET, "now": moment, "key_ages": keys.ages}
        return create_app(given, knowledge, **{**parts, **other})

    yield make
    for engine in engines:
        engine.dispose()


def moment() -> datetime:
    """The moment at which all of this happens."""
    return datetime.fromtimestamp(NOW, UTC)


@pytest.fixture
def app(build: Build) -> Flask:
    """The application of the hospital."""
    return build()


@pytest.fixture
def caller(app: Flask) -> FlaskClient:
    """A client of the application, without any token."""
    return app.test_client()


@pytest.fixture
def open_caller(build: Build, settings: Settings) -> FlaskClient:
    """A client of the application in development mode, which asks for no token."""
    return build(Settings(Server(public_url=PUBLIC_URL), settings.store, development=True)).test_client()


def rows(path: Path, query: str) -> list[Any]:
    """What a query finds in an SQLite file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()

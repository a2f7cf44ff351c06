"""A faulty FHIR server and a client that is registered for it."""

from collections.abc import Callable, Iterator

import pytest

from cds_service.fhir.client import FhirClient
from cds_service.settings import Client, Server, Settings
from tests.fhir_client.faultfhir import FaultServer, Script

DEADLINE_MS = 1_500


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    """Starts servers with a script each, and ends them."""
    started: list[FaultServer] = []

    def start(script: Script, **options: object) -> FaultServer:
        started.append(FaultServer(script, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def client() -> Iterator[FhirClient]:
    """A client of a test rig: plain http on 127.0.0.1, all else as in production."""
    made = FhirClient(Settings(server=Server(deadline_ms=DEADLINE_MS, allow_loopback_http=True)))
    yield made
    made.close()


@pytest.fixture
def registered() -> Callable[..., Client]:
    """A registered client for these base addresses."""
    return lambda *bases: Client(name="hospital", issuer="https://ehr.example.org", fhir_bases=bases)

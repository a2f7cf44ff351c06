"""FHIR servers that answer as a script says."""

from collections.abc import Callable, Iterator

import pytest

from tests.fhir_client.faultfhir import FaultServer, Script


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    """Starts servers with a script each, and ends them."""
    started: list[FaultServer] = []

    def start(script: Script) -> FaultServer:
        started.append(FaultServer(script))
        return started[-1]

    yield start
    for one in started:
        one.close()

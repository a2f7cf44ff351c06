"""Every fault of a FHIR server, met in four states of the prefetch."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from msgspec import Raw

from cds_service.access import FhirAccess
from cds_service.errors import CannotDecide
from cds_service.fhir.client import FhirClient
from cds_service.protocol.prefetch import Prefetched, fill
from cds_service.protocol.request import HookRequest
from cds_service.settings import Client, Server, Settings
from tests.fhir_client.faultfhir import FaultServer, bundle, outcome, resource, ticking
from tests.fhir_client.faults import ALL, FAULTS, PART, Fault

GENEROUS_S = 0.6  # a busy machine is no mistake of the client


@dataclass(frozen=True)
class Part:
    """A prefetch key as a service declares it."""

    query: str
    names: str
    required: bool = False


PARTS = {
    "results": Part("Observation?patient={{context.patientId}}", "laboratory results", required=True),
    "orders": Part("MedicationRequest?patient={{context.patientId}}", "running medication orders", required=True),
    "conditions": Part("Condition?patient={{context.patientId}}", "problem list"),
}


def supplied(state: str, base: str) -> dict[str, object]:
    """What the client prefetched."""
    results, orders = bundle(resource("Observation")), bundle(resource("MedicationRequest"))
    return {
        "nothing prefetched": {},
        "optional data missing": {"results": results, "orders": orders},
        "a page is missing": {"results": bundle(resource("Observation"), next_url=f"{base}/Observation?page=2"), "orders": orders},
        "prefetch failed": {"results": outcome("error"), "orders": orders},
    }[state]


def request(state: str, base: str) -> HookRequest:
    """A request whose prefetch is in this state."""
    prefetch = {key: Raw(json.dumps(value).encode()) for key, value in supplied(state, base).items()}
    return HookRequest(
        "order-sign",
        "h",
        "Practitioner/1",
        "pat1",
        prefetch=prefetch,
        fhir=FhirAccess(base, "secret"),
        context={"context.patientId": "pat1"},
    )


@pytest.fixture
def filled(
    serve: Callable[..., FaultServer], registered: Callable[..., Client]
) -> Callable[[Fault, str], tuple[Prefetched | CannotDecide, float, FhirClient]]:
    """Fills a prefetch in a given state from a server with a given fault; also the time taken."""

    def run(fault: Fault, state: str) -> tuple[Prefetched | CannotDecide, float, FhirClient]:
        server = serve(fault.script)
        client = FhirClient(Settings(server=Server(deadline_ms=int(fault.deadline_s * 1000), allow_loopback_http=True)))
        started = ticking()
        try:
            found: Prefetched | CannotDecide = fill(request(state, server.base), PARTS, client.fetch_for(registered(server.base)))
        except CannotDecide as error:
            found = error
        took = ticking() - started
        client.close()
        return found, took, client

    return run


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_required_data_that_cannot_be_had_is_a_refusal_that_names_them(filled: Callable, fault: Fault) -> None:
    """PF-08, FA-04, A3, A17: nothing prefetched, a faulty server: 412 with the keys, or all of the data; never late, never empty."""
    found, took, client = filled(fault, "nothing prefetched")
    assert took <= fault.deadline_s + GENEROUS_S
    if fault.gives == ALL:
        assert isinstance(found, Prefetched)
        assert not found.missing
        assert client.reasons() == {}
    else:
        assert isinstance(found, CannotDecide)
        assert found.missing == ("results", "orders")
        assert "laboratory results" in found.message
        assert client.reasons() == {fault.reason: 3}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_optional_data_that_cannot_be_had_are_missing_by_name(filled: Callable, fault: Fault) -> None:
    """PF-02, A17: required data prefetched, optional data not to be had: judged without, and the key is named as missing."""
    found, took, _ = filled(fault, "optional data missing")
    assert took <= fault.deadline_s + GENEROUS_S
    assert isinstance(found, Prefetched)
    assert found.missing == (frozenset() if fault.gives == ALL else {"conditions"})
    assert ("conditions" in found.parts) == (fault.gives in {ALL, PART})


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("state", ["a page is missing", "prefetch failed"])
def test_a_part_of_required_data_is_never_taken_for_the_whole(filled: Callable, fault: Fault, state: str) -> None:
    """PF-05, PF-07, A17: a missing page or a failed prefetch that the server cannot mend is a refusal, never silence."""
    found, took, _ = filled(fault, state)
    assert took <= fault.deadline_s + GENEROUS_S
    if fault.gives == ALL:
        assert isinstance(found, Prefetched)
        assert "results" in found.parts
        assert not found.missing & {"results", "orders"}
    else:
        assert isinstance(found, CannotDecide)
        assert found.missing == ("results",)


def test_a_refused_connection_is_a_refusal_at_once(filled: Callable, registered: Callable[..., Client], client: FhirClient) -> None:
    """PF-08: nobody listens at the registered address: 412, long before the deadline."""
    started = ticking()
    base = "http://127.0.0.1:9/fhir"
    with pytest.raises(CannotDecide):
        fill(request("nothing prefetched", base), PARTS, client.fetch_for(registered(base)))
    assert ticking() - started < 1.5
    assert client.reasons() == {"no-connection": 3}


def test_there_are_faults_enough() -> None:
    """A33: at least 45 faults stand in the table, each under its own name."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 45

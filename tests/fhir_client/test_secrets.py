"""The token goes into one header of one request, and into nothing else."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.access import FhirAccess
from cds_service.fhir.client import FhirClient
from cds_service.fhir.search import Fault, Reason
from cds_service.settings import Client, Server, Settings
from tests.fhir_client.faultfhir import FaultServer, bundle, good, kind_of, resource

TOKEN = "canary-0123456789"
WANTED = {"results": "Observation?patient=pat1"}


@pytest.fixture
def fetch_from(client: FhirClient, registered: Callable[..., Client]) -> Callable[[FaultServer], object]:
    """Fetches once from a server, with the canary as the token."""
    return lambda server: client.fetch_for(registered(server.base))(FhirAccess(server.base, TOKEN), WANTED)


def test_every_call_shows_the_token_and_asks_for_fhir(serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """FA-02: the token stands in Authorization, the answer is asked for as FHIR JSON and unpacked."""
    server = serve(good)
    fetch_from(server)
    assert server.targets() == ["/fhir/Observation?patient=pat1"]
    headers = server.calls[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["accept"] == "application/fhir+json"
    assert headers["accept-encoding"] == "identity"
    assert TOKEN not in server.calls[0].target


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """T3, A5: the place that a redirect names sees nothing, and its body is not read."""
    trap = serve(good)
    server = serve(lambda call: call.send(status, b"x" * 100_000, {"Location": f"{trap.base}/Observation"}))
    assert fetch_from(server) == {}
    assert trap.calls == []
    assert len(server.calls) == 1


def test_a_page_on_another_port_never_sees_the_token(serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """T2, A5: the next page of another server is not asked for."""
    trap = serve(good)
    server = serve(lambda call: call.send(200, bundle(resource("Observation"), next_url=f"{trap.base}/Observation?page=2")))
    found = fetch_from(server)
    assert not found["results"].complete
    assert trap.calls == []


def test_the_environment_changes_nothing(
    serve: Callable[..., FaultServer], fetch_from: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """T5, A5: a proxy, a netrc file and a bundle of certificates in the environment are not looked at."""
    trap, server = serve(good), serve(good)
    netrc = tmp_path / "netrc"
    netrc.write_text("default login user password secret\n")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setitem(os.environ, name, trap.base.removesuffix("/fhir"))
    monkeypatch.setitem(os.environ, "NETRC", str(netrc))
    monkeypatch.setitem(os.environ, "REQUESTS_CA_BUNDLE", str(netrc))
    assert fetch_from(server)["results"].complete
    assert trap.calls == []
    assert server.calls[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_cookie_is_never_sent_back(serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """T5, A5: what one answer sets does not come with the next patient's call."""
    server = serve(lambda call: call.send(200, bundle(resource("Observation")), {"Set-Cookie": "session=1; Path=/"}))
    fetch_from(server)
    fetch_from(server)
    assert [call.headers.get("cookie") for call in server.calls] == [None, None]


def test_nothing_is_logged_and_no_error_tells_an_address(
    serve: Callable[..., FaultServer], fetch_from: Callable, client: FhirClient, caplog: pytest.LogCaptureFixture
) -> None:
    """FA-03, T6, A16: neither the token nor a patient's id stands in a log line or in the text of a fault."""
    caplog.set_level(logging.INFO)
    fetch_from(serve(lambda call: call.send(500)))
    assert TOKEN not in caplog.text
    assert "pat1" not in caplog.text
    assert TOKEN not in repr(client.reasons())
    assert str(Fault(Reason.REFUSED)) == "status-4xx"
    assert TOKEN not in repr(FhirAccess("https://ehr.example.org", TOKEN))


@pytest.mark.parametrize(
    ("life_s", "calls", "reason"), [(0.0, 0, "token-expired"), (-5.0, 0, "token-expired"), (0.1, 1, "deadline"), (300.0, 1, None)]
)
def test_a_token_is_not_used_after_its_end(
    life_s: float,
    calls: int,
    reason: str | None,
    serve: Callable[..., FaultServer],
    client: FhirClient,
    registered: Callable[..., Client],
) -> None:
    """FA-04: an expired token is not shown, and a call ends when its token does."""
    server = serve(lambda call: (call.server.over.wait(0.2), good(call))[0])
    client.fetch_for(registered(server.base))(FhirAccess(server.base, TOKEN, life_s), WANTED)
    assert len(server.calls) == calls
    assert client.reasons() == ({reason: 1} if reason else {})


def test_a_reference_of_the_client_cannot_leave_the_base(
    serve: Callable[..., FaultServer], client: FhirClient, registered: Callable[..., Client]
) -> None:
    """T1: a query that climbs out of the base is not asked."""
    server = serve(good)
    for query in ("Medication/../../admin", "../admin", "/admin", "http://127.0.0.9/fhir/Medication/1", "Medication/1#x"):
        assert client.fetch_for(registered(server.base))(FhirAccess(server.base, TOKEN), {"drug": query}) == {}
    assert server.calls == []


def test_parallel_requests_never_mix(serve: Callable[..., FaultServer], registered: Callable[..., Client]) -> None:
    """RQ-22, A21: fifty requests at once, each with its own token and patient, get their own data."""
    import threading

    server = serve(lambda call: call.send(200, bundle(resource(kind_of(call.target), call.headers["authorization"][7:], call.target[-3:]))))
    client = FhirClient(Settings(server=Server(deadline_ms=5_000, allow_loopback_http=True)))
    wrong: list[int] = []

    def one(number: int) -> None:
        access = FhirAccess(server.base, f"token-{number}")
        found = client.fetch_for(registered(server.base))(access, {"results": f"Observation?patient={number:03}"})
        text = b"".join(bytes(one.raw) for one in found["results"].resources)
        if f'token-{number}"'.encode() not in text or f'Patient/{number:03}"'.encode() not in text:
            wrong.append(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    client.close()

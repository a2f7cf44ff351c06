"""Only a registered address is called, and a token goes nowhere else."""

import socket
from collections.abc import Callable

import pytest

from cds_service.access import FhirAccess
from cds_service.fhir.client import FhirClient
from cds_service.fhir.origins import fault, registered_base, within
from cds_service.settings import Client, Server, Settings
from tests.fhir_client.faultfhir import FaultServer, good

REGISTERED = "https://ehr.example.org/fhir"
REFUSED = (
    "https://169.254.169.254/fhir", "http://169.254.169.254/latest/meta-data", "https://[::1]/fhir", "https://[::ffff:127.0.0.1]/fhir",
    "https://2130706433/fhir", "https://0x7f000001/fhir", "https://0x7f.1/fhir", "https://127.1/fhir", "https://0177.0.0.1/fhir",
    "https://good@evil.example/fhir", "https://ehr.example.org@evil.example/fhir", "https://ehr.example.org:443@evil.example/fhir",
    "https://ehr.example.org.evil.example/fhir", "https://ehr.example.orgevil/fhir", "https://ehr.example.org\\@evil.example/fhir",
    "https://ehr.example.org./fhir", "https://EHR.example.org/fhir", "https://ehr.example.org:443/fhir", "https://ehr.example.org:8443/fhir",
    "https://xn--ehr-9na.example.org/fhir", "https://ehr.example.org/fhir/../admin", "https://ehr.example.org/fhir/%2e%2e/admin",
    "https://ehr.example.org/fhirx", "https://ehr.example.org/", "https://ehr.example.org", "http://ehr.example.org/fhir",
    "https://ehr.example.org/fhir?x=1", "https://ehr.example.org/fhir#x", "https://ehr.example.org//fhir", "//ehr.example.org/fhir",
    "ftp://ehr.example.org/fhir", "file:///etc/passwd", "gopher://ehr.example.org/fhir", "javascript:alert(1)", "ehr.example.org/fhir",
    "https://ehr.example.org/fhir\r\nX: y", "https://ehr.example.org/fhir\x00", " https://ehr.example.org/fhir",
    "https://ehr.example.org/fhir ",
    "https://\u0435hr.example.org/fhir", "", "https://", "https:///fhir", "https://ehr.example.org/" + "a" * 3_000,
)  # fmt: skip


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every name that is looked up and every connection that is tried."""
    tried: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: tried.append(args) or [])
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: tried.append(address))
    return tried


@pytest.mark.parametrize("base", REFUSED)
def test_an_unregistered_address_is_refused_before_any_look_up(
    base: str, client: FhirClient, registered: Callable[..., Client], nowhere: list[object]
) -> None:
    """FA-05, T1, A6: whatever merely resembles the registered address: no look-up, no connection, no data."""
    assert client.fetch_for(registered(REGISTERED))(FhirAccess(base, "secret"), {"results": "Observation?patient=1"}) == {}
    assert client.reasons() == {"base-not-registered": 1}
    assert nowhere == []


@pytest.mark.parametrize("base", [REGISTERED, REGISTERED + "/", REGISTERED + "/tenant-1"])
def test_a_registered_address_and_what_lies_below_it_may_be_called(base: str) -> None:
    """FA-01: the registered base, with or without its last slash, and a path below it."""
    assert registered_base(base, [REGISTERED]) == base.removesuffix("/")


@pytest.mark.parametrize(
    ("base", "settings", "reason"),
    [
        ("http://ehr.example.org/fhir", Settings(), "plain-http"),
        ("http://127.0.0.1:8141/fhir", Settings(), "plain-http"),
        ("http://localhost:8141/fhir", Settings(server=Server(allow_loopback_http=True)), "plain-http"),
        ("http://10.0.0.1/fhir", Settings(server=Server(allow_loopback_http=True)), "plain-http"),
        ("http://10.0.0.1/fhir", Settings(development=True), "plain-http"),
    ],
)
def test_plain_http_is_for_loopback_in_a_rig_only(
    base: str, settings: Settings, reason: str, registered: Callable[..., Client], nowhere: list[object]
) -> None:
    """RQ-15: http is never called in production, although it is registered; a rig may use 127.0.0.1, development this machine."""
    client = FhirClient(settings)
    assert client.fetch_for(registered(base))(FhirAccess(base, "secret"), {"results": "Observation?patient=1"}) == {}
    assert client.reasons() == {reason: 1}
    assert nowhere == []


def test_without_a_token_only_a_developer_may_fetch(
    serve: Callable[..., FaultServer], client: FhirClient, registered: Callable[..., Client]
) -> None:
    """FA-02: a registered client without a token fetches nothing; in development an open server may be read."""
    server = serve(good)
    wanted = {"results": "Observation?patient=pat1"}
    assert client.fetch_for(registered(server.base))(FhirAccess(server.base), wanted) == {}
    assert client.reasons() == {"no-token": 1}
    developer = FhirClient(Settings(development=True))
    found = developer.fetch_for(Client("development", "", any_fhir_base=True))(FhirAccess(server.base), wanted)
    assert found["results"].complete
    assert "authorization" not in server.calls[0].headers


@pytest.mark.parametrize(
    ("link", "allowed"),
    [
        (f"{REGISTERED}/Observation?page=2", True),
        (f"{REGISTERED}?_getpages=a-b&_getpagesoffset=20", True),
        (f"{REGISTERED}/Observation?code=http%3A%2F%2Floinc.org%7C85498-0", True),
        (f"{REGISTERED}/Observation?x=" + "a" * 3_000, True),
        (f"{REGISTERED}/Observation?x=" + "a" * 9_000, False),
        ("https://ehr.example.org/other?page=2", False),
        ("https://evil.example/fhir?page=2", False),
        (f"{REGISTERED}@evil.example/", False),
        (f"{REGISTERED}/../admin", False),
        (f"{REGISTERED}/%2e%2e/admin", False),
        (f"{REGISTERED}/..;/admin", False),
        (f"{REGISTERED}/..%3B/admin", False),
        (f"{REGISTERED}/Observation;v=1?page=2", False),
        (f"{REGISTERED}/Observation?page=2;3", True),
        (f"{REGISTERED}/Observation#x", False),
        (5, False),
    ],
)
def test_a_link_stays_below_its_base(link: object, allowed: bool) -> None:
    """T2: a page link is followed on the base's scheme, host, port and path only."""
    assert within(link, REGISTERED) is allowed


def test_the_fault_of_an_address_is_one_word() -> None:
    """T1: why an address cannot be one is said in a word that may be printed."""
    texts = ("", "https://a b", "nothing", "https://a/#x", "https://a/?x", "http://a", "https://u@a", "https://a:0", "https://[x]")
    assert [fault(text) for text in texts] == [
        "length", "characters", "form", "fragment", "query", "scheme", "userinfo", "port", "host",
    ]  # fmt: skip

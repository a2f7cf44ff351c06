"""One deadline, bounded memory, few second tries, and a pause for a server that is down."""

import gzip
import json
import socket
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import responses

from cds_service.access import FhirAccess
from cds_service.fhir.breaker import Breaker
from cds_service.fhir.client import CHUNK, FhirClient
from cds_service.fhir.door import FEW, MANY
from cds_service.fhir.leash import Leash, may_reach
from cds_service.settings import Client, Server, Settings
from tests.fhir_client.faultfhir import Call, FaultServer, bomb, bundle, good, kind_of, resource, ticking
from tests.fhir_client.faults import status, then_good

WANTED = {"results": "Observation?patient=pat1"}
EHR = "https://ehr.example.org/fhir"


@pytest.fixture
def fetch_from(client: FhirClient, registered: Callable[..., Client]) -> Callable[..., dict]:
    """Fetches once from a server."""
    return lambda server, wanted=WANTED: client.fetch_for(registered(server.base))(FhirAccess(server.base, "secret"), wanted)


def test_what_is_there_at_the_deadline_is_kept(serve: Callable[..., FaultServer], fetch_from: Callable, client: FhirClient) -> None:
    """FA-04, PE-02, A3: of three queries the one that hangs is given up at the deadline, and the other two are answered."""
    server = serve(lambda call: call.hang() if "Condition" in call.target else good(call))
    started = ticking()
    found = fetch_from(server, {"a": "Observation?x=1", "b": "Condition?x=1", "c": "Patient/1"})
    assert set(found) == {"a", "c"}
    assert ticking() - started < 2.3
    assert client.reasons() == {"deadline": 1}


def test_the_calls_end_before_the_deadline(serve: Callable[..., FaultServer], registered: Callable[..., Client]) -> None:
    """A3: a server that says nothing costs less than the deadline, so that the answer is written when it ends."""
    server = serve(Call.hang)
    client = FhirClient(Settings(server=Server(deadline_ms=1_000, allow_loopback_http=True)))
    took = []
    for _ in range(3):  # a busy machine may wake one of them late
        started = ticking()
        assert client.fetch_for(registered(server.base))(FhirAccess(server.base, "secret"), WANTED) == {}
        took.append(ticking() - started)
    client.close()
    assert 0.94 < min(took) < 1.0


def test_all_calls_of_a_request_share_one_deadline(
    serve: Callable[..., FaultServer], client: FhirClient, registered: Callable[..., Client]
) -> None:
    """A3: a second round of queries gets what the first one left, and no more."""
    server = serve(Call.hang)
    fetch, started = client.fetch_for(registered(server.base)), ticking()
    for _ in range(3):
        assert fetch(FhirAccess(server.base, "secret"), WANTED) == {}
    assert ticking() - started < 2.3
    assert len(server.calls) == 1


def test_an_abandoned_call_does_not_keep_its_thread(serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """A3: after forty calls that hung, the shared threads are free for a good one."""
    hanging, healthy = serve(Call.hang), serve(good)
    fetch_from(hanging, {str(number): f"Observation?x={number}" for number in range(40)})
    assert fetch_from(healthy)["results"].complete


@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        (status(400), 1), (status(401), 1), (status(403), 1), (status(404), 1), (status(429), 1), (status(429, Retry_After="9"), 1),
        (status(500), 2), (status(503), 2), (status(503, Retry_After="9"), 1), (then_good(status(502)), 2), (Call.hang, 1),
        (lambda call: call.send(200, "<html>"), 1),
    ],
)  # fmt: skip
def test_there_is_a_second_try_only_where_it_may_help(
    fault: Callable, calls: int, serve: Callable[..., FaultServer], fetch_from: Callable
) -> None:
    """The failure table: once more after 5xx and a lost connection; never after 4xx, a wrong body, or a wait that does not fit."""
    server = serve(fault)
    fetch_from(server)
    assert len(server.calls) == calls


def test_an_answer_of_500_late_in_the_time_is_not_tried_again(serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """The failure table: a second try after 5xx needs half of the deadline."""
    server = serve(lambda call: (call.server.over.wait(0.9), call.send(500))[0])
    fetch_from(server)
    assert len(server.calls) == 1


def test_a_bomb_of_300_mb_costs_little_memory(serve: Callable[..., FaultServer], registered: Callable[..., Client]) -> None:
    """T8, A12: an answer that unpacks to 300 MB is given up at 8 MB."""
    packed = bomb(300 << 20)
    server = serve(lambda call: call.send(200, packed, {"Content-Encoding": "gzip"}))
    client = FhirClient(Settings(server=Server(deadline_ms=5_000, allow_loopback_http=True)))
    tracemalloc.start()
    assert client.fetch_for(registered(server.base))(FhirAccess(server.base, "secret"), WANTED) == {}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert client.reasons() == {"too-large": 1}


def test_bombs_for_all_queries_together_cost_little_memory(serve: Callable[..., FaultServer], registered: Callable[..., Client]) -> None:
    """T8, T9: eleven such answers at once cost no more than the total that a request may read, and a little."""
    packed = bomb(64 << 20)
    server = serve(lambda call: call.send(200, packed, {"Content-Encoding": "gzip"}))
    client = FhirClient(Settings(server=Server(deadline_ms=5_000, allow_loopback_http=True)))
    tracemalloc.start()
    assert client.fetch_for(registered(server.base))(FhirAccess(server.base, "x"), {str(n): f"Observation?x={n}" for n in range(11)}) == {}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 258])
@pytest.mark.parametrize("filler", ["a", "ab1"])
def test_packed_answers_of_any_length_are_read_to_the_end(
    size: int, filler: str, serve: Callable[..., FaultServer], fetch_from: Callable
) -> None:
    """What stands in the unpacker when the last byte has come is not lost."""
    page = bundle(resource("Observation", note=[{"text": ""}]))
    page["entry"][0]["resource"]["note"][0]["text"] = (filler * size)[: size - len(json.dumps(page))]
    text = json.dumps(page).encode()
    assert len(text) == size
    server = serve(lambda call: call.send(200, gzip.compress(text), {"Content-Encoding": "gzip"}))
    found = fetch_from(server)["results"]
    assert found.complete
    assert len(found.resources) == 1


def test_many_large_pages_together_are_bounded_too(serve: Callable[..., FaultServer], registered: Callable[..., Client]) -> None:
    """T9: pages of 5 MB without end stop at 24 MB in all, as incomplete."""
    filler = "x" * (5 << 20)

    def script(call: Call) -> None:
        call.send(
            200, bundle(resource("Observation", note=[{"text": filler}]), next_url=f"{call.server.base}/Observation?page={call.number}")
        )

    server = serve(script)
    client = FhirClient(Settings(server=Server(deadline_ms=10_000, allow_loopback_http=True)))
    found = client.fetch_for(registered(server.base))(FhirAccess(server.base, "secret"), WANTED)["results"]
    assert not found.complete
    assert len(found.resources) == 4
    assert client.reasons() == {"too-large": 1}


def test_connections_are_used_again(serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """Performance: ten requests in turn need one connection."""
    server = serve(good)
    for _ in range(10):
        assert fetch_from(server)["results"].complete
    assert server.connections == 1


def test_queries_go_out_together(serve: Callable[..., FaultServer], registered: Callable[..., Client]) -> None:
    """Performance: six queries to a server that takes a tenth of a second wait for it once, not six times."""
    server = serve(lambda call: (call.server.over.wait(0.1), good(call))[0])
    client = FhirClient(Settings(server=Server(deadline_ms=5_000, allow_loopback_http=True)))
    started = ticking()
    found = client.fetch_for(registered(server.base))(FhirAccess(server.base, "secret"), {str(n): f"Observation?x={n}" for n in range(6)})
    assert len(found) == 6
    assert ticking() - started < 0.55


def test_several_requests_together_are_not_late_for_want_of_places(
    serve: Callable[..., FaultServer], registered: Callable[..., Client]
) -> None:
    """FA-04: eight requests of eleven queries each to a server that takes 0.4 s are all answered within two seconds."""
    server = serve(lambda call: (call.server.over.wait(0.4), good(call))[0])
    client = FhirClient(Settings(server=Server(deadline_ms=2_000, allow_loopback_http=True)))
    wanted = {str(number): f"Observation?x={number}" for number in range(11)}

    def call(_: int) -> int:
        return len(client.fetch_for(registered(server.base))(FhirAccess(server.base, "secret"), wanted))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [11] * 8
    client.close()


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_five_failures_open_the_breaker_and_one_trial_closes_it() -> None:
    """The failure table: five failures within ten seconds, five seconds of rest, then a single trial."""
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(4):
        breaker.failed()
        assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    clock.now = 4.9
    assert not breaker.allows()
    clock.now = 5.0
    assert breaker.allows()
    assert not breaker.allows()
    breaker.failed()
    clock.now = 9.9
    assert not breaker.allows()
    clock.now = 10.0
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows()
    assert breaker.allows()


def test_failures_far_apart_do_not_open_the_breaker() -> None:
    """The failure table: five failures over more than ten seconds are bad luck."""
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(20):
        breaker.failed()
        clock.now += 2.6
        assert breaker.allows()


def test_a_server_that_is_down_is_left_alone(serve: Callable[..., FaultServer], fetch_from: Callable, client: FhirClient) -> None:
    """The failure table: after five failed requests no call goes out for a while."""
    server = serve(status(503))
    for _ in range(7):
        fetch_from(server)
    assert len(server.calls) == 10
    assert client.reasons() == {"status-5xx": 5, "breaker-open": 2}


def test_a_server_that_refuses_is_not_down(serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """The failure table: a refusal for lack of rights does not stop the calls of others."""
    server = serve(status(403))
    for _ in range(8):
        fetch_from(server)
    assert len(server.calls) == 8


@pytest.mark.parametrize(
    ("host", "peer", "allowed"),
    [
        ("ehr.example.org", "8.8.8.8", True),
        ("ehr.example.org", "10.1.2.3", True),
        ("ehr.example.org", "192.168.0.7", True),
        ("ehr.example.org", "fd00::7", True),
        ("ehr.example.org", "127.0.0.1", False),
        ("ehr.example.org", "127.0.0.3", False),
        ("ehr.example.org", "::1", False),
        ("ehr.example.org", "::ffff:127.0.0.1", False),
        ("ehr.example.org", "169.254.169.254", False),
        ("ehr.example.org", "fe80::1%eth0", False),
        ("ehr.example.org", "0.0.0.0", False),
        ("ehr.example.org", "224.0.0.1", False),
        ("ehr.example.org", "", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.4", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("localhost", "127.0.0.1", True),
        ("localhost", "10.1.2.3", False),
    ],
)
def test_a_connection_ends_where_its_name_may_lead(host: str, peer: str, allowed: bool) -> None:
    """T4: private networks may be reached by name; this machine, link-local addresses and other literals may not."""
    assert may_reach(host, peer) is allowed


def test_a_name_that_turns_to_this_machine_gets_no_byte(
    serve: Callable[..., FaultServer], registered: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T4, A5: a registered name that resolves to loopback is connected to at most, and never sent a request."""
    server = serve(good)
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *args, **kwargs: real("127.0.0.1", *args, **kwargs))
    base = f"https://ehr.example.org:{server.port}/fhir"
    client = FhirClient(Settings(server=Server(deadline_ms=500)))
    assert client.fetch_for(registered(base))(FhirAccess(base, "secret"), WANTED) == {}
    assert server.calls == []
    assert client.reasons() == {"no-connection": 1}


def test_a_leash_that_was_cut_takes_no_socket() -> None:
    """A3: a connection that is made after the deadline is given up before a byte is sent."""
    leash = Leash()
    leash.end()
    with socket.socket() as line, pytest.raises(TimeoutError):
        leash.hold(line)


@responses.activate
def test_pages_are_followed_in_order(registered: Callable[..., Client], client: FhirClient) -> None:
    """PF-07: three pages of a registered https server become one answer, in their order."""
    for page, following in (("", "?page=2"), ("?page=2", "?page=3"), ("?page=3", None)):
        link = None if following is None else f"{EHR}/Observation{following}"
        responses.get(f"{EHR}/Observation{page or '?patient=1'}", json=bundle(resource("Observation", page or "1"), next_url=link))
    found = client.fetch_for(registered(EHR))(FhirAccess(EHR, "secret"), {"results": "Observation?patient=1"})["results"]
    assert found.complete
    assert len(found.resources) == 3
    assert all(call.request.headers["Authorization"] == "Bearer secret" for call in responses.calls)


@responses.activate
def test_a_link_that_forgot_the_s_is_asked_over_https(registered: Callable[..., Client], client: FhirClient) -> None:
    """PF-07: a server behind a proxy writes http into its links; the call goes to the registered https address."""
    responses.get(
        f"{EHR}/Observation?patient=1", json=bundle(resource("Observation"), next_url="http://ehr.example.org/fhir/Observation?page=2")
    )
    responses.get(f"{EHR}/Observation?page=2", json=bundle(resource("Observation", "2")))
    found = client.fetch_for(registered(EHR))(FhirAccess(EHR, "secret"), {"results": "Observation?patient=1"})["results"]
    assert found.complete
    assert [call.request.url for call in responses.calls][-1] == f"{EHR}/Observation?page=2"


def test_a_later_page_may_hold_included_resources_only(serve: Callable[..., FaultServer], fetch_from: Callable) -> None:
    """PF-07: medications that come with the orders on the second page belong to the answer."""

    def script(call: Call) -> None:
        last = "page=2" in call.target
        kind = "Medication" if last else kind_of(call.target)
        call.send(200, bundle(resource(kind), next_url=None if last else f"{call.server.base}?page=2"))

    found = fetch_from(serve(script), {"orders": "MedicationRequest?patient=pat1"})["orders"]
    assert found.complete
    assert len(found.resources) == 2


def test_a_small_server_is_entered_by_few_doors(serve: Callable[..., FaultServer], registered: Callable[..., Client]) -> None:
    """Performance: no more than six calls at a time to a server that closes every connection; more once it has kept one open."""
    import threading

    def most(closing: bool) -> int:
        lock, inside, seen = threading.Lock(), [0], [0]

        def script(call: Call) -> None:
            with lock:
                inside[0] += 1
                seen[0] = max(seen[0], inside[0])
            call.server.over.wait(0.05)
            with lock:
                inside[0] -= 1
            call.send(200, bundle(), {"Connection": "close"} if closing else {})
            if closing:
                raise OSError

        server = serve(script)
        client = FhirClient(Settings(server=Server(deadline_ms=10_000, allow_loopback_http=True)))
        for _ in range(2):
            fetch = client.fetch_for(registered(server.base))
            assert len(fetch(FhirAccess(server.base, "secret"), {str(n): f"Observation?x={n}" for n in range(20)})) == 20
        return seen[0]

    assert most(closing=True) == FEW
    assert FEW < most(closing=False) <= MANY


def test_servers_are_known_by_their_origin(
    serve: Callable[..., FaultServer], client: FhirClient, registered: Callable[..., Client]
) -> None:
    """T9: paths below a registered base that a client makes up do not fill the memory."""
    server = serve(good)
    for number in range(20):
        access = FhirAccess(f"{server.base}/tenant-{number}", "secret")
        client.fetch_for(registered(server.base))(access, WANTED)
    assert len(client._servers) == 1

"""The server under pressure: half requests, many requests, dying workers, and a stop in the middle of work."""

import json
import os
import signal
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from ..web.hospital import ORDER_SIGN, Hospital, bundle, carbapenemase, request, speaking
from .conftest import Running, Start

pytestmark = pytest.mark.live

HEAD = b"POST /cds-services/ndm-order-sign HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


class SlowFhir(BaseHTTPRequestHandler):
    """A FHIR server that takes its time."""

    delay_s = 0.4
    asked_for: set[str] = set()  # noqa: RUF012 - shared by all calls of one test

    def do_GET(self) -> None:
        """Answer every search with a Bundle."""
        self.asked_for.add(self.headers.get("Authorization", ""))
        time.sleep(self.delay_s)
        resources = [carbapenemase()] if self.path.startswith("/fhir/Observation") and "laboratory" in self.path else []
        body = json.dumps(bundle(*resources)).encode()
        with suppress(OSError):  # whoever asked may have given up
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def slow_fhir() -> Any:
    """The address of a FHIR server that takes its time."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowFhir)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    "half", [b"POST /cds-ser", HEAD + b"Content-Length: 1000\r\n\r\n{", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"]
)
def test_half_sent_requests_do_not_stop_the_service(shared: Running, half: bytes) -> None:
    """A23, P1: with 256 requests that never end, health is told within 100 ms and calls are answered."""
    server = shared
    sockets = []
    try:
        for _ in range(256):
            one = socket.create_connection(("127.0.0.1", server.port))
            one.sendall(half)
            sockets.append(one)
        time.sleep(0.5)
        times = []
        for _ in range(10):
            began = time.monotonic()
            assert server.ask("GET", "/healthz")[0] == 200
            times.append(time.monotonic() - began)
        assert sorted(times)[5] < 0.1
        assert server.ask("POST", ORDER_SIGN, speaking())[0] == 200
    finally:
        for one in sockets:
            one.close()


@pytest.mark.parametrize("sent", [1, 200_000])
def test_bodies_that_stand_still_are_given_up(start: Start, hospital: Hospital, config: str, sent: int) -> None:
    """A23, P1: four hundred half-sent bodies of a client with good tokens: others are answered meanwhile, and the bodies get 408 or 503."""
    server, sockets = start(config, workers=1), []
    for _ in range(400):
        one = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        token = hospital.authorization()["Authorization"].encode()
        one.sendall(HEAD + b"Authorization: " + token + b"\r\nContent-Length: 1000000\r\n\r\n" + b" " * sent)
        sockets.append(one)
    for _ in range(5):
        began = time.monotonic()
        while server.ask("POST", ORDER_SIGN, speaking(), hospital.authorization())[0] == 503:
            pass  # four hundred at once may take longer to be looked at than anybody waits
        assert time.monotonic() - began < 5.0
    answers = []
    for one in sockets:
        answers.append(one.recv(65_536)[9:12])
        while one.recv(65_536):
            pass  # until the server closes
        one.close()
    assert set(answers) <= {b"408", b"503"}
    assert answers.count(b"408") >= (400 if sent == 1 else 100)


def test_a_request_under_way_is_finished_when_the_server_stops(start: Start, slow_fhir: str) -> None:
    """A22: SIGTERM while three requests wait for the FHIR server: each of them gets its answer, and the exit status is 0."""
    server = start(workers=2)
    tokens = [{"access_token": f"t{number}", "token_type": "Bearer", "expires_in": 300} for number in range(3)]
    bodies = [{**request(fhirServer=slow_fhir, fhirAuthorization=token), "prefetch": {}} for token in tokens]
    SlowFhir.asked_for.clear()
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(server.ask, "POST", ORDER_SIGN, body) for body in bodies]
        end = time.monotonic() + 10
        while len(SlowFhir.asked_for) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 12
        answers = [call.result() for call in calls]
    assert [status for status, _ in answers] == [200] * 3
    assert all(json.loads(text)["cards"] for _, text in answers)


def test_killed_workers_come_back(start: Start) -> None:
    """A25: after each of six kills the service answers again within seconds."""
    server = start(workers=2)
    for number in range(6):
        os.kill(server.workers[number % 2], signal.SIGKILL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                if server.ask("GET", "/healthz", timeout=1)[0] == 200 and len(server.workers) == 2:
                    break
            except (OSError, HTTPException):
                time.sleep(0.05)
        assert answered(server)
    assert server.process.poll() is None


def test_a_killed_server_takes_its_workers_along(start: Start) -> None:
    """A25: after kill -9 of the server its workers end by themselves and free the port, so that another can begin."""
    server = start(workers=2)
    workers = server.workers
    server.process.kill()
    server.process.wait()
    end = time.monotonic() + 10
    while time.monotonic() < end and any(map(alive, workers)):
        time.sleep(0.05)
    assert not any(map(alive, workers))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", server.port))


def alive(pid: int) -> bool:
    """Whether a process runs."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return False


def answered(server: Running) -> bool:
    """A call that was given to the dying worker is lost, as the client sees; the next one is not."""
    for _ in range(3):
        with suppress(OSError, HTTPException):
            return server.ask("POST", ORDER_SIGN, speaking())[0] == 200
    return False


def test_one_token_sent_to_all_workers_at_once_is_good_once(start: Start, hospital: Hospital, config: str) -> None:
    """J9, A9: thirty-two parallel calls with one token over four workers: exactly one is answered, five times over."""
    server = start(config, workers=4)
    for _ in range(5):
        headers = hospital.authorization()
        with ThreadPoolExecutor(32) as pool:
            calls = [pool.submit(server.ask, "POST", ORDER_SIGN, request(), headers) for _ in range(32)]
            statuses = sorted(call.result()[0] for call in calls)
        assert statuses == [200] + [401] * 31


def test_a_token_stays_used_after_a_restart(start: Start, hospital: Hospital, config: str) -> None:
    """SE-10: stopping the service does not make it forget which tokens were used."""
    headers = hospital.authorization()
    first = start(config)
    assert first.ask("POST", ORDER_SIGN, request(), headers)[0] == 200
    first.stop()
    assert start(config).ask("POST", ORDER_SIGN, request(), headers)[0] == 401


def test_feedback_survives_killed_workers(start: Start, hospital: Hospital, config: str) -> None:
    """A19, in small: while workers are killed, every feedback that was acknowledged is in the store once."""
    server = start(config, workers=2)
    cards = json.loads(server.ask("POST", ORDER_SIGN, speaking(), hospital.authorization())[1])["cards"]
    acknowledged = send_feedback_while_killing(server, hospital, cards[0]["uuid"], seconds=4)
    assert len(acknowledged) > 20
    server.stop()
    with closing(sqlite3.connect(server.folder / "ndm-cds.db")) as store:
        kept = [row[0] for row in store.execute("SELECT outcome_at FROM feedback")]
    assert len(kept) == len(set(kept))
    assert set(acknowledged) <= set(kept)


def send_feedback_while_killing(server: Running, hospital: Hospital, card: str, seconds: float) -> list[float]:
    """The times of outcome that were acknowledged; a worker is killed every second."""
    acknowledged: list[float] = []
    end = time.monotonic() + seconds

    def send(sender: int) -> None:
        number = 0
        while time.monotonic() < end:
            number += 1
            moment = 1_700_000_000 + sender * 1_000_000 + number
            told = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
            body = {"feedback": [{"card": card, "outcome": "overridden", "outcomeTimestamp": told}]}
            try:
                if server.ask("POST", f"{ORDER_SIGN}/feedback", body, hospital.authorization())[0] == 200:
                    acknowledged.append(float(moment))
            except (OSError, HTTPException):
                continue

    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(send, sender) for sender in range(4)]
        while time.monotonic() < end - 1:
            time.sleep(1)
            os.kill(server.workers[0], signal.SIGKILL)
        for one in sending:
            one.result()
    return acknowledged


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused_over_the_wire(shared: Running, chunked: bool) -> None:
    """H1, G-13: 21 MB are answered with 413, with a length and in chunks, and the next call is answered as ever."""
    server = shared
    piece = b"[" * 100_000
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as one:
        one.sendall(HEAD + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: 21000000\r\n\r\n"))
        try:
            for _ in range(210):
                one.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n" if chunked else piece)
            if chunked:
                one.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # the server may close as soon as it knows
        answer = one.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert server.ask("POST", ORDER_SIGN, speaking())[0] == 200


@pytest.mark.parametrize(("path", "size", "status"), [(ORDER_SIGN, 21_000_000, b"413"), ("/cds-services/nobody", 4_000_000, b"404")])
def test_a_client_that_sends_everything_first_sees_an_early_refusal(shared: Running, path: str, size: int, status: bytes) -> None:
    """H1, G-13: what is sent after a refusal is read and dropped for a while, so that the answer is not lost with the connection."""
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as one:
            one.sendall(HEAD.replace(ORDER_SIGN.encode(), path.encode()) + b"Content-Length: %d\r\n\r\n" % size)
            one.sendall(b"[" * size)
            time.sleep(0.05)
            assert one.recv(65_536)[9:12] == status


def test_more_than_can_be_answered_is_refused_soon(start: Start, slow_fhir: str) -> None:
    """P4, A24: with every place taken by slow calls, the calls beyond the queue are told so at once, and health still answers."""
    server = start(workers=1, threads=1)
    body = {**request(fhirServer=slow_fhir), "prefetch": {}}
    with ThreadPoolExecutor(60) as pool:
        began = time.monotonic()

        def call(_: int) -> tuple[int, float]:
            status, _text = server.ask("POST", ORDER_SIGN, body)
            return status, time.monotonic() - began

        calls = [pool.submit(call, number) for number in range(60)]
        time.sleep(0.2)
        asked = time.monotonic()
        assert server.ask("GET", "/healthz")[0] == 200
        assert time.monotonic() - asked < 0.2
        answers = [one.result() for one in calls]
    refused = [after for status, after in answers if status == 503]
    assert len(refused) > 40
    assert sorted(refused)[30] < 1.0
    assert {status for status, _ in answers} <= {200, 412, 503}


def test_every_line_of_the_log_is_json(start: Start) -> None:
    """B14: from the first line to the last, also those of the server itself."""
    server = start(workers=1)
    server.ask("POST", ORDER_SIGN, speaking(), {"X-Request-ID": "seen-1"})
    server.ask("POST", ORDER_SIGN, b"{")
    server.stop()
    lines = server.log
    assert next(line["request_id"] for line in lines if line["event"] == "answered") == "seen-1"
    assert all({"at", "level", "event"} <= line.keys() for line in lines)


def test_counters_are_those_of_all_workers(shared: Running) -> None:
    """B13: whichever worker is asked, the counters tell of all."""
    before = unknown(shared)
    for _ in range(30):
        shared.ask("POST", "/cds-services/nobody", {})
    assert [unknown(shared) - before for _ in range(5)] == [30.0] * 5


def test_verdicts_are_those_of_all_workers(shared: Running) -> None:
    """B13: a card is among the verdicts as soon as it is answered, whichever worker answered and whichever is asked."""
    name = 'ndm_cds_verdicts_total{rule="ndmAztreonamUnprotected",said="spoke"} '
    before = counted(shared, name)
    for number in range(1, 11):
        shared.ask("POST", ORDER_SIGN, speaking())
        assert counted(shared, name) - before == number


def unknown(server: Running) -> float:
    """How many calls of an unknown service the counters tell of."""
    return counted(server, 'ndm_cds_requests_total{service="unknown",status="404"} ')


def counted(server: Running, name: str) -> float:
    """The value of a series, which does not exist before it was first counted."""
    text = server.ask("GET", "/metrics")[1].decode()
    return next((float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)), 0.0)


def test_one_connection_carries_one_request_after_another(shared: Running) -> None:
    """P2: small and large bodies, with a length and in chunks, each get their own answer on a connection that stays open."""
    body = json.dumps(speaking()).encode()
    connection = HTTPConnection("127.0.0.1", shared.port, timeout=20)
    with closing(connection):
        for size, chunked in product((0, 200_000), (False, True)):
            sent = body + b" " * size
            for number in range(3):
                pieces = iter([sent[:100], sent[100:]]) if chunked else sent
                connection.request("POST", ORDER_SIGN, pieces, {"Content-Type": "application/json", "X-Request-ID": f"n-{number}"})
                first = connection.sock
                answer = connection.getresponse()
                assert (answer.status, answer.headers["X-Request-ID"]) == (200, f"n-{number}")
                assert json.loads(answer.read())["cards"]
                assert connection.sock is first


@pytest.mark.parametrize("flood", [b"".join(b"X-%d: 1\r\n" % number for number in range(2_000)), b"X: " + b"a" * 2_000_000 + b"\r\n"])
def test_headers_have_an_end(shared: Running, flood: bytes) -> None:
    """P3: thousands of headers, or one of two megabytes, are refused, and the next call is answered as ever."""
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as one:
        with suppress(OSError):  # the server may close as soon as it knows
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + flood + b"\r\n")
        answer = b""
        with suppress(OSError):
            answer = one.recv(65_536)
    assert not answer or answer.startswith(b"HTTP/1.1 431")
    assert shared.ask("POST", ORDER_SIGN, speaking())[0] == 200


@pytest.mark.parametrize(
    "probe",
    [
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        HEAD + b"Content-Length: +2\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n{}",
    ],
)
def test_a_request_of_two_lengths_is_no_second_request(shared: Running, probe: bytes) -> None:
    """P2: whatever lengths a request claims, what follows it on the connection is never answered with cards."""
    with socket.create_connection(("127.0.0.1", shared.port), timeout=5) as one:
        one.sendall(probe + b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        one.settimeout(2)
        text = b""
        try:
            while piece := one.recv(65_536):
                text += piece
        except OSError:
            pass
    assert text.startswith(b"HTTP/1.1 400")
    assert b"cdsHooks" not in text.partition(b"\r\n\r\n")[0]


def test_the_second_version_of_http_is_not_spoken(shared: Running) -> None:
    """P2: HTTP/2 without TLS, in which one connection carries many requests, is not answered with frames."""
    with socket.create_connection(("127.0.0.1", shared.port), timeout=5) as one:
        one.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        assert one.recv(65_536)[:5] in {b"", b"HTTP/"}

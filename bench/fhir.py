"""What it costs when the client sends no prefetch: the same request with six parts read from a slow FHIR server."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench import servers
from bench.charts import moment, request, resources_of
from bench.http import PATH
from cds_service.cases.record import Record

ASKED = ("results", "orders", "vitals", "conditions", "allergies", "specimens")
DELAY_S, SLOW_S = 0.02, 1.5
ROUNDS, TOGETHER = 60, 8


@contextmanager
def fhir_server(body: bytes, delay_s: float) -> Iterator[str]:
    """A server that holds the chart of this request and answers every search this late."""
    record = Record(resources_of(body))

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            time.sleep(delay_s)
            found = json.dumps(record.answer(self.path.removeprefix("/fhir/"))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """The caller has hung up; that is its right."""

    server = Server(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/fhir"
    finally:
        server.shutdown()


def without(body: bytes, base: str) -> bytes:
    """The request without six of its parts, and with the address of the server that has them."""
    found = json.loads(body)
    for key in ASKED:
        del found["prefetch"][key]
    access = {"access_token": "bench", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "bench"}
    return json.dumps({**found, "fhirServer": base, "fhirAuthorization": access}).encode()


def ask(url: str, body: bytes) -> tuple[float, int]:
    """Seconds until the answer, and its status."""
    begun = time.perf_counter()
    try:
        with urlopen(Request(url, body, {"Content-Type": "application/json"})) as answer:
            answer.read()
            status = answer.status
    except HTTPError as refused:
        status = refused.code
    return time.perf_counter() - begun, status


def added(rounds: int = ROUNDS) -> tuple[float, float]:
    """Median seconds of a whole request and of one that has to ask, in turn."""
    body = request("card", 100, moment())
    with servers.service() as ours, fhir_server(body, DELAY_S) as base:
        bare = without(body, base)
        pairs = [(ask(ours + PATH, body)[0], ask(ours + PATH, bare)[0]) for _ in range(rounds)]
    return median(whole for whole, _ in pairs), median(asking for _, asking in pairs)


def together(count: int = TOGETHER) -> list[tuple[float, int]]:
    """So many requests at once to a server that needs a second and a half for each query."""
    body = request("card", 100, moment())
    with servers.service() as ours, fhir_server(body, SLOW_S) as base, ThreadPoolExecutor(count) as pool:
        ask(ours + PATH, without(body, base))  # by its first answer a server shows that it keeps connections open
        return list(pool.map(lambda _: ask(ours + PATH, without(body, base)), range(count)))


def main() -> None:
    """Prints both."""
    whole, asking = added()
    print(f"FHIR server of {DELAY_S * 1e3:.0f} ms, {len(ASKED)} queries: {asking * 1e3:.1f} ms, with prefetch {whole * 1e3:.1f} ms")
    found = together()
    latest, statuses = max(taken for taken, _ in found), sorted(status for _, status in found)
    print(f"FHIR server of {SLOW_S} s, {len(found)} requests at once: the last after {latest:.2f} s, statuses {statuses}")


if __name__ == "__main__":
    main()

"""`ndm-cds bench`: the shipped requests against any CDS service."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator

import pytest

from cds_service.cli import exits
from cds_service.cli.bench import Timing

Run = Callable[..., tuple[int, str, str]]


class _Service(http.server.BaseHTTPRequestHandler):
    """A CDS service that says nothing to any order."""

    def do_GET(self) -> None:
        self._answer({"services": [{"id": "theirs", "hook": "order-sign"}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"cards": []})

    def _answer(self, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        """A test prints nothing."""


@pytest.fixture(name="url")
def _url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("connections", [1, 3])
def test_any_service_is_asked_as_often_as_wanted(run: Run, url: str, connections: int) -> None:
    """Each request of a hook that the service answers has a line with its median, its 99th percentile and the answers."""
    status, out, _ = run("bench", "--url", url, "--service", "theirs", "--rounds", "4", "--connections", str(connections))
    assert status == exits.OK
    line = next(one for one in out.splitlines() if "aztreonam-alone" in one)
    assert all(word in line for word in ("p50", "p99", "4 x 200"))


def test_a_service_that_is_not_there_is_said_so(run: Run) -> None:
    """Nothing is measured where nobody answers."""
    status, _, err = run("bench", "--url", "http://127.0.0.1:9")
    assert status == exits.UNREACHABLE
    assert "no answer" in err


def test_the_percentile_is_a_time_that_occurred() -> None:
    """Of a hundred times the 99th percentile is the second longest, of one time that one."""
    hundred = Timing("x", tuple(float(one) for one in range(1, 101)), (200,) * 100)
    assert (hundred.percentile(99), hundred.percentile(50)) == (99.0, 50.0)
    assert Timing("x", (7.0,), (200,)).percentile(99) == 7.0

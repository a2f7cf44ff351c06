"""The started program over real HTTP, and its manners on a terminal."""

import contextlib
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from cds_service.cli import exits
from cds_service.cli.main import run as program
from cds_service.replay import Remote, Unreachable

pytestmark = pytest.mark.live
START_S, STOP_S = 60.0, 60.0


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cds_service", *arguments]


@contextlib.contextmanager
def _started(root: Path, *arguments: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A program in its own process group; it is stopped at the end."""
    process = subprocess.Popen(
        _command(*arguments),
        cwd=root,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_S)


def _ready(remote: Remote) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(Unreachable):
            remote.discovery()
            return
        time.sleep(0.1)
    raise AssertionError("the service did not start")


def test_the_service_answers_as_promised_and_stops_gracefully(root: Path, tmp_path: Path) -> None:
    """Every shipped request gets its promised answer over HTTP, whatever day it is, and SIGTERM ends the service with status 0."""
    port = _port()
    with _started(root, "serve", "--dev", "--port", str(port), NDM_CDS_STORE_URL=f"sqlite:///{tmp_path / 'test.db'}") as server:
        remote = Remote(f"http://127.0.0.1:{port}")
        _ready(remote)
        assert {one["id"] for one in remote.discovery()} == {"ndm-order-sign", "ndm-order-select", "ndm-patient-view"}
        with pytest.raises(SystemExit) as ending:
            program(["replay", str(root / "fixtures"), "--url", remote.url])
        assert ending.value.code == exits.OK
        server.send_signal(signal.SIGTERM)
        assert server.wait(STOP_S) == 0


def test_the_fixture_server_is_searched_by_post(root: Path, tmp_path: Path) -> None:
    """A search whose parameters stand in the body, as the public sandbox sends it, finds what a search by GET finds."""
    port = _port()
    with _started(root, "serve", "--dev", "--port", str(port), NDM_CDS_STORE_URL=f"sqlite:///{tmp_path / 'test.db'}"):
        remote = Remote(f"http://127.0.0.1:{port}")
        _ready(remote)
        address, asked = f"{remote.url}/sandbox/fhir/Observation", {"patient": "pt-unprotected-aztreonam"}
        found = requests.post(f"{address}/_search", data=asked, timeout=10).json()
        assert found["total"] == requests.get(address, params=asked, timeout=10).json()["total"] > 0


def test_serve_refuses_to_start_without_a_client(root: Path) -> None:
    """Without --dev and without a registered client the program ends with status 78 and says why."""
    done = subprocess.run(_command("serve", "--port", str(_port())), cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == exits.CONFIGURATION
    assert "no registered client" in done.stderr


def test_development_stays_on_this_machine(root: Path) -> None:
    """--dev on a public address is refused."""
    done = subprocess.run(
        _command("serve", "--dev", "--host", "0.0.0.0"), cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == exits.CONFIGURATION
    assert "--host" in done.stderr


def test_the_demonstration_shows_cards_silence_and_refusal(root: Path) -> None:
    """`demo --once` starts the service, shows a card, a silence and a refusal, and prints a ready curl."""
    done = subprocess.run(
        _command("demo", "--once", "--port", str(_port())), cwd=root, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == exits.OK, done.stderr
    for said in ("CRITICAL  Aztreonam is unprotected", "nothing to say", "HTTP 412", "curl -s", "/cds-services"):
        assert said in done.stdout


def test_a_taken_port_is_told(root: Path) -> None:
    """The demonstration on a port that is in use ends with the reason."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            _command("demo", "--once", "--port", port), cwd=root, capture_output=True, text=True, timeout=180, check=False
        )
    assert done.returncode == exits.UNREACHABLE
    assert "did not start" in done.stderr


def _serving(process: "subprocess.Popen[bytes]") -> None:
    """Waits until the demonstration serves on."""
    assert process.stdout
    said = b""
    while b"Serving until Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, said.decode()
        said += line


@pytest.mark.parametrize(
    ("send", "stop", "status"),
    [
        (os.killpg, signal.SIGINT, exits.INTERRUPTED),
        (os.killpg, signal.SIGHUP, exits.SIGNAL + signal.SIGHUP),
        (os.kill, signal.SIGTERM, exits.SIGNAL + signal.SIGTERM),
    ],
)
def test_a_stopped_demonstration_takes_the_service_along(
    root: Path, send: Callable[[int, int], None], stop: signal.Signals, status: int
) -> None:
    """Ctrl-C and a closed terminal, which all processes of it get, and SIGTERM to it alone end the service too, without a traceback."""
    port = _port()
    with _started(root, "demo", "--port", str(port)) as demo:
        _serving(demo)
        send(demo.pid, stop)
        assert demo.wait(STOP_S) == status
        assert demo.stdout
        assert b"Traceback" not in demo.stdout.read()
    assert _gone(port)


def _gone(port: int) -> bool:
    """Waits until nobody answers on the port any more."""
    until = time.monotonic() + STOP_S
    while time.monotonic() < until:
        try:
            Remote(f"http://127.0.0.1:{port}", seconds=1).discovery()
        except Unreachable:
            return True
        time.sleep(0.1)
    return False


def test_ctrl_c_under_make_ends_without_a_complaint(root: Path, tmp_path: Path) -> None:
    """`make demo` ends at Ctrl-C and says nothing about an interrupt, since nothing went wrong."""
    port, program = _port(), f"{sys.executable} -m cds_service demo --port"
    recipe = (root / "Makefile").read_text("utf-8").partition("\ndemo:")[2].splitlines()[1].partition("\t@")[2]
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"demo:\n\t@{recipe}\n".replace("$(RUN) -m cds_service demo", f"{program} {port}"))
    command = ["make", "-f", str(makefile), "demo"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as make:
        try:
            _serving(make)
        finally:
            os.killpg(make.pid, signal.SIGINT)
        make.wait(STOP_S)
        assert make.stdout
        assert b"***" not in make.stdout.read()


def _on_a_terminal(root: Path, *arguments: str, **variables: str) -> str:
    """What a program prints to a terminal."""
    leader, follower = pty.openpty()
    values = {**{key: value for key, value in os.environ.items() if key != "NO_COLOR"}, "TERM": "xterm", "COLUMNS": "80", **variables}
    with subprocess.Popen(_command(*arguments), cwd=root, env=values, stdin=follower, stdout=follower, stderr=follower) as process:
        os.close(follower)
        said = b""
        while True:
            readable, _, _ = select.select([leader], [], [], 120)
            try:
                part = os.read(leader, 65_536) if readable else b""
            except OSError:
                part = b""
            if not part:
                break
            said += part
        process.wait(120)
    os.close(leader)
    return said.decode()


REQUEST = "fixtures/ndm/requests/aztreonam-alone.json"


def test_a_terminal_gets_colour_and_lines_that_fit(root: Path) -> None:
    """Urgency is coloured, and no line is wider than the terminal."""
    out = _on_a_terminal(root, "decide", REQUEST)
    assert "\x1b[31m" in out
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in out.splitlines()) <= 80


def test_no_color_is_heeded(root: Path) -> None:
    """NO_COLOR turns colour off on a terminal too."""
    assert "\x1b" not in _on_a_terminal(root, "decide", REQUEST, NO_COLOR="1")


def test_progress_is_shown_on_a_terminal_only(root: Path) -> None:
    """A counter runs while somebody watches, and is not in a file."""
    assert "requests" in _on_a_terminal(root, "replay", "fixtures").split("\r")[1]
    done = subprocess.run(_command("replay", "fixtures"), cwd=root, capture_output=True, text=True, timeout=180, check=False)
    assert done.stderr == ""

"""Starts the service and the bare app for a measurement, each as its own process on loopback, and ends it again."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE_S = 20.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def service(workers: int = 1) -> Iterator[str]:
    """The service in development mode, as `ndm-cds serve --dev` starts it, with an empty store of its own."""
    port = free_port()
    command = [sys.executable, "-m", "cds_service", "serve", "--dev", "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryDirectory() as folder, _running(command, f"http://127.0.0.1:{port}/healthz", f"sqlite:///{folder}/store.db"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def bare(workers: int = 1) -> Iterator[str]:
    """The bare Flask app on the same server with the same threads."""
    port = free_port()
    command = [
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--blocking-threads",
        "8",
        "--log-level",
        "error",
        "bench.bare:app",
    ]
    with _running([str(Path(sys.executable).with_name(command[0])), *command[1:]], f"http://127.0.0.1:{port}/"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], url: str, store: str = "") -> Iterator[subprocess.Popen[bytes]]:
    # A shell that forbids byte code would have every start compile all modules, which an installed service never does.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {"NDM_CDS_STORE_URL": store}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        _wait(url, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"ended at once with status {process.returncode}: {process.args}")
        try:
            urlopen(url, timeout=1)
        except URLError as error:
            if getattr(error, "code", None):
                return
            time.sleep(0.05)
            continue
        return
    raise SystemExit(f"{url} did not answer within {PATIENCE_S:.0f} s")

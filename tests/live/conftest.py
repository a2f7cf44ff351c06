"""Servers as an operator starts them, each in a folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from ..web.hospital import Hospital

ROOT = Path(__file__).parents[2]
START_S = 60.0


@dataclass
class Running:
    """A server process and its folder."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines that it wrote so far."""
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers."""
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, timeout: float = 20
    ) -> tuple[int, bytes]:
        """One call over a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def stop(self) -> int:
        """Ask it to end, and give the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `ndm-cds serve`; `config` is the text of its TOML file, and None starts the development mode."""
    running: list[Running] = []

    def begin(config: str | None = None, workers: int = 2, threads: int = 8) -> Running:
        running.append(launch(tmp_path, config, workers, threads))
        await_ready(running[-1])
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server in development mode for all tests that leave it as it was."""
    server = launch(tmp_path_factory.mktemp("shared"), None, 3, 8)
    await_ready(server)
    yield server
    server.stop()


def launch(folder: Path, config: str | None, workers: int, threads: int) -> Running:
    """Begin a server in this folder, without waiting for it."""
    port = free_port()
    command = [sys.executable, "-m", "cds_service", "serve", "--port", str(port), "--workers", str(workers), "--threads", str(threads)]
    if config is None:
        command.append("--dev")
    else:
        (folder / "ndm-cds.toml").write_text(config)
        command += ["--config", str(folder / "ndm-cds.toml")]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    return Running(process, folder, port)


def await_ready(server: Running) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if server.ask("GET", "/healthz", timeout=1)[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError((server.folder / "log").read_text()[-2_000:])


def free_port() -> int:
    """A port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def hospital() -> Hospital:
    """A record system whose clock is right."""
    return Hospital(now=time.time())


@pytest.fixture
def config(tmp_path: Path, hospital: Hospital) -> str:
    """The configuration of a test rig with this hospital."""
    (tmp_path / "keys.json").write_bytes(hospital.keyset())
    return "\n".join(
        [
            "[server]",
            'public_url = "https://cds.example.org"',
            "allow_loopback_http = true",
            "[clients.general-hospital]",
            f'issuer = "{hospital.issuer}"',
            'jwks_file = "keys.json"',
        ]
    )

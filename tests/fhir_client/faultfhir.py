"""A FHIR server on 127.0.0.1 that misbehaves on purpose: each script writes to the bare socket whatever it likes."""

import contextlib
import json
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """One request as it arrived."""

    target: str
    headers: dict[str, str]
    line: socket.socket
    server: "FaultServer"
    number: int

    def send(
        self, status: int = 200, body: bytes | str | dict[str, Any] = b"", headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        """A whole answer; `length` overrides the truth."""
        raw = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
        named = {"Content-Type": "application/fhir+json", "Content-Length": str(len(raw) if length is None else length), **(headers or {})}
        self.raw(f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named.items()) + "\r\n")
        self.raw(raw)

    def raw(self, text: bytes | str) -> None:
        """Any bytes at all."""
        self.line.sendall(text.encode() if isinstance(text, str) else text)

    def drip(self, text: bytes, pause: float = 0.02) -> None:
        """One byte at a time, until the other side has had enough."""
        for one in text:
            self.raw(bytes([one]))
            if self.server.over.wait(pause):
                return

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.server.over.wait(20)


Script = Callable[[Call], None]


@dataclass
class FaultServer:
    """Serves every call with its script; keeps what it was asked."""

    script: Script
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    calls: list[Call] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    connections: int = 0

    def __post_init__(self) -> None:
        self._socket = socket.create_server((self.host, 0))
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def base(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/fhir"

    def close(self) -> None:
        """No more answers; whoever hangs comes loose."""
        self.over.set()
        self._socket.close()

    def targets(self) -> list[str]:
        """Path and query of every call so far."""
        return [one.target for one in self.calls]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._socket.accept()
                self.connections += 1
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, IndexError), plain:
            line = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            with line, line.makefile("rb") as reader:
                while (start := reader.readline()).strip():
                    headers = dict(_headers(reader))
                    with self._lock:
                        call = Call(start.split()[1].decode(), headers, line, self, len(self.calls))
                        self.calls.append(call)
                    self.script(call)


def _headers(reader: Any) -> Iterator[tuple[str, str]]:
    while text := reader.readline().strip():
        name, _, value = text.decode("latin-1").partition(":")
        yield name.lower(), value.strip()


def resource(kind: str, name: str = "1", patient: str = "pat1", **more: Any) -> dict[str, Any]:
    """A small resource of one type."""
    return {"resourceType": kind, "id": name, "subject": {"reference": f"Patient/{patient}"}, **more}


def bundle(*resources: dict[str, Any], next_url: str | None = None, total: int | None = None) -> dict[str, Any]:
    """A searchset, with a link to a next page where one is given."""
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}
    if next_url is not None:
        found["link"] = [{"relation": "self", "url": "x"}, {"relation": "next", "url": next_url}]
    return found if total is None else found | {"total": total}


def outcome(severity: str, code: str = "exception") -> dict[str, Any]:
    """An OperationOutcome with one issue."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def kind_of(target: str) -> str:
    """The resource type that a call asks for."""
    return target.removeprefix("/fhir/").partition("?")[0].partition("/")[0]


def good(call: Call) -> None:
    """A page with one resource of the type asked for, or that resource itself."""
    kind = kind_of(call.target)
    one = {"resourceType": kind, "id": "pat1"} if kind == "Patient" else resource(kind, f"{kind.lower()}-1")
    call.send(200, one if "?" not in call.target else bundle(one))


def pause(call: Call, seconds: float) -> None:
    """Wait, unless the test is over."""
    call.server.over.wait(seconds)


def bomb(size: int) -> bytes:
    """So many bytes of white space around an empty searchset, packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    blank = b" " * (1 << 20)
    parts = [
        packer.compress(b'{"resourceType":"Bundle","entry":[]'),
        *(packer.compress(blank) for _ in range(size >> 20)),
        packer.compress(b"}"),
    ]
    return b"".join(parts) + packer.flush()


def ticking() -> float:
    """The moment, for measuring how long a call took."""
    return time.monotonic()

"""Lets the WSGI application run in granian's asynchronous interface, where waiting for a body costs no thread and can be given up."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import Any

from cds_service.errors import Overloaded, TooSlow

IDLE_S, TOTAL_S = 2.0, 20.0  # how long a body may stand still, and how long it may take
EAGER = 128 * 1024  # so much of a body is awaited without a thread, before it is known who sends it
DRAINED, DRAIN_S = 32 << 20, 3.0  # what is read on after an answer, since a client that is still sending would lose it

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Answer = tuple[int, list[tuple[str, str]], bytes]

_LATE = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"timeout","diagnostics":"The body came too late."}]}'
_LATE_ANSWER: Answer = (408, [("content-type", "application/json"), ("cache-control", "no-store")], _LATE)


class Bridge:
    """Hands each request to a thread once its body, or a good part of it, is there; `reading` bodies may be read by threads at once."""

    def __init__(self, app: Application, threads: int, reading: int) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._reading = threading.BoundedSemaphore(reading)

    async def __call__(self, scope: Any, proto: Any) -> None:
        """Answer one request of granian's RSGI."""
        loop = asyncio.get_running_loop()
        length = _length(scope)
        body = None if length == 0 else Body(proto, loop, self._reading, length)
        try:
            if body:
                await body.begin()
            answer = await loop.run_in_executor(self._threads, self._answer, environ(scope, body or BytesIO()))
        except TimeoutError:
            answer = _LATE_ANSWER
        status, headers, content = answer
        if body is None or body.ended:
            proto.response_bytes(status, headers, content)
            return
        proto.response_bytes(status, [*headers, ("connection", "close")], content)
        if status != TooSlow.status:
            await body.drain()

    def _answer(self, environ: dict[str, Any]) -> Answer:
        """Run the application in this thread."""
        begun: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            begun[:] = [int(status.split(" ", 1)[0]), headers]

        pieces = self._app(environ, start)
        try:
            content = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close:
                close()
        return begun[0], begun[1], content


class Body:
    """The body of a request as a thread reads it; the waiting is done by the event loop and has an end.

    With its `length` known the end is not waited for: a turn of the loop, and a fifth of what a small request costs outside its thread.
    What comes is put together once, when it is read: each copy of a large body costs as much as judging a quarter of it.
    """

    def __init__(self, proto: Any, loop: asyncio.AbstractEventLoop, reading: threading.BoundedSemaphore, length: int | None) -> None:
        self._stream, self._loop, self._reading, self._length = aiter(proto), loop, reading, length
        self._come = 0
        self._pieces: list[bytes] = []
        self._held = 0  # bytes in the pieces
        self.ended = False
        self._latest = loop.time() + TOTAL_S

    async def begin(self) -> None:
        """Await the whole body or its first part; raises TimeoutError."""
        await self._fill(EAGER)

    def read(self, size: int = -1) -> bytes:
        """Up to this many bytes, fewer only at the end, or without a size all of them; raises TooSlow or Overloaded."""
        size = size if size >= 0 else sys.maxsize
        if self._held < size and not self.ended:
            if not self._reading.acquire(blocking=False):
                raise Overloaded("More bodies are under way than can be read. No check was made; try again shortly.")
            try:
                asyncio.run_coroutine_threadsafe(self._fill(size), self._loop).result()
            except TimeoutError:
                raise TooSlow("The body did not arrive in time.") from None
            finally:
                self._reading.release()
        found = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        taken, left = (found, b"") if len(found) <= size else (found[:size], found[size:])
        self._pieces, self._held = [left] if left else [], len(left)
        return taken

    async def drain(self) -> None:
        """Read on for a while after an early answer, and forget what comes."""
        left, self._latest = DRAINED, self._loop.time() + DRAIN_S
        with suppress(TimeoutError):
            while not self.ended and left > 0:
                self._pieces, self._held = [], 0
                await self._fill(1)
                left -= self._held

    async def _fill(self, size: int) -> None:
        while self._held < size and not self.ended:
            async with asyncio.timeout(min(IDLE_S, self._latest - self._loop.time())):
                piece = await anext(self._stream)
            self._pieces.append(piece)
            self._held += len(piece)
            self._come += len(piece)
            self.ended = not piece or self._come == self._length


def _length(scope: Any) -> int | None:
    """The bytes that the body has; None where only its end tells."""
    headers: Mapping[str, str] = scope.headers
    stated = headers.get("content-length", "0")
    return None if "transfer-encoding" in headers or not stated.isdecimal() else int(stated)


def environ(scope: Any, body: Any) -> dict[str, Any]:
    """What PEP 3333 hands an application."""
    host, _, port = scope.server.rpartition(":")
    found = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "HTTP_HOST": scope.authority or "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    headers = scope.headers
    for name in headers.keys():  # noqa: SIM118 - the headers of granian are no mapping
        found[_variable(name)] = ",".join(headers.get_all(name))
    return found


def _variable(name: str) -> str:
    plain = name.replace("-", "_").upper()
    return plain if plain in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{plain}"

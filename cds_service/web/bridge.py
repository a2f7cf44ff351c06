"""Lets the WSGI application run in granian's asynchronous interface, where waiting for a body costs no thread and can be given up."""

import asyncio
import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import Any

from cds_service.errors import Overloaded, ServiceError, TooSlow
from cds_service.turns import Turns, aside
from cds_service.web.admission import PATIENCE_S, REFUSAL, overloaded

IDLE_S, TOTAL_S = 2.0, 20.0  # how long a body may stand still, and how long it may take
OTHERS = 32  # threads for what is no call of a hook: pages, health, and telling those who would have to wait too long
EAGER = 128 * 1024  # so much of a body is awaited without a thread, before it is known who sends it
DRAINED, DRAIN_S = 32 << 20, 3.0  # what is read on after an answer, since a client that is still sending would lose it

HOOKS, FEEDBACK = "/cds-services/", "/feedback"

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Answer = tuple[int, list[tuple[str, str]], bytes]


class Bridge:
    """Hands each request to a thread once its body, or a good part of it, is there.

    Calls of hooks take turns in up to `most` threads, and as many may wait for their turn; `reading` bodies may be read at once.
    """

    def __init__(self, app: Application, most: int, reading: int) -> None:
        self._app, self._most = app, most
        self._turns = Turns(most)
        self._others = ThreadPoolExecutor(OTHERS, thread_name_prefix="other")
        self._reading = threading.BoundedSemaphore(reading)

    async def __call__(self, scope: Any, proto: Any) -> None:
        """Answer one request of granian's RSGI."""
        length = _length(scope)
        if length == 0:
            proto.response_bytes(*await self._answered(environ(scope, BytesIO())))
            return
        body = Body(proto, asyncio.get_running_loop(), self._reading, length)
        try:
            await self._answer_to(scope, proto, body)
        finally:
            body.let_go()

    async def _answer_to(self, scope: Any, proto: Any, body: "Body") -> None:
        try:
            await body.begin()
        except TimeoutError:
            answering = self._refused(environ(scope, BytesIO()), TooSlow("The body did not arrive in time."))
        else:
            answering = self._answered(environ(scope, body))
        status, headers, content = await answering
        if body.ended:
            proto.response_bytes(status, headers, content)
            return
        proto.response_bytes(status, [*headers, ("connection", "close")], content)
        if status != TooSlow.status:
            await body.drain()

    def _answered(self, environ: dict[str, Any]) -> asyncio.Future[Answer]:
        loop = asyncio.get_running_loop()
        if environ["REQUEST_METHOD"] != "POST" or not environ["PATH_INFO"].startswith(HOOKS):
            return loop.run_in_executor(self._others, self._answer, environ)
        patience = math.inf if environ["PATH_INFO"].endswith(FEEDBACK) else PATIENCE_S  # nobody waits for it, and few send it again
        if self._turns.waiting >= self._most and patience < math.inf:
            return self._refused(environ, overloaded())
        return loop.run_in_executor(self._turns, self._answer_in_time, environ, time.monotonic() + patience)

    def _refused(self, environ: dict[str, Any], error: ServiceError) -> asyncio.Future[Answer]:
        """The application says it, so that it is logged and counted as every other answer."""
        return asyncio.get_running_loop().run_in_executor(self._others, self._answer, environ | {REFUSAL: error})

    def _answer_in_time(self, environ: dict[str, Any], latest: float) -> Answer:
        return self._answer(environ if time.monotonic() <= latest else environ | {REFUSAL: overloaded()})

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
        self._stream: Any = aiter(proto)
        self._loop, self._reading, self._length = loop, reading, length
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
                self._await(size)
            except TimeoutError:
                raise TooSlow("The body did not arrive in time.") from None
            finally:
                self._reading.release()
        found = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        taken, left = (found, b"") if len(found) <= size else (found[:size], found[size:])
        self._pieces, self._held = [left] if left else [], len(left)
        return taken

    @aside
    def _await(self, size: int) -> None:
        asyncio.run_coroutine_threadsafe(self._fill(size), self._loop).result()

    async def drain(self) -> None:
        """Read on for a while after an early answer, and forget what comes."""
        left, self._latest = DRAINED, self._loop.time() + DRAIN_S
        with suppress(TimeoutError):
            while not self.ended and left > 0:
                self._pieces, self._held = [], 0
                await self._fill(1)
                left -= self._held

    def let_go(self) -> None:
        """Forget the stream: an error that passed through here may hold on to us, and the connection stays open as long as anybody does."""
        self._stream = None

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

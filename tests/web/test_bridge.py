"""Between the server and the application: who takes turns, who is refused, and what is let go."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from cds_service.errors import Overloaded, TooSlow
from cds_service.web import bridge
from cds_service.web.admission import REFUSAL
from cds_service.web.bridge import Bridge

T = TypeVar("T")
CALL, FEEDBACK, HEALTH = "/cds-services/ndm-order-sign", "/cds-services/ndm-order-sign/feedback", "/healthz"


class Headers(dict[str, str]):
    """Headers as granian gives them."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]]


@dataclass
class Scope:
    """A request as granian describes it."""

    path: str
    method: str = "POST"
    headers: Headers = field(default_factory=lambda: Headers({"content-length": "2", "content-type": "application/json"}))
    server: str = "127.0.0.1:8080"
    client: str = "127.0.0.1:50000"
    query_string: str = ""
    http_version: str = "1.1"
    authority: str = "127.0.0.1:8080"
    scheme: str = "http"


@dataclass(eq=False)
class Connection:
    """The body comes in these pieces; without any it never comes. What was answered is kept."""

    pieces: tuple[bytes, ...] = (b"{}",)
    answers: list[tuple[int, list[tuple[str, str]], bytes]] = field(default_factory=list)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        await asyncio.sleep(3_600)

    def response_bytes(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.answers.append((status, headers, content))


class Application:
    """Notes who was refused and why, and holds hook calls up until it is told to go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.refused = list[type[Exception]]()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        refusal = environ.get(REFUSAL)
        if refusal is not None:
            self.refused.append(type(refusal))
        elif environ["PATH_INFO"].startswith("/cds-services"):
            self.go_on.wait(5)
        start("200 OK" if refusal is None else f"{refusal.status} Refused", [])
        return [b""]


def finished(story: Coroutine[Any, Any, T]) -> T:
    """What a story comes to, in a thread of its own: a browser of other tests may keep an event loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, story).result()


def statuses(connections: Iterable[Connection]) -> list[int]:
    """What each connection was answered first; 0 for nothing."""
    return [one.answers[0][0] if one.answers else 0 for one in connections]


def test_calls_take_turns_and_health_does_not_wait_for_them() -> None:
    """P4: while one call computes the next wait, health is told at once, and beyond the queue a call is refused at once."""
    app, connections = Application(), [Connection() for _ in range(5)]
    paths = [CALL, CALL, CALL, CALL, HEALTH]

    async def story() -> list[int]:
        served = Bridge(app, 2, 2)
        calls = list[asyncio.Task[None]]()
        for path, one in zip(paths, connections, strict=True):
            calls.append(asyncio.create_task(served(Scope(path), one)))
            await asyncio.sleep(0.05)  # so that the first has begun before the next comes
        first = statuses(connections)
        app.go_on.set()
        await asyncio.wait_for(asyncio.gather(*calls), 5)
        return first

    assert finished(story()) == [0, 0, 0, 503, 200]
    assert statuses(connections) == [200, 200, 200, 503, 200]
    assert app.refused == [Overloaded]


def test_who_waited_longer_than_the_patience_is_told_so_and_feedback_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A24: a call that comes to its turn too late is refused instead of judged; feedback is taken however long it waited."""
    monkeypatch.setattr(bridge, "PATIENCE_S", 0.05)
    app, connections = Application(), [Connection() for _ in range(3)]

    async def story() -> None:
        served = Bridge(app, 4, 2)
        calls = [asyncio.create_task(served(Scope(path), one)) for path, one in zip([CALL, CALL, FEEDBACK], connections, strict=True)]
        await asyncio.sleep(0.2)
        app.go_on.set()
        await asyncio.wait_for(asyncio.gather(*calls), 5)

    finished(story())
    assert statuses(connections) == [200, 503, 200]
    assert app.refused == [Overloaded]


def test_a_body_that_never_comes_is_refused_by_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """A23: the application says that the body was too slow, so that it is logged and counted; the connection is closed."""
    monkeypatch.setattr(bridge, "IDLE_S", 0.05)
    app, connection = Application(), Connection(pieces=())
    finished(asyncio.wait_for(Bridge(app, 1, 1)(Scope(CALL), connection), 5))
    assert statuses([connection]) == [408]
    assert ("connection", "close") in connection.answers[0][1]
    assert app.refused == [TooSlow]


def test_an_error_that_is_kept_keeps_no_connection() -> None:
    """A connection stays open as long as anybody holds its stream, so an error that passed through a body must not."""
    kept = list[Any]()

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        kept.append(environ["wsgi.input"])
        start("200 OK", [])
        return [b""]

    async def story() -> weakref.ref[Connection]:
        connection = Connection()
        await Bridge(app, 1, 1)(Scope(CALL), connection)
        return weakref.ref(connection)

    gc.disable()
    try:
        assert finished(story())() is None
    finally:
        gc.enable()
    assert kept

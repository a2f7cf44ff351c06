"""Where clients' keys come from: a file or a registered address, fresh after a rotation, there during an outage, and nobody else's."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cds_service.keysets import LARGEST_KEYSET
from cds_service.settings import Client, Settings
from cds_service.web.jwks import COOL_DOWN_S, FRESH_S, IDLE_S, USABLE_S, KeyRing, KeySource, KeysUnavailable
from cds_service.web.jwks_fetch import fetch
from cds_service.web.tokens import Reason, Refused
from cds_service.web.trust import Trust

from ..web.hospital import NOW, ORDER_SIGN, Hospital, elliptic, public
from .test_tokens import Fresh

CONTEXT = ssl.create_default_context()


class Published:
    """A key set that can change, fail, and count how often it is read; the clock goes when it is told to."""

    def __init__(self) -> None:
        self.keys, self.down, self.asked, self.now = ["first"], False, 0, 0.0

    def load(self) -> bytes:
        self.asked += 1
        if self.down:
            raise OSError("unreachable")
        return json.dumps({"keys": [public(elliptic("P-384"), kid) for kid in self.keys]}).encode()

    def source(self) -> KeySource:
        return KeySource(self.load, lambda: self.now, start=lambda work: work())


@pytest.fixture
def published() -> Published:
    """The key set of a client."""
    return Published()


def test_a_key_set_is_read_once_while_it_is_fresh(published: Published) -> None:
    """PE-03: a thousand look-ups within five minutes read the set once."""
    source = published.source()
    for _ in range(1_000):
        assert source.find("first")
        published.now += FRESH_S / 1_001
    assert published.asked == 1


def test_a_rotated_key_is_found_within_seconds(published: Published) -> None:
    """J11, A10, SE-12: a key that appears is found by the first look-up after the cool-down, with one reading."""
    source = published.source()
    assert source.find("first")
    published.keys = ["second"]
    published.now = COOL_DOWN_S - 0.1
    assert not source.find("second")
    published.now = COOL_DOWN_S
    assert source.find("second")
    assert published.asked == 2


def test_unknown_keys_do_not_make_it_ask_and_ask(published: Published) -> None:
    """J11, A10: a thousand tokens with unknown keys in a minute cause at most one reading in ten seconds."""
    source = published.source()
    for number in range(1_000):
        assert not source.find(f"unknown-{number}")
        published.now += 0.06
    assert published.asked <= 60 / COOL_DOWN_S + 1


def test_known_keys_outlive_an_outage(published: Published) -> None:
    """J12, A10, SE-12: with the address down for almost a day known keys are found each time; after a day none is."""
    source = published.source()
    assert source.find("first")
    published.down = True
    for hour in range(1, 24):
        published.now = hour * 3_600.0
        assert source.find("first"), hour
    published.now = USABLE_S
    with pytest.raises(KeysUnavailable):
        source.find("first")


def test_a_withdrawn_key_ends_with_the_next_reading(published: Published) -> None:
    """A key that is taken out of the set is not found any more after an hour without calls."""
    source = published.source()
    assert source.find("first")
    published.keys = ["second"]
    published.now = IDLE_S
    assert not source.find("first")


def test_a_broken_key_set_is_no_key_set(published: Published) -> None:
    """Whatever is no JWK Set does not replace the one that is known."""
    source = published.source()
    assert source.find("first")
    published.load = lambda: b"<html>moved</html>"  # type: ignore[method-assign]
    published.now = FRESH_S
    assert source.find("first")


def test_without_any_key_set_nobody_is_let_in(settings: Settings, hospital: Hospital) -> None:
    """J12: a client whose keys were never read is refused, with a reason of its own for the operator."""
    client = Client("remote", hospital.issuer, jwks_url="https://127.0.0.1:9/keys")
    remote = replace(settings, clients=(client,))
    trust = Trust(remote, KeyRing(remote, lambda: 0.0, start=lambda work: work()), Fresh(), lambda: NOW)
    with pytest.raises(Refused) as refusal:
        trust.client(f"Bearer {hospital.token()}", [ORDER_SIGN])
    assert refusal.value.reason == Reason.KEYS_UNAVAILABLE


class Trap(BaseHTTPRequestHandler):
    """Serves whatever the test says, and remembers that it was called."""

    def do_GET(self) -> None:
        """Answer as told."""
        self.server.calls.append(self.path)  # type: ignore[attr-defined]
        self.server.answer(self)  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def trap() -> Iterator[Any]:
    """A server on loopback."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    server.calls, server.daemon_threads = [], True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[Trap], None]:
    """An answer of this status."""

    def answer(handler: Trap) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize("jku", ["same", "other path", "query"])
def test_a_foreign_key_address_is_never_called(settings: Settings, hospital: Hospital, trap: Any, jku: str) -> None:
    """J6, SE-11, A6: a token that names a key address which is not the registered one is refused without any call."""
    url = f"http://127.0.0.1:{trap.server_port}/keys"
    named = {"same": f"{url}/", "other path": f"http://127.0.0.1:{trap.server_port}/evil", "query": f"{url}?x"}[jku]
    registered = replace(settings, clients=(Client("remote", hospital.issuer, jwks_url=url),))
    trust = Trust(registered, KeyRing(registered, lambda: 0.0), Fresh(), lambda: NOW)
    trap.answer = answering(200, hospital.keyset())
    with pytest.raises(Refused) as refusal:
        trust.client(f"Bearer {hospital.token(header={'jku': named})}", [ORDER_SIGN])
    assert (refusal.value.reason, trap.calls) == (Reason.KEY_URL, [])


def test_the_registered_key_address_is_used(settings: Settings, hospital: Hospital, trap: Any) -> None:
    """SE-12, SE-13: keys are fetched from the registered address, with a matching jku and without one, in one call."""
    url = f"http://127.0.0.1:{trap.server_port}/keys"
    registered = replace(settings, clients=(Client("remote", hospital.issuer, jwks_url=url),))
    trust = Trust(registered, KeyRing(registered, time.monotonic), Fresh(), lambda: NOW)
    trap.answer = answering(200, hospital.keyset())
    for header in ({}, {"jku": url}):
        assert trust.client(f"Bearer {hospital.token(header=header)}", [ORDER_SIGN]).name == "remote"
    assert trap.calls == ["/keys"]


@pytest.mark.parametrize(
    "answer",
    [
        answering(404),
        answering(500, b"{}"),
        answering(302, Location="http://127.0.0.1:9/"),
        answering(200, b"x" * (LARGEST_KEYSET + 1)),
        answering(200, b"\x1f\x8b", Content_Encoding="gzip"),
    ],
)
def test_other_answers_are_no_key_set(trap: Any, answer: Callable[[Trap], None]) -> None:
    """J6, T8: refusals, redirects, packed and endless bodies are not followed and not read."""
    trap.answer = answer
    with pytest.raises((HTTPException, ValueError)):
        fetch(f"http://127.0.0.1:{trap.server_port}/keys", CONTEXT)
    assert len(trap.calls) == 1


def dripping(handler: Trap) -> None:
    """One byte now and then, without end."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        try:
            handler.wfile.write(b"x")
        except OSError:
            return
        time.sleep(0.05)


def test_a_dripping_key_server_is_left(trap: Any) -> None:
    """J6: an answer that comes byte by byte ends with the time limit, not with its last byte."""
    trap.answer = dripping
    began = time.monotonic()
    with pytest.raises((OSError, HTTPException)):
        fetch(f"http://127.0.0.1:{trap.server_port}/keys", CONTEXT, timeout_s=0.5)
    assert time.monotonic() - began < 2


def test_a_silent_key_server_is_left() -> None:
    """J6: a server that accepts and says nothing ends with the time limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises((OSError, HTTPException)):
            fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/keys", CONTEXT, timeout_s=0.5)
    assert time.monotonic() - began < 2


def test_the_environment_does_not_redirect_key_calls(trap: Any, monkeypatch: pytest.MonkeyPatch, hospital: Hospital) -> None:
    """T5: proxy variables of the environment are not followed."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    trap.answer = answering(200, hospital.keyset())
    assert fetch(f"http://127.0.0.1:{trap.server_port}/keys", CONTEXT) == hospital.keyset()

"""Reads a JWK Set from its registered URL: one answer, no redirect, no proxy, at most 64 kB, over in two seconds."""

import socket
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ssl import SSLContext
from urllib.parse import urlsplit

from cds_service.keysets import LARGEST_KEYSET

TIMEOUT_S = 2.0
_HEADERS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}


def fetch(url: str, context: SSLContext, timeout_s: float = TIMEOUT_S) -> bytes:
    """Give the body of a 200 answer; raises OSError, HTTPException or ValueError.

    `http.client` and not `requests`: it follows nothing, reads no environment and keeps no cookie, and its socket can be
    shut from outside, which is the only way to end an answer that arrives one byte at a time.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port
    connection = (
        HTTPSConnection(host, port, timeout=timeout_s, context=context) if secure else HTTPConnection(host, port, timeout=timeout_s)
    )
    too_late, open_socket = threading.Event(), list[socket.socket]()
    watchdog = threading.Timer(timeout_s, _end, (connection, open_socket, too_late))
    watchdog.daemon = True
    watchdog.start()
    with closing(connection):
        try:
            connection.connect()
            open_socket.append(connection.sock)
            if too_late.is_set():
                raise TimeoutError
            connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else "") or "/", headers=_HEADERS)
            body = _body(connection)
            if too_late.is_set():  # the end of the socket would pass for the end of the body
                raise TimeoutError
            return body
        finally:
            watchdog.cancel()


def _body(connection: HTTPConnection) -> bytes:
    answer = connection.getresponse()
    if answer.status != 200 or answer.getheader("Content-Encoding", "identity") != "identity":
        raise HTTPException("not a plain 200 answer")
    body = answer.read(LARGEST_KEYSET + 1)
    if len(body) > LARGEST_KEYSET:
        raise ValueError("too large")
    return body


def _end(connection: HTTPConnection, open_socket: list[socket.socket], too_late: threading.Event) -> None:
    """Shut the socket; the connection forgets it when the answer has no length, so it is kept beside."""
    too_late.set()
    for one in open_socket or [connection.sock]:
        with suppress(OSError, AttributeError):
            # The plain socket's method: the one of an SSL socket would take its state away under the reader.
            socket.socket.shutdown(one, socket.SHUT_RDWR)

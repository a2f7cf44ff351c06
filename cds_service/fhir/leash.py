"""HTTP connections that can be ended from outside, and that go nowhere but where the registered name may lead."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Leash:
    """Holds the socket of one call, so that whoever waits can end it at the deadline."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.cut = False

    def hold(self, line: socket.socket) -> None:
        """Take the socket that the call uses from now on; raises TimeoutError when the call is over already."""
        with self._lock:
            if self.cut:
                raise TimeoutError
            self._socket = line

    def release(self) -> None:
        """The call is done, and its connection may serve another."""
        with self._lock:
            self._socket = None

    def end(self) -> None:
        """Shut the socket under whoever reads from it: nothing else ends an answer that arrives byte by byte."""
        with self._lock:
            self.cut = True
            if self._socket is not None:
                with suppress(OSError):
                    # The plain socket's method: the one of an SSL socket would take its state away under the reader.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_held = threading.local()


@contextmanager
def held(leash: Leash) -> Iterator[None]:
    """Connections that this thread uses inside hang on the leash."""
    _held.leash = leash
    try:
        yield
    finally:
        _held.leash = None
        leash.release()


def may_reach(host: str, peer: str) -> bool:
    """Whether a connection to this registered host may have ended at this address.

    A written address must be the peer itself. A name may lead to private addresses, where most FHIR servers live, but never to
    this machine, to a link-local address (where clouds keep their credentials) or to no single machine.
    """
    address = _address(peer.partition("%")[0])
    if address is None:
        return False
    written = _address(host.strip("[]"))
    if written is not None:
        return address == written
    if host == "localhost":
        return address.is_loopback
    return not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved)


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


class _Leashed(HTTPConnection):
    """Asks who answered before a byte is sent; `line` is a second handle of the socket that outlives its wrapping in TLS."""

    line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        found = super()._new_conn()
        try:
            self._check_peer(str(found.getpeername()[0]))
            self.line = found.dup()
            self._hang()
        except BaseException:
            found.close()
            raise
        return found

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        self._hang()
        super().putrequest(*args, **kwargs)

    def close(self) -> None:
        line, self.line = self.line, None
        super().close()
        if line is not None:
            line.close()

    def _check_peer(self, peer: str) -> None:
        if not may_reach(self.host, peer):
            raise NewConnectionError(self, "the name leads to an address that it may not lead to")

    def _hang(self) -> None:
        leash = getattr(_held, "leash", None)
        if leash is not None and self.line is not None:
            leash.hold(self.line)


class _LeashedTLS(_Leashed, HTTPSConnection):
    """The same over TLS."""


class LeashedPool(HTTPConnectionPool):
    """Connections over plain http."""

    ConnectionCls = _Leashed


class LeashedTLSPool(HTTPSConnectionPool):
    """Connections over https."""

    ConnectionCls = _LeashedTLS


POOLS = {"http": LeashedPool, "https": LeashedTLSPool}

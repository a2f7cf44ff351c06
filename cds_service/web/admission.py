"""How many requests are answered at once: a few are under way, one of them computes, some wait, and all others are told to come back."""

import threading
from collections import deque
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from cds_service.errors import Overloaded

WAITING_PER_PLACE = 16
PATIENCE_S = 1.0

P = ParamSpec("P")
T = TypeVar("T")


class Turn:
    """One at a time, in the order of their coming; whoever has been here before goes first.

    Python computes in one thread at a time anyway and deals it out in slices, so that eight that compute together all end late.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._again, self._waiting = deque[threading.Lock](), deque[threading.Lock]()

    def take(self, *, again: bool = False) -> None:
        """Wait until all that came earlier have gone; `again` says that this one was here before."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            called = threading.Lock()
            called.acquire()
            (self._again if again else self._waiting).append(called)
        called.acquire()

    def give(self) -> None:
        """Call the next."""
        with self._lock:
            following = self._again or self._waiting
            if following:
                following.popleft().release()
            else:
                self._taken = False


class Admission:
    """`places` requests are under way together, of which one computes while others wait for FHIR servers or the database.

    Each place has a short queue, and nobody waits longer than `patience_s` for one.
    """

    def __init__(self, places: int, patience_s: float = PATIENCE_S) -> None:
        self._places = threading.Semaphore(places)
        self._room = threading.Semaphore(places * (1 + WAITING_PER_PLACE))
        self._turn = Turn()
        self._patience_s = patience_s

    def __enter__(self) -> None:
        """Hold a place, and take a turn, while the block runs; raises Overloaded where no place can be had in time."""
        if not self._room.acquire(blocking=False):
            raise _overloaded()
        if not self._places.acquire(timeout=self._patience_s):
            self._room.release()
            raise _overloaded()
        self._turn.take()

    def __exit__(self, *_: object) -> None:
        self._turn.give()
        self._places.release()
        self._room.release()

    def aside(self, wait: Callable[P, T]) -> Callable[P, T]:
        """The same call for use within a block, with the turn given to others while it waits for somebody outside."""

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            self._turn.give()
            try:
                return wait(*args, **kwargs)
            finally:
                self._turn.take(again=True)

        return call


def _overloaded() -> Overloaded:
    return Overloaded("More requests are under way than can be answered in time. No check was made; try again shortly.")

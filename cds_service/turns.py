"""One computes at a time: threads that take turns, and how one of them stands aside while it waits for somebody outside."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_here = threading.local()  # `turns`: those that the running thread takes part in


class Turns(Executor):
    """Runs what is submitted one at a time in the order of its coming, in as many as `most` threads.

    Python computes in one thread at a time anyway and deals it out in slices, so that eight that compute together all end late, and each
    change from one thread to another costs. Here a thread goes on with the next until it has to wait for somebody outside: then it stands
    `aside`, another thread goes on, and the one that is back goes first.
    """

    def __init__(self, most: int) -> None:
        self._most, self._threads = most, 0
        self._lock = threading.Lock()
        self._taken = False
        self._submitted = deque[Callable[[], None]]()
        self._back, self._idle = deque[threading.Lock](), deque[threading.Lock]()

    @property
    def waiting(self) -> int:
        """How many have been submitted and not begun."""
        return len(self._submitted)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As every executor does."""
        future = Future[T]()
        with self._lock:
            self._submitted.append(partial(_run, future, fn, args, kwargs))
            if not self._taken:
                self._call()
        return future

    def leave(self) -> None:
        """Give the turn to whoever comes next; the caller has it."""
        with self._lock:
            self._taken = False
            self._call()

    def come_back(self) -> None:
        """Wait for the turn, before all that have not begun."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            called = _barrier()
            self._back.append(called)
        called.acquire()

    def _call(self) -> None:
        """Give the free turn to one who is back, else to a thread for what was submitted; the caller holds the lock."""
        if self._back:
            self._back.popleft().release()
        elif self._submitted and self._idle:
            self._idle.pop().release()  # the last to rest, whose caches are warm
        elif self._submitted and self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._work, name=f"turn-{self._threads}", daemon=True).start()
        else:
            return
        self._taken = True

    def _work(self) -> None:
        """What each thread does; it begins with the turn."""
        _here.turns = self
        while True:
            self._next()()

    def _next(self) -> Callable[[], None]:
        """What was submitted first, with the turn for it; waits for both."""
        while True:
            with self._lock:
                if self._submitted and not self._back:
                    return self._submitted.popleft()
                self._taken = False
                self._call()
                called = _barrier()
                self._idle.append(called)
            called.acquire()


def aside(wait: Callable[P, T]) -> Callable[P, T]:
    """The same function for calls that wait for somebody outside: meanwhile another request is answered.

    It has to be the outermost: nobody may hold a lock that others compute under while waiting for the turn.
    """

    @wraps(wait)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        turns: Turns | None = getattr(_here, "turns", None)
        if turns is None:
            return wait(*args, **kwargs)
        _here.turns = None  # so that what is called within stands aside no second time
        turns.leave()
        try:
            return wait(*args, **kwargs)
        finally:
            turns.come_back()
            _here.turns = turns

    return call


def _barrier() -> threading.Lock:
    """A lock that is taken until somebody calls."""
    barrier = threading.Lock()
    barrier.acquire()
    return barrier


def _run(future: Future[T], fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        found = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - whoever waits for the future is told
        future.set_exception(error)
    else:
        future.set_result(found)

"""How many calls to one FHIR server may be under way at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

FEW = 6  # as browsers do; small servers queue about as many, and a connection turned away costs a second
MANY = 48  # eight requests of eleven queries each come through in two rounds; with 24 a server of 0.4 s made them late


class Door:
    """Narrow until the server has shown that it keeps connections open, and wide from then on."""

    def __init__(self) -> None:
        self._places = threading.Semaphore(FEW)
        self._lock = threading.Lock()
        self._wide = False

    @contextmanager
    def place(self, wait_s: float) -> Iterator[None]:
        """One of the places; raises TimeoutError when none is free for so many seconds."""
        if not self._places.acquire(timeout=max(0.0, wait_s)):
            raise TimeoutError
        try:
            yield
        finally:
            self._places.release()

    def widen(self) -> None:
        """The server keeps connections open."""
        if self._wide:
            return
        with self._lock:
            if not self._wide:
                self._wide = True
                self._places.release(MANY - FEW)

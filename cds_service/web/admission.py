"""How many requests are answered at once: a few are judged, some wait a moment, and all others are told at once to come back."""

import threading

from cds_service.errors import Overloaded

WAITING_PER_PLACE = 16
PATIENCE_S = 1.0


class Admission:
    """`places` requests are judged together; each place has a short queue, and nobody waits longer than `patience_s`."""

    def __init__(self, places: int, patience_s: float = PATIENCE_S) -> None:
        self._places = threading.Semaphore(places)
        self._room = threading.Semaphore(places * (1 + WAITING_PER_PLACE))
        self._patience_s = patience_s

    def __enter__(self) -> None:
        """Hold a place while the block runs; raises Overloaded where none can be had in time."""
        if not self._room.acquire(blocking=False):
            raise _overloaded()
        if not self._places.acquire(timeout=self._patience_s):
            self._room.release()
            raise _overloaded()

    def __exit__(self, *_: object) -> None:
        self._places.release()
        self._room.release()


def _overloaded() -> Overloaded:
    return Overloaded("More requests are under way than can be answered in time. No check was made; try again shortly.")

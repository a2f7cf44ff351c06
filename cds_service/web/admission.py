"""How many requests are under way at once: a few, while some wait, and all others are told to come back."""

import threading
from functools import partial

from cds_service.errors import Overloaded
from cds_service.turns import aside

WAITING_PER_PLACE = 16
PATIENCE_S = 1.0
REFUSAL = "ndm_cds.refusal"  # in the WSGI environment: the error with which the server refuses a call before it is looked at


class Admission:
    """`places` requests are under way together, of which one computes while others wait for FHIR servers or the database.

    Each place has a short queue, and nobody waits longer than `patience_s` for one.
    """

    def __init__(self, places: int, patience_s: float = PATIENCE_S) -> None:
        self._places = threading.Semaphore(places)
        self._room = threading.Semaphore(places * (1 + WAITING_PER_PLACE))
        self._wait = aside(partial(self._places.acquire, timeout=patience_s))

    def __enter__(self) -> None:
        """Hold a place while the block runs; raises Overloaded where none can be had in time."""
        if not self._room.acquire(blocking=False):
            raise overloaded()
        if not self._places.acquire(blocking=False) and not self._wait():
            self._room.release()
            raise overloaded()

    def __exit__(self, *_: object) -> None:
        self._places.release()
        self._room.release()


def overloaded() -> Overloaded:
    """What is said to whoever cannot be answered in time."""
    return Overloaded("More requests are under way than can be answered in time. No check was made; try again shortly.")

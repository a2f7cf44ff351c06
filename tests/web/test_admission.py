"""Who is let in, and who is told to come back."""

import threading
import time
from collections.abc import Callable

import pytest

from cds_service.errors import Overloaded
from cds_service.web.admission import WAITING_PER_PLACE, Admission

PATIENCE_S = 5.0


def started(work: Callable[[], None]) -> threading.Thread:
    """A thread that does this, and has come as far as it can at once."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(0.02)
    return thread


def joined(threads: list[threading.Thread]) -> bool:
    """Whether all of them came to their end."""
    for one in threads:
        one.join(PATIENCE_S)
    return not any(one.is_alive() for one in threads)


def test_without_a_place_one_is_told_so_in_time() -> None:
    """P4, A24: who waits longer than the patience is told to come back, and a queue that is full says so at once."""
    admission = Admission(1, 0.05)
    with admission:
        with pytest.raises(Overloaded), admission:
            pass
        patient = Admission(1, PATIENCE_S)
        with patient:
            release = threading.Event()

            def queue() -> None:
                with patient:
                    release.wait(PATIENCE_S)

            waiting = [started(queue) for _ in range(WAITING_PER_PLACE)]
            began = time.monotonic()
            with pytest.raises(Overloaded), patient:
                pass
            assert time.monotonic() - began < PATIENCE_S / 2
            release.set()
    assert joined(waiting)
    with admission, patient:
        pass

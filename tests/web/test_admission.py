"""Who is let in, who computes, and who goes first."""

import threading
import time
from collections.abc import Callable

import pytest

from cds_service.errors import Overloaded
from cds_service.web.admission import WAITING_PER_PLACE, Admission, Turn

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


def test_turns_follow_the_order_of_coming_and_who_was_here_before_goes_first() -> None:
    """Three that wait are called as they came, after one that waits to go on with what it had begun."""
    turn, order = Turn(), list[str]()

    def go(name: str, again: bool) -> None:
        turn.take(again=again)
        order.append(name)
        turn.give()

    turn.take()
    waiting = [started(lambda name=name: go(name, name == "again")) for name in ("first", "second", "again", "third")]
    assert order == []
    turn.give()
    assert joined(waiting)
    assert order == ["again", "first", "second", "third"]
    turn.take()


def test_one_computes_while_others_wait_for_somebody_outside() -> None:
    """P4: a request that waits for a FHIR server holds its place and not the turn, and has the turn again before it goes on."""
    admission, outside, computing = Admission(2), threading.Event(), threading.Event()
    order = list[str]()

    def waits() -> None:
        with admission:
            order.append(admission.aside(lambda said: said if outside.wait(PATIENCE_S) else "late")("answered"))

    def computes() -> None:
        with admission:
            computing.set()
            outside.set()
            time.sleep(0.05)
            order.append("computed")

    assert joined([started(waits), started(computes)])
    assert computing.is_set()
    assert order == ["computed", "answered"]


def test_what_breaks_outside_leaves_the_turn_in_order() -> None:
    """An error of a call that was put aside reaches the caller, and the next one is let in."""
    admission = Admission(1, PATIENCE_S)

    def breaks() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError), admission:
        admission.aside(breaks)()
    for _ in range(2):
        with admission:
            pass


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

"""Who computes, who waits, and who goes first."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

import pytest

from cds_service.turns import Turns, aside

PATIENCE_S = 5.0


@pytest.fixture
def turns() -> Turns:
    """Two threads that take turns."""
    return Turns(2)


def test_what_is_submitted_runs_one_at_a_time_in_the_order_of_its_coming(turns: Turns) -> None:
    """A hundred that come together are begun as they came, each after the end of the one before, and in one thread."""
    said = list[str]()
    threads = set[str]()

    def work(number: int) -> int:
        said.append(f"begin {number}")
        threads.add(threading.current_thread().name)
        time.sleep(0.0005)
        said.append(f"end {number}")
        return number

    futures = [turns.submit(work, number) for number in range(100)]
    assert [one.result(PATIENCE_S) for one in futures] == list(range(100))
    assert said == [f"{what} {number}" for number in range(100) for what in ("begin", "end")]
    assert len(threads) == 1


def test_while_one_waits_for_somebody_outside_another_goes_on(turns: Turns) -> None:
    """P4: who stands aside keeps nobody, and has the turn again before any that has not begun."""
    outside, order = threading.Event(), list[str]()

    def waits() -> None:
        aside(outside.wait)(PATIENCE_S)
        order.append("waited")

    def computes() -> None:
        outside.set()
        time.sleep(0.05)
        order.append("computed")

    futures = [turns.submit(waits), turns.submit(computes), turns.submit(order.append, "last")]
    wait(futures, PATIENCE_S)
    assert order == ["computed", "waited", "last"]


def test_where_all_threads_stand_aside_the_next_is_begun_when_one_is_back(turns: Turns) -> None:
    """Nothing is lost where more wait than there are threads."""
    outside, count = threading.Event(), 6
    futures = [turns.submit(aside(outside.wait), PATIENCE_S) for _ in range(count)]
    time.sleep(0.05)
    assert turns.waiting == count - 2
    outside.set()
    assert all(one.result(PATIENCE_S) for one in futures)
    assert turns.waiting == 0


def test_what_breaks_reaches_who_asked_and_leaves_the_turn_in_order(turns: Turns) -> None:
    """An error of what was submitted, or of what it waited for, is its own; the next is begun."""

    def breaks() -> None:
        raise ConnectionResetError

    for broken in (breaks, aside(breaks)):
        with pytest.raises(ConnectionResetError):
            turns.submit(broken).result(PATIENCE_S)
    assert turns.submit(lambda: "well").result(PATIENCE_S) == "well"


def test_what_is_given_up_before_it_begins_is_never_begun(turns: Turns) -> None:
    """A cancelled future does not run, and does not stop the next."""
    hold, ran = threading.Event(), list[str]()
    first = turns.submit(hold.wait, PATIENCE_S)
    given_up, last = turns.submit(ran.append, "given up"), turns.submit(ran.append, "last")
    assert given_up.cancel()
    hold.set()
    wait([first, last], PATIENCE_S)
    assert ran == ["last"]


def test_waiting_within_a_wait_gives_the_turn_once(turns: Turns) -> None:
    """What is called while a thread stands aside may be told to stand aside itself; still one computes at a time."""
    computing, most = threading.Semaphore(1), list[bool]()

    def work() -> None:
        for _ in range(20):
            aside(aside(time.sleep))(0.0001)
            most.append(computing.acquire(blocking=False))
            time.sleep(0.0001)
            computing.release()

    wait([turns.submit(work) for _ in range(2)], PATIENCE_S)
    assert len(most) == 40
    assert all(most)


def test_outside_of_turns_nothing_is_given(turns: Turns) -> None:
    """In any other thread a function that would stand aside is the function itself."""
    assert aside(sum)([1, 2]) == 3


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_never_two_at_once_and_nobody_is_forgotten(threads: int) -> None:
    """Hundreds from four threads, which compute and wait at random: each is answered, and no two compute at the same time."""
    turns, computing, overlaps = Turns(threads), threading.Semaphore(1), list[int]()

    def compute() -> None:
        if not computing.acquire(blocking=False):
            overlaps.append(1)
            return
        sum(range(200))
        computing.release()

    def work(chance: random.Random) -> None:
        compute()
        for _ in range(chance.randrange(3)):
            aside(time.sleep)(chance.random() / 2_000)
            compute()

    def submit(seed: int, futures: list[Future[None]]) -> None:
        chance = random.Random(seed)
        for number in range(100):
            futures.append(turns.submit(work, random.Random(seed * 1_000 + number)))
            time.sleep(chance.random() / 2_000)

    futures = list[Future[None]]()
    together([lambda seed=seed: submit(seed, futures) for seed in range(4)])
    assert not wait(futures, PATIENCE_S).not_done
    assert [one.exception() for one in futures] == [None] * 400
    assert overlaps == []


def together(work: list[Callable[[], None]]) -> None:
    """Do all of this in threads of their own, to the end."""
    threads = [threading.Thread(target=one) for one in work]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

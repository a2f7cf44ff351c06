"""The memory: cards never wait for it, feedback is acknowledged only when it is safe, and it finds its way back after an outage."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, func, select

from cds_service.errors import StoreUnavailable
from cds_service.store import tables
from cds_service.store.archive import Archive
from cds_service.store.engine import open_engine
from cds_service.store.memory import READING_S, Memory
from cds_service.store.spool import REFUSED, Spool

from .conftest import PostgreSQL
from .records import decision, feedback

REST_S = 0.2


class Broken(Archive):
    """A database that fails, or hangs, as long as it is told to."""

    def __init__(self, hang_s: float = 0.0) -> None:
        self.hang_s, self.rows, self.fails = hang_s, [], True

    def write(self, records: Any) -> None:
        time.sleep(self.hang_s)
        if self.fails:
            raise OSError("down")
        self.rows = list({record["id"]: record for record in (*self.rows, *records)}.values())

    def overridden(self, patient: str, clinician: str, since: float) -> Any:
        time.sleep(self.hang_s)
        raise OSError("down")

    def close(self) -> None:
        """There is nothing to close."""

    def check(self) -> None:
        if self.fails:
            raise OSError("down")


class Hanging(Broken):
    """A database that answers no question about overrides until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()

    def overridden(self, patient: str, clinician: str, since: float) -> Any:
        self.answered.wait(30)
        return frozenset({("ruleA", frozenset({"aztreonam"}))})


def eventually(holds: Callable[[], bool], within_s: float = 15.0) -> bool:
    """Whether something comes true in this time."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def rows(url: str, table: str) -> int:
    """The number of rows."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found = connection.execute(select(func.count()).select_from(tables.metadata.tables[table])).scalar_one()
    return int(found)


def test_a_decision_reaches_the_database_by_itself(archive: Archive, spool: Spool, url: str) -> None:
    """What was decided is in the database a moment later, and nothing waits any more."""
    memory = Memory(archive, spool, time.monotonic)
    memory.start()
    memory.decided(decision(1))
    memory.feedback([feedback(1)])
    assert eventually(lambda: spool.size() == 0)
    memory.stop()
    assert (rows(url, "decisions"), rows(url, "cards"), rows(url, "feedback")) == (1, 1, 1)


def test_an_override_counts_from_the_next_request_on(archive: Archive, spool: Spool) -> None:
    """An override is found by the next request that looks back far enough."""
    memory = Memory(archive, spool, time.monotonic)
    memory.start()
    memory.decided(decision(1))
    assert eventually(lambda: spool.size() == 0)
    memory.feedback([feedback(1, outcome_at=1_000.0)])
    assert len(memory.overridden("patient", "clinician", 999.0)) == 2
    assert memory.overridden("patient", "clinician", 1_000.0) == frozenset()
    memory.stop()


@pytest.mark.parametrize("hang_s", [0.0, 1.0])
def test_cards_never_wait_for_a_database_in_trouble(spool: Spool, hang_s: float) -> None:
    """A18: with a database that fails or hangs, a thousand decisions are taken in less than a second and none is lost."""
    broken = Broken(hang_s)
    memory = Memory(broken, spool, time.monotonic, REST_S)
    memory.start()
    began = time.monotonic()
    for number in range(1_000):
        memory.decided(decision(number))
    assert time.monotonic() - began < 1.0
    broken.fails, broken.hang_s = False, 0.0
    assert eventually(lambda: len(broken.rows) == 1_000)
    memory.stop()


def test_reading_overrides_is_given_up_soon(spool: Spool) -> None:
    """A18: a hanging database holds no request up until it answers; the rules speak again instead."""
    hanging = Hanging()
    memory = Memory(hanging, spool, time.monotonic)
    assert memory.overridden("patient", "clinician", 0.0) == frozenset()
    assert not hanging.answered.is_set()
    hanging.answered.set()
    memory.stop()


def test_overrides_on_this_machine_are_read_while_another_writes(tmp_path: Path, spool: Spool) -> None:
    """Where the database is a file of this machine, a card reads the overrides itself and waits for no writer."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    archive, near = Archive(open_engine(url)), Archive(open_engine(url, patience_s=READING_S))
    archive.write([decision(1), feedback(1)])
    memory = Memory(archive, spool, time.monotonic, near=near)
    memory.start()
    writer = open_engine(url)
    with writer.begin() as connection:
        connection.execute(tables.feedback.delete())
        began = time.monotonic()
        assert len(memory.overridden("patient", "clinician", 0.0)) == 2
        assert time.monotonic() - began < 1.0
    assert memory.overridden("patient", "clinician", 0.0) == frozenset()
    memory.stop()
    writer.dispose()


def test_a_file_that_cannot_be_read_is_left_alone_for_a_while(archive: Archive, spool: Spool) -> None:
    """After a fault of the file the rules speak again, and it is not asked before the rest is over."""
    broken, now = Broken(), [0.0]
    memory = Memory(archive, spool, lambda: now[0], REST_S, near=broken)
    assert memory.overridden("patient", "clinician", 0.0) == frozenset()
    broken.overridden = lambda *_: frozenset({("ruleA", frozenset({"aztreonam"}))})  # type: ignore[method-assign]
    assert memory.overridden("patient", "clinician", 0.0) == frozenset()
    now[0] = REST_S
    assert len(memory.overridden("patient", "clinician", 0.0)) == 1
    memory.stop()


def test_a_full_spool_gives_decisions_up_and_counts_them(tmp_path: Path) -> None:
    """Where neither database nor disk takes it, a decision is given up; the count tells the operator."""
    spool = Spool(tmp_path, most=10)
    spool.prepare()
    memory = Memory(Broken(), spool, time.monotonic)
    memory.decided(decision(1))
    assert (memory.take_dropped(), memory.take_dropped()) == (1, 0)
    memory.stop()


@pytest.mark.parametrize("line", ['{"kind":"decision"}', '{"kind":"feedback","id":"f-9"}', "{}", "5"])
def test_a_record_that_no_database_takes_holds_nothing_up(archive: Archive, spool: Spool, url: str, line: str) -> None:
    """A19: one ill-formed record among others, as another release may have left it: the others are kept, it is counted and set apart."""
    spool.append(decision(1))
    spool.append(decision(2))
    (path,) = spool._folder.glob("*.jsonl")
    path.write_text(path.read_text().replace("\n", f"\n{line}\n", 1))
    memory = Memory(archive, spool, time.monotonic, REST_S)
    memory.start()
    assert eventually(lambda: spool.size() == 0)
    memory.stop()
    assert (rows(url, "decisions"), memory.take_dropped()) == (2, 1)
    assert (spool._folder / REFUSED).read_text() == f"{line}\n"


def test_feedback_is_acknowledged_from_the_disk_when_the_database_is_down(spool: Spool) -> None:
    """FB-01: without the database feedback is written to the disk and moved later, once."""
    broken = Broken()
    memory = Memory(broken, spool, time.monotonic, REST_S)
    memory.start()
    memory.feedback([feedback(1)])
    memory.feedback([feedback(1)])
    assert spool.size() > 0
    broken.fails = False
    assert eventually(lambda: len(broken.rows) == 1)
    memory.stop()


def test_feedback_that_can_be_kept_nowhere_is_not_acknowledged(tmp_path: Path) -> None:
    """With database and disk both out of order the caller is told to come back."""
    spool = Spool(tmp_path, most=10)
    spool.prepare()
    memory = Memory(Broken(), spool, time.monotonic)
    with pytest.raises(StoreUnavailable):
        memory.feedback([feedback(1)])
    memory.stop()


def test_feedback_leaves_the_spool_by_a_commit_that_survives_a_power_cut(spool: Spool) -> None:
    """A19: what was acknowledged from the disk goes through the archive that waits for the disk, and decisions alone do not."""
    quick, safe = Broken(), Broken()
    memory = Memory(quick, spool, time.monotonic, REST_S, safe=safe)
    memory.feedback([feedback(1), feedback(2)])
    quick.fails = safe.fails = False
    memory.start()
    assert eventually(lambda: len(safe.rows) == 2)
    memory.decided(decision(1))
    assert eventually(lambda: len(quick.rows) == 1)
    memory.stop()
    assert len(safe.rows) == 2


def test_health_follows_the_database(spool: Spool) -> None:
    """Readiness is refused while the database is down and granted when it is back."""
    now = [0.0]
    broken = Broken()
    memory = Memory(broken, spool, lambda: now[0])
    assert not memory.healthy()
    broken.fails = False
    assert not memory.healthy()
    now[0] = 10.0
    assert memory.healthy()
    memory.stop()


@pytest.mark.parametrize("restored", [False, True])
def test_nothing_is_acknowledged_into_a_file_that_is_gone(tmp_path: Path, spool: Spool, restored: bool) -> None:
    """A19: the database is deleted, or a backup takes its place, under a running service: readiness ends, and all feedback is kept."""
    url, path, backup = f"sqlite:///{tmp_path}/store.db", tmp_path / "store.db", tmp_path / "backup.db"
    memory = Memory(Archive(open_engine(url)), spool, time.monotonic, REST_S, safe=Archive(open_engine(url, durable=True)))
    memory.start()
    memory.decided(decision(1))
    memory.feedback([feedback(1)])
    assert eventually(lambda: spool.size() == 0)
    if restored:
        Archive(open_engine(f"sqlite:///{backup}")).prepare()
        backup.replace(path)
    else:
        path.unlink()
    assert not memory.healthy()
    for number in range(2, 30):
        memory.feedback([feedback(number)])
        time.sleep(0.02)
    assert eventually(memory.healthy)
    assert eventually(lambda: spool.size() == 0 and rows(url, "feedback") == 28)
    memory.stop()


@pytest.mark.postgresql
def test_a_killed_postgresql_loses_nothing_that_was_acknowledged(postgresql: PostgreSQL, spool: Spool) -> None:
    """A19, in small: while PostgreSQL is killed and comes back, every acknowledged feedback is there exactly once."""
    url = postgresql.database("killed")
    memory = Memory(Archive(open_engine(url)), spool, time.monotonic, REST_S)
    memory.start()
    acknowledged: list[int] = []
    done = threading.Event()

    def send() -> None:
        for number in range(100_000):
            if done.is_set():
                return
            try:
                memory.feedback([feedback(number)])
            except StoreUnavailable:
                continue
            acknowledged.append(number)
            time.sleep(0.001)

    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(2):
        time.sleep(0.4)
        postgresql.kill()
        time.sleep(0.4)
        postgresql.start()
    enough = eventually(lambda: len(acknowledged) > 50, 60)
    done.set()
    sender.join()
    assert enough
    assert eventually(lambda: spool.size() == 0, 30)
    memory.stop()
    with create_engine(url, poolclass=NullPool).connect() as connection:
        kept = [row[0] for row in connection.execute(select(tables.feedback.c.id))]
    assert set(kept) == {f"feedback-{number}" for number in acknowledged}
    assert len(kept) == len(acknowledged)

"""The database: each record once, overrides found again, layouts brought up to date."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, event, func, insert, inspect, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cds_service.store import tables
from cds_service.store.archive import Archive
from cds_service.store.engine import DatabaseReplaced, open_engine
from cds_service.store.migrations import LATEST, NewerSchema, migrate
from cds_service.store.used_tokens import UsedTokens

from .records import decision, feedback


def count(url: str, table: str) -> int:
    """The number of rows."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return connection.execute(select(func.count()).select_from(tables.metadata.tables[table])).scalar_one()


def test_a_record_is_kept_once_however_often_it_is_handed_in(archive: Archive, url: str) -> None:
    """FB-09: the same decision and the same feedback written three times are one row each."""
    for _ in range(3):
        archive.write([decision(1), feedback(1), decision(1), feedback(1)])
    assert [count(url, name) for name in ("decisions", "cards", "feedback")] == [1, 1, 1]


def test_writers_beside_one_another_double_nothing(archive: Archive, url: str) -> None:
    """A19: eight threads that write the same hundred records leave a hundred rows."""
    archive.prepare()
    together = threading.Barrier(8)

    def write(_: int) -> None:
        together.wait()
        for number in range(100):
            for _attempt in range(50):
                try:
                    archive.write([decision(number), feedback(number)])
                    break
                except SQLAlchemyError:
                    continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert (count(url, "decisions"), count(url, "feedback")) == (100, 100)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, True),
        ({"outcome": "accepted"}, False),
        ({"reasoned": False}, False),
        ({"outcome_at": 1_500.0}, False),
        ({"outcome_at": 1_500.1}, True),
        ({"card": "card-9"}, False),
    ],
)
def test_an_override_with_a_reason_is_remembered(archive: Archive, changed: dict[str, object], found: bool) -> None:
    """Every rule of the overridden card is found with its regimen, from the moment asked for on, and nothing else is."""
    archive.write([decision(1), feedback(1, **changed)])
    expected = {("ruleA", frozenset({"aztreonam"})), ("ruleB", frozenset({"aztreonam"}))}
    assert archive.overridden("patient", "clinician", 1_500.0) == (expected if found else set())


@pytest.mark.parametrize(("patient", "clinician"), [("other", "clinician"), ("patient", "other")])
def test_an_override_holds_for_this_patient_and_this_clinician_alone(archive: Archive, patient: str, clinician: str) -> None:
    """A new clinician, or another patient, arms the rule again."""
    archive.write([decision(1), feedback(1)])
    assert archive.overridden(patient, clinician, 0.0) == frozenset()


def test_overrides_are_found_without_a_look_at_all_feedback(tmp_path: Path) -> None:
    """SQLite finds the overrides of the last hours by an index, also in an earlier layout; PostgreSQL goes by its statistics."""
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    Archive(engine).write([decision(1), feedback(1)])
    with engine.begin() as connection:
        tables.feedback_outcome_at.drop(connection)
        connection.execute(tables.schema_version.update().values(version=2))
    assert migrate(engine) == LATEST
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, values, *_: asked.append((statement, values)))
    assert Archive(engine).overridden("patient", "clinician", 1_500.0)
    statement, values = asked[-1]
    with engine.begin() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    assert "feedback_outcome_at" in plan
    assert "SCAN" not in plan
    engine.dispose()


def test_a_database_that_knew_only_used_tokens_is_brought_up_to_date(url: str) -> None:
    """B30: the layout from before there were versions gains the new tables and keeps its rows."""
    engine = open_engine(url)
    used = UsedTokens(engine)
    used.create()
    used.first_use("issuer", "jti", 1.0)
    assert migrate(engine) == LATEST
    assert {"decisions", "cards", "feedback", "used_tokens", "schema_version"} <= set(inspect(engine).get_table_names())
    assert not used.first_use("issuer", "jti", 1.0)
    engine.dispose()


def test_cards_of_the_first_layout_keep_their_rows_and_gain_their_offers(url: str) -> None:
    """A database of schema version 1 is given the column, with nothing in it for the cards that it has."""
    engine = open_engine(url)
    Archive(engine).write([decision(1)])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE cards DROP COLUMN offers"))
        connection.execute(tables.schema_version.update().values(version=1))
    assert migrate(engine) == LATEST
    Archive(engine).write([decision(2)])
    with engine.connect() as connection:
        assert connection.execute(select(tables.cards.c.offers)).scalars().all() == [None, None]
    engine.dispose()


def test_workers_that_start_together_lay_the_tables_out_once(url: str) -> None:
    """Six workers migrate at the same moment: all succeed, and there is one version row."""
    together = threading.Barrier(6)

    def start(_: int) -> int:
        engine = open_engine(url)
        together.wait()
        try:
            return migrate(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(start, range(6))) == {LATEST}
    assert count(url, "schema_version") == 1


def test_a_new_file_that_another_process_is_writing_is_waited_for(tmp_path: Path) -> None:
    """SQLite refuses to change the mode of a file in use at once; a worker that starts then waits for the other to end."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE t (n)")
        end = threading.Timer(0.2, other.execute, ["COMMIT"])
        end.start()
        engine = open_engine(f"sqlite:///{path}")
        assert migrate(engine) == LATEST
        engine.dispose()
        end.join()


def test_a_new_file_that_stays_locked_is_not_waited_for_forever(tmp_path: Path) -> None:
    """Patience ends as it does for every other wait of the store, with the error of the database."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE t (n)")
        engine = open_engine(f"sqlite:///{path}")
        with pytest.raises(OperationalError, match="locked"):
            migrate(engine)
        engine.dispose()


def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    """A program that is older than the database refuses to write into it."""
    engine = open_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(tables.schema_version.delete())
        connection.execute(insert(tables.schema_version).values(version=LATEST + 1))
    with pytest.raises(NewerSchema):
        Archive(engine).write([decision(1)])
    engine.dispose()


def test_a_file_that_goes_within_a_transaction_is_noticed(tmp_path: Path) -> None:
    """A19: when the file is deleted just before the commit, the write fails, and the next one lays out and fills a new file."""
    path = tmp_path / "store.db"
    engine = open_engine(f"sqlite:///{path}")
    archive = Archive(engine)
    archive.prepare()
    event.listen(engine, "commit", lambda _connection: path.unlink(), once=True)
    with pytest.raises(DatabaseReplaced):
        archive.write([feedback(1)])
    archive.write([feedback(1)])
    assert count(f"sqlite:///{path}", "feedback") == 1
    engine.dispose()

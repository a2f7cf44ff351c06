"""Writes records into the database, each exactly once however often it is handed in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Insert, Select, Table, and_, bindparam, select
from sqlalchemy.dialects import sqlite

from cds_service.store import tables
from cds_service.store.engine import file_of
from cds_service.store.migrations import migrate

Record = Mapping[str, Any]
Override = tuple[str, frozenset[str]]  # a rule and the drug keys of the regimen that it was overridden for


class Archive:
    """The database behind the spool; every method raises what the database raises."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ready = False
        self._file: tuple[int, int] | None = None

    def prepare(self) -> None:
        """Lay the tables out where that has not been done yet, also in a file that took the place of another."""
        if not self._ready or file_of(self._engine) != self._file:
            migrate(self._engine)
            self._ready, self._file = True, file_of(self._engine)

    def close(self) -> None:
        """End all connections."""
        self._engine.dispose()

    def check(self) -> None:
        """Ask the database for something that costs it nothing."""
        self.prepare()
        with self._engine.connect() as connection:
            connection.execute(select(tables.schema_version.c.version))

    def write(self, records: Sequence[Record]) -> None:
        """Write decisions (`kind: decision`, with their cards) and feedback (`kind: feedback`) in one transaction."""
        self.prepare()
        decisions = [record for record in records if record["kind"] == "decision"]
        shown = [_card(record, place, card) for record in decisions for place, card in enumerate(record["cards"])]
        feedback = [_row(tables.feedback, record) for record in records if record["kind"] == "feedback"]
        with self._engine.begin() as connection:
            _insert(connection, tables.decisions, [_row(tables.decisions, record) for record in decisions])
            _insert(connection, tables.cards, shown)
            _insert(connection, tables.feedback, feedback)
        if self._file is not None:
            self._engine.connect().close()  # taking a connection looks whether the file that took the rows is still there

    def overridden(self, patient: str, clinician: str, since: float) -> frozenset[Override]:
        """What this clinician overrode with a reason for this patient since then."""
        self.prepare()
        with self._engine.connect() as connection:
            rows = connection.execute(_OVERRIDDEN, {"for_patient": patient, "by_clinician": clinician, "since": since}).all()
        return frozenset((rule, frozenset(orjson.loads(drugs))) for rules, drugs in rows for rule in orjson.loads(rules))


def _overridden() -> Select[Any]:
    """The query for overrides, built once since it is asked before each card."""
    wanted = and_(
        tables.decisions.c.patient == bindparam("for_patient"),
        tables.decisions.c.clinician == bindparam("by_clinician"),
        tables.feedback.c.outcome == "overridden",
        tables.feedback.c.reasoned.is_(True),
        tables.feedback.c.outcome_at > bindparam("since"),
    )
    joined = tables.decisions.join(tables.cards, tables.cards.c.decision == tables.decisions.c.id)
    joined = joined.join(tables.feedback, tables.feedback.c.card == tables.cards.c.id)
    return select(tables.cards.c.rules, tables.cards.c.ingredients).select_from(joined).where(wanted)


_OVERRIDDEN = _overridden()


def _row(table: Table, record: Record) -> dict[str, Any]:
    return {column.name: _cell(record.get(column.name)) for column in table.columns}


def _card(decision: Record, place: int, card: Record) -> dict[str, Any]:
    return _row(tables.cards, {**card, "decision": decision["id"], "place": place})


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    if rows:
        connection.execute(_unless_there(table, connection.dialect.name), rows)


def _unless_there(table: Table, dialect: str) -> Insert:
    """The INSERT that leaves a row alone which is there: no common one exists, each database has its own."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # slow to load, with all its drivers, and few need it

        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()

"""Brings a database to the layout of this version, whatever it was before, with one worker doing it while the others wait."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine, insert, inspect, select, text
from sqlalchemy.schema import CreateIndex, CreateTable

from cds_service.store import tables
from cds_service.store.used_tokens import used_tokens, used_tokens_expires

_LOCK = 0x6E646D  # any number that other programs in the same database are unlikely to take


class NewerSchema(Exception):
    """The database was laid out by a later version of this program, which is not undone."""


def _first(connection: Connection) -> None:
    """Decisions, cards, feedback and used tokens."""
    for table in (used_tokens, tables.decisions, tables.cards, tables.feedback):
        connection.execute(CreateTable(table, if_not_exists=True))
    for index in (used_tokens_expires, tables.decisions_at, tables.cards_decision, tables.feedback_card):
        connection.execute(CreateIndex(index, if_not_exists=True))


def _offers(connection: Connection) -> None:
    """How many suggestions each card made; a table that the first step has just made knows already."""
    if "offers" not in {column["name"] for column in inspect(connection).get_columns(tables.cards.name)}:
        connection.execute(text("ALTER TABLE cards ADD COLUMN offers INTEGER"))


def _lately(connection: Connection) -> None:
    """The overrides of the last hours are asked for before each card, and without an index all feedback would be looked at."""
    connection.execute(CreateIndex(tables.feedback_outcome_at, if_not_exists=True))


STEPS: Mapping[int, Callable[[Connection], None]] = {1: _first, 2: _offers, 3: _lately}
LATEST = max(STEPS)


def migrate(engine: Engine) -> int:
    """Take the steps that are missing, in one transaction, and give the version that stands now."""
    with engine.begin() as connection:
        _alone(connection)
        connection.execute(CreateTable(tables.schema_version, if_not_exists=True))
        found = connection.execute(select(tables.schema_version.c.version)).scalar()
        if found is not None and found > LATEST:
            raise NewerSchema(f"schema version {found}, this program knows {LATEST}")
        for version in range((found or 0) + 1, LATEST + 1):
            STEPS[version](connection)
        if found is None:
            connection.execute(insert(tables.schema_version).values(version=LATEST))
        elif found < LATEST:
            connection.execute(tables.schema_version.update().values(version=LATEST))
    return LATEST


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("BEGIN IMMEDIATE"))
    else:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))

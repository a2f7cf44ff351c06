"""Reads what happened for the stewardship team: answers, cards and feedback as rows without people, never a row about a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Engine, Row, func, not_, select

from cds_service.store.migrations import migrate
from cds_service.store.tables import cards, decisions, feedback

NOT_ASKED = "{}"


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of a service that concerned its rules; `at` in seconds since 1970, `verdicts` by rule id."""

    at: float
    client: str
    service: str
    status: int
    verdicts: Mapping[str, str]
    missing: tuple[str, ...]
    version: str
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One card that was shown; `rules` strongest first, `offers` its suggestions, of which old rows do not know the number."""

    id: str
    at: float
    client: str
    service: str
    indicator: str
    rules: tuple[str, ...]
    version: str
    offers: int | None = None

    @property
    def rule(self) -> str:
        return self.rules[0] if self.rules else ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a user did with a card; `at` when they did it."""

    card: str
    outcome: str
    at: float
    reason_code: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """Everything between two moments; `passed` counts the answers to orders that were none of the rules' business."""

    since: float
    until: float
    answers: tuple[Answered, ...]
    cards: tuple[Shown, ...]
    told: tuple[Told, ...]
    passed: int


class Statistics:
    """A reader of the database of `store.archive`; it raises what the database raises."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ready = False

    def between(self, since: float, until: float) -> Happened:
        """What happened from `since` to `until`, both included, in seconds since 1970."""
        self._prepare()
        inside = (decisions.c.at >= since) & (decisions.c.at <= until)
        asked = (decisions.c.verdicts != NOT_ASKED) | (decisions.c.status != 200)
        joined = cards.join(decisions, cards.c.decision == decisions.c.id)
        outcomes = feedback.join(cards, feedback.c.card == cards.c.id).join(decisions, cards.c.decision == decisions.c.id)
        with self._engine.connect() as connection:
            answers = connection.execute(select(decisions).where(inside, asked).order_by(decisions.c.at)).all()
            listed = select(cards, *_OF_DECISION).select_from(joined).where(inside).order_by(decisions.c.at, cards.c.place)
            shown = connection.execute(listed).all()
            told = connection.execute(select(feedback).select_from(outcomes).where(inside)).all()
            passed = connection.execute(select(func.count()).select_from(decisions).where(inside, not_(asked))).scalar_one()
        return Happened(since, until, tuple(map(_answered, answers)), tuple(map(_shown, shown)), tuple(map(_told, told)), passed)

    def _prepare(self) -> None:
        """Lay the tables out where nothing was ever written."""
        if not self._ready:
            migrate(self._engine)
            self._ready = True


_OF_DECISION = (decisions.c.at, decisions.c.client, decisions.c.service, decisions.c.version)


def _answered(row: Row[Any]) -> Answered:
    verdicts, missing = orjson.loads(row.verdicts), tuple(orjson.loads(row.missing))
    return Answered(row.at, row.client, row.service, row.status, verdicts, missing, row.version, row.elapsed_ms)


def _shown(row: Row[Any]) -> Shown:
    return Shown(row.id, row.at, row.client, row.service, row.indicator, tuple(orjson.loads(row.rules)), row.version, row.offers)


def _told(row: Row[Any]) -> Told:
    return Told(row.card, row.outcome, row.outcome_at, row.reason_code)

"""A patient, some results and some orders, taken through the corridor; and the tables of the shipped knowledge."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import orjson

from cds_service import knowledge
from cds_service.cards import Style
from cds_service.cases import Case, Lexicon, Usual, read_usual
from cds_service.cases.build import request
from cds_service.cases.run import numbered, service_for
from cds_service.cases.sheet import CaseLine
from cds_service.clinical.doses import DoseTable
from cds_service.decide import decide
from cds_service.knowledge import Knowledge

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NDM = {"found": "NDM", "organism": "klebsiella-pneumoniae", "specimen": "blood", "tested": {"aztreonam-avibactam": "S", "cefiderocol": "S"}}
PAIR = ("ceftazidime-avibactam", "aztreonam")


@cache
def known() -> Knowledge:
    """The shipped knowledge."""
    return knowledge.load()


@cache
def usual() -> Usual:
    """What a case leaves unsaid."""
    return read_usual(ROOT / "fixtures/defaults.yaml")


@cache
def lexicon() -> Lexicon:
    """The words of the knowledge."""
    return Lexicon(ROOT / "hooks/shared")


def table() -> DoseTable:
    """The dose table."""
    return known().services["ndm-order-sign"].reference.doses


def body(line: dict[str, Any]) -> dict[str, Any]:
    """The request of one case, as an electronic record would send it."""
    case = Case("a test", "", "ndm", "test", msgspec.convert({"case": "a test", "results": [NDM], **line}, CaseLine))
    queries = {key: part.query for key, part in service_for(case, known()).sheet.prefetch.items()}
    return request(case, queries, usual(), lexicon(), NOW)


def answer(sent: dict[str, Any], now: datetime = NOW) -> tuple[str, ...]:
    """The cards of a request as "topic+rules indicator", most urgent first."""
    decision = decide(known(), f"ndm-{sent['hook']}", orjson.dumps(sent), fetch=None, now=now, style=Style(new_id=numbered()))
    return tuple(f"{'+'.join(card.extension['ndm-cds.rules'])} {card.indicator}" for card in decision.cards)


def offered(**line: Any) -> list[str]:
    """The labels of what the cards of one case offer."""
    sent = body(line)
    decision = decide(known(), f"ndm-{sent['hook']}", orjson.dumps(sent), fetch=None, now=NOW, style=Style(new_id=numbered()))
    return [suggestion.label for card in decision.cards for suggestion in card.suggestions]


def cards(**line: Any) -> tuple[str, ...]:
    """The cards of one case."""
    return answer(body(line))

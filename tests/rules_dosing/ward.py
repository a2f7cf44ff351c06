"""A patient with a tested isolate, taken through the corridor; and the dose table of the shipped knowledge."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cds_service import knowledge
from cds_service.cases import Lexicon, read_usual
from cds_service.clinical.doses import DoseTable
from cds_service.decide import Decision
from cds_service.knowledge import Knowledge
from tests.terse import Corridor, rules

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NDM = {"found": "NDM", "organism": "klebsiella-pneumoniae", "specimen": "blood", "tested": {"aztreonam-avibactam": "S", "cefiderocol": "S"}}
PAIR = ("ceftazidime-avibactam", "aztreonam")


@cache
def known() -> Knowledge:
    """The shipped knowledge."""
    return knowledge.load()


@cache
def corridor() -> Corridor:
    """The shipped knowledge with the usual patient."""
    return Corridor(known(), read_usual(ROOT / "fixtures/defaults.yaml"), Lexicon(ROOT / "hooks/shared"), NOW)


def table() -> DoseTable:
    """The dose table."""
    return known().services["ndm-order-sign"].reference.doses


def body(line: dict[str, Any]) -> dict[str, Any]:
    """The request of one case, as an electronic record would send it."""
    return corridor().request(**{"results": [NDM], **line})


def decided(sent: dict[str, Any], now: datetime = NOW) -> Decision:
    """What the corridor says to a request at this moment."""
    return corridor().decide(sent, now=now)


def answer(sent: dict[str, Any], now: datetime = NOW) -> tuple[str, ...]:
    """The cards of a request as "topic+rules indicator", most urgent first."""
    decision = decided(sent, now)
    return tuple(f"{'+'.join(named)} {card.indicator}" for named, card in zip(rules(decision), decision.cards, strict=True))


def cards(**line: Any) -> tuple[str, ...]:
    """The cards of one case."""
    return answer(body(line))


def offered(**line: Any) -> list[str]:
    """The labels of what the cards of one case offer."""
    return [suggestion.label for card in decided(body(line)).cards for suggestion in card.suggestions]

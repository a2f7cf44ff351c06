"""What a card offers in any clinical case, once signed, leads to no critical card, and to no warning that the card did not tell."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.cards import Style
from cds_service.cases import Case, Lexicon, Usual, read_cases, read_usual, request
from cds_service.cases.run import numbered, service_for
from cds_service.decide import decide
from cds_service.errors import CannotDecide
from cds_service.knowledge import Knowledge, default_folder
from cds_service.knowledge.site import with_site
from cds_service.protocol.response import to_json

from .test_signed import signed

FIXTURES = Path(__file__).parents[2] / "fixtures"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
FILES = sorted((FIXTURES / "ndm" / "cases").glob("*.yaml"))


def judged(knowledge: Knowledge, service: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards for a request; none where it is refused for what it lacks."""
    try:
        decision = decide(knowledge, service, json.dumps(body).encode(), fetch=None, now=NOW, style=Style(new_id=numbered()))
    except CannotDecide:
        return []
    return list(json.loads(to_json(decision.cards))["cards"])


def changes_drugs(suggestion: dict[str, Any]) -> bool:
    """Some action orders, changes or removes a drug."""
    return any(action["type"] == "delete" or action["resource"]["resourceType"] == "MedicationRequest" for action in suggestion["actions"])


def after(case: Case, knowledge: Knowledge, usual: Usual, lexicon: Lexicon) -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Each card of a case with each suggestion that changes drugs, and each card that follows when that one is signed."""
    service = service_for(case, knowledge)
    here = with_site(knowledge, service, case.line.site)
    body = request(case, {key: part.query for key, part in service.sheet.prefetch.items()}, usual, lexicon, NOW)
    return [
        (card, suggestion, following)
        for card in judged(here, service.id, body)
        for suggestion in card.get("suggestions", [])
        if changes_drugs(suggestion)
        for following in judged(here, service.id, signed(body, suggestion))
    ]


def told(card: dict[str, Any], following: dict[str, Any]) -> bool:
    """The card itself says that something is left: by hand, an allergy to look at, or a draft that another rule asks about."""
    detail = card["detail"]
    return "by hand" in detail or "similar side chain" in detail or following["summary"] in detail


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_offer_leads_to_a_critical_card_or_to_a_warning_that_was_not_told(knowledge: Knowledge, file: Path) -> None:
    """Whoever takes an order, a change, a "Keep" or a "Leave out" meets no critical card when it is signed, and no warning unannounced."""
    usual, lexicon = read_usual(FIXTURES / "defaults.yaml"), Lexicon(default_folder() / "shared")
    for case in read_cases(file):
        if case.line.hook != "order-sign":
            continue
        for card, suggestion, following in after(case, knowledge, usual, lexicon):
            seen = (case, suggestion["label"], following["summary"])
            assert following["indicator"] != "critical", seen
            assert following["indicator"] == "info" or told(card, following), seen

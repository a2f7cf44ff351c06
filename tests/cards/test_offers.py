"""What a shipped card offers beside an order of a drug: tests for this species, and reasons for this state."""

from typing import Any

import orjson
import pytest

from cds_service.cards import Style
from cds_service.cases.run import numbered
from cds_service.decide import decide
from cds_service.protocol.response import Card
from tests.rules_dosing.ward import NOW, body, known

PAIR = ["aztreonam", "ceftazidime-avibactam"]


def first(**line: Any) -> Card:
    """The first card of a case."""
    sent = body(line)
    return decide(known(), f"ndm-{sent['hook']}", orjson.dumps(sent), fetch=None, now=NOW, style=Style(new_id=numbered())).cards[0]


def requested(card: Card) -> str:
    """The words of what the card asks the laboratory for."""
    resources = [action.resource or {} for one in card.suggestions for action in one.actions]
    return " ".join(one["code"]["text"] for one in resources if one.get("resourceType") == "ServiceRequest")


@pytest.mark.parametrize(
    ("organism", "wanted"),
    [("pseudomonas-aeruginosa", ["tobramycin", "cefiderocol"]), ("acinetobacter-baumannii", ["cefiderocol", "polymyxin", "minocycline"])],
)
def test_a_species_gets_its_own_test(organism: str, wanted: list[str]) -> None:
    """The laboratory is asked for what would help against this species, and not for a test of the pair."""
    asked = requested(first(results=[{"found": "NDM", "organism": organism, "specimen": "blood"}], drafts=PAIR))
    assert all(word in asked for word in wanted)
    assert "broth disk elution" not in asked


@pytest.mark.parametrize("drug", ["aztreonam", "ceftazidime-avibactam", "meropenem"])
@pytest.mark.parametrize(("specimen", "days", "carried"), [("rectal", 60, True), ("blood", 2, False)])
def test_a_carrier_can_be_called_one(drug: str, specimen: str, days: int, carried: bool) -> None:
    """Where no infection is current, "colonised, not treated" is a reason to override, and a combination test is offered."""
    results = [{"found": "NDM", "organism": "klebsiella-pneumoniae", "specimen": specimen, "screening": carried, "days": days}]
    card = first(results=results, drafts=[{"order": drug, "reason": "sepsis"}])
    reasons = {reason.code for reason in card.override_reasons}
    assert (known().overrides.reasons["colonised-not-treated"].code in reasons) is carried
    assert ("broth disk elution" in requested(card)) is carried

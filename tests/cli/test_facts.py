"""The facts that `explain` shows are those that the rules saw."""

from collections.abc import Callable
from typing import Any

import pytest

from cds_service.cli.about import as_data, facts
from cds_service.decide import Decision
from tests.terse import Corridor

Told = Callable[..., dict[str, str]]
NDM = {"organism": "klebsiella-pneumoniae", "specimen": "blood", "found": "NDM"}
DOUBLED = {"measured": {"creatinine": [{"value": 2, "hours": 2}, {"value": 1, "hours": 30}]}}


@pytest.fixture(name="decided")
def _decided(corridor: Corridor) -> Callable[..., Decision]:
    """Decides a terse case; `change` may spoil the request first."""

    def decided(change: Callable[[dict[str, Any]], None] | None = None, **line: Any) -> Decision:
        body = corridor.request(**{"drafts": ["aztreonam"], "results": [], **line})
        if change:
            change(body)
        return corridor.decide(body)

    return decided


@pytest.fixture(name="told")
def _told(decided: Callable[..., Decision]) -> Told:
    """The facts about a terse case, the same topics joined."""

    def told(change: Callable[[dict[str, Any]], None] | None = None, **line: Any) -> dict[str, str]:
        bedside = decided(change, **line).bedside
        assert bedside
        found: dict[str, str] = {}
        for about, fact in facts(bedside):
            found[about] = f"{found.get(about, '')} {fact}".strip()
        return found

    return told


@pytest.mark.parametrize(
    ("line", "about", "said"),
    [
        ({}, "infection", "no evidence of NDM"),
        ({"results": [NDM]}, "infection", "current: NDM in Klebsiella pneumoniae, blood, collected 2026-11-18, final"),
        ({"results": [{"found": "NDM", "dated": "nowhere"}]}, "infection", "an organism that is not stated"),
        ({"results": [{"found": "NDM", "dated": "nowhere"}]}, "infection", "specimen not stated, date not stated"),
        ({"results": [{**NDM, "found": ["NDM", "OXA-48"]}]}, "infection", "NDM beside OXA-48 in"),
        ({"results": [{**NDM, "status": "preliminary"}]}, "infection", "preliminary"),
        ({"results": [{**NDM, "tested": {"aztreonam": "R 16"}}]}, "infection", "aztreonam resistant (16 mg/L)"),
        ({"drafts": ["fosfomycin 3 g po once"]}, "signing", "3 g once"),
        ({"drafts": ["colistin"]}, "signing", "4.5 million units every 12 h over 1 h, intravenous"),
        ({"running": [{"order": "aztreonam", "id": "a"}], "drafts": [{"stops": "a"}]}, "stopping", "aztreonam"),
        ({"running": [{"order": "aztreonam", "id": "a"}], "drafts": [{"order": "aztreonam", "replaces": "a"}]}, "taken over", "aztreonam"),
        ({"drafts": [{"order": "aztreonam", "setting": "discharge"}]}, "take-home", "aztreonam"),
        ({"results": [{**NDM, "tested": {"amikacin": "S"}}], "drafts": ["amikacin"]}, "expected active", "amikacin (tested susceptible)"),
        ({}, "expected active", "nothing"),
        ({"patient": {"lacks": ["creatinine"]}}, "kidney", "clearance not known (creatinine missing)"),
        ({"patient": {"age": 8, "weight": 28}}, "kidney", "clearance is not computed under 18 years"),
        ({"patient": {"conditions": ["haemodialysis"]}}, "kidney", "renal replacement (haemodialysis)"),
        ({"patient": DOUBLED}, "kidney", "; creatinine changed by 100 %"),
        ({"patient": DOUBLED}, "kidney", "; acute kidney injury: the clearance is not reliable"),
        ({"patient": {"lacks": ["birth date", "sex"]}}, "patient", "age not known, sex not known"),
        ({"patient": {"conditions": ["sepsis"]}}, "circumstances", "sepsis"),
        ({"patient": {"allergies": [{"to": "aztreonam", "criticality": "high"}]}}, "allergy", "aztreonam, severe"),
        ({"patient": {"allergies": [{"to": "aztreonam", "severity": "mild", "reaction": "rash"}]}}, "allergy", "mild"),
        ({"patient": {"allergies": [{"to": "aztreonam"}]}}, "allergy", "severity not recorded"),
        ({"drafts": [{"text": "beta-lactam infusion"}, "aztreonam"]}, "signing", "aztreonam"),
        ({"unavailable": ["allergies"]}, "missing", "allergies"),
        ({"results": [{**NDM, "whose": "other"}]}, "dropped", "resources of other patients"),
    ],
)
def test_each_fact_has_its_line(told: Told, line: dict[str, Any], about: str, said: str) -> None:
    """Infection, orders, kidney, patient, allergies and gaps are told in plain words."""
    assert said in told(**line)[about]


def test_a_death_is_told(told: Told) -> None:
    """A patient who has died is said to have."""
    assert "has died" in told(lambda body: body["prefetch"]["patient"].update(deceasedBoolean=True))["patient"]


def test_an_order_that_cannot_be_read_is_told(told: Told) -> None:
    """The reason is told, with the order's reference and without its text."""

    def spoil(body: dict[str, Any]) -> None:
        concept = {"coding": [{"system": "http://www.whocc.no/atc", "code": "J01DD52"}]}
        body["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"] = concept

    assert told(spoil)["unreadable order"].startswith("MedicationRequest/draft-1: ")


def test_conflicting_results_are_told(told: Told) -> None:
    """Two results about one isolate that do not agree have a line."""
    found = told(results=[{**NDM, "sample": "s", "hours": 50}, {**NDM, "sample": "s", "found": [], "absent": "NDM", "hours": 50}])
    assert "NDM" in found.get("conflict", "") or "NDM" in found["infection"]


def test_what_concerned_nobody_has_no_facts(decided: Callable[..., Decision]) -> None:
    """Drafts outside every rule give an explanation without facts and rules."""
    found = as_data(decided(drafts=["metoprolol"]))
    assert (found["facts"], found["rules"], found["cards"]) == ([], [], 0)

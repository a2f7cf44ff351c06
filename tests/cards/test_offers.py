"""What a shipped card offers beside an order of a drug: tests for this species, and reasons for this state."""

from typing import Any

import pytest

from cds_service.protocol.response import Card
from tests.rules_dosing.ward import answer, body, decided, known

PAIR = ["aztreonam", "ceftazidime-avibactam"]


def first(**line: Any) -> Card:
    """The first card of a case."""
    return decided(body(line)).cards[0]


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


def texts(card: Card) -> list[str]:
    """What the suggestions are called."""
    return [one.label for one in card.suggestions]


NDM = [{"found": "NDM", "organism": "klebsiella-pneumoniae", "specimen": "blood"}]


def test_a_draft_that_ends_first_can_end_with_the_other() -> None:
    """Where one of the pair ends a day early, the card offers to let it run as long as the other."""
    drafts = [{"order": "ceftazidime-avibactam", "ends": 120}, {"order": "aztreonam", "ends": 96}]
    card = first(results=NDM, drafts=drafts)
    (changed,) = [action.resource or {} for one in card.suggestions for action in one.actions if action.type == "update"]
    assert texts(card)[0] == "Keep aztreonam"
    assert changed["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"].startswith("2026-11-27T12:00")


@pytest.mark.parametrize(("lacks", "offered"), [("creatinine", True), ("weight", False), ("sex", False)])
def test_a_creatinine_is_ordered_where_it_is_missing(lacks: str, offered: bool) -> None:
    """No creatinine is asked for where it is on file and the weight is not."""
    card = first(results=NDM, patient={"lacks": [lacks]}, drafts=["cefiderocol"])
    assert card.extension["ndm-cds.rules"][0] == "ndmRenalDataMissing"
    assert ("Order serum creatinine" in texts(card)) is offered


@pytest.mark.parametrize("days", [1, 3])
def test_a_limited_add_on_is_accepted(days: float) -> None:
    """A polymyxin that ends within 72 h, as the card itself offers, is signed in silence; one day more is not."""
    running = ["ceftazidime-avibactam", "aztreonam"]
    sent = body({"results": NDM, "running": running, "drafts": [{"order": "colistin", "starts": 0, "days": days}]})
    assert answer(sent) == ()
    longer = body({"results": NDM, "running": running, "drafts": [{"order": "colistin", "starts": 0, "days": days + 3}]})
    assert answer(longer)[0].startswith("ndmPolymyxinAddOn")


@pytest.mark.parametrize(("specimen", "said"), [("peritoneal", True), ("blood", True), ("urine", False), ("sputum", False)])
def test_metronidazole_belongs_to_the_abdomen(specimen: str, said: bool) -> None:
    """The word about metronidazole is left out where the infection is known to be elsewhere."""
    card = first(results=[{**NDM[0], "specimen": specimen}], drafts=["aztreonam"])
    assert ("metronidazole" in (card.detail or "")) is said


def test_a_running_double_is_the_users_to_stop() -> None:
    """Running components beside a drafted product are named with what is left to do by hand."""
    drafts = ["aztreonam-avibactam 2.67 g iv once", {"order": "aztreonam-avibactam", "starts": 6}]
    card = first(results=NDM, running=PAIR, drafts=drafts)
    assert "Stop the running aztreonam and ceftazidime-avibactam by hand" in (card.detail or "")
    assert "avibactam is given twice" in (card.detail or "")


def test_a_pattern_is_no_result_of_the_mechanism() -> None:
    """A resistance pattern is called one, with the species first."""
    tested = {"ceftazidime-avibactam": "R", "meropenem": "R"}
    card = first(hook="patient-view", results=[{"organism": "klebsiella-pneumoniae", "specimen": "blood", "tested": tested}])
    assert "Result: Klebsiella pneumoniae, blood, " in (card.detail or "")
    assert "pattern suggests MBL, no gene test" in (card.detail or "")


@pytest.mark.parametrize(("partner", "cited"), [("amoxicillin-clavulanate", True), ("meropenem-vaborbactam", False)])
def test_data_of_clavulanate_stay_with_clavulanate(partner: str, cited: bool) -> None:
    """The in-vitro figures of clavulanate are printed where clavulanate is the partner; no figure of the article is."""
    detail = first(results=NDM, drafts=["aztreonam", partner]).detail or ""
    assert ("70.3%" in detail) is cited
    assert "50%" not in detail
    assert "In vitro data only" in detail


@pytest.mark.parametrize(
    ("clearance", "ordered", "said", "unsaid"),
    [
        (40, "2.5 g iv q8h", "belongs to a clearance above 50", "nothing"),
        (20, "2.5 g iv q8h", "0.94 g every 12 h", "belongs to a clearance above 50"),
        (80, "1.25 g iv q8h", "2.5 g every 8 h", "belongs to a clearance above 50"),
    ],
)
def test_a_remark_stays_in_its_band(clearance: float, ordered: str, said: str, unsaid: str) -> None:
    """What holds at 30 to 50 mL/min is said at 30 to 50 mL/min."""
    detail = first(results=NDM, patient={"clearance": clearance}, running=["aztreonam"], drafts=[f"ceftazidime-avibactam {ordered}"]).detail
    assert said in (detail or "")
    assert unsaid not in (detail or "")


@pytest.mark.parametrize(("clearance", "said"), [(95.4, "CrCl 95 mL/min"), (49.6, "CrCl 49.6 mL/min"), (50.04, "CrCl 50.04 mL/min")])
def test_one_clearance_reads_alike_everywhere(clearance: float, said: str) -> None:
    """Whole numbers, and the digits that decide close to the limit of a band, in summary and in kidney line."""
    card = first(results=NDM, patient={"clearance": clearance}, running=["aztreonam"], drafts=["ceftazidime-avibactam 0.94 g iv q12h"])
    number = said.removeprefix("CrCl ")
    assert said in card.summary
    assert f"clearance {number} by Cockcroft-Gault" in (card.detail or "")


def test_milligrams_stay_milligrams() -> None:
    """A dose that was ordered in milligrams is printed in them, as long as it is below a gram."""
    card = first(results=NDM, running=["tigecycline 100 mg iv q12h"], drafts=["aztreonam"])
    assert "tigecycline, 100 mg every 12 h" in (card.detail or "")

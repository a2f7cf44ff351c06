"""Loading and maintenance, discharge lists and courses, in the shapes in which records write them."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from tests.rules_dosing.ward import NOW, answer, body, cards

LOAD, MAINTENANCE = "aztreonam-avibactam 2.67 g iv once", "aztreonam-avibactam 2 g iv q6h"


def drafts(sent: dict[str, Any]) -> list[dict[str, Any]]:
    """The draft orders of a request."""
    return [entry["resource"] for entry in sent["context"]["draftOrders"]["entry"]]


def test_one_order_may_hold_both_doses() -> None:
    """A loading dose and its maintenance as two instructions of one order are as good as two orders."""
    sent = body({"drafts": [LOAD, {"order": MAINTENANCE, "starts": 6}]})
    first, second = drafts(sent)
    first["dosageInstruction"] += second["dosageInstruction"]
    sent["context"]["draftOrders"]["entry"].pop()
    assert answer(sent) == ()
    first["dosageInstruction"].pop(0)
    assert answer(sent) == ("ndmAztAviDose warning",)


def test_a_load_in_words_counts() -> None:
    """ "2.67 g once" in the text of an instruction is a loading dose."""
    sent = body({"drafts": [LOAD, {"order": MAINTENANCE, "starts": 6}]})
    drafts(sent)[0]["dosageInstruction"] = [{"text": "aztreonam-avibactam 2.67 g IV once over 3 h"}]
    assert answer(sent) == ()


def test_the_order_of_drafts_does_not_matter() -> None:
    """Maintenance before load in the list is the same session."""
    sent = body({"drafts": [LOAD, {"order": MAINTENANCE, "starts": 6}]})
    sent["context"]["draftOrders"]["entry"].reverse()
    assert answer(sent) == ()


def test_three_lines_of_one_dose_a_day_are_three_doses_a_day() -> None:
    """Standard times written as separate instructions are one interval."""
    sent = body({"running": ["aztreonam"], "drafts": ["ceftazidime-avibactam 2.5 g iv q24h"]})
    order = drafts(sent)[0]
    line = order["dosageInstruction"][0]
    lines = [deepcopy(line) for _ in range(3)]
    for number, hour in enumerate(("06", "14", "22")):
        lines[number]["timing"]["repeat"] |= {"period": 1, "periodUnit": "d", "timeOfDay": [f"{hour}:00:00"]}
    order["dosageInstruction"] = lines
    assert answer(sent) == ()


@pytest.mark.parametrize(
    ("clearance", "expected"), [(95, ()), (40, ("ndmAztAviDose warning",))], ids=["the dose of the band", "a dose above the band"]
)
def test_a_discharge_list_is_dosed_and_needs_no_load(clearance: float, expected: tuple[str, ...]) -> None:
    """What the patient takes home goes on with the therapy: the band is judged, a loading dose is not asked for."""
    running = [{"order": "ceftazidime-avibactam 1.25 g", "starts": -60}, {"order": "aztreonam", "starts": -60}]
    assert cards(patient={"clearance": clearance}, running=running, drafts=[{"order": MAINTENANCE, "setting": "discharge"}]) == expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (
            {"boundsDuration": {"value": 3, "unit": "weeks", "system": "http://unitsofmeasure.org", "code": "wk"}},
            ("ndmBoneDuration warning",),
        ),
        ({"boundsDuration": {"value": 4, "unit": "weeks", "system": "http://unitsofmeasure.org", "code": "wk"}}, ()),
        ({"boundsPeriod": {"start": "2026-11-22T12:00:00Z", "end": "2026-12-20T12:00:00Z"}}, ()),
        ({"boundsPeriod": {"start": "2026-11-22T12:00:00Z", "end": "2026-12-20T11:00:00Z"}}, ("ndmBoneDuration warning",)),
        ({"boundsPeriod": {"start": "2026-11-22", "end": "2026-12-20"}}, ()),
        ({"count": 42}, ("ndmBoneDuration warning",)),
    ],
)
def test_the_end_of_a_course_is_read_in_every_shape(end: dict[str, Any], expected: tuple[str, ...]) -> None:
    """Weeks, an end date and a number of doses all say how long a course lasts."""
    sent = body({"patient": {"conditions": ["osteomyelitis"]}, "drafts": ["cefiderocol"]})
    drafts(sent)[0]["dosageInstruction"][0]["timing"]["repeat"] |= end
    assert answer(sent) == expected


def test_an_effluent_rate_in_the_words_of_a_request_is_used() -> None:
    """A CRRT order that states its effluent rate chooses the row of the table."""
    sent = body({"patient": {"conditions": ["crrt"]}, "drafts": ["cefiderocol 2 g iv q12h"]})
    entry = {
        "resource": {
            "resourceType": "ServiceRequest",
            "id": "crrt",
            "status": "active",
            "intent": "order",
            "code": {"text": "CRRT (CVVHDF), effluent rate 2.5 L/h"},
            "subject": {"reference": "Patient/patient-1"},
        }
    }
    sent["prefetch"]["requests"]["entry"] = [entry]
    assert answer(sent) == ()
    entry["resource"]["code"] = {"text": "CRRT (CVVHDF), effluent rate 3.5 L/h"}
    assert answer(sent) == ("ndmCefiderocolDose warning",)


@pytest.mark.parametrize("where", ["draft", "running"])
def test_the_pharmacys_supply_is_no_end_of_a_course_in_hospital(where: str) -> None:
    """A supply of one day neither shortens a course in bone nor drops a running partner."""
    supply = {"expectedSupplyDuration": {"value": 1, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}}
    sent = body(
        {
            "patient": {"conditions": ["osteomyelitis"]},
            "running": [{"order": "aztreonam", "starts": -60}],
            "drafts": ["ceftazidime-avibactam"],
        }
    )
    order = drafts(sent)[0] if where == "draft" else sent["prefetch"]["orders"]["entry"][0]["resource"]
    order["dispenseRequest"] = supply
    assert answer(sent) == ()


@pytest.mark.parametrize(
    ("procedure", "days", "expected"),
    [
        ("haemodialysis", 3, ("ndmCefiderocolDose warning",)),
        ("haemodialysis", 5, ()),
        ("crrt", 1, ()),
        ("crrt", 10, ()),
    ],
)
def test_a_session_of_last_month_is_no_dialysis(procedure: str, days: int, expected: tuple[str, ...]) -> None:
    """A dialysis session says that the patient is dialysed for four days; a diagnosis says it always."""
    sent = body({"patient": {"procedures": [procedure]}, "drafts": ["cefiderocol"]})
    sent["prefetch"]["procedures"]["entry"][0]["resource"]["performedDateTime"] = (NOW - timedelta(days=days)).isoformat()
    assert answer(sent) == expected


@pytest.mark.parametrize(("days", "expected"), [(6, ()), (8, ("ndmBoneDuration warning",)), (400, ("ndmBoneDuration warning",))])
def test_an_old_amputation_excuses_nothing(days: int, expected: tuple[str, ...]) -> None:
    """Resection shortens the course that follows it, not one of years later."""
    sent = body({"patient": {"conditions": ["osteomyelitis", "resected"]}, "drafts": [{"order": "cefiderocol", "days": 14}]})
    for entry in sent["prefetch"]["conditions"]["entry"]:
        entry["resource"]["recordedDate"] = (NOW - timedelta(days=days)).isoformat()
    assert answer(sent) == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(2, ()), (6.9, ()), (7.1, ("ndmCefiderocolDose warning",)), (400, ("ndmCefiderocolDose warning",))]
)
def test_an_injury_of_last_year_buys_nothing(days: float, expected: tuple[str, ...]) -> None:
    """A kidney injury that stands on the problem list for more than a week does not excuse a full dose."""
    sent = body({"patient": {"clearance": 40, "conditions": ["acute-kidney-injury"]}, "drafts": ["cefiderocol"]})
    sent["prefetch"]["conditions"]["entry"][0]["resource"]["recordedDate"] = (NOW - timedelta(days=days)).isoformat()
    assert answer(sent) == expected

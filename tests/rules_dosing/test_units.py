"""The unit in which a record writes a number never changes what is said."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from tests.rules_dosing.ward import PAIR, answer, body

CLEARANCES = (95, 50.2, 49.8, 30.2, 29.8, 15.1, 14.9, 4.9)
WAYS = {
    "creatinine": {"umol/L": Decimal(10000) / Decimal("113.12"), "g/L": Decimal("0.01"), "mg/L": Decimal(10)},
    "weight": {"g": Decimal(1000), "[lb_av]": Decimal("2.2046226218"), "lbs": Decimal("2.2046226218")},
    "height": {"m": Decimal("0.01"), "[in_i]": 1 / Decimal("2.54")},
}


def rewritten(sent: dict[str, Any], test: str, unit: str, factor: Decimal) -> dict[str, Any]:
    """The same request with one kind of number in another unit."""
    changed = deepcopy(sent)
    for part in changed["prefetch"].values():
        for entry in (part or {}).get("entry", ()):
            one = entry["resource"]
            if one["resourceType"] == "Observation" and one["id"].startswith(f"{test}-"):
                value = float(round(Decimal(str(one["valueQuantity"]["value"])) * factor, 6))
                one["valueQuantity"] |= {"value": value, "unit": unit, "code": unit}
    return changed


@pytest.mark.parametrize("clearance", CLEARANCES)
@pytest.mark.parametrize(("test", "unit"), [(test, unit) for test, units in WAYS.items() for unit in units])
def test_a_unit_changes_no_verdict(test: str, unit: str, clearance: float) -> None:
    """mg/dL or umol/L, kilograms or pounds, centimetres or inches: the cards are the same."""
    sent = body({"patient": {"clearance": clearance, "height": 176}, "drafts": [*PAIR]})
    assert answer(rewritten(sent, test, unit, WAYS[test][unit])) == answer(sent)


@pytest.mark.parametrize("drug", ["ceftazidime-avibactam 2500 mg", "ceftazidime-avibactam 2.5 g"])
@pytest.mark.parametrize("clearance", CLEARANCES)
def test_milligrams_are_grams(drug: str, clearance: float) -> None:
    """A dose in milligrams is judged as the same dose in grams."""
    orders = [drug, "aztreonam 1 g iv q6h"]
    assert answer(body({"patient": {"clearance": clearance}, "drafts": orders})) == answer(
        body({"patient": {"clearance": clearance}, "drafts": ["ceftazidime-avibactam", "aztreonam 1 g iv q6h"]})
    )


@pytest.mark.parametrize("minutes", [30, 119, 120, 179, 180, 240])
def test_minutes_are_hours(minutes: int) -> None:
    """An infusion time in minutes is judged exactly as in hours."""
    orders = body({"drafts": [f"ceftazidime-avibactam 2.5 g iv q8h over {minutes} min", "aztreonam"]})
    expected = () if minutes >= 180 else ("warning",) if minutes < 120 else ("info",)
    assert tuple(one.split()[-1] for one in answer(orders)) == expected


@pytest.mark.parametrize(
    "timing",
    [
        {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
        {"repeat": {"frequency": 1, "period": 480, "periodUnit": "min"}},
        {"repeat": {"timeOfDay": ["06:00:00", "14:00:00", "22:00:00"]}},
        {"repeat": {"period": 1, "periodUnit": "d", "timeOfDay": ["06:00:00", "14:00:00", "22:00:00"]}},
        {"code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "code": "TID"}]}},
        {"code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "code": "Q8H"}]}},
        {"code": {"text": "every 8 hours"}},
    ],
)
def test_standard_times_are_an_interval(timing: dict[str, Any]) -> None:
    """Three times a day at the ward's hours is every 8 h."""
    sent = body({"patient": {"clearance": 40}, "running": ["aztreonam"], "drafts": ["ceftazidime-avibactam 1.25 g iv q8h"]})
    order = sent["context"]["draftOrders"]["entry"][0]["resource"]["dosageInstruction"][0]
    length = {name: order["timing"]["repeat"][name] for name in ("duration", "durationUnit")}
    order["timing"] = {**timing, "repeat": {**length, **timing.get("repeat", {})}}
    assert answer(sent) == ()


@pytest.mark.parametrize(
    ("words", "dose", "expected"),
    [
        ("2 g/0.5 g over 3 h", None, ()),
        ("2000 mg/500 mg over 3 h", None, ()),
        ("2 g/0.5 g over 3 h", 2, ()),
        ("as ordered", 2, ("ndmCazAviDose",)),
        ("1 g/0.25 g over 3 h", None, ("ndmCazAviDose",)),
    ],
)
def test_a_dose_with_both_components_is_their_sum(words: str, dose: float | None, expected: tuple[str, ...]) -> None:
    """ "2 g/0.5 g" is 2.5 g, in words and beside a dose that names the first component alone."""
    sent = body({"running": [{"order": "aztreonam"}], "drafts": ["ceftazidime-avibactam 2.5 g iv q8h over 3 h"]})
    order = sent["context"]["draftOrders"]["entry"][0]["resource"]["dosageInstruction"][0]
    order["text"] = f"ceftazidime-avibactam {words}"
    order.pop("doseAndRate")
    if dose is not None:
        order["doseAndRate"] = [{"doseQuantity": {"value": dose, "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}}]
    assert tuple(one.split("+")[0].split()[0] for one in answer(sent)) == expected

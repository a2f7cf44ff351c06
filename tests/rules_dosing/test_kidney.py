"""Clearance, replacement and injury."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.facts import Measure
from cds_service.clinical.policy import RenalPolicy
from cds_service.clinical.renal import Kidney, kidney
from cds_service.fhir.effluent import measures as effluents
from cds_service.fhir.resources import Concept, Condition
from tests import shipped
from tests.rules_dosing.ward import NOW, offered

POLICY = shipped.policy().renal


def measured(value: object, unit: str, hours: float = 5) -> Measure:
    """A number some hours ago."""
    return Measure(Decimal(str(value)), unit, NOW - timedelta(hours=hours), "")


def at(
    creatinines: list[tuple[object, float]], words: frozenset[str] = frozenset(), policy: RenalPolicy = POLICY, **more: object
) -> Kidney:
    """The kidney of a man of 68 and 72 kg, whose clearance is 72 divided by his creatinine."""
    values = {"creatinine": tuple(measured(value, "mg/dL", hours) for value, hours in creatinines), "weight": (measured(72, "kg"),)}
    values |= {name.replace("_", "-"): (measured(value, unit),) for name, (value, unit) in more.items()}  # type: ignore[misc]
    return kidney(values, 68, "male", words, policy, NOW)


@pytest.mark.parametrize(
    ("creatinine", "clearance"), [("1.44", 50), ("2.4", 30), ("4.8", 15), ("14.4", 5), ("7.2", 10), ("1.2", 60), ("0.6", 120)]
)
def test_clearance_is_exact_at_the_limits(creatinine: str, clearance: int) -> None:
    """Cockcroft and Gault without rounding: a limit is met exactly."""
    assert at([(creatinine, 5)]).clearance == clearance


def test_a_woman_has_85_per_cent() -> None:
    """The factor of the formula for women."""
    values = {"creatinine": (measured(1, "mg/dL"),), "weight": (measured(72, "kg"),)}
    assert kidney(values, 68, "female", frozenset(), POLICY, NOW).clearance == Decimal("61.2")


@pytest.mark.parametrize(
    ("weight", "used"),
    [("79.2", "79.2"), ("79.2001", "71.28004"), ("120", "87.6"), ("50", "50")],
)
def test_the_adjusted_weight_counts_above_120_per_cent_of_ideal(weight: str, used: str) -> None:
    """A man of 66 kg ideal weight: up to 79.2 kg his own weight, above it 0.4 of the excess."""
    height = Decimal("2.54") * (60 + Decimal(16) / Decimal("2.3"))
    found = at([(1, 5)], weight=(weight, "kg"), height=(height, "cm"))
    assert found.weight_used is not None
    assert round(found.weight_used, 5) == Decimal(used)


def test_a_site_may_ask_for_the_actual_weight() -> None:
    """The policy `actual` never adjusts."""
    found = at([(1, 5)], policy=msgspec.structs.replace(POLICY, weight="actual"), weight=(150, "kg"), height=(170, "cm"))
    assert found.weight_used == 150


@pytest.mark.parametrize(
    ("creatinines", "injured"),
    [
        ([("1.49", 2), ("1", 100)], False),
        ([("1.5", 2), ("1", 100)], True),
        ([("1.6", 2), ("1", 100)], True),
        ([("1.6", 2), ("1", 169)], True),
        ([("1.6", 2), ("1", 170)], True),
        ([("1.6", 2), ("1", 171)], False),
        ([("0.75", 2), ("1", 40)], True),
        ([("0.76", 2), ("1", 40)], False),
        ([("0.7", 2), ("1", 50)], True),
        ([("0.7", 2), ("1", 51)], False),
        ([("3", 2)], False),
        ([], False),
    ],
)
def test_injury_is_a_rise_by_half_or_a_fall_by_a_quarter(creatinines: list[tuple[object, float]], injured: bool) -> None:
    """Seven days for the rise, 48 hours for the fall, counted from the newest value."""
    assert at(creatinines).injury is injured


def test_a_coded_injury_counts() -> None:
    """One value and a diagnosis are enough."""
    assert at([(1, 5)], frozenset({"acute-kidney-injury"})).injury


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"haemodialysis"}, "IHD"),
        ({"peritoneal-dialysis"}, "PD"),
        ({"haemodialysis", "crrt"}, "CRRT"),
        ({"haemodialysis", "peritoneal-dialysis"}, "PD"),
        ({"sepsis"}, None),
    ],
)
def test_the_continuous_replacement_outweighs_the_dependence(words: set[str], expected: str | None) -> None:
    """A dialysis patient on CRRT is dosed by CRRT."""
    assert at([(5, 5)], frozenset(words)).replacement == expected


@pytest.mark.parametrize(
    ("text", "test", "value"),
    [
        ("CVVHDF, effluent rate 2.5 L/h", "effluent-rate", "2.5"),
        ("CRRT effluent: 2500 mL/hr", "effluent-rate", "2.5"),
        ("CRRT, target effluent dose 25 mL/kg/h", "effluent-by-weight", "25"),
    ],
)
def test_an_effluent_rate_is_read_from_an_order(text: str, test: str, value: str) -> None:
    """Requests write the rate in words."""
    found = effluents([Condition(resourceType="ServiceRequest", id="x", code=Concept(text=text))])
    assert [one.value for one in found[test]] == [Decimal(value)]


@pytest.mark.parametrize("text", ["CRRT", "effluent", "dialysate 2 L/h", "effluent 2 L", "blood flow 200 mL/min, effluent clear"])
def test_what_is_no_effluent_rate_is_not_read(text: str) -> None:
    """Without rate, unit or the word there is none."""
    assert not effluents([Condition(resourceType="ServiceRequest", code=Concept(text=text))])


def test_a_rate_by_weight_needs_the_weight() -> None:
    """25 mL/kg/h and 72 kg are 1.8 L/h."""
    assert at([(3, 5)], effluent_by_weight=(25, "mL/kg/h")).effluent == Decimal("1.8")


@given(creatinine=st.decimals("0.2", 12, places=2), less=st.decimals("0.01", 3, places=2))
def test_a_higher_creatinine_never_means_a_higher_clearance(creatinine: object, less: Decimal) -> None:
    """Clearance falls as creatinine rises."""
    one, other = at([(creatinine, 5)]).clearance, at([(Decimal(str(creatinine)) + less, 5)]).clearance
    assert one is not None
    assert other is not None
    assert other < one


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Kidney(clearance=Decimal("50.0401")), "CrCl 50.04 mL/min"),
        (Kidney(clearance=Decimal("50.0000")), "CrCl 50 mL/min"),
        (Kidney(clearance=Decimal("29.96")), "CrCl 29.96 mL/min"),
        (Kidney(clearance=Decimal("50.44")), "CrCl 50.4 mL/min"),
        (Kidney(clearance=Decimal("51.44")), "CrCl 51 mL/min"),
        (Kidney(replacement="CRRT", effluent=Decimal("2.50")), "CRRT at 2.5 L/h"),
        (Kidney(replacement="IHD"), "haemodialysis"),
        (Kidney(), "unknown kidney function"),
    ],
)
def test_kidney_function_is_said_in_a_few_words(found: Kidney, expected: str) -> None:
    """Whole numbers, more digits close to the limit of a band, replacement by its name."""
    assert found.named({Decimal(30), Decimal(50)}) == expected


@pytest.mark.parametrize(
    ("patient", "asked"),
    [
        ({"lacks": ["creatinine"]}, True),
        ({"lacks": ["weight"]}, False),
        ({"lacks": ["weight"], "measured": {"creatinine": [{"value": 0.8, "hours": 48}]}}, False),
        ({"lacks": ["weight"], "measured": {"creatinine": [{"value": 0.8, "hours": 49}]}}, True),
    ],
    ids=["no creatinine", "a fresh one without weight", "one of just 48 h without weight", "an older one without weight"],
)
def test_a_creatinine_is_asked_for_where_there_is_no_recent_one(patient: dict[str, object], asked: bool) -> None:
    """Weight alone that is missing is no reason to take blood; a creatinine that is missing or old is."""
    assert ("Order serum creatinine" in offered(patient=patient, drafts=["cefiderocol"])) is asked

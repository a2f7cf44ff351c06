"""How an ordered dose stands to its band."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cds_service.clinical.doses import Band, Fit, Leeway, distance_pct, written
from cds_service.clinical.facts import Dose
from cds_service.clinical.renal import Kidney
from tests.rules_dosing.ward import table

AGENTS = ("ceftazidime-avibactam", "aztreonam", "aztreonam-avibactam", "cefiderocol")
ORDER = {Fit.BELOW: 0, Fit.COMPONENT: 1, Fit.OTHERWISE: 1, Fit.RIGHT: 1, Fit.ABOVE: 2, Fit.ABOVE_MAXIMUM: 2}


def band(agent: str, clearance: object) -> Band:
    """The band of a clearance."""
    found = table().expected(agent, Kidney(clearance=Decimal(str(clearance))))
    assert found is not None
    return found


def fit(agent: str, clearance: object, grams: object, hours: object, **more: bool) -> Fit | None:
    """How a dose fits its band."""
    dose = Dose(grams=Decimal(str(grams)), interval_h=Decimal(str(hours)), **more)
    return leeway(agent).fit(dose, band(agent, clearance))


def leeway(agent: str) -> Leeway:
    """The leeway of the sheets."""
    return Leeway(Decimal(5), Decimal(8) if agent == "aztreonam" else None)


@pytest.mark.parametrize(
    ("agent", "clearance", "grams", "hours", "expected"),
    [
        ("ceftazidime-avibactam", 95, "2.5", 8, Fit.RIGHT),
        ("ceftazidime-avibactam", 95, "2.375", 8, Fit.RIGHT),
        ("ceftazidime-avibactam", 95, "2.3749", 8, Fit.BELOW),
        ("ceftazidime-avibactam", 95, "2.625", 8, Fit.RIGHT),
        ("ceftazidime-avibactam", 95, "2.6251", 8, Fit.ABOVE),
        ("ceftazidime-avibactam", 95, "2.5", "7.6", Fit.RIGHT),
        ("ceftazidime-avibactam", 95, "2.5", "7.59", Fit.ABOVE),
        ("ceftazidime-avibactam", 95, "2.5", "8.4", Fit.RIGHT),
        ("ceftazidime-avibactam", 95, "2.5", "8.41", Fit.OTHERWISE),
        ("ceftazidime-avibactam", 95, "2", 8, Fit.COMPONENT),
        ("ceftazidime-avibactam", 95, "2", 12, Fit.BELOW),
        ("ceftazidime-avibactam", 95, "1.25", 4, Fit.OTHERWISE),
        ("ceftazidime-avibactam", 20, "0.94", 12, Fit.RIGHT),
        ("ceftazidime-avibactam", 20, "1", 12, Fit.ABOVE),
        ("ceftazidime-avibactam", 20, "0.75", 12, Fit.COMPONENT),
        ("aztreonam-avibactam", 95, "1.5", 6, Fit.COMPONENT),
        ("aztreonam-avibactam", 40, "1", 6, Fit.RIGHT),
        ("aztreonam-avibactam", 40, "2", 6, Fit.ABOVE),
        ("cefiderocol", 130, "2", 6, Fit.RIGHT),
        ("cefiderocol", 130, "2", 8, Fit.BELOW),
        ("cefiderocol", 100, "1.5", 6, Fit.OTHERWISE),
        ("aztreonam", 95, "2", 6, Fit.RIGHT),
        ("aztreonam", 95, "2", 8, Fit.RIGHT),
        ("aztreonam", 95, "2", 7, Fit.RIGHT),
        ("aztreonam", 95, "2", 9, Fit.BELOW),
        ("aztreonam", 95, "1.8", 6, Fit.BELOW),
        ("aztreonam", 95, "2.5", 8, Fit.RIGHT),
        ("aztreonam", 95, "2.1", 6, Fit.RIGHT),
        ("aztreonam", 95, "2.11", 6, Fit.ABOVE_MAXIMUM),
        ("aztreonam", 18, "1", 6, Fit.RIGHT),
        ("aztreonam", 18, "1", 8, Fit.RIGHT),
        ("aztreonam", 18, "2", 8, Fit.ABOVE),
        ("aztreonam", 18, "2", 12, Fit.OTHERWISE),
        ("aztreonam", 18, "2", 5, Fit.ABOVE_MAXIMUM),
    ],
)
def test_a_dose_is_told_from_its_band(agent: str, clearance: int, grams: str, hours: int, expected: Fit) -> None:
    """Rounding, components, schedules and the day's maximum are told apart."""
    assert fit(agent, clearance, grams, hours) is expected


@pytest.mark.parametrize(
    "dose",
    [
        Dose(),
        Dose(grams=Decimal(9)),
        Dose(interval_h=Decimal(8)),
        Dose(grams=Decimal(9), interval_h=Decimal(0)),
        Dose(grams=Decimal(9), interval_h=Decimal(8), once=True),
        Dose(grams=Decimal(9), interval_h=Decimal(8), continuous=True),
        Dose(grams=Decimal(8), interval_h=Decimal(24), infusion_h=Decimal(24)),
    ],
)
def test_what_an_order_does_not_say_is_not_judged(dose: Dose) -> None:
    """Without dose or interval, and for single doses and continuous infusions, there is no verdict."""
    assert leeway("cefiderocol").fit(dose, band("cefiderocol", 95)) is None


@given(
    agent=st.sampled_from(AGENTS),
    clearance=st.decimals(1, 200, places=1),
    grams=st.decimals("0.1", 6, places=2),
    more=st.decimals("0.01", 6, places=2),
    hours=st.sampled_from([Decimal(hours) for hours in (4, 6, 8, 12, 24, 48)]),
)
def test_more_drug_never_looks_like_less(agent: str, clearance: Decimal, grams: Decimal, more: Decimal, hours: Decimal) -> None:
    """Raising a dose at the same interval never turns "above" into "below", nor "right" into "below"."""
    less, greater = (fit(agent, clearance, amount, hours) for amount in (grams, grams + more))
    assume(less is not None and greater is not None)
    assert ORDER[less] <= ORDER[greater]  # type: ignore[index]


@given(agent=st.sampled_from(AGENTS), clearance=st.decimals(1, 200, places=1))
def test_what_the_table_gives_is_right(agent: str, clearance: Decimal) -> None:
    """The dose of a band fits the band at each of its intervals."""
    found = band(agent, clearance)
    assert {leeway(agent).fit(Dose(grams=found.grams, interval_h=hours), found) for hours in found.intervals_h} == {Fit.RIGHT}


def test_a_session_three_times_a_week_counts_in_dialysis() -> None:
    """Every 56 h is three sessions a week; without dialysis it is too seldom."""
    found = table().expected("ceftazidime-avibactam", Kidney(replacement="IHD"))
    assert found is not None
    dose = Dose(grams=Decimal("0.94"), interval_h=Decimal(56))
    assert Leeway(Decimal(5), sessions_h=Decimal(56)).fit(dose, found) is Fit.RIGHT
    assert Leeway(Decimal(5)).fit(dose, found) is Fit.BELOW


@pytest.mark.parametrize(("grams", "expected"), [("2.5", 0), ("1.25", 50), ("1.875", 25), ("5", 100)])
def test_distance_is_measured_by_the_amount_of_a_day(grams: str, expected: int) -> None:
    """Half the dose is 50 per cent off."""
    assert distance_pct(Dose(grams=Decimal(grams), interval_h=Decimal(8)), band("ceftazidime-avibactam", 95)) == expected


@pytest.mark.parametrize(
    ("dose", "expected"),
    [
        (Dose(grams=Decimal("2.50"), interval_h=Decimal(8), infusion_h=Decimal(3)), "2.5 g every 8 h over 3 h"),
        (Dose(grams=Decimal("2.67"), once=True), "2.67 g once"),
        (Dose(interval_h=Decimal(20)), "dose not stated every 20 h"),
        (Dose(grams=Decimal(10), infusion_h=Decimal("0.5")), "10 g over 0.5 h"),
    ],
)
def test_a_dose_is_written_as_a_prescriber_would(dose: Dose, expected: str) -> None:
    """No trailing zeros, no exponents."""
    assert written(dose) == expected


@pytest.mark.parametrize(
    ("clearance", "least", "most", "expected"),
    [
        (95, "0.94", "1.25", Fit.BELOW),
        (95, "1.25", "2.5", Fit.RIGHT),
        (95, "2.5", "3", Fit.RIGHT),
        (95, "2.3", "2.7", Fit.RIGHT),
        (40, "0.5", "2.5", Fit.RIGHT),
        (40, "2", "2.5", Fit.ABOVE),
    ],
)
def test_a_range_is_wrong_only_where_all_of_it_is(clearance: int, least: str, most: str, expected: Fit) -> None:
    """A range with the dose of the band in it is right, one that lies below or above it is not."""
    dose = Dose(grams=Decimal(least), most_grams=Decimal(most), interval_h=Decimal(8))
    assert leeway("ceftazidime-avibactam").fit(dose, band("ceftazidime-avibactam", clearance)) is expected


@pytest.mark.parametrize(
    ("clearance", "grams", "expected"),
    [(95, "2", Fit.RIGHT), (95, "0.5", Fit.BELOW), (10, "2", Fit.ABOVE)],
)
def test_a_range_of_intervals_is_wrong_only_where_all_of_it_is(clearance: int, grams: str, expected: Fit) -> None:
    """Every 6 to 8 h holds every 8 h; a dose that is too low every 6 h, or too high every 8 h, is wrong."""
    dose = Dose(grams=Decimal(grams), interval_h=Decimal(6), longest_h=Decimal(8))
    assert leeway("cefiderocol").fit(dose, band("cefiderocol", clearance)) is expected
    assert "every 6 to 8 h" in written(dose)


def test_a_range_is_written_with_both_ends_and_measured_by_the_nearest() -> None:
    """The card prints what was ordered, and the distance is that of the end that is less wrong."""
    dose = Dose(grams=Decimal("0.94"), most_grams=Decimal("1.25"), interval_h=Decimal(8))
    assert written(dose) == "0.94 to 1.25 g every 8 h"
    assert distance_pct(dose, band("ceftazidime-avibactam", 95)) == 50

"""The dose table: every number as its source prints it, no gap, no overlap."""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.doses import Row
from cds_service.clinical.renal import Kidney
from tests.rules_dosing.ward import ROOT, table

LIMITS = [Decimal(limit) for limit in (5, 10, 15, 30, 50, 60, 120)]
AGENTS = ("ceftazidime-avibactam", "aztreonam", "aztreonam-avibactam", "cefiderocol")
CELLS = list(csv.DictReader((ROOT / "hooks/shared/doses.csv").read_text("utf-8").splitlines()))
SPOKEN = re.compile(r"\b(?:derived|from 2 g|first dose)\b")  # a share of another dose, worked out
SPAN = re.compile(r"CrCl 10 to 30|4\.1 L/h or more")  # both limits belong to it; the label's effluents go in steps of 0.1


def told(cells: dict[str, str]) -> str:
    """The name of a row in the list of tests."""
    return f"{cells['agent']}: {cells['source_says'][:60]}"


def bands(agent: str, kidney: Kidney) -> set[tuple[Decimal | None, Decimal | None, Decimal | None]]:
    """The bands (from, to, grams) that hold for a kidney."""
    band = table().expected(agent, kidney)
    return {(row.lo, row.hi, row.grams) for row in band.maintenance} if band else set()


def amounts(cells: dict[str, str]) -> Iterator[str]:
    """What a source would say for the numbers of a row: its limits, the dose of one administration, and the hours between."""
    yield from (limit for limit in (cells["lo"], cells["hi"]) if limit)
    yield from cells["components"].replace(" g", "").split("/") if cells["components"] else [cells["dose_g"]]
    if cells["interval_h"] != "once":
        yield from cells["interval_h"].split("|")


@pytest.mark.parametrize("cells", [cells for cells in CELLS if cells["evidence"]], ids=told)
def test_every_number_stands_in_what_the_source_says(cells: dict[str, str]) -> None:
    """The limits, the grams and the hours of a row are those that its source says, or that it says how to derive."""
    said = set(re.findall(r"\d+(?:\.\d+)?", cells["source_says"]))
    missing = [number for number in amounts(cells) if number and number not in said]
    assert not missing or SPOKEN.search(cells["source_says"]), missing


@pytest.mark.parametrize("cells", [cells for cells in CELLS if cells["rrt"] != "IHD" and cells["evidence"]], ids=told)
def test_a_limit_is_closed_where_the_source_says_so(cells: dict[str, str]) -> None:
    """ "up to" and "from" close a limit, "over" and "below" leave it open."""
    said = cells["source_says"]
    for limit, closed, inside, outside in (("lo", "lo_inclusive", "from", "over"), ("hi", "hi_inclusive", "up to", "below")):
        if cells[limit]:
            word = inside if cells[closed] == "true" else outside
            assert re.search(rf"{word} {cells[limit]}\b", said) or SPAN.search(said), (limit, word)


@pytest.mark.parametrize("cells", [cells for cells in CELLS if "/" in cells["components"]], ids=told)
def test_the_components_add_up_to_the_dose(cells: dict[str, str]) -> None:
    """The dose of a combination is the sum of its components."""
    parts = [Decimal(part.split()[0]) for part in cells["components"].split("/")]
    assert sum(parts) == Decimal(cells["dose_g"])


@given(clearance=st.decimals(0, 400, places=3), agent=st.sampled_from(AGENTS))
def test_every_clearance_has_exactly_one_band(clearance: Decimal, agent: str) -> None:
    """No clearance falls into a gap, and none into two bands."""
    assert len(bands(agent, Kidney(clearance=clearance))) == 1


@given(effluent=st.decimals("0.001", 12, places=3))
def test_every_effluent_rate_has_exactly_one_band(effluent: Decimal) -> None:
    """The rows for continuous replacement leave no gap either."""
    assert len(bands("cefiderocol", Kidney(replacement="CRRT", effluent=effluent))) == 1


@pytest.mark.parametrize(("agent", "limit"), list(product(AGENTS, LIMITS)))
def test_a_limit_belongs_to_one_side(agent: str, limit: Decimal) -> None:
    """At a limit the dose is the one of the side that the row includes, and a hair beyond it changes at most once."""
    hair = Decimal("0.0000001")
    below, at, above = (bands(agent, Kidney(clearance=limit + shift)) for shift in (-hair, 0, hair))
    assert at in (below, above)


@pytest.mark.parametrize(
    ("kidney", "agent"),
    [
        *((Kidney(replacement="PD", clearance=Decimal(8)), agent) for agent in AGENTS),
        (Kidney(replacement="CRRT", clearance=Decimal(20)), "cefiderocol"),
        (Kidney(replacement="CRRT", effluent=Decimal(2)), "aztreonam"),
        (Kidney(replacement="CRRT", effluent=Decimal(2)), "aztreonam-avibactam"),
        *((Kidney(), agent) for agent in AGENTS),
    ],
)
def test_where_the_table_is_silent_there_is_no_dose(kidney: Kidney, agent: str) -> None:
    """Peritoneal dialysis, CRRT without a row or rate, and an unknown clearance have no band."""
    assert table().expected(agent, kidney) is None


def test_an_off_label_row_is_never_suggested() -> None:
    """Ceftazidime-avibactam in CRRT has a row from case series, and it is marked as not to be suggested."""
    band = table().expected("ceftazidime-avibactam", Kidney(replacement="CRRT"))
    assert band is not None
    assert not band.suggest


def test_loading_doses_have_one_row_for_each_band() -> None:
    """Aztreonam-avibactam has a loading dose at every clearance, aztreonam from 30 mL/min downwards."""
    loads: dict[str, list[Row]] = {}
    for row in table().rows:
        if row.loading:
            loads.setdefault(row.agent, []).append(row)
    assert {agent: len(rows) for agent, rows in loads.items()} == {"aztreonam": 2, "aztreonam-avibactam": 4}


BREAKPOINTS = list(csv.DictReader((ROOT / "hooks/shared/breakpoints.csv").read_text("utf-8").splitlines()))


@pytest.mark.parametrize("cells", BREAKPOINTS, ids=told)
def test_every_breakpoint_is_the_one_of_its_source(cells: dict[str, str]) -> None:
    """The limit stands in what the source says, with its unit; where the source has none, so does the row."""
    said = cells["source_says"]
    assert f"{cells['susceptible_max']} mg/L" in said if cells["susceptible_max"] else re.search(r"\b(?:no|neither)\b", said)

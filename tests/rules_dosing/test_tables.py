"""The dose table: every number as its source prints it, no gap, no overlap."""

import csv
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.doses import Row
from cds_service.clinical.renal import Kidney
from tests.rules_dosing.ward import ROOT, table

FIELDS = ("rrt", "lo", "hi", "bound", "phase", "dose_g", "components", "interval_h", "infusion_h", "infusion_used_h")
LIMITS = [Decimal(limit) for limit in (5, 10, 15, 30, 50, 60, 120)]
AGENTS = ("ceftazidime-avibactam", "aztreonam", "aztreonam-avibactam", "cefiderocol")
CELLS = list(csv.DictReader((ROOT / "hooks/shared/doses.csv").read_text("utf-8").splitlines()))
HOURS = {"after HD on HD days": "24|48"}


def bands(agent: str, kidney: Kidney) -> set[tuple[Decimal | None, Decimal | None, Decimal | None]]:
    """The bands (from, to, grams) that hold for a kidney."""
    band = table().expected(agent, kidney)
    return {(row.lo, row.hi, row.grams) for row in band.maintenance} if band else set()


@pytest.mark.parametrize("cells", CELLS, ids=lambda cells: f"{cells['agent']} {cells['source_text']}")
def test_every_number_is_the_one_of_its_source(cells: dict[str, str]) -> None:
    """The parsed cells of a row say what the quoted source line says."""
    quoted = next(csv.reader([cells["source_text"]]))
    words = dict(zip(FIELDS, quoted, strict=True))
    printed = {
        **words,
        "rrt": words["rrt"].removesuffix(" effluent L/h"),
        "interval_h": HOURS.get(words["bound"], words["interval_h"].replace(" or ", "|")),
    }
    assert {name: cells[name] for name in FIELDS if name != "bound"} == {name: text for name, text in printed.items() if name != "bound"}
    assert cells["bound"] == words["bound"] or words["rrt"].endswith("L/h")


@pytest.mark.parametrize("cells", CELLS, ids=lambda cells: f"{cells['agent']} {cells['source_text']}")
def test_a_limit_is_closed_where_the_source_says_so(cells: dict[str, str]) -> None:
    """ "lo-incl" and "hi-incl" of the source are the true cells of the row."""
    assert cells["lo_inclusive"] == str("lo-incl" in cells["bound"]).lower()
    assert cells["hi_inclusive"] == str("hi-incl" in cells["bound"]).lower()


@pytest.mark.parametrize("cells", [cells for cells in CELLS if "/" in cells["components"]], ids=lambda cells: cells["source_text"])
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


@pytest.mark.parametrize("cells", BREAKPOINTS, ids=lambda cells: f"{cells['agent']} {cells['organism']} {cells['standard']}")
def test_every_breakpoint_is_the_one_of_its_source(cells: dict[str, str]) -> None:
    """The limit stands in the quoted source line: in its own cell, or after the name of the standard or species in the note."""
    _, _, own, note = cells["source_text"].split(",", 3)
    told = {
        own,
        *(part.split()[-1].removeprefix("R>") for part in note.replace("; ", ";").split(";") if part and cells["standard"] == "eucast"),
    }
    species = note.rsplit(" ", 1)[-1] if cells["organism"] == "klebsiella-pneumoniae" else own
    assert cells["susceptible_max"] in {*told, species}

"""Whether the record proves the mechanism, and in what."""

import pytest

from cds_service.clinical.infection import State
from tests.rules_regimen.bench import BLOOD, COCCI, OTHER, RODS, SCREEN, URINE, WOUND, Answer, bedside, isolate


@pytest.mark.parametrize(
    ("days", "state"),
    [(0, State.CURRENT), (30, State.CURRENT), (30.02, State.HISTORY), (365, State.HISTORY), (365.02, State.REMOTE)],
)
def test_age_decides_the_state(days: float, state: State) -> None:
    """Current up to 30.0 days, history up to 365.0, remote beyond."""
    assert bedside(isolates=[isolate("GENE", days=days)]).infection.state is state


@pytest.mark.parametrize(("days", "state"), [(1, State.COLONISED), (365, State.COLONISED), (365.02, State.REMOTE)])
def test_a_screen_is_carriage(days: float, state: State) -> None:
    """What grew in a screen is carriage for a year."""
    assert bedside(isolates=[isolate("GENE", specimen=SCREEN, days=days)]).infection.state is state


def test_an_unstated_specimen_is_clinical() -> None:
    """A specimen that is not stated counts as clinical, since the miss is worse."""
    assert bedside(isolates=[isolate("GENE", specimen=None)]).infection.state is State.CURRENT


@pytest.mark.parametrize(("specimen", "state"), [(BLOOD, State.CURRENT), (URINE, State.COLONISED), (WOUND, State.COLONISED)])
def test_recorded_carriage_is_no_infection_but_in_blood(specimen: object, state: State) -> None:
    """What the record calls carriage is no infection, except in blood."""
    found = bedside(isolates=[isolate("GENE", specimen=specimen)], words=["carriage"]).infection  # type: ignore[arg-type]
    assert found.state is state


def test_the_newest_word_on_one_isolate_wins() -> None:
    """A later negative on the same isolate refutes the positive."""
    first, later = isolate("GENE", reported=40), isolate(absent=["GENE"], reported=5, status="corrected")
    assert bedside(isolates=[first, later]).infection.evidence == ()


def test_a_preliminary_negative_takes_nothing_back() -> None:
    """Only a final word refutes a final positive."""
    first, later = isolate("GENE", reported=40), isolate(absent=["GENE"], reported=5, status="preliminary")
    assert bedside(isolates=[first, later]).infection.state is State.CURRENT
    assert bedside(isolates=[later, first]).infection.state is State.CURRENT


def test_a_negative_elsewhere_erases_nothing() -> None:
    """A negative from another specimen leaves the clinical positive standing."""
    found = bedside(isolates=[isolate("GENE"), isolate(absent=["GENE"], sample="two", days=1)]).infection
    assert found.state is State.CURRENT


@pytest.mark.parametrize(
    ("markers", "typed"),
    [(("GENE",), True), (("FIRST", "SECOND"), False), (("GENE", "FIRST", "SECOND"), True)],
)
def test_gene_beats_phenotype(markers: tuple[str, ...], typed: bool) -> None:
    """The phenotype proves the class, the gene names the enzyme."""
    (one,) = bedside(isolates=[isolate(*markers)]).infection.evidence
    assert one.typed is typed


def test_half_a_phenotype_proves_nothing() -> None:
    """The second test has a meaning only beside the first."""
    assert bedside(isolates=[isolate("SECOND")]).infection.evidence == ()


def test_a_phenotype_of_another_group_is_a_suspicion() -> None:
    """The phenotype is validated for one group of organisms only."""
    assert bedside(isolates=[isolate("FIRST", "SECOND", organism=OTHER)]).infection.state is State.SUSPECTED


def test_a_companion_alone_is_no_evidence() -> None:
    """An enzyme of another class is named beside the mechanism and never counts alone."""
    assert bedside(isolates=[isolate("FELLOW")]).infection.evidence == ()


@pytest.mark.parametrize(
    ("beside", "group"),
    [((), "rods"), ((COCCI,), "rods"), ((OTHER,), "others"), ((RODS, OTHER), "rods"), ((COCCI, OTHER), "others")],
)
def test_a_marker_that_belongs_to_no_one_organism(beside: tuple[object, ...], group: str) -> None:
    """It is given to the only organism that can carry it, else to the group that the policy assumes; no other organism inherits it."""
    grown = [isolate(organism=organism) for organism in beside]  # type: ignore[arg-type]
    (one,) = bedside(isolates=[isolate("GENE", organism=None), *grown]).infection.evidence
    assert one.group == group


def test_a_marker_on_an_organism_that_cannot_carry_it() -> None:
    """A laboratory that hangs the gene on a coccus is taken to mean an organism that it does not name."""
    (one,) = bedside(isolates=[isolate("GENE", organism=COCCI)]).infection.evidence
    assert one.group == "rods"


def test_susceptibilities_of_a_neighbour_do_not_count() -> None:
    """Results of another group in the same sample say nothing about the carrier."""
    side = bedside(isolates=[isolate("GENE"), isolate(organism=OTHER, tested={"net": Answer.SUSCEPTIBLE})])
    assert side.laboratory.susceptible(["net"]) is None


@pytest.mark.parametrize(
    ("screens", "state"),
    [((20, 13), State.HISTORY), ((20, 14), State.COLONISED), ((20,), State.COLONISED), ((70, 13), State.COLONISED)],
)
def test_two_negative_screens_a_week_apart_clear_a_carrier(screens: tuple[int, ...], state: State) -> None:
    """Two negative screens a week apart, both after the positive one, turn carriage into history."""
    negative = [isolate(absent=["GENE"], specimen=SCREEN, days=days, sample=f"s{days}", organism=None) for days in screens]
    found = bedside(isolates=[isolate("GENE", specimen=SCREEN, days=60, organism=None), *negative]).infection
    assert found.state is state

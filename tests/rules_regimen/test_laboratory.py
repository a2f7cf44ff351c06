"""What was tested on the isolates that matter."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from cds_service.clinical.facts import Susceptibility
from cds_service.clinical.susceptibility import Breakpoint
from tests.rules_regimen.bench import NOW, OTHER, URINE, Answer, bedside, isolate, order, running

S, R, BETWEEN, PENDING = Answer.SUSCEPTIBLE, Answer.RESISTANT, Answer.INTERMEDIATE, Answer.PENDING


@pytest.mark.parametrize(("old", "new", "answer"), [(R, S, S), (S, R, R), (R, PENDING, R)])
def test_a_later_isolate_of_the_same_place_supersedes(old: Answer, new: Answer, answer: Answer) -> None:
    """The newest decided result of one species in one kind of specimen counts."""
    both = [isolate("GENE", days=9, sample="a", tested={"lance": old}), isolate("GENE", days=2, sample="b", tested={"lance": new})]
    tested = bedside(isolates=both).laboratory.tested("lance")
    assert tested is not None
    assert tested.answer is answer


@pytest.mark.parametrize("place", ["specimen", "species"])
def test_another_place_does_not_supersede(place: str) -> None:
    """A resistant isolate elsewhere still outweighs a later susceptible one."""
    later = {"specimen": URINE} if place == "specimen" else {"organism": OTHER}
    both = [isolate("GENE", days=9, sample="a", tested={"lance": R}), isolate("GENE", days=2, sample="b", tested={"lance": S}, **later)]  # type: ignore[arg-type]
    assert bedside(isolates=both).laboratory.against(["lance"])


def test_on_one_day_the_resistant_one_counts() -> None:
    """Two bottles of one day are no course of events."""
    both = [isolate("GENE", sample="a", tested={"lance": R}), isolate("GENE", sample="b", days=1.9, tested={"lance": S})]
    assert bedside(isolates=both).laboratory.against(["lance"])


@pytest.mark.parametrize(("mic", "answer"), [("4", S), ("4.1", Answer.NON_SUSCEPTIBLE)])
def test_a_number_is_read_with_the_breakpoint(mic: str, answer: Answer) -> None:
    """An MIC without the laboratory's reading is compared with the site's standard."""
    one = isolate("GENE")
    number = Susceptibility("lance", Answer.UNSTATED, Decimal(mic), "Observation/m", NOW)
    row = Breakpoint("lance", "rods", "clsi-fda", Decimal(4))
    tested = bedside(isolates=[replace(one, susceptibilities=(number,))], breakpoints=(row,)).laboratory.tested("lance")
    assert tested is not None
    assert tested.answer is answer
    assert tested.by_breakpoint


@pytest.mark.parametrize(
    ("tests", "dual"),
    [
        ({"shield+sword": R, "lance": R}, True),
        ({"shield+sword": BETWEEN, "lance": R}, True),
        ({"shield+sword": R, "lance": S}, False),
        ({"lance": R}, False),
    ],
)
def test_all_is_resisted_when_every_tested_row_failed(tests: dict[str, Answer], dual: bool) -> None:
    """Every row that has a test must have failed on one species."""
    assert bedside(isolates=[isolate("GENE", tested=tests)]).dual_resistant is dual


def test_two_species_that_resist_one_each() -> None:
    """What two species resist together is not what one resists."""
    both = [isolate("GENE", tested={"shield+sword": R}), isolate("GENE", organism=OTHER, sample="b", tested={"lance": R})]
    assert not bedside(isolates=both).dual_resistant


@pytest.mark.parametrize(
    ("key", "tests", "works"),
    [
        ("net", {"net": S}, True),
        ("net", {"net": R}, False),
        ("net", {}, False),
        ("club", {"club": S}, False),
        ("net", {"shield+sword": R, "lance": R}, True),
        ("net", {"shield+sword": R, "lance": R, "net": R}, False),
        ("riddle", {}, True),
    ],
)
def test_what_counts_as_working(key: str, tests: dict[str, Answer], works: bool) -> None:
    """A tested drug, a spare drug where all is resisted, and a drug that nobody judged; never an inactivated one."""
    assert bedside([order(key)], [isolate("GENE", tested=tests)]).works is works


def test_a_pair_that_tested_susceptible_works() -> None:
    """Two drugs that tested susceptible together support one another."""
    tests = {"net+rope": S}
    assert bedside([order("net"), running("rope")], [isolate("GENE", tested=tests)]).works
    assert not bedside([order("net")], [isolate("GENE", tested=tests)]).works

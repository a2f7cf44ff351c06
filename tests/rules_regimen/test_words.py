"""The closed list of words that make a rule keep silent or speak softer."""

import pytest

from cds_service.conditions import SOFTER, UNLESS
from cds_service.finding import Remark
from cds_service.triggers.trigger import names
from tests.rules_regimen.bench import BLOOD, OTHER, SCREEN, URINE, WOUND, Answer, bedside, isolate, order


@pytest.mark.parametrize("word", [*SOFTER, *UNLESS])
def test_every_word_can_be_read_aloud(word: str) -> None:
    """Each word of the closed lists has a sentence that a pharmacist can read."""
    question = SOFTER.get(word) or UNLESS[word]
    assert (question.__doc__ or "").strip().split("\n")[0].endswith(".")


@pytest.mark.parametrize(
    ("specimen", "reasons", "elsewhere"),
    [
        (URINE, {"tooth"}, True),
        (URINE, set(), False),
        (URINE, {"tooth", "fever"}, False),
        (BLOOD, {"tooth"}, False),
        (WOUND, {"skin"}, False),
        (WOUND, {"tooth"}, True),
        (URINE, {"skin"}, True),
    ],
)
def test_a_stated_reason_explains_a_draft(specimen: object, reasons: set[str], elsewhere: bool) -> None:
    """A stated reason explains a draft unless the evidence is from blood, from its own site, or the cause is unknown."""
    side = bedside([order("club", reasons=frozenset(reasons))], [isolate("GENE", specimen=specimen)])  # type: ignore[arg-type]
    remark = Remark(orders=side.regimen.signed)
    assert UNLESS["other-infection"](side, side.infection.proven, remark) is elsewhere


@pytest.mark.parametrize(
    ("neighbour", "explains"),
    [
        (isolate("FELLOW", sample="b"), True),
        (isolate(sample="b", tested={"club": Answer.SUSCEPTIBLE}), True),
        (isolate(sample="b", tested={"club": Answer.RESISTANT}), False),
        (isolate("FELLOW", sample="b", days=31), False),
        (isolate("FELLOW", sample="b", specimen=SCREEN), False),
    ],
)
def test_a_neighbouring_isolate_explains_a_draft(neighbour: object, explains: bool) -> None:
    """A current clinical isolate without the mechanism explains a draft for a carrier."""
    carried = isolate("GENE", specimen=SCREEN, days=60)
    side = bedside([order("club")], [carried, neighbour])  # type: ignore[list-item]
    remark = Remark(orders=side.regimen.signed)
    assert UNLESS["another-isolate"](side, side.infection.proven, remark) is explains


@pytest.mark.parametrize(("days", "explains"), [(7, True), (8, False)])
def test_only_an_isolate_of_this_episode_explains_an_empiric_draft(days: int, explains: bool) -> None:
    """Where the order says that the cause is unknown, a susceptible isolate of an earlier infection explains nothing."""
    carried = isolate("GENE", specimen=SCREEN, days=60)
    neighbour = isolate(sample="b", tested={"club": Answer.SUSCEPTIBLE}, days=days)
    side = bedside([order("club", reasons=frozenset({"fever"}))], [carried, neighbour])
    remark = Remark(orders=side.regimen.signed)
    assert UNLESS["another-isolate"](side, side.infection.proven, remark) is explains


def test_what_grew_in_a_sterile_specimen_is_not_explained_by_another_isolate() -> None:
    """A remark about an isolate from a sterile specimen stands, whatever grew elsewhere."""
    mine, neighbour = isolate(organism=OTHER), isolate("FELLOW", sample="b", specimen=URINE)
    side = bedside([order("club")], [mine, neighbour])
    remark = Remark(orders=side.regimen.signed, isolates=(mine,))
    assert not UNLESS["another-isolate"](side, (), remark)


@pytest.mark.parametrize(
    ("drugs", "said"), [(["club"], "club"), (["club", "net"], "club and net"), (["club", "net", "rope", "net"], "club, net and rope")]
)
def test_all_drugs_of_a_sentence_are_named(drugs: list[str], said: str) -> None:
    """Each drug is named once, whatever their number."""
    assert names([order(key) for key in drugs]) == said

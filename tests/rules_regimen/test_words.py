"""The closed list of words, and the sentences that a prescriber reads."""

from itertools import product

import pytest

from cds_service.clinical.infection import Evidence, State
from cds_service.conditions import SOFTER, UNLESS
from cds_service.finding import Remark
from cds_service.knowledge import Knowledge, default_folder, load
from cds_service.rule import LISTS, LONGEST_SUMMARY, Rule, evidence_words, headline
from tests.rules_regimen.bench import BLOOD, RODS, SCREEN, URINE, WOUND, Answer, bedside, isolate, order

OWN = {f"R{number}" for number in (*range(1, 13), *range(24, 28), 33, 45, 46, 47)}
LONGEST = {
    "agent": "ceftazidime-avibactam + aztreonam",
    "answer": "non-susceptible",
    "hours": "120",
    "limit": "4 mg/L",
    "mic": "0.125 mg/L",
    "specimen": "blood",
    "why": "Klebsiella aerogenes and OXA-48",
}
FORBIDDEN = ("immediately", "at once", "must ", "urgent", "reduces mortality", "the preferred regimen", "guarantee")


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The knowledge as it is shipped."""
    return load(default_folder())


def rules(knowledge: Knowledge) -> list[Rule]:
    """The rules of chapters A and C."""
    found = {rule.id: rule for service in knowledge.services.values() for rule in service.rules}
    return [rule for rule in found.values() if rule.sheet.article_rule in OWN]


def sentences(rule: Rule) -> list[str]:
    """Everything that a sheet may print."""
    sheet = rule.sheet
    return [sheet.summary, sheet.detail, sheet.limits, *sheet.variants.values(), *sheet.notes.values()]


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
def test_another_infection(specimen: object, reasons: set[str], elsewhere: bool) -> None:
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
def test_another_isolate(neighbour: object, explains: bool) -> None:
    """A current clinical isolate without the mechanism explains a draft for a carrier."""
    carried = isolate("GENE", specimen=SCREEN, days=60)
    side = bedside([order("club")], [carried, neighbour])  # type: ignore[list-item]
    remark = Remark(orders=side.regimen.signed)
    assert UNLESS["another-isolate"](side, side.infection.proven, remark) is explains


def test_no_summary_is_cut(knowledge: Knowledge) -> None:
    """With the longest names of drugs and enzymes every summary still fits, whole."""
    terms = knowledge.terminology
    names = sorted((drug.name for drug in terms.drugs.values()), key=len)[-3:]
    enzymes = [("MBL (type not determined)",), ("NDM", "VIM", "IMP")]
    for rule, enzyme, state in product(rules(knowledge), enzymes, (State.CURRENT, State.HISTORY)):
        found = Evidence(isolate("GENE"), state, enzyme, True, (), RODS.group, False, 364.9, ())
        words = {**evidence_words([found]), **LONGEST, **dict.fromkeys(LISTS, f"{names[0]}, {names[1]} and {names[2]}")}
        for text in (rule.sheet.summary, *rule.sheet.variants.values()):
            assert len(headline(text, words)) <= LONGEST_SUMMARY, f"{rule.id}: {headline(text, words)}"


def test_no_sentence_exceeds_its_evidence(knowledge: Knowledge) -> None:
    """No sheet hurries the prescriber, promises an outcome, or prefers without naming a society and its year."""
    for rule in rules(knowledge):
        for text in sentences(rule):
            assert not [word for word in FORBIDDEN if word in text.lower()], f"{rule.id}: {text}"
            assert "prefer" not in text or "IDSA 2026" in text, f"{rule.id}: {text}"


def test_evidence_is_named_with_its_origin(knowledge: Knowledge) -> None:
    """Every printed row says how it was read, who has checked it, and when it is looked at again; no row cites the article's page."""
    for row in knowledge.evidence.values():
        assert row.verified in {"primary", "secondary", "article-only"}
        assert row.checked_by == "pending"
        assert row.next_review is not None
        assert "droracle" not in f"{row.citation}{row.url}".lower()
        assert row.strength
    assert not knowledge.evidence["E26"].printed


def test_every_reason_that_a_sheet_names_is_known(knowledge: Knowledge) -> None:
    """Override codes are plain letters and digits, each once."""
    codes = [reason.code for reason in knowledge.overrides.reasons.values()]
    assert len(codes) == len(set(codes))
    assert all(code.isascii() and code.isalnum() for code in codes)

"""The closed list of words, and the sentences that a prescriber reads."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import product

import pytest

from cds_service.clinical.facts import Drug
from cds_service.clinical.infection import Evidence, State
from cds_service.clinical.regimen import Drugs
from cds_service.conditions import SOFTER, UNLESS
from cds_service.finding import Remark
from cds_service.knowledge import Knowledge, default_folder, load
from cds_service.rule import LISTS, LONGEST_SUMMARY, Rule, evidence_words, fill, headline
from tests.rules_regimen.bench import BLOOD, RODS, SCREEN, URINE, WOUND, Answer, bedside, isolate, order

LONGEST = {
    "answer": "not susceptible",
    "collected": "2026-11-22",
    "components": "0.675 g/0.225 g",
    "dose": "0.94 g every 48 h",
    "hours": "120",
    "kidney": "CrCl 119.96 mL/min",
    "limit": "4 mg/L",
    "load": "2.67 g",
    "marker": "OXA-48",
    "mic": "0.125 mg/L",
    "missing": "laboratory results",
    "n": "1234",
    "ordered": "0.675 g every 12 h over 2.5 h",
}
FORBIDDEN = ("immediately", "at once", "must ", "urgent", "reduces mortality", "the preferred regimen", "guarantee")


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The knowledge as it is shipped."""
    return load(default_folder())


def rules(knowledge: Knowledge) -> list[Rule]:
    """Every rule once."""
    return list({rule.id: rule for service in knowledge.services.values() for rule in service.rules}.values())


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


def longest(names: Iterable[str]) -> str:
    """The longest of some names."""
    return max(names, key=len)


def named(rule: Rule, knowledge: Knowledge) -> set[str]:
    """The drugs that a rule may name: those of its own block, else those of the regimens that work."""
    reference = knowledge.services["ndm-order-sign"].reference
    own = {key for field in fields(rule.trigger) if isinstance(found := getattr(rule.trigger, field.name), Drugs) for key in found.keys}
    rows = {key for row in reference.policy.regimen.active for key in row.drugs}
    return {reference.drugs[key].name for key in own or rows}


def allergens(knowledge: Knowledge) -> list[Drug]:
    """The drugs that an allergy may be to which touches a drug of a regimen that works."""
    reference = knowledge.services["ndm-order-sign"].reference
    rows = {part for row in reference.policy.regimen.active for key in row.drugs for part in reference.drugs[key].ingredients}
    related = {part for rule in knowledge.services["ndm-order-sign"].rules for row in getattr(rule.trigger, "cross", ()) for part in row}
    return [drug for drug in reference.drugs.values() if drug.ingredients & (rows | related)]


def wordings(knowledge: Knowledge, rule: Rule) -> Iterator[dict[str, str]]:
    """The longest words of every kind, for each way in which the evidence may be named and stand."""
    terms, policy = knowledge.terminology, knowledge.services["ndm-order-sign"].reference.policy
    every = [drug.name for drug in terms.drugs.values() if drug.antibacterial]
    resistant = [one.name for one in terms.organisms.values() if "ampc" in one.traits]
    own = {
        "drug": longest(named(rule, knowledge)),
        **dict.fromkeys(("partner", "other", "drugs"), longest(every)),
        "organism": longest(one.name for one in terms.organisms.values()),
        "specimen": longest(one.name for one in terms.specimens.values()).lower(),
        "why": longest([*resistant, " and ".join(policy.evidence.companions)]),
        "agent": longest(longest(row.tests) for row in policy.regimen.active).replace("+", " + "),
        "allergy": f"{longest(', '.join(sorted(drug.ingredients)) for drug in allergens(knowledge))} allergy",
    }
    enzymes = [(policy.evidence.phenotype_name,), policy.evidence.genes]
    for enzyme, state in product(enzymes, (State.CURRENT, State.HISTORY, State.COLONISED)):
        found = Evidence(isolate("GENE"), state, enzyme, True, (), RODS.group, False, 364.9, ())
        yield {**evidence_words([found]), **LONGEST, **own}


def test_no_summary_is_cut(knowledge: Knowledge) -> None:
    """With the longest names of drugs, organisms, sites and enzymes every summary fits whole; lists are told by their first, never cut."""
    for rule in {rule.id: rule for service in knowledge.services.values() for rule in service.rules}.values():
        for words, text in product(wordings(knowledge, rule), (rule.sheet.summary, *rule.sheet.variants.values())):
            assert len(fill(text, words)) <= LONGEST_SUMMARY, f"{rule.id}: {len(fill(text, words))} {fill(text, words)}"
            listed = {**words, **{key: f"{words[key]}, {words[key]} and {words[key]}" for key in LISTS}}
            assert len(headline(text, listed)) <= LONGEST_SUMMARY, f"{rule.id}: {headline(text, listed)}"


def test_no_sentence_exceeds_its_evidence(knowledge: Knowledge) -> None:
    """No sheet hurries the prescriber, promises an outcome, or prefers without naming a society and its year, or a label."""
    for rule in rules(knowledge):
        for text in sentences(rule):
            assert not [word for word in FORBIDDEN if word in text.lower()], f"{rule.id}: {text}"
            assert "prefer" not in text or "IDSA 2026" in text or "label" in text, f"{rule.id}: {text}"


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

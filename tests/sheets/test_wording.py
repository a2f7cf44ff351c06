"""The sentences that a prescriber reads: that they fit, do not press, and claim no more than their evidence. Over every rule."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import date
from functools import cache
from itertools import product

import pytest

from cds_service.clinical.facts import Drug
from cds_service.clinical.infection import Evidence, State
from cds_service.clinical.regimen import Drugs
from cds_service.knowledge import Knowledge, default_folder, load
from cds_service.protocol.response import LONGEST_SUMMARY
from cds_service.rule import Rule
from cds_service.wording import LISTS, evidence_words, fill, summarise
from tests.rules_regimen.bench import RODS, isolate

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
PRESSING = re.compile(r"\b(at once|immediately|now!|must|urgent(ly)?|guarantee)\b", re.IGNORECASE)
# Words that say how strong a piece of evidence is. Where a sheet uses one, a row that it cites must use it, or a label is quoted.
STRENGTHS = (
    "associated with", "conditional", "first-line", "in vitro", "low certainty", "moderate", "mortality", "not established", "proven to",
    "preferred", "prefers", "recommend", "reduces", "standard of care", "strong", "suggested", "superior", "survival",
)  # fmt: skip
STEMS = {"preferred": "prefer", "prefers": "prefer", "suggested": "suggest"}
A_PERSON = re.compile(r"[A-Z]\w+(, \w+)*( [A-Z]\w+)+")  # a role is written small


@cache
def shipped() -> Knowledge:
    """The knowledge as it is shipped."""
    return load(default_folder())


@cache
def rules() -> dict[str, Rule]:
    """Every rule once."""
    return {rule.id: rule for service in shipped().services.values() for rule in service.rules}


def service_of(rule: Rule) -> str:
    """A service in which the rule speaks."""
    return next(name for name, service in shipped().services.items() if rule.id in {one.id for one in service.rules})


def summaries(rule: Rule) -> tuple[str, ...]:
    """Every summary that a rule may show."""
    return (rule.sheet.summary, *rule.sheet.variants.values())


def sentences(rule: Rule) -> tuple[str, ...]:
    """Everything that a sheet may print."""
    return (*summaries(rule), rule.sheet.detail, rule.sheet.limits, *rule.sheet.notes.values())


def longest(names: Iterable[str]) -> str:
    """The longest of some names."""
    return max(names, key=len)


def named(rule: Rule) -> set[str]:
    """The drugs that a rule may name: those of its own block, else those of the regimens that work."""
    reference = shipped().services[service_of(rule)].reference
    own = {key for field in fields(rule.trigger) if isinstance(found := getattr(rule.trigger, field.name), Drugs) for key in found.keys}
    rows = {key for row in reference.policy.regimen.active for key in row.drugs}
    return {reference.drugs[key].name for key in own or rows}


def allergens(rule: Rule) -> list[Drug]:
    """The drugs that an allergy may be to which touches a drug of a regimen that works."""
    service = shipped().services[service_of(rule)]
    reference = service.reference
    rows = {part for row in reference.policy.regimen.active for key in row.drugs for part in reference.drugs[key].ingredients}
    related = {part for one in service.rules for row in getattr(one.trigger, "cross", ()) for part in row}
    return [drug for drug in reference.drugs.values() if drug.ingredients & (rows | related)]


def wordings(rule: Rule) -> Iterator[dict[str, str]]:
    """The longest words of every kind, for each way in which the evidence may be named and stand."""
    terms, policy = shipped().terminology, shipped().services[service_of(rule)].reference.policy
    every = [drug.name for drug in terms.drugs.values() if drug.antibacterial]
    resistant = [one.name for one in terms.organisms.values() if "ampc" in one.traits]
    own = {
        "drug": longest(named(rule)),
        **dict.fromkeys(("partner", "other", "drugs"), longest(every)),
        "organism": longest(one.name for one in terms.organisms.values()),
        "specimen": longest(one.name for one in terms.specimens.values()).lower(),
        "why": longest([*resistant, " and ".join(policy.evidence.companions)]),
        "agent": longest(longest(row.tests) for row in policy.regimen.active).replace("+", " + "),
        "allergy": f"{longest(', '.join(sorted(drug.ingredients)) for drug in allergens(rule))} allergy",
    }
    enzymes = [(policy.evidence.phenotype_name,), policy.evidence.genes]
    for enzyme, state in product(enzymes, (State.CURRENT, State.HISTORY, State.COLONISED)):
        found = Evidence(isolate("GENE"), state, enzyme, True, (), RODS.group, False, 364.9, ())
        yield {**evidence_words([found]), **LONGEST, **own}


@pytest.mark.parametrize("name", sorted(rules()))
def test_no_summary_is_cut(name: str) -> None:
    """With the longest names of drugs, organisms, sites and enzymes every summary fits whole; lists are told by their first, never cut."""
    rule = rules()[name]
    for words, text in product(wordings(rule), summaries(rule)):
        assert len(fill(text, words)) <= LONGEST_SUMMARY, f"{len(fill(text, words))} {fill(text, words)}"
        listed = {**words, **{key: f"{words[key]}, {words[key]} and {words[key]}" for key in LISTS}}
        assert len(summarise(text, listed)) <= LONGEST_SUMMARY, summarise(text, listed)


@pytest.mark.parametrize("name", sorted(rules()))
def test_no_sentence_presses(name: str) -> None:
    """No sheet hurries the prescriber or promises an outcome."""
    assert not [text for text in sentences(rules()[name]) if PRESSING.search(text)]


@pytest.mark.parametrize("name", sorted(rules()))
def test_no_sentence_is_stronger_than_its_evidence(name: str) -> None:
    """A word about the strength of evidence stands in a sheet only where a row that it cites uses that word, or a label is quoted."""
    sheet = rules()[name].sheet
    cited = [shipped().evidence[key] for key in sheet.evidence]
    said = " ".join(part for row in cited for part in (row.wording, *row.strength)).lower()
    for text in sentences(rules()[name]):
        unsupported = [word for word in STRENGTHS if re.search(rf"\b{word}", text.lower()) and STEMS.get(word, word) not in said]
        assert not unsupported or "label" in text or "none is suggested" in text, f"{unsupported}: {text}"


@pytest.mark.parametrize("name", sorted(rules()))
def test_a_preference_has_an_owner(name: str) -> None:
    """No sheet prefers without naming a society and its year, or a label."""
    for text in sentences(rules()[name]):
        assert "prefer" not in text or re.search(r"[A-Z]{4,} 20\d\d", text) or "label" in text, text


@pytest.mark.parametrize("name", sorted(rules()))
def test_a_sheet_says_who_stands_for_it(name: str) -> None:
    """Author and checker are named, and the next review comes after the last."""
    reviewed = rules()[name].sheet.reviewed
    assert reviewed is not None
    assert reviewed.by
    assert reviewed.checked_by
    assert reviewed.on < reviewed.next


@pytest.mark.parametrize("key", sorted(shipped().evidence))
def test_evidence_is_named_with_its_origin(key: str) -> None:
    """Every printed row says how strong it is, how it was read, who has checked it, and when it is looked at again."""
    row = shipped().evidence[key]
    assert row.strength
    assert row.verified in {"primary", "secondary", "article-only"}
    assert row.checked_by
    assert row.next_review is not None
    assert row.next_review > date(2026, 11, 22)
    assert row.citation or row.verified == "article-only"


RETOLD = re.compile(r"questionsmedicales|drugs\.com|fda\.report|synapsesocial|profiles\.|informahealthcare|wikipedia|scribd")


@pytest.mark.parametrize("key", sorted(shipped().evidence))
def test_evidence_leads_to_the_document(key: str) -> None:
    """A row leads to the paper, the label or the society, never to a page that retells it."""
    assert not RETOLD.search(shipped().evidence[key].url)


def test_an_unlocated_case_report_is_not_printed() -> None:
    """What only the source article tells of single patients stays off the cards."""
    assert not shipped().evidence["E26"].printed


def test_every_reason_that_a_sheet_names_is_known() -> None:
    """Override codes are plain letters and digits, each once."""
    codes = [reason.code for reason in shipped().overrides.reasons.values()]
    assert len(codes) == len(set(codes))
    assert all(code.isascii() and code.isalnum() for code in codes)

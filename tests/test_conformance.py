"""The checklist of the specification's items, held against the tests themselves."""

import re
from collections.abc import Mapping

import pytest

from .conformance import PAGE, Item, checklist, held, numbers, page, sentences

LEVELS = re.compile(r"(SHALL|SHOULD|MAY)( of the client| \(3\.0\))?|own rule|threat|goal")
# The headings of the specification, https://cds-hooks.hl7.org/STU2/, that items lead to.
CLAUSES = frozenset(
    [
        "action",
        "calling-a-cds-service",
        "card-attributes",
        "card-ignored",
        "cds-service-response",
        "coding",
        "context",
        "cross-origin-resource-sharing",
        "discovery",
        "explicit-reject-with-override-reasons",
        "extensions",
        "feedback",
        "fhir-resource-access",
        "fhir-resources-in-context",
        "hook-name-is-expressed-as-noun-verb",
        "hook-version",
        "hookinstance",
        "http-response",
        "http-status-codes",
        "http-status-codes-1",
        "jwt-signing-algorithm",
        "link",
        "overridden-guidance",
        "passing-the-access-token-to-the-cds-service",
        "prefetch-query-restrictions",
        "prefetch-template",
        "prefetch-tokens",
        "providing-fhir-resources-to-a-cds-service",
        "reasons-for-rejecting-a-card",
        "response",
        "security-and-safety",
        "source",
        "suggestion",
        "suggestion-accepted",
        "system-action",
        "trusting-cds-clients",
        "trusting-cds-services",
        "update-stale-guidance",
        "use-of-json",
    ]
)


@pytest.fixture(scope="module")
def carried() -> Mapping[str, list[str]]:
    """All numbers that some test carries."""
    return held()


@pytest.mark.parametrize("item", checklist().values(), ids=checklist())
def test_every_item_has_a_test(carried: Mapping[str, list[str]], item: Item) -> None:
    """A1: each item is held by a test with its number, or says why no test here can hold it; never both."""
    assert bool(carried.get(item.number)) != bool(item.untested)


@pytest.mark.parametrize("item", checklist().values(), ids=checklist())
def test_every_item_says_what_it_asks(item: Item) -> None:
    """An item has a level of the closed list, a whole sentence, and the clause of the specification wherever the specification speaks."""
    assert LEVELS.fullmatch(item.level)
    assert item.sentence.endswith(".")
    assert item.clause in CLAUSES or (not item.clause and item.level in {"own rule", "threat", "goal"})


def test_only_agreements_and_proxies_are_left_untested() -> None:
    """What is not tested here lies with the site: TLS, client certificates, registration, the hooks that fire; and the pages for people."""
    assert {item.number for item in checklist().values() if item.untested} == {"G-02", "DI-18", "SE-19", "SE-23", "ST-03"}


def test_no_test_carries_an_unknown_number() -> None:
    """A number in a docstring is one of the checklist, or it would promise what nobody can look up."""
    assert {(file, name, one) for file, name, sentence in sentences() for one in numbers(sentence) if one not in checklist()} == set()


def test_no_number_is_overlooked() -> None:
    """Where a docstring names an item of the checklist, it does so where the page finds it."""
    mentioned = re.compile(r"\b(?:" + "|".join(sorted({one.partition("-")[0] for one in checklist() if "-" in one})) + r")-\d\d?\b")
    assert not [(file, name) for file, name, sentence in sentences() if mentioned.search(sentence) and not numbers(sentence)]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("RS-02, A17: nothing to say.", ("RS-02", "A17")),
        ("SU-01 to SU-03, AC-06: whole.", ("SU-01", "SU-02", "SU-03", "AC-06")),
        ("H1–H3: bodies.", ("H1", "H2", "H3")),
        ("A19, in small: kept.", ("A19",)),
        ("Digits survive (G-07).", ("G-07",)),
        ("The rule R24 speaks: once.", ()),
        ("Nothing at all.", ()),
    ],
)
def test_numbers_are_read(sentence: str, found: tuple[str, ...]) -> None:
    """Lists, ranges and a number at the end are found, and words are not."""
    assert numbers(sentence) == found


def test_the_page_is_true() -> None:
    """A1: `docs/conformance.md` lists items and tests as they are; `python -m tests.conformance` writes it anew."""
    assert PAGE.read_text("utf-8") == page()

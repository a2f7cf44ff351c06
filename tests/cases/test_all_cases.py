"""Every clinical case of the shipped fixtures gets what it promises, and every rule is heard and silent."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds_service.cases import Case, Lexicon, Usual, read_cases
from cds_service.cases.run import run_case
from cds_service.knowledge import Knowledge, load
from cds_service.knowledge.site import with_site

ROOT = Path(__file__).resolve().parent.parent.parent
CASES = read_cases(ROOT / "fixtures")
FILES = sorted({(case.condition, case.file) for case in CASES})
LATER = datetime(2028, 2, 29, 23, 30, tzinfo=UTC)


def _of(file: tuple[str, str]) -> list[Case]:
    return [case for case in CASES if (case.condition, case.file) == file]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file[1])
def test_cases_get_what_they_promise(file: tuple[str, str], knowledge: Knowledge, usual: Usual, lexicon: Lexicon, now: datetime) -> None:
    """The answer to every case of a rule is the promised one."""
    verdicts = [run_case(case, knowledge, usual, lexicon, now) for case in _of(file)]
    broken = [f"{one.case.name}: {'; '.join(one.problems)}" for one in verdicts if not one.kept]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file[1])
def test_a_case_means_the_same_at_another_time(file: tuple[str, str], knowledge: Knowledge, usual: Usual, lexicon: Lexicon) -> None:
    """On the last evening of February in a leap year, late at night, the verdicts are the same."""
    verdicts = [run_case(case, knowledge, usual, lexicon, LATER) for case in _of(file)]
    broken = [f"{one.case.name}: {'; '.join(one.problems)}" for one in verdicts if not one.kept]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("site", "told"),
    [
        ({"breakpoints": "nccls"}, "site: breakpoints: found 'nccls', expected one of clsi-fda, eucast"),
        ({"rules": {"off": ["ndmDurationLongg"]}}, "site: rules.off: found ndmDurationLongg, expected the id of a rule"),
        ({"evidence": {"genes": ["NDMM"]}}, "site: evidence.genes: found NDMM, expected a marker of words.yaml"),
        ({"preference": "elsewhere"}, "site: preference: found elsewhere, expected a list of `preferences`"),
        ({"local": {"drugs": {"7": "aztreonam"}}}, 'site: local.drugs: found 7, expected "system|code"'),
        ({"window": {}}, "site: window: found a key that is not known here"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_word_of_a_site_is_a_broken_promise(
    site: dict[str, Any], told: str, knowledge: Knowledge, usual: Usual, lexicon: Lexicon, now: datetime
) -> None:
    """A case whose site would be no policy cannot be built, and says which word is wrong and what would be right."""
    case = next(one for one in CASES if one.line.site)
    verdict = run_case(replace(case, line=msgspec.structs.replace(case.line, site=site)), knowledge, usual, lexicon, now)
    (problem,) = verdict.problems
    assert problem.startswith(f"the case cannot be built: {told}")
    assert not verdict.kept


def test_a_code_of_a_case_s_site_is_read(knowledge: Knowledge) -> None:
    """A case may give its site a code of its own, as a policy file may."""
    service = next(iter(knowledge.services.values()))
    here = with_site(knowledge, service, {"local": {"drugs": {"urn:site|77": "aztreonam"}}})
    assert (here.terminology.code("drug", "urn:site", "77"), knowledge.terminology.code("drug", "urn:site", "77")) == ("aztreonam", None)


def _expected(case: Case) -> set[str]:
    return {rule for one in case.line.expected for rule in (*one.rules, *one.also)}


KNOWLEDGE = load(ROOT / "hooks")
RULES = sorted({rule.id: (service.condition, rule.file) for service in KNOWLEDGE.services.values() for rule in service.rules}.items())


@pytest.mark.parametrize(("rule", "place"), RULES, ids=[rule for rule, _ in RULES])
def test_every_rule_speaks_in_one_case_and_keeps_silent_in_another(rule: str, place: tuple[str, str]) -> None:
    """A rule has a case file of its own, with a case in which it speaks and one in which it does not."""
    condition, sheet = place
    own = _of((condition, sheet.rsplit("/", 1)[-1]))
    assert own, f"no case file for {rule}"
    assert [case for case in own if rule in _expected(case)], f"{rule} speaks in none of its cases"
    assert [case for case in own if rule not in _expected(case)], f"{rule} keeps silent in none of its cases"


def test_every_case_file_belongs_to_a_rule_or_says_what_it_is_about() -> None:
    """No case file is left behind by a rule that was renamed."""
    stems = defaultdict(set)
    for _, (condition, sheet) in RULES:
        stems[condition].add(sheet.rsplit("/", 1)[-1])
    lost = [case.file for case in CASES if case.file not in stems[case.condition] and not case.about]
    assert not lost

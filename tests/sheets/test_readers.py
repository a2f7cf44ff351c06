"""Every entry of the knowledge has a reader: what nothing names is a slip of the pen, or was left behind."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cds_service.clinical import lists
from cds_service.clinical.renal import INJURY, REPLACEMENT
from cds_service.conditions import SOFTER, UNLESS
from cds_service.knowledge import Knowledge
from cds_service.knowledge.files import Files
from cds_service.knowledge.known import Known
from cds_service.rule import Rule

# Stated reasons that open and close nothing; they are known so that `explain` can name them, and so that they are no free text.
NEUTRAL = {"pneumonia"}


def rules(knowledge: Knowledge) -> list[Rule]:
    """Every rule of every service."""
    return [rule for service in knowledge.services.values() for rule in service.rules]


def records(knowledge: Knowledge) -> Iterator[Any]:
    """Everything that a sheet of a condition was read into."""
    for service in knowledge.services.values():
        yield from (service.sheet, service.reference.policy)
    for rule in rules(knowledge):
        yield from (rule.sheet, rule.trigger)
    for offered in knowledge.suggestions.values():
        yield from offered.values()
    yield from knowledge.traces.values()


def named(knowledge: Knowledge, *kinds: Any) -> set[str]:
    """The words of some closed lists that any sheet names."""
    known = Known(Files({}), {})
    return {word for record in records(knowledge) for kind in kinds for word in known.words_of(record, lists.words(kind))}


def texts(value: Any) -> Iterator[str]:
    """Every word in a `with:` block."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (word for pair in value.items() for one in pair for word in texts(one))
    elif isinstance(value, list | tuple):
        yield from (word for one in value for word in texts(one))


def test_every_drug_set_is_asked_for(knowledge: Knowledge) -> None:
    """Each drug set stands in the `with:` block of a rule, in a suggestion or in the policy."""
    asked = named(knowledge, lists.DrugSet, lists.DrugOrSet) | {word for rule in rules(knowledge) for word in texts(rule.sheet.with_)}
    for service in knowledge.services.values():
        assert set(service.reference.sets) <= asked


def test_every_suggestion_is_offered(knowledge: Knowledge) -> None:
    """Each suggestion is named by a rule or by a preference of the policy."""
    for condition, offered in knowledge.suggestions.items():
        assert set(offered) <= named(knowledge, lists.Suggestion), condition


def test_every_override_reason_is_offered(knowledge: Knowledge) -> None:
    """Each reason to override is named by a rule."""
    assert set(knowledge.overrides.reasons) <= named(knowledge, lists.Override)


def test_every_circumstance_matters(knowledge: Knowledge) -> None:
    """Each circumstance is named by a sheet, or decides how kidneys are judged; a neutral one is named by no sheet."""
    used = named(knowledge, lists.Circumstance)
    assert set(knowledge.terminology.names["circumstance"].keys()) - used - {*REPLACEMENT, INJURY} == NEUTRAL


def test_every_row_of_evidence_is_printed_or_kept_as_background(knowledge: Knowledge) -> None:
    """A row that a card may print is cited by a rule or beside a number of a table; any other says that it is background."""
    reference = next(iter(knowledge.services.values())).reference
    cited = {key for rule in rules(knowledge) for key in rule.sheet.evidence}
    cited |= {key for row in (*reference.doses.rows, *reference.breakpoints) for key in row.evidence}
    for key, row in knowledge.evidence.items():
        assert (key in cited) is row.printed, f"{key} is {'printed' if row.printed else 'kept as background'}"


@pytest.mark.parametrize(("words", "kind"), [(UNLESS, lists.Unless), (SOFTER, lists.Softer)], ids=["unless", "softer_when"])
def test_every_reason_to_stand_down_is_used(knowledge: Knowledge, words: Mapping[str, Any], kind: Any) -> None:
    """Each word of the closed lists of `unless` and `softer_when` is one that a rule uses."""
    assert set(words) <= named(knowledge, kind)

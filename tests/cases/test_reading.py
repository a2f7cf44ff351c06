"""Case files: what is read, and how a mistake is told."""

from pathlib import Path

import pytest

from cds_service.cases import read_cases, read_usual
from cds_service.errors import KnowledgeError

GOOD = """
about: someRule
cases:
  - case: speaks
    drafts: [aztreonam]
    expect: {rule: someRule}
"""


def _folder(tmp_path: Path, text: str, name: str = "some-rule.yaml") -> Path:
    folder = tmp_path / "ndm" / "cases"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return tmp_path


def test_a_case_knows_where_it_comes_from(tmp_path: Path) -> None:
    """Condition, file and rule are those of its place."""
    (case,) = read_cases(_folder(tmp_path, GOOD))
    assert (case.condition, case.file, case.about, case.name, case.title) == (
        "ndm",
        "some-rule.yaml",
        "someRule",
        "speaks",
        "some-rule.yaml: speaks",
    )


def test_a_file_can_be_read_alone(tmp_path: Path) -> None:
    """A single file gives its cases."""
    file = _folder(tmp_path, GOOD) / "ndm" / "cases" / "some-rule.yaml"
    assert len(read_cases(file)) == 1


def test_rows_become_cases_that_differ_in_what_they_say(tmp_path: Path) -> None:
    """A row replaces keys of the common part and adds to the patient."""
    text = """
about: someRule
cases:
  - case: at a clearance
    patient: {age: 40}
    drafts: [aztreonam]
    rows:
      - {case: "30", patient: {clearance: 30}, expect: {rule: someRule}}
      - {case: "31", patient: {clearance: 31}, expect: silence, drafts: [cefiderocol]}
"""
    first, second = read_cases(_folder(tmp_path, text))
    assert (first.name, second.name) == ("at a clearance: 30", "at a clearance: 31")
    assert (first.line.patient.age, first.line.patient.clearance) == (40, 30)
    assert second.line.drafts == ("cefiderocol",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: [{case: a, drugs: [x]}]", "unknown field `drugs`"),
        ("cases: [{case: a, hook: order-sing}]", "hook"),
        ("cases: [{drafts: [x]}]", "case"),
        ("cases: {}", "a list `cases:`"),
        ("[]", "a list `cases:`"),
        ("cases: [{case: a, expect: {rule: r, indicator: urgent}}]", "indicator"),
        ("cases: [{case: a, patient: {lacks: [name]}}]", "patient.lacks"),
        ("cases: [{case: a}, {case: a}]", "twice"),
        ("cases: [unclosed", "file"),
    ],
)
def test_a_mistake_names_file_place_and_form(tmp_path: Path, text: str, said: str) -> None:
    """Every mistake says in which file and case it is and what was expected."""
    with pytest.raises(KnowledgeError) as caught:
        read_cases(_folder(tmp_path, text))
    assert said in str(caught.value)
    assert "some-rule.yaml" in str(caught.value)


def test_all_mistakes_of_a_folder_come_at_once(tmp_path: Path) -> None:
    """Two broken files give two problems."""
    _folder(tmp_path, "cases: {}", "one.yaml")
    _folder(tmp_path, "cases: [{case: a, drugs: []}]", "two.yaml")
    with pytest.raises(KnowledgeError) as caught:
        read_cases(tmp_path)
    assert {problem.file for problem in caught.value.problems} == {"one.yaml", "two.yaml"}


@pytest.mark.parametrize("text", ["patient: {shoe: 43}", "orders: []", ": ["])
def test_defaults_with_a_mistake_are_refused(tmp_path: Path, text: str) -> None:
    """A broken defaults.yaml is told as such."""
    file = tmp_path / "defaults.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(KnowledgeError, match=r"defaults\.yaml"):
        read_usual(file)


def test_missing_defaults_are_told(tmp_path: Path) -> None:
    """A defaults file that is not there is a problem with its name, not a traceback."""
    with pytest.raises(KnowledgeError, match=r"defaults\.yaml"):
        read_usual(tmp_path / "defaults.yaml")

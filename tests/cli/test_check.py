"""`ndm-cds check`: sheets, tables, cases, and which promise a change breaks."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.cli import exits

Run = Callable[..., tuple[int, str, str]]
CASES = """
about: a boundary
cases:
  - case: 30 days
    results: [{organism: klebsiella-pneumoniae, specimen: blood, found: NDM, days: 30}]
    drafts: [aztreonam]
    expect: {rule: ndmAztreonamUnprotected, indicator: critical}
  - case: 29 days
    results: [{organism: klebsiella-pneumoniae, specimen: blood, found: NDM, days: 29}]
    drafts: [aztreonam]
    expect: {rule: ndmAztreonamUnprotected, indicator: critical}
  - case: 2 days
    results: [{organism: klebsiella-pneumoniae, specimen: blood, found: NDM, days: 2}]
    drafts: [aztreonam]
    expect: {rule: ndmAztreonamUnprotected, indicator: critical}
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A folder with three cases around one threshold."""
    cases = tmp_path / "fixtures" / "ndm" / "cases"
    cases.mkdir(parents=True)
    (cases / "boundary.yaml").write_text(CASES, "utf-8")
    return tmp_path / "fixtures"


def _site(tmp_path: Path, text: str) -> Path:
    overlay = tmp_path / "site"
    (overlay / "ndm").mkdir(parents=True)
    (overlay / "ndm" / "policy.yaml").write_text(text, "utf-8")
    return overlay


def test_sound_knowledge_and_kept_promises_end_well(run: Run, folder: Path) -> None:
    """All is said in two lines, and the status is 0."""
    status, out, _ = run("check", folder)
    assert status == exits.OK
    assert "no mistakes found" in out
    assert "3 of 3 cases get what they promise" in out


def test_a_changed_threshold_names_exactly_the_promises_that_break(run: Run, folder: Path, tmp_path: Path) -> None:
    """With a window of 29 days the case of 30 days breaks, those of 29 and 2 days do not."""
    status, out, _ = run("check", folder, "--overlay", _site(tmp_path, "windows: {current_days: 29}\n"))
    assert status == exits.DIFFERS
    assert [line for line in out.splitlines() if line.startswith("broken: ")] == ["broken: boundary.yaml: 30 days"]
    assert "expected ndmAztreonamUnprotected critical, got ndmAztreonamUnprotected warning" in " ".join(out.split())


def test_a_switched_off_rule_breaks_its_promises(run: Run, folder: Path, tmp_path: Path) -> None:
    """Each case that promised the rule is named."""
    overlay = _site(tmp_path, 'rules: {"off": [ndmAztreonamUnprotected]}\n')
    _, out, _ = run("check", folder, "--overlay", overlay)
    assert out.count("broken: ") == 3


def test_the_result_can_be_read_by_machines(run: Run, folder: Path, tmp_path: Path) -> None:
    """--json lists the broken promises with what came instead."""
    _, out, _ = run("check", folder, "--json", "--overlay", _site(tmp_path, "windows: {current_days: 29}\n"))
    found = json.loads(out)
    assert (found["cases"], [one["case"] for one in found["broken"]]) == (3, ["30 days"])


def test_sheets_can_be_checked_alone(run: Run) -> None:
    """--no-cases runs no case."""
    status, out, _ = run("check", "--no-cases")
    assert status == exits.OK
    assert "cases get" not in out


def test_a_case_with_a_mistake_is_told(run: Run, folder: Path) -> None:
    """A misspelt key names file, case and key, and the check fails."""
    (folder / "ndm" / "cases" / "wrong.yaml").write_text("cases: [{case: a, drugs: [x]}]", "utf-8")
    status, _, err = run("check", folder)
    assert status == exits.DIFFERS
    assert "wrong.yaml: a: found Object contains unknown field `drugs`" in err


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ("{case: a, drafts: ['aztreonam two grams']}", "is not an order sentence"),
        ("{case: a, hook: patient-view, site: {windows: {current_day: 3}}}", "a key that is not known here"),
        ("{case: a, drafts: [aztreonam], results: [{found: NDM, specimen: blood, tested: {aztreonam: perhaps}}]}", "is not an answer"),
        ("{case: a, unavailable: [results], drafts: [aztreonam], expect: silence}", "got a refusal to decide"),
        ("{case: a, drafts: [aztreonam], expect: refusal}", "expected a refusal to decide, got silence"),
    ],
)
def test_a_case_that_cannot_hold_says_why(run: Run, folder: Path, case: str, problem: str) -> None:
    """A case that cannot be built, or that expects another kind of answer, is a broken promise with a reason."""
    (folder / "ndm" / "cases" / "odd.yaml").write_text(f"about: odd\ncases: [{case}]", "utf-8")
    status, out, _ = run("check", folder / "ndm" / "cases" / "odd.yaml")
    assert status == exits.DIFFERS
    assert problem in " ".join(out.split())


def test_a_refusal_can_be_promised(run: Run, folder: Path) -> None:
    """A case may expect that nothing can be decided."""
    text = "about: odd\ncases: [{case: a, unavailable: [results], drafts: [aztreonam], expect: refusal}]"
    (folder / "ndm" / "cases" / "odd.yaml").write_text(text, "utf-8")
    assert run("check", folder / "ndm" / "cases" / "odd.yaml")[0] == exits.OK


def test_cases_of_a_condition_without_knowledge_are_left_alone(run: Run, tmp_path: Path) -> None:
    """Cases of a folder that no knowledge knows do not run."""
    cases = tmp_path / "other" / "cases"
    cases.mkdir(parents=True)
    (cases / "one.yaml").write_text("about: x\ncases: [{case: a}]", "utf-8")
    status, out, _ = run("check", tmp_path)
    assert status == exits.OK
    assert "cases get" not in out


def test_a_hook_without_a_service_is_a_broken_promise(run: Run, folder: Path, tmp_path: Path, hooks: Path) -> None:
    """Where the condition has no service for the hook, the case says so."""
    import shutil

    copy = tmp_path / "hooks"
    shutil.copytree(hooks, copy)
    (copy / "ndm" / "patient-view.yaml").unlink()
    (folder / "ndm" / "cases" / "view.yaml").write_text("about: v\ncases: [{case: a, hook: patient-view}]", "utf-8")
    _, out, _ = run("check", folder / "ndm" / "cases" / "view.yaml", "--hooks", copy)
    assert "no service of 'ndm' answers the hook patient-view" in " ".join(out.split())

"""The command line as people and scripts use it."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_service import __version__
from cds_service.cli import exits
from cds_service.cli.main import COMMANDS

Run = Callable[..., tuple[int, str, str]]
REQUEST = "aztreonam-alone.json"


@pytest.fixture(name="requests")
def _requests(fixtures: Path) -> Path:
    return fixtures / "ndm" / "requests"


def _stdin(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """Puts bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


@pytest.mark.parametrize(
    "command", [(), *((name,) for name in COMMANDS), ("config", "check"), ("config", "show"), ("config", "reference"), ("jwt", "check")]
)
def test_every_command_explains_itself_with_examples(run: Run, command: tuple[str, ...]) -> None:
    """--help ends well and shows how the command is used."""
    status, out, _ = run(*command, "--help")
    assert status == exits.OK
    assert "Usage:" in out
    assert command[:1] == ("jwt",) or "Examples:" in out


def test_the_version_is_told(run: Run) -> None:
    """--version names the program's version."""
    assert run("--version")[1].strip() == f"ndm-cds, version {__version__}"


def test_the_exit_codes_are_documented(run: Run) -> None:
    """--help lists every status with which the process can end."""
    out = run("--help")[1]
    assert all(str(code) in out and meaning in out for code, meaning in exits.MEANINGS.items())


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["decide"], ["decide", "--nonsense", "x"], ["decide", "no-such-file.json"], ["serve", "--port", "0"]]
)
def test_a_wrong_command_line_is_usage(run: Run, arguments: list[str]) -> None:
    """A mistake of the user ends with status 2 and a hint, never with a traceback."""
    status, _, err = run(*arguments)
    assert status == exits.USAGE
    assert "Error:" in err
    assert "Traceback" not in err


def test_a_decision_is_shown_as_a_person_reads_it(run: Run, requests: Path) -> None:
    """The card has its urgency, its reasons, its offers with orders, and the rule."""
    status, out, _ = run("decide", requests / REQUEST)
    assert status == exits.OK
    assert "CRITICAL  Aztreonam is unprotected" in out
    assert "It offers, choose one:" in out
    assert "+ ceftazidime-avibactam: 2.5 g (2 g/0.5 g) intravenously every 8 h" in out
    assert "Rule ndmAztreonamUnprotected" in out
    assert "\x1b" not in out


def test_silence_is_said(run: Run, requests: Path) -> None:
    """An empty list of cards is a statement, not an empty page."""
    assert "The service looked and has nothing to say" in run("decide", requests / "protected-pair.json")[1]


def test_the_exact_answer_can_be_had(run: Run, requests: Path) -> None:
    """--json prints what the service would send."""
    status, out, _ = run("decide", "--json", requests / REQUEST)
    assert status == exits.OK
    assert [card["indicator"] for card in json.loads(out)["cards"]] == ["critical"]


def test_standard_input_is_a_file(run: Run, requests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hyphen reads the request from standard input."""
    _stdin(monkeypatch, (requests / REQUEST).read_bytes())
    assert "CRITICAL" in run("decide", "-")[1]


@pytest.mark.parametrize(("name", "said"), [("missing-results.json", "refused (412"), ("missing-draft-orders.json", "refused (400")])
def test_a_refusal_has_its_own_status(run: Run, requests: Path, name: str, said: str) -> None:
    """What cannot be decided ends with status 3 and says why."""
    status, _, err = run("decide", requests / name)
    assert status == exits.CANNOT_DECIDE
    assert said in err


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"null"])
def test_a_body_that_is_no_request_is_refused(run: Run, tmp_path: Path, text: bytes) -> None:
    """A file that is no JSON object is refused, not crashed on."""
    file = tmp_path / "body.json"
    file.write_bytes(text)
    status, _, err = run("decide", file)
    assert status == exits.CANNOT_DECIDE
    assert "JSON object" in err


def test_an_unknown_hook_names_the_services(run: Run, tmp_path: Path) -> None:
    """A hook that nobody answers is told with what there is."""
    file = tmp_path / "body.json"
    file.write_text('{"hook": "order-dispatch"}', "utf-8")
    status, _, err = run("decide", file)
    assert status == exits.USAGE
    assert "ndm-order-sign" in err


def test_an_unknown_service_is_refused(run: Run, requests: Path) -> None:
    """A service id that does not exist is a refusal of the engine."""
    assert run("decide", "--service", "elsewhere", requests / REQUEST)[0] == exits.CANNOT_DECIDE


def test_as_of_moves_the_judgement(run: Run, requests: Path) -> None:
    """A month later the same result is history, and the card is a warning or none."""
    assert "CRITICAL" not in run("decide", "--as-of", "2026-12-25T12:00:00Z", requests / REQUEST)[1]


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01", ""])
def test_a_moment_must_be_one(run: Run, requests: Path, moment: str) -> None:
    """--as-of takes ISO 8601 and shows how."""
    status, _, err = run("decide", "--as-of", moment, requests / REQUEST)
    assert status == exits.USAGE
    assert "2026-11-20T12:00:00Z" in err


def test_an_explanation_names_every_rule(run: Run, requests: Path, knowledge: Any) -> None:
    """Each rule of the service spoke, or says why it kept silent, beside the facts that it saw."""
    status, out, _ = run("explain", requests / REQUEST)
    assert status == exits.OK
    assert all(rule.id in out for rule in knowledge.services["ndm-order-sign"].rules)
    for fact in ("current: NDM", "clearance 90 mL/min", "aztreonam, 2 g every 6 h over 3 h", "expected active", "nothing"):
        assert fact in out


def test_one_rule_can_be_explained_closely(run: Run, requests: Path) -> None:
    """--rule shows what the rule asks, its thresholds, and what it said."""
    out = run("explain", "--rule", "ndmCazAviDose", requests / REQUEST)[1]
    assert "asks" in out
    assert "drug: ceftazidime-avibactam" in out
    assert "silent: nothing to say" in out


def test_a_rule_of_another_service_says_so(run: Run, requests: Path) -> None:
    """A rule that the service does not have is told as such."""
    assert "ndmCarrier is no rule of ndm-order-sign" in run("explain", "--rule", "ndmCarrier", requests / REQUEST)[1]


def test_an_unknown_rule_is_usage(run: Run, requests: Path) -> None:
    """A rule that nobody has is a mistake of the user."""
    assert run("explain", "--rule", "nobody", requests / REQUEST)[0] == exits.USAGE


def test_an_explanation_can_be_read_by_machines(run: Run, requests: Path) -> None:
    """--json lists facts and rules."""
    found = json.loads(run("explain", "--json", requests / REQUEST)[1])
    assert {one["rule"] for one in found["rules"] if one["spoke"]} >= {"ndmAztreonamUnprotected"}
    assert found["facts"]


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("text-only.json", ["ceftazidime-avibactam + aztreonam", "running"]),
        ("order-with-class-code-only.json", ["unreadable order"]),
        ("optional-parts-refused.json", ["missing", "allergies", "(weight missing)"]),
        ("patient-view-carrier.json", ["colonised: NDM"]),
    ],
)
def test_the_facts_are_those_of_the_record(run: Run, requests: Path, name: str, facts: list[str]) -> None:
    """Running orders, gaps and states each have a line."""
    out = run("explain", requests / name)[1]
    assert all(fact in out for fact in facts)


def test_what_is_nobodys_business_is_said(run: Run, requests: Path) -> None:
    """Drafts that concern no rule are not judged, and explain says so."""
    assert "was not looked at" in run("explain", requests / "not-an-antibiotic.json")[1]


def test_the_catalog_prints_the_index(run: Run, knowledge: Any) -> None:
    """Every rule has a section."""
    out = run("catalog")[1]
    assert all(f"### {rule.id}" in out for service in knowledge.services.values() for rule in service.rules)


def test_the_catalog_prints_each_number_of_the_tables_with_its_source(run: Run, knowledge: Any) -> None:
    """Doses and breakpoints stand in it once, each row with the words of its source and the rows of evidence."""
    out = run("catalog")[1]
    reference = next(iter(knowledge.services.values())).reference
    assert (out.count("## Doses"), out.count("## Breakpoints")) == (1, 1)
    for row in (*reference.doses.rows, *reference.breakpoints):
        assert f"| {row.source_says} | {', '.join(row.evidence)} |" in out


def test_a_stale_index_is_found_and_written(run: Run, tmp_path: Path, hooks: Path) -> None:
    """--check shows the difference, --write removes it."""
    import shutil

    copy = tmp_path / "hooks"
    shutil.copytree(hooks, copy)
    page = copy / "README.md"
    page.write_text(page.read_text("utf-8").replace("### ndmCarrier", "### ndmCarriers"), "utf-8")
    status, out, err = run("catalog", "--check", "--hooks", copy)
    assert (status, "ndmCarriers" in out, "out of date" in err) == (exits.DIFFERS, True, True)
    assert run("catalog", "--write", "--hooks", copy)[0] == exits.OK
    assert run("catalog", "--check", "--hooks", copy)[0] == exits.OK
    page.write_text("no marks", "utf-8")
    assert run("catalog", "--check", "--hooks", copy)[0] == exits.DIFFERS


def test_knowledge_that_cannot_be_used_is_configuration(run: Run, tmp_path: Path, requests: Path) -> None:
    """A mistake in a sheet ends every command that needs it with status 78 and the mistake."""
    overlay = tmp_path / "ndm"
    overlay.mkdir()
    (overlay / "policy.yaml").write_text("preference: elsewhere\n", "utf-8")
    status, _, err = run("decide", "--overlay", tmp_path, requests / REQUEST)
    assert status == exits.CONFIGURATION
    assert "1 problem." in err
    assert "ndm/policy.yaml: preference: found elsewhere" in err


def test_the_environment_names_knowledge_too(run: Run, tmp_path: Path, requests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CDS_HOOKS_DIR and CDS_HOOKS_OVERLAY do what the options do."""
    monkeypatch.setenv("CDS_HOOKS_DIR", str(tmp_path))
    assert run("decide", requests / REQUEST)[0] == exits.CONFIGURATION
    monkeypatch.delenv("CDS_HOOKS_DIR")
    (tmp_path / "ndm").mkdir()
    (tmp_path / "ndm" / "policy.yaml").write_text("windows: {current_days: 1}\n", "utf-8")
    monkeypatch.setenv("CDS_HOOKS_OVERLAY", str(tmp_path))
    assert "CRITICAL" not in run("decide", requests / REQUEST)[1]


def test_python_m_is_the_same_program(root: Path) -> None:
    """`python -m cds_service` runs the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "cds_service", "--version"], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert __version__ in done.stdout

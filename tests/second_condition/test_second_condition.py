"""A second condition is two folders and no Python."""

import json
import re
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.cli import exits
from cds_service.knowledge import load

Run = Callable[..., tuple[int, str, str]]

POLICY = """
version: 2026.11.0
condition: {key: kpc, name: KPC, title: "KPC-producing bacteria"}
evidence:
  genes: [KPC]
  unknown_organism: enterobacterales
  bloodstream: [blood]
  sterile: [blood]
  not_carriers: [gram-positive, yeast]
  carriage_words: [colonisation]
windows: {current_days: 30, history_days: 365, remote_days: 730, procedure_days: 30, episode_days: 7, future_h: 24}
clearance: {negative_screens: 2, days_apart: 7}
regimen:
  active: [{drugs: [ceftazidime-avibactam]}]
  inactive: inactive
  overlap_h: 6
  single_dose_h: 8
renal:
  weight: actual
  adjusted_above_pct: 120
  aki_ratio: 1.5
  aki_days: 7
  falling_pct: 25
  unstable_pct: 50
  window_h: 48
  stale_h: 48
  icu_stale_h: 24
  aki_silence_h: 48
  session_days: 4
  adult_years: 18
severe: {}
breakpoints: clsi-fda
not_treatment: [prophylaxis, test-dose]
silent_with: [comfort-care]
test_dose_pct: 10
go_live: {signings: 200}
"""
SETS = """
sets:
  inactive: {drugs: [meropenem, ceftriaxone], source: "a planted set"}
"""
SERVICE = """
id: kpc-order-sign
hook: order-sign
title: KPC regimen check at signing
description: Looks at antibiotics for a patient with KPC-producing bacteria.
prefetch:
  patient: {query: "Patient/{{context.patientId}}", names: "birth date and sex"}
  results: {query: "Observation?patient={{context.patientId}}&category=laboratory", required: true, names: "laboratory results"}
  orders: {query: "MedicationRequest?patient={{context.patientId}}&status=active", required: true, names: "running medication orders"}
cards:
  regimen: {one: [kpcInactiveBetaLactam, kpcNoActiveAgent]}
  monitoring: {merge: [kpcUnreadableOrder]}
"""
SUGGESTIONS = """
route: {system: "http://snomed.info/sct", code: "47625008", display: "Intravenous route (qualifier value)"}
products: {}
suggestions:
  stop-drug: {does: stop, label: "Leave out {drug}"}
"""
RULE = """
id: {id}
title: A rule of the second condition
hooks: [order-sign]
group: {group}
trigger: {trigger}
{settings}
match: {{evidence: [current], organism: [enterobacterales]}}
indicator: critical
summary: "{summary}"
detail: "A sentence."
override: [ast]
evidence: [E7]
reviewed: {{by: author, checked_by: pending, on: 2026-11-22, next: 2027-05-22}}
"""
RULES = {
    "kpc-inactive-beta-lactam": {
        "id": "kpcInactiveBetaLactam",
        "group": "regimen",
        "trigger": "inactive-drug",
        "settings": "with: {drugs: inactive}\nsuggest: [stop-drug]",
        "summary": "{drug} is not active against {enzyme}",
    },
    "kpc-no-active-agent": {
        "id": "kpcNoActiveAgent",
        "group": "regimen",
        "trigger": "nothing-active",
        "settings": "with: {sterile: [blood], recent_days: 7}",
        "summary": "{enzyme} on file and nothing active",
    },
    "kpc-unreadable-order": {
        "id": "kpcUnreadableOrder",
        "group": "monitoring",
        "trigger": "unread",
        "settings": "",
        "summary": "An order could not be read",
    },
}
CASES = """
about: kpcInactiveBetaLactam
cases:
  - case: meropenem alone
    results: [{organism: klebsiella-pneumoniae, specimen: blood, found: KPC}]
    drafts: [meropenem]
    expect: {rule: kpcInactiveBetaLactam, indicator: critical, summary: "not active against KPC", removes: [draft-1]}
  - case: ceftazidime-avibactam
    results: [{organism: klebsiella-pneumoniae, specimen: blood, found: KPC}]
    drafts: [ceftazidime-avibactam]
    expect: silence
"""
PRINTED = re.compile(r"^ *```yaml\n( *# ((?:hooks|fixtures)/kpc/\S+)\n.*?)^ *```", re.DOTALL | re.MULTILINE)


@pytest.fixture(name="folders")
def _folders(tmp_path: Path, hooks: Path, fixtures: Path) -> tuple[Path, Path]:
    """The shipped knowledge and fixtures, each with one more folder."""
    knowledge, cases = tmp_path / "hooks", tmp_path / "fixtures"
    shutil.copytree(hooks, knowledge)
    folder = knowledge / "kpc"
    (folder / "rules").mkdir(parents=True)
    for name, text in {"policy": POLICY, "drug-sets": SETS, "order-sign": SERVICE, "suggestions": SUGGESTIONS}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    for name, parts in RULES.items():
        (folder / "rules" / f"{name}.yaml").write_text(RULE.format(**parts), "utf-8")
    (cases / "kpc" / "cases").mkdir(parents=True)
    (cases / "kpc" / "cases" / "kpc-inactive-beta-lactam.yaml").write_text(CASES, "utf-8")
    shutil.copy(fixtures / "defaults.yaml", cases)
    return knowledge, cases


def test_its_services_are_listed_beside_the_others(folders: tuple[Path, Path]) -> None:
    """Discovery gains the new service and keeps the old ones."""
    knowledge = load(folders[0])
    assert set(knowledge.services) == {"kpc-order-sign", "ndm-order-sign", "ndm-order-select", "ndm-patient-view"}
    assert {rule.id for rule in knowledge.services["kpc-order-sign"].rules} == {parts["id"] for parts in RULES.values()}


def test_its_cases_get_what_they_promise(run: Run, folders: tuple[Path, Path]) -> None:
    """The new rules speak and keep silent as their cases say."""
    status, out, _ = run("check", folders[1], "--hooks", folders[0])
    assert status == exits.OK, out
    assert "2 of 2 cases get what they promise" in out


def test_conditions_do_not_speak_for_each_other(run: Run, folders: tuple[Path, Path], fixtures: Path) -> None:
    """A patient of the first condition is none of the second's business."""
    request = fixtures / "ndm" / "requests" / "aztreonam-alone.json"
    status, out, _ = run("decide", "--json", "--hooks", folders[0], "--service", "kpc-order-sign", request)
    assert status == exits.OK
    assert json.loads(out) == {"cards": []}


def test_a_hook_with_two_services_asks_which(run: Run, folders: tuple[Path, Path], fixtures: Path) -> None:
    """Where two services answer a hook, the command line wants to know which is meant."""
    status, _, err = run("decide", "--hooks", folders[0], fixtures / "ndm" / "requests" / "aztreonam-alone.json")
    assert status == exits.USAGE
    assert "2 services answer the hook 'order-sign'" in err


def test_an_id_belongs_to_one_condition(folders: tuple[Path, Path]) -> None:
    """A rule of the second condition may not take an id of the first."""
    from cds_service.errors import KnowledgeError

    rule = folders[0] / "kpc" / "rules" / "ndm-carrier.yaml"
    rule.write_text(RULE.format(**{**RULES["kpc-unreadable-order"], "id": "ndmCarrier"}), "utf-8")
    with pytest.raises(KnowledgeError, match="ndmCarrier"):
        load(folders[0])


def test_the_guide_builds_a_condition(run: Run, tmp_path: Path, hooks: Path, fixtures: Path) -> None:
    """The sheets and cases that hooks/README.md prints are a condition: three sheets and two cases, and its service is listed."""
    shutil.copytree(hooks, tmp_path / "hooks")
    found = PRINTED.findall((hooks / "README.md").read_text("utf-8"))
    for text, name in found:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text), "utf-8")
    shutil.copy(fixtures / "defaults.yaml", tmp_path / "fixtures")
    status, out, _ = run("check", tmp_path / "fixtures", "--hooks", tmp_path / "hooks")
    assert (len(found), status) == (4, exits.OK), out
    assert "2 of 2 cases get what they promise" in out
    assert "kpc-order-sign" in load(tmp_path / "hooks").services

"""`ndm-cds report`: what rules said, and whether those in shadow are ready for cards."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli.report import gate_of, lines, report
from cds_service.clinical.policy import GoLive
from cds_service.knowledge import Knowledge
from cds_service.store.archive import Archive
from cds_service.store.engine import open_engine
from cds_service.store.statistics import Answered

RULE = "ndmAztreonamUnprotected"


def signing(said: str, missing: tuple[str, ...] = (), client: str = "hospital") -> Answered:
    """One signing in scope."""
    return Answered(1.0, client, "ndm-order-sign", 200, {RULE: said}, missing, "1+a", 5.0)


@pytest.mark.parametrize(
    ("signings", "waived", "ready", "why"),
    [
        (199, {}, False, "199 of 200"),
        (200, {}, True, "200 signings judged"),
        (3, {RULE: "stewardship committee, minutes 12"}, True, "waived: stewardship committee, minutes 12"),
    ],
)
def test_a_rule_leaves_the_shadow_when_ready(signings: int, waived: dict[str, str], ready: bool, why: str) -> None:
    """After as many signings as the policy asks for, or by a waiver, which is named with its reason."""
    said, found = gate_of(RULE, signings, GoLive(signings=200, waived=waived))
    assert found is ready
    assert why in said


def test_a_line_counts_signings_words_and_what_was_missing(knowledge: Knowledge) -> None:
    """How often the rule would have spoken, of how many, with the parts of the record that were missing most."""
    answers = [signing("spoke", ("vitals",)), signing("nothing to say", ("vitals", "allergies")), signing("does not apply")]
    line = next(one for one in lines(knowledge, answers, only_shadow=False, all_shadow=True) if one.rule.id == RULE)
    assert (line.fired.count, line.fired.of) == (1, 3)
    assert [count for _, count in line.missing] == [2, 1]
    text = "\n".join(report([line], 30))
    assert "1 of 3 (33.3 %, 95 % interval 6.1 to 79.2)" in text
    assert "weight, height and vital signs (2)" in text
    assert "would have spoken  1 of 3" in text
    assert "not ready: 3 of 200 signings" in text


def test_a_rule_that_shows_cards_needs_no_gate(knowledge: Knowledge) -> None:
    """Of a rule outside the shadow the report says how often it spoke, and nothing about being ready."""
    line = next(one for one in lines(knowledge, [signing("spoke")], only_shadow=False) if one.rule.id == RULE)
    text = "\n".join(report([line], 30))
    assert "spoke  1 of 1" in text
    assert "ready" not in text
    assert "would" not in text


def test_every_rule_stands_once_at_the_hook_where_it_matters(knowledge: Knowledge) -> None:
    """A rule of signings is counted there; one that only speaks when a chart is opened is not left out."""
    found = {line.rule.id: line.hook for line in lines(knowledge, [], only_shadow=False)}
    assert set(found) == {rule.id for service in knowledge.services.values() for rule in service.rules}
    assert (found[RULE], found["ndmCarrier"]) == ("order-sign", "patient-view")
    assert "no openings of a chart in scope yet" in "\n".join(report(lines(knowledge, [], only_shadow=False), 30))


def test_what_was_missing_for_all_rules_alike_is_named_once(knowledge: Knowledge) -> None:
    """The same list under forty rules would hide what differs."""
    rules = {rule.id: "nothing to say" for rule in knowledge.services["ndm-order-sign"].rules}
    answer = Answered(1.0, "hospital", "ndm-order-sign", 200, rules, ("vitals",), "1+a", 5.0)
    assert "\n".join(report(lines(knowledge, [answer], only_shadow=False), 30)).count("missing most") == 1


def test_without_a_rule_in_shadow_it_says_how_to_put_one_there(knowledge: Knowledge) -> None:
    """The empty report is an instruction."""
    assert "rules.shadow" in "\n".join(report(lines(knowledge, [], only_shadow=True), 365))


def test_the_command_reads_the_store_and_the_site(run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that the site has in shadow is reported from the decisions that are kept."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("NDM_CDS_STORE_URL", url)
    site = tmp_path / "site" / "ndm"
    site.mkdir(parents=True)
    (site / "policy.yaml").write_text(f"rules: {{shadow: [{RULE}]}}\ngo_live: {{signings: 1}}\n")
    engine = open_engine(url)
    row = {"kind": "decision", "id": "d", "at": datetime.now(UTC).timestamp() - 60, "client": "hospital", "service": "ndm-order-sign"}
    rest = {"status": 200, "request": "r", "verdicts": {RULE: "spoke"}, "missing": [], "cards": [], "version": "1+a", "elapsed_ms": 4.0}
    Archive(engine).write([row | rest])
    engine.dispose()
    status, said, _ = run("report", "--dev", "--shadow", "--overlay", tmp_path / "site")
    assert status == 0
    assert "1 of 1" in said
    assert "ready: 1 signings judged" in said
    assert "no signings in scope yet" in run("report", "--dev", "--shadow", "--client", "another", "--overlay", tmp_path / "site")[1]

"""`ndm-cds report`: what the rules said over a period, and whether those in shadow are ready for cards."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import click

from cds_service.cli import knowing
from cds_service.cli.config import CONFIG_OPTION
from cds_service.cli.paper import columns, paint, quiet, strong
from cds_service.clinical.policy import GoLive
from cds_service.configuration import read_settings
from cds_service.knowledge import Knowledge
from cds_service.rule import Rule
from cds_service.service import Service
from cds_service.store.engine import open_engine
from cds_service.store.statistics import Answered, Statistics
from cds_service.web.board import DAY, SIGN, SPOKE
from cds_service.web.intervals import Share

YEAR = 365
JUDGED = {"order-sign": "signings", "order-select": "selections", "patient-view": "openings of a chart"}
MOST_MISSING = 5


@dataclass(frozen=True)
class Line:
    """One rule over the period at one hook; `gate` says whether a rule in `shadow` may show cards."""

    rule: Rule
    hook: str
    fired: Share
    missing: tuple[tuple[str, int], ...]
    gate: str
    ready: bool
    shadow: bool


@click.command(
    name="report",
    epilog="\b\nExamples:\n  ndm-cds report --shadow\n  ndm-cds report --days 90\n  ndm-cds report --shadow --client hospital",
)
@CONFIG_OPTION
@click.option("--dev", is_flag=True, help="Read the configuration by the rules of `serve --dev`.")
@click.option("--shadow", is_flag=True, help="Only rules that are judged without a card; for a client in shadow, every rule.")
@click.option("--client", help="Only the calls of this registered client.")
@click.option("--days", default=YEAR, show_default=True, type=click.IntRange(1, 3_650), help="How far to look back.")
@knowing.with_knowledge
def command(file: Path | None, dev: bool, shadow: bool, client: str | None, days: int, hooks: Path | None, overlay: Path | None) -> None:
    """Say how often each rule spoke, or would have spoken, with an interval and the data that were missing most.

    A rule in shadow is ready for cards after as many in-scope signings as `go_live` of the site policy asks for, or with a waiver
    recorded there. Counts only: no row of the report is about a person.
    """
    settings = read_settings(file, development=dev)
    known = knowing.knowledge(hooks, overlay)
    engine = open_engine(settings.store.url)
    until = knowing.now().timestamp()
    try:
        answers = Statistics(engine).between(until - days * DAY, until).answers
    finally:
        engine.dispose()
    mine = [one for one in answers if client in {None, one.client}]
    silent_client = any(one.shadow for one in settings.clients if one.name == client)
    for text in report(lines(known, mine, only_shadow=shadow, all_shadow=silent_client), days):
        click.echo(text)


def lines(knowledge: Knowledge, answers: Sequence[Answered], *, only_shadow: bool, all_shadow: bool = False) -> list[Line]:
    """A line for each rule, at the signing of orders where it is judged there, and those that spoke most first within a hook."""
    found: dict[str, Line] = {}
    for service in sorted(knowledge.services.values(), key=lambda one: list(JUDGED).index(one.hook)):
        judged = [one for one in answers if one.service == service.id and one.verdicts]
        for rule in service.rules:
            shadow = all_shadow or rule.id in service.reference.policy.rules.shadow
            if rule.id not in found and (shadow or not only_shadow):
                found[rule.id] = _line(rule, service, judged, shadow)
    return sorted(found.values(), key=lambda line: (list(JUDGED).index(line.hook), -line.fired.count, line.rule.sheet.title))


def _line(rule: Rule, service: Service, judged: Sequence[Answered], shadow: bool) -> Line:
    asked = [one for one in judged if rule.id in one.verdicts]
    missing = Counter(service.parts.get(key, key) for one in asked for key in one.missing)
    gate, ready = gate_of(rule.id, len(asked), service.reference.policy.go_live, JUDGED[service.hook])
    fired = Share(sum(one.verdicts[rule.id] == SPOKE for one in asked), len(asked))
    return Line(rule, service.hook, fired, tuple(missing.most_common(MOST_MISSING)), gate, ready, shadow)


def gate_of(rule: str, judged: int, go_live: GoLive, what: str = JUDGED[SIGN]) -> tuple[str, bool]:
    """Whether a rule may leave the shadow, and why; `what` names that which was judged so often."""
    if rule in go_live.waived:
        return f"ready, waived: {go_live.waived[rule]}", True
    if judged >= go_live.signings:
        return f"ready: {judged} {what} judged, {go_live.signings} asked for", True
    return f"not ready: {judged} of {go_live.signings} {what} judged", False


def report(found: Sequence[Line], days: int) -> Iterator[str]:
    """The report as lines of text; parts of the record that were missing for all rules of a hook alike are named once."""
    if not found:
        yield "No rule is in shadow. Name one in `rules.shadow` of policy.yaml, and it is judged and recorded without a card."
        return
    for hook, group in groupby(found, key=lambda line: line.hook):
        mine = list(group)
        alike = len({line.missing for line in mine}) == 1
        yield strong(f"In-scope {JUDGED[hook]} of the last {days} days")
        if alike and mine[0].missing:
            yield from columns(_missing(mine[0]), "  ")
        for line in mine:
            yield f"{paint(line.rule.sheet.title, line.rule.sheet.indicator)} {quiet(line.rule.id)}"
            yield from columns(_facts(line, alike), "  ")


def _facts(line: Line, alike: bool) -> Iterable[tuple[str, str]]:
    yield "would have spoken" if line.shadow else "spoke", share(line.fired, JUDGED[line.hook])
    if not alike:
        yield from _missing(line)
    if line.shadow:
        yield "for cards", paint(line.gate, "good" if line.ready else "warning")


def _missing(line: Line) -> Iterable[tuple[str, str]]:
    if line.missing:
        yield "missing most", ", ".join(f"{name} ({count})" for name, count in line.missing)


def share(found: Share, what: str = JUDGED[SIGN]) -> str:
    """A share with its interval, or that nothing was counted."""
    if found.interval is None or found.percent is None:
        return f"no {what} in scope yet"
    low, high = found.interval
    return f"{found.count} of {found.of} ({found.percent:.1f} %, 95 % interval {low:.1f} to {high:.1f})"

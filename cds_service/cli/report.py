"""`ndm-cds report`: what the rules said over a period, and whether those in shadow are ready for cards."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
from cds_service.web.board import DAY, SPOKE
from cds_service.web.intervals import Share

YEAR = 365
MOST_MISSING = 5


@dataclass(frozen=True)
class Line:
    """One rule over the period; `gate` says whether it may show cards."""

    rule: Rule
    fired: Share
    missing: tuple[tuple[str, int], ...]
    gate: str
    ready: bool


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
    for text in report(lines(known, mine, only_shadow=shadow and not silent_client), days):
        click.echo(text)


def lines(knowledge: Knowledge, answers: Sequence[Answered], *, only_shadow: bool) -> list[Line]:
    """A line for each rule of the signing services, those that spoke most first."""
    found = []
    for service in knowledge.services.values():
        if service.hook != "order-sign":
            continue
        judged = [one for one in answers if one.service == service.id and one.verdicts]
        shadow = service.reference.policy.rules.shadow
        found += [_line(rule, service, judged) for rule in service.rules if not only_shadow or rule.id in shadow]
    return sorted(found, key=lambda line: (-line.fired.count, line.rule.sheet.title))


def _line(rule: Rule, service: Service, judged: Sequence[Answered]) -> Line:
    asked = [one for one in judged if rule.id in one.verdicts]
    missing = Counter(service.parts.get(key, key) for one in asked for key in one.missing)
    gate, ready = gate_of(rule.id, len(asked), service.reference.policy.go_live)
    fired = Share(sum(one.verdicts[rule.id] == SPOKE for one in asked), len(asked))
    return Line(rule, fired, tuple(missing.most_common(MOST_MISSING)), gate, ready)


def gate_of(rule: str, signings: int, go_live: GoLive) -> tuple[str, bool]:
    """Whether a rule may leave the shadow, and why."""
    if rule in go_live.waived:
        return f"ready, waived: {go_live.waived[rule]}", True
    if signings >= go_live.signings:
        return f"ready: {signings} signings judged, {go_live.signings} asked for", True
    return f"not ready: {signings} of {go_live.signings} signings judged", False


def report(found: Sequence[Line], days: int) -> Iterator[str]:
    """The report as lines of text."""
    if not found:
        yield "No rule is in shadow. Name one in `rules.shadow` of policy.yaml, and it is judged and recorded without a card."
        return
    yield strong(f"In-scope signings of the last {days} days")
    for line in found:
        yield f"{paint(line.rule.sheet.title, line.rule.sheet.indicator)} {quiet(line.rule.id)}"
        yield from columns(_facts(line), "  ")


def _facts(line: Line) -> Iterable[tuple[str, str]]:
    yield "spoke", share(line.fired)
    if line.missing:
        yield "missing most", ", ".join(f"{name} ({count})" for name, count in line.missing)
    yield "for cards", paint(line.gate, "good" if line.ready else "warning")


def share(found: Share) -> str:
    """A share with its interval, or that nothing was counted."""
    if found.interval is None or found.percent is None:
        return "no signing in scope yet"
    low, high = found.interval
    return f"{found.count} of {found.of} ({found.percent:.1f} %, 95 % interval {low:.1f} to {high:.1f})"

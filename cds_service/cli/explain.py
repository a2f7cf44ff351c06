"""`ndm-cds explain`: for every rule whether it spoke, or why it kept silent, with the facts that it saw."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import orjson

from cds_service.cli import knowing
from cds_service.cli.about import SILENT, as_data, facts, rules, silences
from cds_service.cli.cards import sheet
from cds_service.cli.decide import decided
from cds_service.cli.index import knobs
from cds_service.cli.paper import columns, paint, strong, wrapped
from cds_service.decide import Decision
from cds_service.protocol.response import to_json


@click.command(
    name="explain",
    epilog=(
        "\b\nExamples:\n"
        "  ndm-cds explain request.json\n"
        "  ndm-cds explain --rule someRule request.json\n"
        "  cat request.json | ndm-cds explain --json -"
    ),
)
@click.argument("file", type=str)
@click.option("--service", help="Id of the service; by default the one that answers the request's hook.")
@click.option("--rule", "only", multiple=True, metavar="ID", help="Explain these rules only.")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@click.option("--as-of", type=knowing.Moment(), help="Decide as at this moment; default: when the fixture was written, else now.")
@knowing.with_knowledge
def command(
    file: str, service: str | None, only: tuple[str, ...], as_json: bool, as_of: datetime | None, hooks: Path | None, overlay: Path | None
) -> None:
    """Explain one request: the facts, and for each rule whether it spoke or why it kept silent.

    FILE is the body of a call, or - for standard input. The output names drugs, results and ages of the patient: treat it
    like the record itself.
    """
    knowledge = knowing.knowledge(hooks, overlay)
    known = {rule.id for one in knowledge.services.values() for rule in one.rules}
    for rule in only:
        if rule not in known:
            raise click.UsageError(f"no rule is called {rule!r}; `ndm-cds catalog` lists them")
    decision = decided(knowing.text_of(file), service, as_of, knowledge)
    if as_json:
        click.echo(orjson.dumps(as_data(decision), option=orjson.OPT_INDENT_2).decode())
        return
    for line in _lines(decision, only):
        click.echo(line)


def _lines(decision: Decision, only: tuple[str, ...]) -> list[str]:
    """The explanation as a page."""
    lines = [strong(f"{decision.service.id}, knowledge {decision.version}"), ""]
    if decision.bedside is None or decision.verdicts is None:
        return [*lines, "Nothing in the drafts concerns this service, so the record was not looked at."]
    lines += [strong("What it saw"), *columns(facts(decision.bedside), "  "), ""]
    if only:
        return [*lines, *_chosen(decision, only)]
    told = [row for row in rules(decision.verdicts) if row[0] != SILENT]
    lines.append(strong("Rules that spoke" if told else "No rule spoke"))
    lines += [paint(text, row[0]) for text, row in zip(columns(told, "  "), told, strict=True)]
    lines += ["", strong("Rules that kept silent")]
    for reason, names in silences(decision.verdicts):
        lines += [f"  {reason}", paint(wrapped(names, "    "), "quiet")]
    return [*lines, "", strong("What the prescriber sees"), *sheet(orjson.loads(to_json(decision.cards))["cards"])]


def _chosen(decision: Decision, only: tuple[str, ...]) -> Iterator[str]:
    """Some rules closely: what each asks, and what it said."""
    sheets = {rule.id: rule for rule in decision.service.rules}
    for said, name, why in rules(decision.verdicts) if decision.verdicts else ():
        if name in only:
            yield strong(name)
            asks = [
                ("asks", " ".join((sheets[name].trigger.__doc__ or "").split())),
                ("with", knobs(sheets[name])),
                ("said", f"{said}: {why}"),
            ]
            yield from columns([row for row in asks if row[1]], "  ")
    yield from (f"{name} is no rule of {decision.service.id}" for name in only if name not in sheets)

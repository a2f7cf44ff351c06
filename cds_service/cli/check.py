"""`ndm-cds check`: every sheet, every table, every case."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
import orjson

from cds_service.cases import Case, Lexicon, Verdict, read_cases, read_usual
from cds_service.cases.run import run_cases
from cds_service.cli import exits, knowing
from cds_service.cli.paper import paint, progress, wrapped
from cds_service.errors import KnowledgeError
from cds_service.knowledge import Knowledge
from cds_service.shipped import shipped

DEFAULTS = "defaults.yaml"


@click.command(
    name="check",
    epilog=(
        "\b\nExamples:\n"
        "  ndm-cds check\n"
        "  ndm-cds check --overlay /etc/ndm-cds/site\n"
        "  ndm-cds check my-cases.yaml\n"
        "  ndm-cds check --no-cases"
    ),
)
@click.argument("cases", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--no-cases", is_flag=True, help="Check sheets and tables only.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--as-of", type=knowing.Moment(), help="Run the cases as at this moment instead of now.")
@knowing.with_knowledge
def command(
    cases: tuple[Path, ...], no_cases: bool, as_json: bool, as_of: datetime | None, hooks: Path | None, overlay: Path | None
) -> None:
    """Check all knowledge: sheets, tables and value sets, then every case against what it promises.

    A mistake is shown with file, key, what was found and what was expected (exit status 78). Where a changed number, wording
    or switch breaks a promise, the promise is named (exit status 1). CASES are files or folders of cases; by default the
    shipped ones.
    """
    knowledge = knowing.knowledge(hooks, overlay)
    places = cases or ((shipped("fixtures"),) if not no_cases else ())
    try:
        verdicts = promises(places, knowledge, knowing.folder(hooks), as_of or knowing.now())
    except KnowledgeError as error:
        for problem in error.problems:
            click.echo(f"{paint('unreadable case: ', 'critical')}{problem}", err=True)
        sys.exit(exits.DIFFERS)
    broken = [one for one in verdicts if not one.kept]
    if as_json:
        click.echo(orjson.dumps(_as_data(knowledge, verdicts), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in _lines(knowledge, verdicts, broken):
            click.echo(line)
    sys.exit(exits.DIFFERS if broken else exits.OK)


def promises(places: Sequence[Path], knowledge: Knowledge, hooks: Path, now: datetime) -> list[Verdict]:
    """The verdict on every case of these places whose condition is known."""
    found: list[Case] = []
    for place in places:
        found += read_cases(place)
    conditions = {one.condition for one in knowledge.services.values()}
    held = [one for one in found if one.condition in conditions]
    if not held:
        return []
    usual = read_usual(_defaults(places[0]))
    lexicon = Lexicon(hooks / "shared")
    return [verdict for case in progress(held, "cases") for verdict in run_cases([case], knowledge, usual, lexicon, now)]


def _defaults(place: Path) -> Path:
    """The nearest `defaults.yaml` above the cases, else the shipped one."""
    start = place.resolve()
    for folder in (start, *start.parents):
        if (folder / DEFAULTS).is_file():
            return folder / DEFAULTS
    return shipped("fixtures") / DEFAULTS


def _lines(knowledge: Knowledge, verdicts: Sequence[Verdict], broken: Sequence[Verdict]) -> list[str]:
    sheets = {rule.id for one in knowledge.services.values() for rule in one.rules}
    lines = [f"knowledge {knowledge.version}: {len(sheets)} rules in {len(knowledge.services)} services, no mistakes found"]
    for verdict in broken:
        lines.append(paint(f"broken: {verdict.case.file}: {verdict.case.name}", "critical"))
        lines += [wrapped(problem, "  ", "    ") for problem in verdict.problems]
    if verdicts:
        kept = len(verdicts) - len(broken)
        tone = "critical" if broken else "good"
        lines.append(paint(f"{kept} of {len(verdicts)} cases get what they promise", tone))
    return lines


def _as_data(knowledge: Knowledge, verdicts: Sequence[Verdict]) -> dict[str, object]:
    return {
        "knowledge": knowledge.version,
        "cases": len(verdicts),
        "broken": [
            {"file": one.case.file, "case": one.case.name, "got": one.got, "problems": list(one.problems)}
            for one in verdicts
            if not one.kept
        ],
    }

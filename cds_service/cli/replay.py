"""`ndm-cds replay`: stored requests against the engine or a running service, and what differs."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import orjson

from cds_service.cases.run import numbered
from cds_service.cli import exits, knowing
from cds_service.cli.paper import paint, progress, quiet, wrapped
from cds_service.replay import Outcome, Remote, Unreachable, ask_engine, read_fixtures, replay, store
from cds_service.replay.compare import topic
from cds_service.replay.run import Ask, ask_remote

Services = Sequence[dict[str, Any]]


@click.command(
    name="replay",
    epilog=(
        "\b\nExamples:\n  ndm-cds replay fixtures\n  ndm-cds replay fixtures --url http://127.0.0.1:8080\n"
        "  ndm-cds replay recorded/ --as-of 2026-03-01T08:00:00Z --junit replay.xml\n  ndm-cds replay requests/one.json --update"
    ),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--url", help="Base URL of a running CDS service; by default the engine of this installation answers.")
@click.option("--token", help="Client token (JWT) to send to that service.")
@click.option("--service", help="Send every request to this service instead of the one that answers its hook.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the result as a JUnit file too.")
@click.option("--update", is_flag=True, help="Keep the answers as the promised ones.")
@click.option("--as-of", type=knowing.Moment(), help="The moment for which requests were recorded that do not say it themselves.")
@knowing.with_knowledge
def command(
    paths: tuple[Path, ...],
    url: str | None,
    token: str | None,
    service: str | None,
    as_json: bool,
    junit: Path | None,
    update: bool,
    as_of: datetime | None,
    hooks: Path | None,
    overlay: Path | None,
) -> None:
    """Replay stored requests and show how the answers differ from the stored ones.

    PATHS are request files, or folders whose `requests/*.json` are replayed; the answer to `requests/x.json` is
    `responses/x.json`. A request says in its extension for which moment it was written, so that it means the same next year:
    the engine judges it at that moment; for a running service all dates are moved to the present first. A request without a
    stored answer is shown and counts as kept.
    """
    fixtures = read_fixtures(paths, as_of)
    if not fixtures:
        raise click.UsageError("there is no request in these places")
    try:
        ask, services = _asked(url, token, hooks, overlay)
        outcomes = list(replay(progress(fixtures, "requests"), ask, services, service))
    except Unreachable as error:
        click.echo(f"{paint('unreachable: ', 'critical')}{error}", err=True)
        sys.exit(exits.UNREACHABLE)
    if update:
        outcomes = _kept(outcomes)
    if junit:
        junit.write_bytes(as_junit(outcomes))
    for line in [orjson.dumps(as_data(outcomes), option=orjson.OPT_INDENT_2).decode()] if as_json else lines(outcomes):
        click.echo(line)
    sys.exit(exits.OK if all(one.kept for one in outcomes) else exits.DIFFERS)


def _asked(url: str | None, token: str | None, hooks: Path | None, overlay: Path | None) -> tuple[Ask, Services]:
    """Whom to ask, and which services there are."""
    if url:
        remote = Remote(url, token)
        return ask_remote(remote, knowing.now()), remote.discovery()
    knowledge = knowing.knowledge(hooks, overlay)
    services = [{"id": one.id, "hook": one.hook} for one in knowledge.services.values()]
    return ask_engine(knowledge, knowing.now(), numbered), services


def _kept(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The answers, now the promised ones."""
    for one in outcomes:
        if one.service:
            store(one.fixture, one.service, one.answer)
    return [Outcome(one.fixture, one.service, one.answer, ()) if one.service else one for one in outcomes]


def lines(outcomes: Sequence[Outcome]) -> list[str]:
    """The result as a person reads it: one line for each request, and below it what differs."""
    said: list[str] = []
    for one in outcomes:
        mark = paint("kept   ", "good") if one.kept else paint("differs", "critical")
        if one.kept and not one.fixture.promised:
            mark = paint("new    ", "info")
        said.append(f"{mark} {one.fixture.name}  {quiet(gist(one))}")
        said += [text for found in one.differences for text in _difference(found.where, found.promised, found.got)]
    wrong = sum(not one.kept for one in outcomes)
    said.append(paint(f"{len(outcomes) - wrong} of {len(outcomes)} requests get the promised answer", "critical" if wrong else "good"))
    return said


def gist(outcome: Outcome) -> str:
    """What came, in a few words."""
    if outcome.answer.status != 200:
        return f"refused with {outcome.answer.status}" if outcome.answer.status else "not asked"
    return ", ".join(f"{topic(card)} {card.get('indicator')}" for card in outcome.answer.cards) or "no card"


def _difference(where: str, promised: str, got: str) -> list[str]:
    return [
        f"        {where}",
        *(paint(text, "good") for text in wrapped(promised, "          promised  ", " " * 20).splitlines()),
        *(paint(text, "critical") for text in wrapped(got, "          got       ", " " * 20).splitlines()),
    ]


def as_data(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The result for machines."""
    return {
        "requests": len(outcomes),
        "different": sum(not one.kept for one in outcomes),
        "results": [
            {
                "request": str(one.fixture.file),
                "service": one.service,
                "status": one.answer.status,
                "answer": gist(one),
                "promised": one.fixture.promised is not None,
                "differences": [{"where": found.where, "promised": found.promised, "got": found.got} for found in one.differences],
            }
            for one in outcomes
        ],
    }


def as_junit(outcomes: Sequence[Outcome]) -> bytes:
    """The result in the form that build servers read."""
    wrong = sum(not one.kept for one in outcomes)
    suite = ElementTree.Element("testsuite", name="ndm-cds replay", tests=str(len(outcomes)), failures=str(wrong), errors="0")
    for one in outcomes:
        case = ElementTree.SubElement(suite, "testcase", classname=one.service or "none", name=one.fixture.name)
        if not one.kept:
            failure = ElementTree.SubElement(case, "failure", message=f"{len(one.differences)} differences")
            failure.text = "\n".join(map(str, one.differences))
    text: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text

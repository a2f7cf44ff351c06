"""`ndm-cds decide`: one request through the engine, its cards on the terminal."""

import sys
import uuid
from datetime import datetime
from pathlib import Path

import click
import orjson

from cds_service.cards import Style
from cds_service.cli import knowing
from cds_service.cli.cards import sheet
from cds_service.decide import Decision
from cds_service.decide import decide as corridor
from cds_service.errors import BadRequest
from cds_service.knowledge import Knowledge
from cds_service.moments import written
from cds_service.protocol.response import to_json


@click.command(
    name="decide",
    epilog=(
        "\b\nExamples:\n"
        "  ndm-cds decide request.json\n"
        "  ndm-cds decide --json request.json | jq .cards\n"
        "  cat request.json | ndm-cds decide -"
    ),
)
@click.argument("file", type=str)
@click.option("--service", help="Id of the service; by default the one that answers the request's hook.")
@click.option("--json", "as_json", is_flag=True, help="Print the exact answer instead of a readable one.")
@click.option("--as-of", type=knowing.Moment(), help="Decide as at this moment; default: when the fixture was written, else now.")
@knowing.with_knowledge
def command(file: str, service: str | None, as_json: bool, as_of: datetime | None, hooks: Path | None, overlay: Path | None) -> None:
    """Decide one CDS Hooks request and show its cards.

    FILE is the body of a call, or - for standard input. Nothing is fetched from a FHIR server: what is not in the prefetch
    counts as unavailable.
    """
    decision = decided(knowing.text_of(file), service, as_of, knowing.knowledge(hooks, overlay))
    answer = to_json(decision.cards)
    if as_json:
        sys.stdout.buffer.write(answer + b"\n")
        return
    for line in sheet(orjson.loads(answer)["cards"]):
        click.echo(line)


def decided(body: bytes, service: str | None, as_of: datetime | None, knowledge: Knowledge) -> Decision:
    """The decision on a request, at the moment for which it was written."""
    moment = as_of or said_moment(body) or knowing.now()
    chosen = service or service_of(body, knowledge)
    return corridor(knowledge, chosen, body, fetch=None, now=moment, style=Style(new_id=lambda: str(uuid.uuid4())))


def said_moment(body: bytes) -> datetime | None:
    """When the request says that it was written."""
    try:
        return written(orjson.loads(body))
    except ValueError:
        return None


def service_of(body: bytes, knowledge: Knowledge) -> str:
    """The id of the only service that answers the request's hook."""
    try:
        hook = orjson.loads(body).get("hook")
    except (orjson.JSONDecodeError, AttributeError):
        raise BadRequest("The body is not a JSON object; a CDS Hooks request is one.") from None
    found = [one.id for one in knowledge.services.values() if one.hook == hook]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sorted(knowledge.services))
    why = f"{len(found)} services answer" if found else "no service answers"
    raise click.UsageError(f"{why} the hook {str(hook)[:40]!r}; name one with --service: {known}")

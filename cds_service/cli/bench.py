"""`ndm-cds bench`: how long a running CDS service takes for the shipped requests."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median

import click
import orjson

from cds_service.cli import exits, knowing
from cds_service.cli.paper import columns, paint, quiet
from cds_service.moments import to_now
from cds_service.replay import Fixture, Remote, Unreachable, read_fixtures
from cds_service.replay.wire import service_for
from cds_service.shipped import shipped

ROUNDS, CONNECTIONS = 50, 1


@dataclass(frozen=True)
class Timing:
    """What one request took, in milliseconds for each call, with the HTTP status of every answer."""

    name: str
    taken_ms: tuple[float, ...]
    statuses: tuple[int, ...]

    def percentile(self, share: int) -> float:
        """The time within which so many percent of the answers came."""
        return sorted(self.taken_ms)[ceil(len(self.taken_ms) * share / 100) - 1]


@click.command(
    name="bench",
    epilog=(
        "\b\nExamples:\n  ndm-cds bench --url http://127.0.0.1:8080\n"
        '  ndm-cds bench --url https://cds.example.org --token "$TOKEN" --service their-order-sign\n'
        "  ndm-cds bench --url http://127.0.0.1:8080 --connections 16 --rounds 200"
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--url", required=True, help="Base URL of the CDS service.")
@click.option("--service", help="Id of the service to ask; by default the only one that answers the hook of a request.")
@click.option("--token", help="Client token (JWT) to send to that service.")
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(1, 100_000), help="Calls for each request.")
@click.option("--connections", default=CONNECTIONS, show_default=True, type=click.IntRange(1, 256), help="Calls at the same time.")
def command(paths: tuple[Path, ...], url: str, service: str | None, token: str | None, rounds: int, connections: int) -> None:
    """Send each of the shipped requests, or those of PATHS, again and again, and print how long the answers took.

    The times include the network and a new connection for each call. Synthetic patients only; their dates are moved to today.
    """
    remote = Remote(url, token)
    try:
        services = remote.discovery()
        asked = [(one, service or one.service or service_for(services, one.hook)) for one in read_fixtures(paths or [shipped("fixtures")])]
        timings = [measure(remote, name, one, rounds, connections) for one, name in asked if name and isinstance(one.body, dict)]
    except Unreachable as error:
        click.echo(f"{paint('no answer: ', 'critical')}{error}", err=True)
        sys.exit(exits.UNREACHABLE)
    for line in columns(_rows(timings), "  "):
        click.echo(line)
    click.echo(quiet(f"milliseconds, {rounds} calls each, {connections} at a time, a new connection for each call"))


def measure(remote: Remote, service: str, fixture: Fixture, rounds: int, connections: int) -> Timing:
    """Calls a service so often with one request; one call before that is not counted."""
    body = orjson.dumps(to_now(fixture.body, knowing.now()))
    remote.call(service, body)
    with ThreadPoolExecutor(connections) as pool:
        found = list(pool.map(partial(_timed, remote, service), [body] * rounds))
    return Timing(fixture.name, tuple(taken for taken, _ in found), tuple(status for _, status in found))


def _timed(remote: Remote, service: str, body: bytes) -> tuple[float, int]:
    begun = time.perf_counter()
    answer = remote.call(service, body)
    return (time.perf_counter() - begun) * 1_000, answer.status


def _rows(timings: Sequence[Timing]) -> Iterator[tuple[str, str]]:
    for one in timings:
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(Counter(one.statuses).items()))
        yield one.name, f"p50 {median(one.taken_ms):8.2f}   p99 {one.percentile(99):8.2f}   HTTP {answers}"

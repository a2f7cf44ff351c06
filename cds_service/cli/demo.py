"""`ndm-cds demo`: the service with synthetic patients, started, asked over HTTP, and left running to try."""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
import orjson

from cds_service.cli import exits, knowing
from cds_service.cli.cards import sheet
from cds_service.cli.history import year
from cds_service.cli.paper import columns, paint, quiet, strong, wrapped
from cds_service.moments import to_now
from cds_service.replay import Answer, Fixture, Remote, Unreachable, read_fixtures
from cds_service.replay.wire import service_for
from cds_service.settings import HOST, PORT, environment
from cds_service.shipped import shipped

START_S, STOP_S, PAUSE_S = 30.0, 15.0, 0.1
SHOWN = "ndm-cds.demo"


@click.command(name="demo", epilog="\b\nExamples:\n  ndm-cds demo\n  ndm-cds demo --port 8090\n  ndm-cds demo --once")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65_535), help="Port on 127.0.0.1.")
@click.option("--once", is_flag=True, help="End after the cards instead of serving on.")
@click.option("--seed-history", is_flag=True, help="Fill the stewardship dashboard with a year of synthetic signings first.")
def command(port: int, once: bool, seed_history: bool) -> None:
    """Start the service, send it synthetic patients as a record would, show the cards, and keep serving until Ctrl-C.

    Nothing leaves this machine, and nothing is kept: the database is in a temporary folder.
    """
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _end)
    with tempfile.TemporaryDirectory(prefix="ndm-cds-demo-") as folder, _server(port, Path(folder), seed_history) as server:
        remote = Remote(f"http://{HOST}:{port}")
        try:
            services = _awaited(remote, server)
            asked = [_ask(remote, services, fixture) for fixture in _scenes()]
        except Unreachable as error:
            click.echo(f"{paint('the service did not start: ', 'critical')}{error}", err=True)
            sys.exit(exits.UNREACHABLE)
        for number, scene in enumerate(asked):
            _show(*scene, brief=number > 0)
        _invite(remote, services, _written(Path(folder)))
        if not once:
            click.echo(quiet("Serving until Ctrl-C. Synthetic patients only; not a medical device."))
            server.wait()
            sys.exit(exits.INTERRUPTED)  # a Ctrl-C that reached the service first


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """A signal to stop, or a closed terminal, ends the demonstration as Ctrl-C does: the service does not stay behind on its port."""
    sys.exit(exits.SIGNAL + number)


@contextlib.contextmanager
def _server(port: int, folder: Path, seeded: bool = False) -> Iterator["subprocess.Popen[bytes]"]:
    """The service in a process of its own, ended with this one; `seeded` gives it a year to look back on."""
    store = f"sqlite:///{folder / 'demo.db'}"
    if seeded:
        calls = year(store, shipped("fixtures"), knowing.now())
        click.echo(quiet(f"{calls} synthetic calls of the last year, all answered by the service itself."))
    values = {**environment(), "NDM_CDS_STORE_URL": store}
    log = (folder / "service.log").open("wb")
    arguments = [sys.executable, "-m", "cds_service", "serve", "--dev", "--host", HOST, "--port", str(port)]
    with log, subprocess.Popen(arguments, env=values, stdout=log, stderr=log) as server:  # noqa: S603, our own program
        try:
            yield server
        finally:
            server.terminate()
            try:
                server.wait(STOP_S)
            except subprocess.TimeoutExpired:
                server.kill()
            if server.returncode not in {0, -15, None}:
                click.echo((folder / "service.log").read_text("utf-8", "replace"), err=True)


def _awaited(remote: Remote, server: "subprocess.Popen[bytes]") -> list[dict[str, object]]:
    """The services, as soon as they answer."""
    until = time.monotonic() + START_S
    while True:
        try:
            return remote.discovery()
        except Unreachable:
            if server.poll() is not None:
                raise Unreachable(f"the service ended with status {server.returncode}") from None
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE_S)


def _scenes() -> list[Fixture]:
    """The requests that the demonstration shows, in their order."""
    found = [one for one in read_fixtures([shipped("fixtures")]) if _place(one) is not None]
    return sorted(found, key=lambda one: _place(one) or 0)


def _place(fixture: Fixture) -> int | None:
    extension = fixture.body.get("extension", {}) if isinstance(fixture.body, dict) else {}
    place = extension.get(SHOWN)
    return place if isinstance(place, int) else None


def _ask(remote: Remote, services: Sequence[dict[str, object]], fixture: Fixture) -> tuple[Fixture, Answer]:
    service = fixture.service or service_for(list(services), fixture.hook) or ""
    return fixture, remote.call(service, orjson.dumps(to_now(fixture.body, knowing.now())))


def _show(fixture: Fixture, answer: Answer, brief: bool) -> None:
    """One scene: what is being signed, and what the service says; in full for the first."""
    story = fixture.body["extension"].get("ndm-cds.about", fixture.name)
    click.echo(strong(wrapped(f"{fixture.hook}: {story}")))
    if answer.status == 200:
        lines = list(sheet(answer.cards, brief))
    else:
        issues = answer.body.get("issue", [{}]) if isinstance(answer.body, dict) else [{}]
        lines = [paint(wrapped(f"HTTP {answer.status}: {issues[0].get('diagnostics', '')}", "", "  "), "warning")]
    for line in lines:
        click.echo(line)
    click.echo()


def _written(folder: Path) -> Path:
    """The first scene as a file that curl can send, with today's dates."""
    file = folder / "request.json"
    file.write_bytes(orjson.dumps(to_now(_scenes()[0].body, knowing.now()), option=orjson.OPT_INDENT_2))
    return file


def _invite(remote: Remote, services: Sequence[dict[str, object]], file: Path) -> None:
    """What to try next."""
    click.echo(strong("To try"))
    pages = {
        "/sandbox": "an order entry to play with: pick a patient, sign, and see why",
        "/rules": "every rule, with its cases and its evidence",
        "/governance": "what became of the cards, for the stewardship team",
        "/cds-services": "what an electronic record reads first",
    }
    for line in columns(((f"{remote.url}{path}", what) for path, what in pages.items()), "  "):
        click.echo(line)
    service = service_for(list(services), _scenes()[0].hook)
    address = f"{remote.url}/cds-services/{service}"
    click.echo(f"\n  curl -s -H 'Content-Type: application/json' --data @{file} \\\n    {address} | python3 -m json.tool\n")

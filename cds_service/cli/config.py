"""`ndm-cds config`: what the operator decides, checked, shown, explained."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from cds_service.cli.knowing import HOOKS_DIR, OVERLAY_DIR
from cds_service.cli.paper import columns, paint, strong
from cds_service.configuration import CONFIG, read_settings
from cds_service.configuration_keys import CLIENT_KEYS, KEYS, Key, default_of
from cds_service.settings import Settings

# Where the knowledge is, which every command asks for, also those that need no configuration.
KNOWLEDGE = (
    ("--hooks", HOOKS_DIR, "A folder of knowledge instead of the shipped one."),
    ("--overlay", OVERLAY_DIR, "A folder with a site's differences from the shipped knowledge."),
)
CONFIG_OPTION = click.option("--config", "file", type=click.Path(path_type=Path), help=f"The TOML file; default: what {CONFIG} names.")


@click.group(
    name="config", epilog="\b\nExamples:\n  ndm-cds config check --config ndm-cds.toml\n  ndm-cds config show\n  ndm-cds config reference"
)
def command() -> None:
    """Check, show or explain the configuration: a TOML file, and variables of the environment that win over it."""


@command.command(epilog="\b\nExamples:\n  ndm-cds config check --config ndm-cds.toml\n  NDM_CDS_DEADLINE_MS=fast ndm-cds config check")
@CONFIG_OPTION
@click.option("--dev", is_flag=True, help="By the rules of `serve --dev`.")
def check(file: Path | None, dev: bool) -> None:
    """Say whether the configuration can be used; all mistakes at once, exit status 78."""
    settings = read_settings(file, development=dev)
    clients = ", ".join(client.name for client in settings.clients) or "no client"
    click.echo(paint(f"The configuration can be used: {clients}.", "good"))
    if not settings.clients and not dev:
        click.echo("Without a client `ndm-cds serve` refuses to start; `ndm-cds serve --dev` needs none.")


@command.command(epilog="\b\nExamples:\n  ndm-cds config show --config ndm-cds.toml")
@CONFIG_OPTION
@click.option("--dev", is_flag=True, help="By the rules of `serve --dev`.")
def show(file: Path | None, dev: bool) -> None:
    """Show the values in use, without secrets."""
    settings = read_settings(file, development=dev)
    for line in columns(_values(settings)):
        click.echo(line)


@command.command(epilog="\b\nExamples:\n  ndm-cds config reference")
@click.option("--markdown", is_flag=True, help="As a Markdown table.")
def reference(markdown: bool) -> None:
    """Explain every key: type, default, variable, meaning."""
    if markdown:
        click.echo("| key | variable | type | default | meaning |\n|---|---|---|---|---|")
        for key in (*KEYS, *CLIENT_KEYS):
            click.echo(f"| `{_place(key)}` | {_variable(key)} | {key.kind} | {_default(key)} | {key.says} |")
        for option, variable, says in KNOWLEDGE:
            click.echo(f"| `{option}` (command line) | {variable} | path | none | {says} |")
        return
    for key in (*KEYS, *CLIENT_KEYS):
        click.echo(strong(_place(key)))
        click.echo(f"  {key.kind}; default {_default(key)}; {_variable(key)}")
        click.echo(f"  {key.says}")
    for option, variable, says in KNOWLEDGE:
        click.echo(strong(option))
        click.echo(f"  path; default none; {variable}")
        click.echo(f"  {says}")


def _place(key: Key) -> str:
    return f"clients.<name>.{key.name}" if key.section == "clients" else key.place


def _variable(key: Key) -> str:
    return "in the file only" if key.section == "clients" else key.variable


def _default(key: Key) -> str:
    value = default_of(key)
    if value in (None, (), ""):
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)


def _values(settings: Settings) -> Iterator[tuple[str, str]]:
    """Key and value; what could hold a secret is only said to be there."""
    yield "file", str(settings.source or "none")
    yield "development mode", _said(settings.development)
    yield "secret", "given" if settings.secret else "made at the first start"
    yield "ca_bundle", _said(settings.ca_bundle)
    for holder, name in ((settings.server, "server"), (settings.store, "store")):
        for one in fields(holder):
            yield f"{name}.{one.name}", _said(getattr(holder, one.name)) if one.repr else _without_password(getattr(holder, one.name))
    for client in settings.clients:
        yield from ((f"clients.{client.name}.{one.name}", _said(getattr(client, one.name))) for one in fields(client) if one.name != "name")


def _said(value: Any) -> str:
    if value in (None, ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _without_password(url: str) -> str:
    """A database URL with its password hidden."""
    head, at, place = url.rpartition("@")
    scheme, _, who = head.partition("://")
    return f"{scheme}://{who.partition(':')[0]}:***@{place}" if at else url

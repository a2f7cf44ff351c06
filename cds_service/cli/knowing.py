"""Options and arguments that several commands share: where the knowledge is, what is read, as of when."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cds_service.knowledge import Knowledge, default_folder, load
from cds_service.moments import moment
from cds_service.settings import environment

HOOKS_DIR, OVERLAY_DIR = "CDS_HOOKS_DIR", "CDS_HOOKS_OVERLAY"


class Moment(click.ParamType[datetime]):
    """A moment on the command line."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return moment(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment such as 2026-11-20T12:00:00Z", param, ctx)


def with_knowledge(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --hooks and --overlay."""
    command = click.option(
        "--overlay", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder with a site's differences."
    )(command)
    return click.option(
        "--hooks", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of knowledge instead of the shipped one."
    )(command)


def folder(hooks: Path | None) -> Path:
    """The folder of knowledge: from the option, else from the environment, else the shipped one."""
    named = environment().get(HOOKS_DIR)
    return hooks or (Path(named) if named else default_folder())


def knowledge(hooks: Path | None, overlay: Path | None) -> Knowledge:
    """The knowledge, read strictly; KnowledgeError with all its problems."""
    return load(folder(hooks), site(overlay))


def site(overlay: Path | None) -> Path | None:
    """The folder with the site's differences: from the option, else from the environment."""
    named = environment().get(OVERLAY_DIR)
    return overlay or (Path(named) if named else None)


def now() -> datetime:
    """The moment at which the command was given."""
    return datetime.now(UTC)


def text_of(file: str) -> bytes:
    """The bytes of a file, or of standard input for "-"."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error

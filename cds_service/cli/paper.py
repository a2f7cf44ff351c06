"""Text for a terminal: colour where it is wanted, lines that fit, progress only where somebody watches."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import click

from cds_service.settings import environment

T = TypeVar("T")
WIDEST, NARROWEST = 100, 40
COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan", "good": "green"}
MARKS = re.compile(r"\*\*(.+?)\*\*|__(.+?)__|`([^`]+)`|\[([^\]]+)\]\([^)]*\)")


def coloured() -> bool:
    """Colour is for terminals, and not where NO_COLOR says so (https://no-color.org)."""
    return sys.stdout.isatty() and not environment().get("NO_COLOR")


def paint(text: str, tone: str, bold: bool = False) -> str:
    """The text in the colour of an urgency, or plain."""
    return click.style(text, fg=COLOURS.get(tone), bold=bold, dim=tone == "quiet") if coloured() else text


def strong(text: str) -> str:
    """The text in bold, or plain."""
    return click.style(text, bold=True) if coloured() else text


def quiet(text: str) -> str:
    """The text in the background, or plain."""
    return paint(text, "quiet")


def width() -> int:
    """How wide text may be here."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def wrapped(text: str, indent: str = "", hang: str | None = None, spare: int = 0) -> str:
    """A paragraph within the width less `spare`; further lines begin with `hang`, else with the indent. Paint it afterwards."""
    return textwrap.fill(
        text,
        width() - spare,
        initial_indent=indent,
        subsequent_indent=indent if hang is None else hang,
        break_on_hyphens=False,
        break_long_words=False,
    )


def plain(markdown: str) -> str:
    """Markdown as a person reads it: marks, code spans and links leave their words."""
    return MARKS.sub(lambda found: next(group for group in found.groups() if group is not None), markdown)


def paragraphs(markdown: str, indent: str, spare: int = 0) -> Iterator[str]:
    """The paragraphs and list items of a Markdown text, wrapped."""
    for line in markdown.splitlines():
        said = plain(line.strip())
        if not said:
            continue
        if line.startswith("**") and line.rstrip().endswith("**"):
            yield "\n".join(map(strong, wrapped(said, indent, spare=spare).splitlines()))
            continue
        if said[:2] in {"- ", "* "}:
            yield wrapped(said[2:], f"{indent}- ", f"{indent}  ", spare)
        else:
            yield wrapped(said.lstrip("# "), indent, spare=spare)


def columns(rows: Iterable[Sequence[str]], indent: str = "") -> Iterator[str]:
    """Rows whose cells stand below each other; the last cell wraps under itself."""
    table = [list(row) for row in rows]
    if not table:
        return
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]) - 1)]
    for row in table:
        head = indent + "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=False)) + ("  " if widths else "")
        yield wrapped(row[-1], head, " " * len(head)) if row[-1] else head.rstrip()


def progress(items: Sequence[T], of: str) -> Iterator[T]:
    """The items one after the other, with a counter on standard error while a person watches."""
    watched = sys.stderr.isatty()
    for number, item in enumerate(items, 1):
        if watched:
            click.echo(f"\r{number}/{len(items)} {of}", err=True, nl=False)
        yield item
    if watched and items:
        click.echo("\r" + " " * 60 + "\r", err=True, nl=False)

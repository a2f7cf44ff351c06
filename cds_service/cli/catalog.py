"""`ndm-cds catalog`: writes the rule index, or checks that it is what the sheets say."""

import difflib
import sys
from pathlib import Path

import click

from cds_service.cases import read_cases
from cds_service.cli import exits, knowing
from cds_service.cli.index import index, within
from cds_service.cli.paper import paint
from cds_service.shipped import shipped

PAGE = "README.md"


@click.command(name="catalog", epilog="\b\nExamples:\n  ndm-cds catalog | less\n  ndm-cds catalog --write\n  ndm-cds catalog --check")
@click.option("--write", is_flag=True, help="Write the index into README.md of the knowledge folder.")
@click.option("--check", is_flag=True, help="Say whether README.md of the knowledge folder is up to date.")
@knowing.with_knowledge
def command(write: bool, check: bool, hooks: Path | None, overlay: Path | None) -> None:
    """Print the rule index: one section for each rule, with wording, thresholds, examples, evidence and review dates."""
    folder = knowing.folder(hooks)
    text = index(knowing.knowledge(hooks, overlay), read_cases(shipped("fixtures")))
    if not write and not check:
        click.echo(text, nl=False)
        return
    page = folder / PAGE
    before = page.read_text("utf-8")
    try:
        after = within(before, text)
    except ValueError as error:
        raise click.ClickException(f"{page}: {error}") from error
    if write:
        page.write_text(after, "utf-8")
        click.echo(f"{page}: {'written' if after != before else 'was up to date'}")
        return
    if after == before:
        click.echo(paint(f"{page} is what the sheets say", "good"))
        return
    for line in list(difflib.unified_diff(before.splitlines(), after.splitlines(), "as it is", "as the sheets say", lineterm="", n=0))[:40]:
        click.echo(line)
    click.echo(paint(f"{page} is out of date; `ndm-cds catalog --write` writes it", "critical"), err=True)
    sys.exit(exits.DIFFERS)

"""The group of all commands, and how each way of failing ends the process."""

import importlib
import sys

import click

from cds_service import __version__
from cds_service.cli import exits
from cds_service.cli.paper import paint
from cds_service.errors import ConfigurationError, KnowledgeError, ServiceError

COMMANDS = {  # a module is imported when its command runs, so that --help is quick
    "serve": ("serve", "Answer CDS Hooks calls until SIGTERM or Ctrl-C."),
    "check": ("check", "Check all knowledge: sheets, tables, value sets, and every case."),
    "decide": ("decide", "Decide one request and show its cards."),
    "explain": ("explain", "Explain one request: the facts, and what each rule said."),
    "replay": ("replay", "Replay stored requests and show how the answers differ."),
    "catalog": ("catalog", "Print, write or check the rule index."),
    "report": ("report", "Say how often each rule spoke, and what became of its cards."),
    "demo": ("demo", "Start the service with synthetic patients and show it."),
    "bench": ("bench", "Measure how long a running CDS service takes for the shipped requests."),
    "config": ("config", "Check, show or explain the configuration."),
    "jwt": ("tokens", "Explain client tokens."),
}
EXIT_CODES = "\n".join(f"  {code:<4} {meaning}" for code, meaning in exits.MEANINGS.items())


class Commands(click.Group):
    """The commands by name, each in a module of its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cds_service.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"\b\nExit status:\n{EXIT_CODES}\n\n\b\nExamples:\n  ndm-cds demo\n  ndm-cds check\n  ndm-cds decide request.json",
)
@click.version_option(__version__, prog_name="ndm-cds")
def program() -> None:
    """Judges orders against sheets of clinical knowledge while they are being signed, as a CDS Hooks service.

    NO_COLOR=1 turns colour off.
    """


def main() -> None:
    """Runs a command and ends the process with the status that `exits` names."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs a command; the exit status. Nothing that a person does wrong shows a traceback."""
    try:
        return program.main(arguments, prog_name="ndm-cds", standalone_mode=False) or exits.OK
    except click.exceptions.Abort:
        click.echo(err=True)
        return exits.INTERRUPTED
    except KeyboardInterrupt:
        click.echo(err=True)
        return exits.INTERRUPTED
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KnowledgeError, ConfigurationError) as error:
        _problems(error)
        return exits.CONFIGURATION
    except ServiceError as error:
        click.echo(paint(f"refused ({error.status} {error.code}): ", "critical") + error.message, err=True)
        return exits.CANNOT_DECIDE
    except BrokenPipeError:
        sys.stderr.close()
        return exits.OK


def _problems(error: KnowledgeError | ConfigurationError) -> None:
    """All mistakes, one line each."""
    kind = "knowledge" if isinstance(error, KnowledgeError) else "configuration"
    count = len(error.problems)
    click.echo(paint(f"The {kind} cannot be used: {count} problem{'s' if count != 1 else ''}.", "critical"), err=True)
    for problem in error.problems:
        click.echo(f"  {problem}", err=True)

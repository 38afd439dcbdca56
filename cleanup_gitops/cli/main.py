"""Entry point: the command group, and how every error becomes one clear message and a documented exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.streams import complete_streams, outlets

COMMANDS = {
    "audit": "Check and show the recorded history under state/, or go on in a new repository.",
    "apply": "Carry out a reviewed plan and record the result in git.",
    "backtest": "Replay a policy over the recorded past: whom it would have hit, and who came back.",
    "bulk": "Write a one-off policy for many accounts at once.",
    "demo": "Run the whole main job against an embedded Confluence Cloud.",
    "drift": "List what others changed since the last snapshot, and record it.",
    "effect": "Compare two versions of the policies: who is added, dropped or treated otherwise.",
    "exempt": "Write an exemption for one account into the policies.",
    "explain": "Show why the plan does to one user what it does, live or as recorded.",
    "forecast": "Show what the policies will do on the days to come.",
    "groups": "List the groups of the site, or the members of one, live or as recorded.",
    "handoffs": "Write what only others can change as files for them: Entra ID, Okta, JSON.",
    "import": "Write policies from the live site, so that the first plan changes nothing.",
    "init": "Create policies/ and state/ for your own site.",
    "migrate": "Rewrite policy files of older versions to the present one.",
    "notices": "Check and preview templates of notices, or say that notices came back.",
    "plan": "Compare the policies with the live site and show what would change.",
    "recover": "End a run that was cut off, or list the runs that are open.",
    "rollback": "Plan to take back what a run did.",
    "sandbox": "Make and serve an embedded Confluence Cloud on this machine, with or without a past.",
    "schema": "Print the JSON Schema of the policy files, for editors.",
    "show": "Show a saved plan.",
    "suggest": "Print a policy for people whom no policy covers.",
    "status": "Show the live site on one screen: seats, users, last run, what ends soon.",
    "test": "Run the tests that stand beside the policies.",
    "users": "List the users of the site, filtered as in a policy, live or as recorded.",
    "validate": "Check the policy files without talking to any site.",
    "who": "Show whom conditions mean, how far each narrows it, and why others are not known.",
    "why-not": "Show what would have to change before a policy means a user.",
}

MODULES = {"import": "importing", "why-not": "why_not"}
"""Modules that cannot have the name of their command."""
READ_ONLY = frozenset(
    {
        "backtest",
        "effect",
        "explain",
        "forecast",
        "groups",
        "handoffs",
        "plan",
        "rollback",
        "schema",
        "show",
        "status",
        "suggest",
        "test",
        "users",
        "validate",
        "who",
        "why-not",
    }
)
"""Commands that write to no site and into no repository, however they end."""

EPILOG = """\b
Exit codes:
  0  success (with --detailed-exitcode: no changes)
  1  any error, usage errors included
  2  changes present (only with --detailed-exitcode)
  3  unsafe: a guard is broken, or the live data or the recorded state is not sound
  4  the approval covers nothing: altered, expired, consumed, of another state
  5  applied with failures, interrupted, not recorded, or a policy is blocked
  6  another run is under way, or was faster
"""


class LazyGroup(click.Group):
    """Knows its commands by name and imports only the one that runs, so that --help stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, sorted."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's module."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"cleanup_gitops.cli.commands.{MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        _keep_lines(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named. Raises ``UsageError`` with the nearest name for one that is not known."""
        name = args[0]
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from cleanup_gitops.policy.problems import did_you_mean  # only for who mistypes

        raise click.UsageError(f"There is no command `{name}`{did_you_mean(name, COMMANDS)}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands from the table, without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


def _keep_lines(command: click.Command) -> None:
    """In a docstring that is raw, the mark before lines that click must not join is two characters."""
    command.help = (command.help or "").replace(r"\b", "\b")
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _keep_lines(below)


@dataclass
class Asked:
    """Which command was asked for; "" until that is known."""

    command: str = ""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="cleanup-gitops %(version)s")
@click.option(
    "-C",
    "--chdir",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Folder that holds policies/ and state/ (default: this one).",
)
@click.pass_context
def cli(ctx: click.Context, folder: Path) -> None:
    """Confluence user and group clean-up as reviewed policies in git.

    Policies in policies/*.yaml say which state users and groups must be in. `plan` shows what would change and why,
    `apply` carries out what was approved and commits a snapshot and a hash-chained record under state/.
    """
    if isinstance(ctx.obj, Asked):
        ctx.obj.command = ctx.invoked_subcommand or ""
    ctx.obj = folder


def run(args: list[str]) -> int:
    """Run one command line and return its exit code; every error is printed to standard error.

    Output that cannot be written never ends a command that is under way.
    """
    asked = Asked()
    with outlets() as output:
        code = _run(args, asked)
        if not output.lost:
            return code
        click.echo(f"Error: the output could not be written completely: {output.lost}.", err=True)
    # What only prints has failed; what changes a site has its own result, whoever was told.
    return code or int(asked.command not in ("apply", "recover"))


def _run(args: list[str], asked: Asked) -> int:
    from cleanup_gitops.model.errors import CleanupError

    try:
        return int(cli.main(args, prog_name="cleanup-gitops", standalone_mode=False, obj=asked) or 0)
    except click.UsageError as error:
        error.show()
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        ended = "Interrupted. Nothing was written." if asked.command in READ_ONLY else "Interrupted."
        click.echo(ended, err=True)
        return 1
    except CleanupError as error:
        from cleanup_gitops.cli.terminal import colours
        from cleanup_gitops.views.problems import render_problem

        click.echo(render_problem(error, colour=colours(sys.stderr)), err=True, nl=False)
        return error.exit_code
    except OSError as error:
        click.echo(_refused(error), err=True)
        return 1
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        click.echo(_internal(error), err=True)
        return 1


def _refused(error: OSError) -> str:
    """The operating system said no in a place where no command has better words for it."""
    what = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return f"Error: {what}{error.strerror or type(error).__name__}."


def _internal(error: Exception) -> str:
    """A defect of ours: where it happened, without the text of the error, which could hold a name."""
    place = "an unknown place"
    trace = error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        if "cleanup_gitops" in code.co_filename:
            place = f"{Path(code.co_filename).name}:{trace.tb_lineno} ({code.co_name})"
        trace = trace.tb_next
    return (
        f"Error: cleanup-gitops {__version__} has a defect: {type(error).__name__} at {place}.\n"
        "  Please report this line. Check `git status` and the site before you run an apply again."
    )


def main() -> None:
    """Console script."""
    complete_streams()
    sys.exit(run(sys.argv[1:]))

"""The steps of the demo: each shows a command as a user would type it, runs it, and says what happened."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import chdir
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleanup_gitops.cli.demo import embedded
from cleanup_gitops.cli.demo.folder import WORLD, adapted_policies, fill, git
from cleanup_gitops.cli.example import example_policies
from cleanup_gitops.cli.starter import common_files, text
from cleanup_gitops.cli.terminal import colours
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.ports import Clock

if TYPE_CHECKING:
    from cleanup_gitops.model.plan import Plan
    from cleanup_gitops.sandbox.server import RunningSandbox
    from cleanup_gitops.sandbox.world import World

PLAN = "plan.json"
SHOWN = 6
"""Changes that the plan shows in detail; all of them are in the saved plan."""
AHEAD = 14
"""Days ahead of which NEXT.md forecasts."""
LENGTH = timedelta(seconds=60)
"""Days are counted by UTC dates, so the demo does not begin when midnight could come in its middle."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command line (without the program's name), and what to say after it."""

    arguments: tuple[str, ...]
    said: str


VALIDATE = Step(
    ("validate",),
    "The policy files are well formed and agree with each other; nothing was asked of any site."
    " Try: misspell a key in policies/dormant-members.yaml and validate again.",
)
PLANNED = Step(
    ("plan", "--out", PLAN, "--limit", str(SHOWN)),
    "The live users were compared with the policies: every change has its reason and the line that asks for it."
    f" Try: `cleanup-gitops show {PLAN}` shows all changes, and names nobody because names are in no file.",
)
APPLIED = Step(
    ("apply", PLAN),
    "Exactly the saved plan was carried out: each fact was checked again before its change, and each effect read back."
    f" Try: run `cleanup-gitops apply {PLAN}` once more: the approval is consumed.",
)
PLANNED_AGAIN = Step(
    ("plan", "--detailed-exitcode"),
    "Nothing is left to change here, and exit code 0 says so to a pipeline. What is handed off waits for its owners."
    " Try: lower a threshold in a policy and plan again.",
)


def tour(folder: Path, users: int, clock: Clock) -> None:
    """Everything, in order. Raises ``CleanupError`` when a step does not end as it should."""
    _wait_for_midnight(clock)
    with embedded.sandbox_errors():
        world = _world(users, clock.now())
        with embedded.start(world) as running:
            try:
                _prepare(folder, running)
                with chdir(folder), embedded.environment(embedded.credentials(world)):
                    plan = _steps(folder)
            finally:
                world.save(folder / WORLD)
    _summary(folder, plan)


def _wait_for_midnight(clock: Clock) -> None:
    now = clock.now()
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    if tomorrow - now < LENGTH:
        seconds = int((tomorrow - now).total_seconds()) + 1
        click.echo(f"Days are counted by UTC dates and it is almost midnight: the demo begins in {seconds} seconds.")
        clock.sleep(seconds)


def _world(users: int, now: datetime) -> World:
    from cleanup_gitops.sandbox.seed import seed
    from cleanup_gitops.sandbox.world import format_time

    return seed(users=users, now=format_time(now))


def _prepare(folder: Path, running: RunningSandbox) -> None:
    world, url = running.world, running.url
    policies = adapted_policies(example_policies(), world, url)
    files = {f"policies/{name}": data for name, data in policies.items()}
    files |= {name: content.encode() for name, content in common_files().items()}
    files["NEXT.md"] = _next_steps(world, url).encode()
    # The sandbox's people have names; like all names they stay out of git.
    files[".gitignore"] += f"/{WORLD}\n".encode()
    world.save(folder / WORLD)
    fill(folder, files)
    seats = running.state.seats("confluence")
    click.echo(
        f"An embedded Confluence Cloud runs at {url}: {len(world.users):,} invented accounts, {seats:,} seats in use.\n"
        f"Its policies are in a new git repository, {folder}.\n"
        "Nothing leaves this machine, and no credential of yours is used.\n"
        "After each step there is something to try; NEXT.md says how to start this Confluence again for it."
    )
    _show("cd", os.path.relpath(folder))


def _next_steps(world: World, url: str) -> str:
    later = (world.clock() + timedelta(days=AHEAD)).date()
    port = url.rpartition(":")[2]
    return text("NEXT.md", url=url, port=port, later=later.isoformat(), exports=embedded.exports(world))


def _steps(folder: Path) -> Plan:
    """Run all steps in the current folder; the plan that was carried out."""
    from cleanup_gitops.cli.files import read_file
    from cleanup_gitops.ledger.planfile import read_plan

    for step in (VALIDATE, PLANNED, APPLIED, PLANNED_AGAIN):
        _run(step, folder)
    _show("git", "log")
    click.echo(git(folder, "log"), nl=False)
    _say(
        "Three commits: the policies as people wrote them, what the run was to do, and what was approved and done."
        " Try: `git show --stat HEAD` lists what was recorded, account ids only."
    )
    return read_plan(read_file(Path(PLAN)))


def _run(step: Step, folder: Path) -> None:
    """Run one command as the console script would. Raises ``CleanupError`` unless it ends with 0."""
    from cleanup_gitops.cli.main import run

    _show("cleanup-gitops", *step.arguments)
    code = run(list(step.arguments))
    if code:
        command = shlex.join(("cleanup-gitops", *step.arguments))
        raise CleanupError(
            f"The demo stopped: `{command}` ended with exit code {code}, and should have ended with 0.",
            f"What it printed stands above. {folder} is kept as it is.",
        )
    _say(step.said)


def _show(*command: str) -> None:
    line = f"$ {shlex.join(command)}"
    click.echo("\n" + (click.style(line, bold=True) if colours(sys.stdout) else line))


def _say(sentence: str) -> None:
    click.echo("\n" + click.wrap_text(sentence, 100, "--> ", "    "))


def _summary(folder: Path, plan: Plan) -> None:
    from cleanup_gitops.views.words import counted

    done = plan.summary.actions
    parts = (
        counted(done.get("user.disable", 0), "account suspended", "accounts suspended"),
        counted(done.get("membership.remove", 0), "membership removed", "memberships removed"),
        counted(done.get("membership.add", 0), "membership added", "memberships added"),
    )
    click.echo(
        f"\nThat is all of it: {', '.join(parts)}; {plan.seats.before:,} seats became {plan.seats.after:,},"
        f" and git knows why.\n{folder / 'NEXT.md'} says how to go on with this repository.\n"
        "For your own site begin with: cleanup-gitops init"
    )

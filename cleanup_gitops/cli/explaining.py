"""One user found and explained: what ``explain`` and ``why-not`` share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.commands.plan import Planned, plan_of_live
from cleanup_gitops.cli.listing import Found, find
from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import Workplace, only_one, workplaces
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.planner import evaluation_now, make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.problems import did_you_mean
from cleanup_gitops.rehearsal.accounts import find_account
from cleanup_gitops.rehearsal.hindrances import Case, case_of

Command = TypeVar("Command", bound=Callable[..., Any])


def person_options(command: Command) -> Command:
    """Who is asked about, where, and how the answer is printed."""
    options = (
        click.argument("who", metavar="USER"),
        site_option,
        click.option(
            "--format",
            "form",
            type=click.Choice(["json", "markdown", "text"]),
            default="text",
            show_default=True,
            help="How to print it.",
        ),
        click.option("--ids-only", is_flag=True, help="Leave out names and addresses."),
        click.option(
            "--recorded",
            metavar="REV",
            help="Ask the snapshot of a commit, tag or branch of git (HEAD: the newest) instead of the live site.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Asked:
    """One user with all that is asked about.

    ``people`` is empty where names are not to be shown. ``found`` tells where the site was read.
    """

    case: Case
    people: People
    found: Found


def ask_about(
    folder: Path,
    who: str,
    site_name: str | None,
    recorded: str | None,
    policy: str | None,
    *,
    ids_only: bool,
    conditions: bool = False,
) -> Asked:
    """Plan the site, once, and find this user. Raises ``CleanupError``, also where there is no such policy.

    ``conditions``: the policy must have conditions, which a Groups document has not.
    """
    place = only_one(workplaces(folder, SystemClock(), site_name))
    if policy:
        check_policy(policy, place.policies, conditions=conditions)
    lists = policy_lists(place.policies, place.folder)
    planned, found = _planned(place, lists, recorded)
    user = find_account(who, planned.live, by_name=True)
    plan, live = planned.plan, planned.live
    evaluation = evaluation_now(
        live.inventory,
        place.policies,
        planned.memory,
        created=plan.created,
        as_of=plan.as_of,
        people=live.people,
        lists=lists,
    )
    case = case_of(user, plan, place.policies, planned.memory, evaluation)
    return Asked(case, NOBODY if ids_only else live.people, found)


def _planned(place: Workplace, lists: Lists, recorded: str | None) -> tuple[Planned, Found]:
    """The plan for the site now, or the one for what was recorded: as it would have been on that day, from memory."""
    if recorded is None:
        planned = plan_of_live(place, lists, None)
        return planned, Found(planned.live)
    found = find(place, recorded)
    live, memory = found.live, found.revision.memory if found.revision else BLANK
    at = live.inventory.as_of
    plan = make_plan(
        live.inventory,
        place.policies,
        memory,
        created=at,
        as_of=at,
        tool_version=__version__,
        people=live.people,
        lists=lists,
    )
    return Planned(plan, live, memory), found


def check_policy(name: str, policies: SitePolicies, *, conditions: bool) -> None:
    """Raise ``CleanupError`` when the site has no policy of this name; ``conditions``: see ``ask_about``."""
    declared = () if conditions else policies.groups
    known = sorted({*(one.name for one in policies.asking), *(one.name for one in declared)})
    if name not in known:
        raise CleanupError(
            f"{policies.site} has no policy {name!r}{did_you_mean(name, known)}",
            "`cleanup-gitops explain USER` shows all policies of the site.",
        )

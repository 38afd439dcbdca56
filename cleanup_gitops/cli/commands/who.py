"""``cleanup-gitops who``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from cleanup_gitops.cli.conditions import read_conditions
from cleanup_gitops.cli.explaining import check_policy
from cleanup_gitops.cli.listing import Found, find, nothing_such, recorded_option
from cleanup_gitops.cli.lists import policy_lists, read_lists
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.rehearsing import rehearsing
from cleanup_gitops.cli.terminal import SystemClock, colours
from cleanup_gitops.cli.wiring import Workplace, only_one, workplaces
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.tree import Begins, HasLeft, predicates
from cleanup_gitops.rehearsal.who import missing_of, who
from cleanup_gitops.views.who import SHOWN, WhoReport, render_json, render_markdown, render_text

FORMS = ("json", "markdown", "text")


@click.command("who")
@site_option
@click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Who meets this condition of the policy language; several: who meets all of them.",
)
@click.option("--policy", "policy", metavar="NAME", help="Who meets the conditions of this policy.")
@click.option("--unknown", is_flag=True, help="Show those of whom it is not known, not those who meet the conditions.")
@recorded_option
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="text", show_default=True, help="How to print the answer."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Show at most N users (default: {SHOWN} as text, none in Markdown). JSON always has all.",
)
@click.option(
    "--names/--ids-only",
    default=None,
    help="Show names beside account ids (default: as text on the live site only). JSON never does.",
)
@click.pass_obj
def command(
    folder: Path,
    site_name: str | None,
    where: tuple[str, ...],
    policy: str | None,
    unknown: bool,
    recorded: str | None,
    form: str,
    limit: int | None,
    names: bool | None,
) -> int:
    r"""Show whom conditions mean, how far each of them narrows it, and why it is not known of others. Changes nothing.

    Conditions are those of `match` in a policy. Those who meet them are counted by license, domain, department and
    group, and shown with what each condition saw; so is whom no policy would touch all the same.

    \b
    Examples:
      cleanup-gitops who --where 'inactive_for: 90d'
      cleanup-gitops who --where 'has_seat: true' --where '{in_group: "contractors-*"}' --limit 5
      cleanup-gitops who --policy dormant-members --unknown
      cleanup-gitops who --where 'external: true' --recorded HEAD~30 --format json
    """
    if bool(where) == bool(policy):
        raise click.UsageError("Say whom you ask about: either with --where, once or several times, or with --policy.")
    if form == "json" and names:
        raise click.UsageError("--names: the JSON form never holds names.")
    asked = read_conditions(where)
    place = only_one(workplaces(folder, SystemClock(), site_name))
    kinds, include_admins = asked.kinds, False
    if policy:
        check_policy(policy, place.policies, conditions=True)
        chosen = next(one for one in place.policies.asking if one.name == policy)
        asked, kinds, include_admins = chosen.match, chosen.kinds, chosen.include_admins
    lists = _lists(chosen, place, folder) if policy else read_lists([("--where", asked)], folder)
    found = find(place, recorded) if recorded else _as_planned(place)
    if missing := missing_of(asked, found.live, lists):
        raise nothing_such(missing, found.live.inventory)
    answer = who(asked, place.policies, found.live, lists, kinds=kinds, include_admins=include_admins)
    title = f"Whom {policy} means ({chosen.where})" if policy else f"Who meets {', '.join(where)}"
    report = WhoReport(answer=answer, asked=title, found=found.words, about=found.about)
    named = form == "text" if names is None else names
    people = found.live.people if named else NOBODY
    match form:
        case "json":
            text = render_json(report)
        case "markdown":
            shown = SHOWN if limit is None and names is not None else limit or 0
            text = render_markdown(report, people, unknown=unknown, limit=shown)
        case _:
            text = render_text(report, people, unknown=unknown, limit=limit, colour=colours(sys.stdout))
    click.echo(text, nl=False)
    return 0


def _lists(policy: Policy, place: Workplace, folder: Path) -> Lists:
    """The lists and rosters that this policy needs: what others need does not keep anybody from asking."""
    rosters = {one.roster for one in predicates(policy.match) if isinstance(one, HasLeft | Begins)}
    needed = replace(
        place.policies,
        policies=tuple(one for one in place.policies.policies if one is policy),
        rosters=tuple(one for one in place.policies.rosters if one.name in rosters),
    )
    return policy_lists(needed, folder)


def _as_planned(place: Workplace) -> Found:
    """The site with what earlier snapshots know, such as since when a seat is held: whom a plan would mean."""
    with rehearsing(place) as site:
        return Found(site.live)

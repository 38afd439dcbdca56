"""``cleanup-gitops bulk``."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import click

from cleanup_gitops.cli.authoring import load_with, refuse_personal, write
from cleanup_gitops.cli.conditions import read_conditions
from cleanup_gitops.cli.options import Day, site_option
from cleanup_gitops.cli.rehearsing import rehearsing
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import load_policies, only_one, workplaces
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.bulk import OneOff, check_ensure, one_off_text
from cleanup_gitops.policy.documents import PolicySet
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.proposals import Proposal, policy_path, with_document
from cleanup_gitops.policy.suggesting import free_name
from cleanup_gitops.rehearsal.effect import check_meaning, refuse_nobody
from cleanup_gitops.views.effect import effect_lines
from cleanup_gitops.views.safe import plain

DAYS = 14
"""For so many days a one-off policy may act, where nothing else is said."""


@click.command("bulk")
@site_option
@click.option("--where", multiple=True, required=True, metavar="CONDITION", help="Who is meant; several: all of them.")
@click.option("--ensure", multiple=True, required=True, metavar="STATE", help="The state to be in; several: all.")
@click.option("--ticket", required=True, metavar="TEXT", help="Where the change was asked for.")
@click.option("--owner", required=True, metavar="TEXT", help="Team that answers for it.")
@click.option("--why", metavar="TEXT", help="One sentence for the people concerned (default: names the ticket).")
@click.option("--name", metavar="NAME", help="Name of the policy (default: from the ticket).")
@click.option("--until", type=Day(), metavar="DAY", help=f"Last day on which it acts, UTC (default: in {DAYS} days).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The new policy file.")
@click.pass_obj
def command(
    folder: Path,
    site_name: str | None,
    where: tuple[str, ...],
    ensure: tuple[str, ...],
    ticket: str,
    owner: str,
    why: str | None,
    name: str | None,
    until: date | None,
    out: Path | None,
) -> int:
    r"""Write a one-off policy: a change of many accounts at once that is reviewed, and spent after one run.

    Conditions and states are those of the policy language. Before the file is written the site is read, and what the
    policy would do beside all the others is shown. Nothing counts before the change is merged.

    \b
    Examples:
      cleanup-gitops bulk --where 'in_group: contractors-*' --where 'inactive_for: {for: 90d, product: any}' \
        --ensure 'status: suspended' --ticket CHG-1 --owner iam-team
      cleanup-gitops bulk --where 'email_domain: globex.example' --ensure '{product_access: absent}' \
        --ticket CHG-2 --owner iam-team --until 2027-01-31
    """
    match = read_conditions(where)
    _check_states(ensure)
    clock = SystemClock()
    today = clock.now().date()
    if until and until < today:
        raise click.UsageError(f"--until {until} is past.")
    place = only_one(workplaces(folder, clock, site_name))
    found = load_policies(folder, clock)
    named = name or free_name(f"bulk-{ticket}", _taken(folder, found))
    one = OneOff(
        name=named,
        owner=owner,
        why=why or f"One-off change of ticket {ticket}.",
        ticket=ticket,
        until=until or today + timedelta(days=DAYS),
        where=where,
        ensure=ensure,
        sites=[place.site.name] if len(found.sites) > 1 else [],
    )
    proposal = _proposal(folder, one, out)
    after = load_with(folder, clock, [proposal])
    check_meaning(after.for_site(place.site.name), named, match)
    with rehearsing(place) as site:
        refuse_personal({"--ticket": ticket, "--owner": owner, "--why": why or ""}, site.live)
        effect = site.effect(named, after.for_site(place.site.name))
    click.echo("".join(f"{plain(line)}\n" for line in effect_lines(effect)))
    refuse_nobody(effect)
    write(folder, [proposal], f"One-off change {ticket}")
    return 0


def _check_states(ensure: tuple[str, ...]) -> None:
    try:
        check_ensure(ensure)
    except PolicyError as error:
        raise click.UsageError("\n".join(map(str, error.problems))) from None


def _taken(folder: Path, found: PolicySet) -> list[str]:
    """Names that a new policy must not have: of documents, and of files."""
    files = [path.stem for path in (folder / "policies").iterdir()]
    sites = [found.for_site(site.name) for site in found.sites]
    policies = [one.name for site in sites for one in site.policies]
    return [*files, *policies, *(one.name for site in sites for one in site.groups)]


def _proposal(folder: Path, one: OneOff, out: Path | None) -> Proposal:
    """The new file. Raises ``CleanupError`` when there is one already."""
    root = (folder / "policies").resolve()
    path = policy_path(root, out or Path(root.name) / f"{one.name}.yaml")
    if path.exists():
        raise CleanupError(
            f"{path.relative_to(root.parent)} is there already, and nothing was written.",
            "Name another file with --out.",
        )
    return with_document(path, root, one_off_text(one))

"""``cleanup-gitops exempt``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

import click

from cleanup_gitops.cli.authoring import load_with, refuse_personal, write
from cleanup_gitops.cli.listing import read_live
from cleanup_gitops.cli.options import Day, site_option
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import Workplace, load_policies, only_one, workplaces
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.protect import make_shield
from cleanup_gitops.policy.checks import a_year_after
from cleanup_gitops.policy.documents import ExemptionReason
from cleanup_gitops.policy.exempting import NewExemption, check_added, propose_exemption
from cleanup_gitops.policy.proposals import policy_path
from cleanup_gitops.rehearsal.accounts import find_account, sure_protection
from cleanup_gitops.views.safe import label
from cleanup_gitops.views.words import reason as words_of


@click.command("exempt")
@click.argument("who", metavar="WHO")
@site_option
@click.option("--until", type=Day(), required=True, metavar="DAY", help="Last day (UTC), at most 12 months ahead.")
@click.option("--ticket", required=True, metavar="TEXT", help="Where the decision is recorded.")
@click.option(
    "--reason",
    type=click.Choice(get_args(ExemptionReason)),
    default="absence",
    show_default=True,
    help="Why, as a code.",
)
@click.option("--owner", metavar="TEXT", help="Team that answers for it (default: the owner of the document).")
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Policy file to write to (default: the one with exemptions).",
)
@click.pass_obj
def command(
    folder: Path,
    who: str,
    site_name: str | None,
    until: date,
    ticket: str,
    reason: ExemptionReason,
    owner: str | None,
    file: Path | None,
) -> int:
    r"""Write an exemption into the policies: one account that policies leave alone until a day.

    WHO is an e-mail address or an account id. It is looked up on the live site; only the id is written. Nothing counts
    before the change is merged.

    \b
    Examples:
      cleanup-gitops exempt ada@acme.com --until 2027-03-01 --ticket HR-4711
      cleanup-gitops exempt 712020:4f1c9a52 --until 2027-03-01 --ticket SEC-12 --reason legal-hold --owner legal-team
    """
    clock = SystemClock()
    today = clock.now().date()
    if until < today:
        raise click.UsageError(f"--until {until} is past.")
    if until > (latest := a_year_after(today)):
        raise click.UsageError(f"--until must be at most 12 months ahead, {latest}; renew the exemption then.")
    if file:
        policy_path((folder / "policies").resolve(), file)
    place = only_one(workplaces(folder, clock, site_name))
    live = read_live(place)
    user = find_account(who, live)
    _check(place, user, live)
    refuse_personal({"--ticket": ticket, "--owner": owner or ""}, live, user)
    entry = NewExemption(account=user.id, reason=reason, until=until, ticket=ticket, owner=owner)
    found = load_policies(folder, clock)
    proposal = propose_exemption(folder / "policies", found, place.site.name, entry, file)
    check_added(found, load_with(folder, clock, [proposal]), entry)
    name = live.people.name(user.id)
    click.echo(f"Exempt on {place.site.name}: {user.id}{f' ({label(name)})' if name else ''}", err=True)
    write(folder, [proposal], f"Exempt one account until {until} ({ticket})")
    return 0


def _check(place: Workplace, user: User, live: Live) -> None:
    """Raise ``CleanupError`` when there is nothing to exempt."""
    site = place.site.name
    for one in place.policies.exemptions:
        if one.account == user.id:
            raise CleanupError(
                f"{user.id} has an exemption on {site} already, until {one.until} ({one.where}).",
                "Change its day there; one that has ended is renewed the same way.",
            )
    protection = sure_protection(make_shield(place.policies, live.inventory, live.inventory.as_of), user)
    if protection:
        code, document = protection
        by = f": Protection {document}" if document else ""
        raise CleanupError(
            f"{user.id} is protected on {site} ({words_of(code)}{by}), so no policy touches it.",
            "Nothing was written: an exemption would add nothing.",
        )

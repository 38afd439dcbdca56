"""``cleanup-gitops suggest``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops.cli.authoring import load_with
from cleanup_gitops.cli.listing import nothing_such
from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.rehearsing import Rehearsal, rehearsing
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import Workplace, load_policies, only_one, workplaces
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.documents import PolicySet
from cleanup_gitops.policy.filters import read_filter
from cleanup_gitops.policy.match import Match, Scope, compile_match
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.proposals import Proposal
from cleanup_gitops.policy.rewrite import MODELINE
from cleanup_gitops.policy.suggesting import Circle, free_name, suggestion, usual_owner
from cleanup_gitops.rehearsal.coverage import uncovered
from cleanup_gitops.views.effect import effect_lines
from cleanup_gitops.views.safe import plain
from cleanup_gitops.views.words import counted


@click.command("suggest")
@site_option
@click.option("--domain", metavar="DOMAIN", help="People with an e-mail address of this domain (*.x: sub-domains).")
@click.option("--group", metavar="GROUP", help="People in this group, or in groups whose names fit this glob.")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="Days without a visit after which the seat is given back.",
)
@click.option("--owner", metavar="TEXT", help="Team that answers for it (default: that of most policies).")
@click.pass_obj
def command(
    folder: Path, site_name: str | None, domain: str | None, group: str | None, days: int, owner: str | None
) -> int:
    r"""Print a policy for people whom no policy covers, with the effect that it would have now. Writes nothing.

    Covered is who may lose something by a policy one day, however active today. The policy asks for the mildest thing:
    that the seat is given back.

    \b
    Examples:
      cleanup-gitops suggest --domain globex.example
      cleanup-gitops suggest --group 'contractors-*' --days 45 > policies/contractors.yaml
    """
    if (domain is None) == (group is None):
        raise click.UsageError("Say whom it is about: --domain or --group.")
    circle = Circle(domain, group)
    who = _match(circle, "--domain" if domain else "--group")
    clock = SystemClock()
    place = only_one(workplaces(folder, clock, site_name))
    found = load_policies(folder, clock)
    with rehearsing(place) as site:
        people = _uncovered(site, place, who)
        seats = sum(1 for user in people if user.billed)
        told = f"{counted(len(people), 'active person', 'active people')} {circle.words}"
        if not seats:
            click.echo(_not_needed(told, circle, covered=not people), err=True)
            return 0
        files = (path.stem for path in (folder / "policies").iterdir())
        name = free_name(f"idle-{domain or group}", (*files, *(one.name for one in place.policies.policies)))
        text = suggestion(
            circle,
            name=name,
            owner=owner or usual_owner(place.policies.policies),
            days=days,
            sites=[place.site.name] if len(found.sites) > 1 else [],
        )
        head = [f"No policy covers {told}, who hold {counted(seats, 'seat')}.", *_effect(site, place, name, text)]
    day = site.now.date().isoformat()
    comment = [f"# {line}".rstrip() for line in (f"As of {day}:", *head)]
    click.echo("\n".join((f"{MODELINE}schema.json", "#", *map(plain, comment), text)), nl=False)
    click.echo(f"Read it, and save it as policies/{name}.yaml; then `cleanup-gitops plan` shows each change.", err=True)
    return 0


def _not_needed(told: str, circle: Circle, *, covered: bool) -> str:
    if covered:
        return plain(f"No policy is needed: policies cover all active people {circle.words} whom nothing protects.")
    return plain(f"No policy is needed: none covers {told}, and nobody of these holds a paid seat.")


def _match(circle: Circle, option: str) -> Match:
    try:
        return Match(all=(read_filter(circle.condition, option),))
    except PolicyError as error:
        raise click.UsageError("\n".join(f"{option}: {one.message}" for one in error.problems)) from None


def _uncovered(site: Rehearsal, place: Workplace, who: Match) -> tuple[User, ...]:
    """Raises ``CleanupError`` when there is no such group."""
    inventory, people = site.live.inventory, site.live.people
    compiled = compile_match(who, Scope(site.now, inventory, people))
    if compiled.missing:
        raise nothing_such(compiled.missing, inventory)
    return uncovered(who, place.policies, site.live, site.now, policy_lists(place.policies, place.folder))


def _effect(site: Rehearsal, place: Workplace, name: str, text: str) -> list[str]:
    path = (place.folder / "policies").resolve() / f"{name}.yaml"
    proposal = Proposal(path, f"policies/{name}.yaml", None, text.encode())
    with_it: PolicySet = load_with(place.folder, place.clock, [proposal])
    return effect_lines(site.effect(name, with_it.for_site(place.site.name)))

"""``cleanup-gitops import``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from cleanup_gitops.cli.authoring import load_with, refuse_personal, write
from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.rehearsing import Rehearsal, rehearsing
from cleanup_gitops.cli.terminal import SystemClock, colours
from cleanup_gitops.cli.wiring import Workplace, load_policies, only_one, workplaces
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import PolicySet, SitePolicies
from cleanup_gitops.policy.proposals import Proposal, policy_path, with_document
from cleanup_gitops.policy.suggesting import usual_owner
from cleanup_gitops.rehearsal.accounts import names_somebody
from cleanup_gitops.rehearsal.importing import Importing, imported
from cleanup_gitops.views.difference import render_difference
from cleanup_gitops.views.safe import plain
from cleanup_gitops.views.words import counted


@click.command("import")
@site_option
@click.option("--write", "writes", is_flag=True, help="Write the files; without it they are only shown.")
@click.option("--owner", metavar="TEXT", help="Team that answers for the documents (default: that of most policies).")
@click.pass_obj
def command(folder: Path, site_name: str | None, writes: bool, owner: str | None) -> int:
    r"""Write policies from the live site, so that the first plan with them changes nothing.

    Written are the members of groups (`at_least`, none that gives a seat), a Protection of administrative roles,
    Guardrails with canaries, and a starter set of policies that only report. Files that exist are never touched.

    \b
    Examples:
      cleanup-gitops import
      cleanup-gitops import --write
    """
    clock = SystemClock()
    place = only_one(workplaces(folder, clock, site_name))
    found = load_policies(folder, clock)
    with rehearsing(place) as site:
        live = site.live
        refuse_personal({"--owner": owner or ""}, live)
        made = imported(
            Importing(
                inventory=live.inventory,
                policies=place.policies,
                owner=owner or usual_owner(place.policies.policies),
                sites=[place.site.name] if len(found.sites) > 1 else [],
                taken=_names(found),
                internal_domains=bool(place.site.internal_domains),
                personal=lambda text: names_somebody(text, live),
            )
        )
        proposals = _proposals(folder, place, len(found.sites) > 1, made.files)
        after = load_with(folder, clock, proposals)
        fewer = _no_longer_done(site, place, after.for_site(place.site.name))
    for sentence in (*made.left_out, *fewer):
        click.echo(plain(sentence), err=True)
    if writes:
        write(folder, proposals, f"Import {place.site.name}")
        return 0
    for one in proposals:
        click.echo(render_difference(one.label, one.before, one.after, colour=colours(sys.stdout)), nl=False)
    files = counted(len(proposals), "file")
    click.echo(f"Nothing was written. `cleanup-gitops import --write` writes {files}.", err=True)
    return 0


def _names(found: PolicySet) -> frozenset[str]:
    """The names of all documents there are."""
    return frozenset(name for one in found.documents if (name := getattr(one.says, "name", "")))


def _proposals(folder: Path, place: Workplace, several: bool, files: Mapping[str, str]) -> list[Proposal]:
    """The new files; with several sites the name of the site is in theirs. Raises ``CleanupError``."""
    root = (folder / "policies").resolve()
    suffix = f"-{place.site.name}" if several else ""
    paths = {policy_path(root, Path(root.name) / f"{name}{suffix}.yaml"): text for name, text in files.items()}
    there = sorted(path.relative_to(root.parent).as_posix() for path in paths if path.exists())
    if there:
        raise CleanupError(
            f"Nothing was written, because there {'is' if len(there) == 1 else 'are'} already: {', '.join(there)}.",
            "Files that exist are never touched. Move them away, or delete them, to import anew.",
        )
    return [with_document(path, root, text) for path, text in sorted(paths.items())]


def _no_longer_done(site: Rehearsal, place: Workplace, after: SitePolicies) -> list[str]:
    """A sentence about what a plan does now and not with the documents, where there is any.

    Raises ``CleanupError`` when the documents would make a plan do more than it does without them.
    """
    before, with_them = (_acts(_plan(site, place, one)) for one in (place.policies, after))
    if more := sorted(with_them - before):
        raise CleanupError(
            f"Nothing was written: with these documents a plan would do more, such as {more[0][0]} {more[0][1]}.",
            "This is a defect of cleanup-gitops: please report it.",
        )
    number = len(before - with_them)
    told = f"{counted(number, 'change')} of a plan would not be made any more, because these documents protect more."
    return [told] if number else []


def _acts(plan: Plan) -> set[tuple[str, str]]:
    return {(one.action, one.address) for one in (*plan.changes, *plan.handoffs)}


def _plan(site: Rehearsal, place: Workplace, policies: SitePolicies) -> Plan:
    live = site.live
    return make_plan(
        live.inventory,
        policies,
        site.memory,
        created=site.now,
        as_of=site.now,
        tool_version="",
        people=live.people,
        lists=policy_lists(policies, place.folder),
    )

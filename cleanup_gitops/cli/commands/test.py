"""``cleanup-gitops test``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops.cli.files import write_file
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.wiring import chosen_sites, with_sites
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.documents import PolicySet, SitePolicies
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import did_you_mean
from cleanup_gitops.rehearsal.gaps import gaps
from cleanup_gitops.rehearsal.policy_tests import Tested, run_policy_test
from cleanup_gitops.views import policy_tests as views


@click.command("test")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@site_option
@click.option("--coverage", is_flag=True, help="List the policies, stages and outcomes of conditions no test touches.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["github", "text"]),
    default="text",
    show_default=True,
    help="`github` marks failures at their lines in a pull request.",
)
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write JUnit XML to this file, too.",
)
@click.pass_obj
def command(
    folder: Path, names: tuple[str, ...], site_name: str | None, coverage: bool, form: str, junit: Path | None
) -> int:
    r"""Run the tests that stand beside the policies (kind PolicyTest), or those of these names.

    Talks to no site and needs no credential; the result is the same on every day. Exit code 1 when a test fails.

    \b
    Examples:
      cleanup-gitops test
      cleanup-gitops test leaver-beats-dormant
      cleanup-gitops test --coverage
      cleanup-gitops test --format github --junit policy-tests.xml
    """
    found = with_sites(load(folder / "policies"), folder)
    by_site: list[tuple[SitePolicies, list[Tested]]] = []
    for site in chosen_sites(found, site_name, folder):
        own = found.for_site(site.name)
        ran = [run_policy_test(one, own, site) for one in own.tests if not names or one.name in names]
        by_site.append((own, ran))
    tested = [one for _, ran in by_site for one in ran]
    _check_names(names, found, tested)
    if junit:
        write_file(junit, views.junit(tested))
    shown = gaps(by_site) if coverage else None
    if form == "github":
        click.echo(views.github(tested, shown, "" if folder == Path() else folder.as_posix()), nl=False)
    else:
        click.echo(views.text(tested, shown), nl=False)
    return int(not all(one.passed for one in tested))


def _check_names(names: tuple[str, ...], found: PolicySet, tested: list[Tested]) -> None:
    """A test that is asked for by a name that no test of these sites has."""
    known = {one.name for one in tested}
    for name in names:
        if name not in known:
            others = {test.name for site in found.sites for test in found.for_site(site.name).tests}
            raise CleanupError(f"There is no policy test {name}{did_you_mean(name, others)}")

"""Two versions of the policies, loaded and planned on one inventory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cleanup_gitops.cli.listing import Found, find
from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.rehearsing import rehearsing
from cleanup_gitops.cli.wiring import Workplace, environment_of_git, load_policies
from cleanup_gitops.ledger.repository.committed import POLICIES, Committed, find_committed
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.people import People
from cleanup_gitops.policy.documents import PolicySet, SitePolicies
from cleanup_gitops.policy.guests import with_guests
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError, Problem
from cleanup_gitops.policy.site import Site
from cleanup_gitops.rehearsal.comparison import comparison_of
from cleanup_gitops.runner.reading import answered_for_each
from cleanup_gitops.views.comparison import ComparisonReport, Version


@dataclass(frozen=True, slots=True)
class Policies:
    """One version of the whole policy folder, and where it was found: ``None`` for the working tree."""

    documents: PolicySet
    committed: Committed | None = None

    @property
    def version(self) -> Version:
        """How views name it."""
        found = self.committed
        return Version(found.words, found.name, found.commit) if found else Version()

    def for_site(self, site: str) -> SitePolicies:
        """What it says about a site. Raises ``CleanupError`` when it has no such Site."""
        if all(one.name != site for one in self.documents.sites):
            raise CleanupError(
                f"There is no Site {site!r} in the policies of {self.version.words}, so there is nothing to compare.",
                "Name a later commit, or another site with --site NAME.",
            )
        try:
            return self.documents.for_site(site)
        except PolicyError as error:
            raise (_located(error, self.committed) if self.committed else error) from None

    def site_digest(self, site: str) -> str:
        """What the Site document means."""
        return next(
            one.digest for one in self.documents.documents if isinstance(one.says, Site) and one.says.name == site
        )


@dataclass(frozen=True, slots=True)
class Both:
    """The policies before and after, and those of the working tree, which say how a site is read."""

    before: Policies
    after: Policies
    here: Policies


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison to be shown, the people it is about, and what has to be known beside it."""

    report: ComparisonReport
    people: People
    notes: tuple[str, ...]


def versions_of(folder: Path, asked: str, places: Sequence[Workplace]) -> Both:
    """The two versions that ``BASE..HEAD`` means.

    Raises ``StoreError`` when git has no such thing, ``PolicyError`` with revision and place of all that is wrong.
    """
    clock = places[0].clock
    variables = environment_of_git((one.site for one in places), (one.policies for one in places))
    base, head = find_committed(folder, asked, variables)
    here = Policies(load_policies(folder, clock))
    today = clock.now().date()

    def loaded(committed: Committed) -> Policies:
        with committed.policies() as root:
            try:
                return Policies(load(root, today=today), committed)
            except PolicyError as error:
                raise _located(error, committed, root) from None

    both = Both(loaded(base), loaded(head) if head else here, here)
    for place in places:  # all that git can tell is told before any site is asked
        both.before.for_site(place.site.name)
        both.after.for_site(place.site.name)
    return both


def _located(error: PolicyError, committed: Committed, root: Path = Path()) -> PolicyError:
    """The same problems, each with the name of the file as git takes it: ``main:policies/dormant.yaml``."""

    def located(one: Problem) -> Problem:
        file = POLICIES if one.file == str(root) else one.file
        return replace(one, file=f"{committed.name}:{committed.prefix}{file}")

    return PolicyError(map(located, error.problems))


def compared(place: Workplace, both: Both, recorded: str | None) -> Compared:
    """The comparison on the site as it is now, or as a revision of the record has it. Raises ``CleanupError``."""
    name = place.site.name
    before, after = (one.for_site(name) for one in (both.before, both.after))
    old, new = (policy_lists(one, place.folder) for one in (before, after))
    if recorded is None:
        with rehearsing(place) as site:
            live = answered_for_each(site.reader, site.live, ((before, old), (after, new)), site.now, site.memory)
            found, memory, now = Found(live), site.memory, site.now
    else:
        found = find(place, recorded)
        memory = found.revision.memory if found.revision else BLANK
        now = found.live.inventory.as_of
    report = ComparisonReport(
        comparison=comparison_of(before, after, found.live, memory, now, (old, new)),
        before=both.before.version,
        after=both.after.version,
        as_of=found.live.inventory.as_of,
        found=found.words,
        about=found.about,
    )
    return Compared(report, _people(found.live.people, (before, old), (after, new)), tuple(_notes(both, name)))


def _people(people: People, *versions: tuple[SitePolicies, Lists]) -> People:
    for policies, lists in versions:
        people = with_guests(people, policies, lists)
    return people


def _notes(both: Both, site: str) -> list[str]:
    """What the comparison cannot show: the site is read once, with one Site document."""
    usual = both.here.site_digest(site)
    other = [one.version.words for one in (both.before, both.after) if one.site_digest(site) != usual]
    return [
        f"the Site document of {words} is not that of the working tree, by which the site was read. What it says about"
        " how users are read (sources of activity, internal domains, service accounts) is not compared."
        for words in other
    ]

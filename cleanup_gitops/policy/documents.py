"""Policies as the rest of the product sees them: frozen values, loaded and checked, with the place they come from.

``where`` is always ``file:line``, the file as seen from the policy folder's parent ("policies/dormant.yaml:31").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, TypeVar, get_args

from cleanup_gitops.model.canonical import manifest_digest
from cleanup_gitops.model.requirement import DesiredStatus
from cleanup_gitops.model.user import Kind
from cleanup_gitops.policy.billing import License
from cleanup_gitops.policy.groups import Groups
from cleanup_gitops.policy.guarding import Override
from cleanup_gitops.policy.guardrails import Guardrails
from cleanup_gitops.policy.notifying import Notifications
from cleanup_gitops.policy.patterns import glob
from cleanup_gitops.policy.policytest import PolicyTest
from cleanup_gitops.policy.problems import PolicyError, Problem
from cleanup_gitops.policy.roster import Roster
from cleanup_gitops.policy.site import Site
from cleanup_gitops.policy.timing import Schedule
from cleanup_gitops.policy.tree import Match

API_VERSION = "cleanup-gitops/v1"

DocumentKind = Literal[
    "Site",
    "Policy",
    "Protection",
    "Exemptions",
    "Guardrails",
    "Override",
    "Roster",
    "Groups",
    "Notifications",
    "PolicyTest",
]
KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)

ExemptionReason = Literal[
    "absence",
    "break-glass",
    "contractor",
    "investigation",
    "legal-hold",
    "migration",
    "project",
    "service-account",
]

AdminRole = Literal["organization-admin", "site-admin", "user-access-admin", "confluence-admin"]
"""Words for administrative roles: three of the organization, one of this Confluence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensure:
    """The state that matched users must be in; ``None`` is unmanaged.

    Groups are names as written; only ``groups_absent`` may hold globs. ``where_groups`` is where the groups stand.
    """

    status: DesiredStatus | None = None
    groups_present: tuple[str, ...] | None = None
    groups_absent: tuple[str, ...] | None = None
    groups_exactly: tuple[str, ...] | None = None
    where_groups: str = ""
    no_access: bool = False
    """Whether every way to a license in Confluence must be gone (``product_access: absent``)."""
    where_access: str = ""
    no_tokens: bool = False
    """Whether the account must have no API token (``api_tokens: revoked``)."""
    where_tokens: str = ""


NOTHING_ASKED = Ensure()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of a policy: the state that it asks for, ``after`` days (UTC) since the step before was done.

    With ``notify`` it asks for no state: it tells the user, with this template. ``when`` must hold beside the policy's
    ``match``. ``where`` is where its ``ensure`` or ``notify`` stands.
    """

    name: str
    ensure: Ensure = NOTHING_ASKED
    notify: str | None = None
    after: int = 0
    """0 for the first stage only."""
    when: Match | None = None
    allow_shared_groups: bool = False
    where: str = ""


DEFAULT_SOAK_HOURS = 24


@dataclass(frozen=True, slots=True)
class Standing:
    """What a run may do for a policy that was approved as a whole.

    So many changes on one UTC day, and only those that were recorded as pending at least ``after`` before.
    """

    max_per_day: int
    after: timedelta = timedelta(hours=DEFAULT_SOAK_HOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One rule: who (``match``) must be in which state (``ensure``), or goes through which ``stages``.

    With stages ``ensure`` asks for nothing. ``where`` is where ``ensure`` or ``stages`` stands.

    ``standing`` is ``None`` when each plan needs an approval (``approval: plan``). ``digest`` is that of what the
    document means: the name of the tag that approves it.
    """

    name: str
    owner: str
    why: str
    match: Match
    ensure: Ensure = NOTHING_ASKED
    stages: tuple[Stage, ...] = ()
    include_admins: bool = False
    allow_shared_groups: bool = False
    """Whether people may be taken out of groups that give other products too."""
    kinds: frozenset[Kind] = frozenset({"person"})
    codeowner: str | None = None
    controls: tuple[str, ...] = ()
    standing: Standing | None = None
    termination: bool = False
    """Whether it ends the access of people who leave (``class: termination``): it beats every routine policy."""
    report: bool = False
    """Whether it only says what it would change (``mode: report``); nothing of it is ever carried out."""
    once: bool = False
    """Whether it acts no more after one run that left nothing of it."""
    until: date | None = None
    """The last UTC day on which it acts."""
    schedule: Schedule | None = None
    """When it acts; ``None``: in every run."""
    before_billing: int | None = None
    """So many days before the billing period ends it frees seats; ``None``: at any time."""
    priority: int = 0
    """Of policies that take something from the same user the highest priority wins, before the mildest."""
    where: str = ""
    digest: str = field(default="", compare=False)

    @property
    def states(self) -> tuple[Ensure, ...]:
        """Every state that it asks for: one, or that of each stage that is no notice."""
        return tuple(one.ensure for one in self.stages if not one.notify) if self.stages else (self.ensure,)

    @property
    def conditions(self) -> tuple[Match, ...]:
        """Its ``match``, and what stages demand beside it."""
        return self.match, *(one.when for one in self.stages if one.when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """Accounts (by id), groups (names or globs) and administrative roles whose holders no policy touches."""

    name: str
    owner: str
    accounts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """One account that policies leave alone up to and including the day ``until``."""

    account: str
    reason: ExemptionReason
    owner: str
    until: date
    ticket: str
    document: str
    where: str = ""


Document = (
    Site
    | Policy
    | Protection
    | tuple[Exemption, ...]
    | Guardrails
    | Override
    | Roster
    | Groups
    | Notifications
    | PolicyTest
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One loaded document: for which sites, its digest (of meaning, not of layout), and what it says."""

    sites: tuple[str, ...] | None
    digest: str
    says: Document

    def concerns(self, site: str) -> bool:
        """Whether the document is about this site (a Site document: is it this one)."""
        if isinstance(self.says, Site):
            return self.says.name == site
        return self.sites is None or any(glob(pattern).fullmatch(site) for pattern in self.sites)


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePolicies:
    """Everything that policies say about one site. ``digest`` covers the documents that concern it."""

    site: str
    policies: tuple[Policy, ...] = ()
    protections: tuple[Protection, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    guardrails: Guardrails = field(default_factory=Guardrails)
    overrides: tuple[Override, ...] = ()
    """Exceptions from guards, by name; those that have ended are among them."""
    license: License | None = None
    """How the site is billed; ``None``: its Site document does not tell."""
    rosters: tuple[Roster, ...] = ()
    """By name; of the policies that they stand for, one of each name is among ``policies``."""
    groups: tuple[Groups, ...] = ()
    """Documents that declare members of groups, by name."""
    notifications: Notifications | None = None
    """How people are told; ``None``: nobody is."""
    tests: tuple[PolicyTest, ...] = ()
    """By name; no part of ``digest``."""
    digest: str = field(default_factory=lambda: manifest_digest(()))

    @property
    def template_digests(self) -> Mapping[str, str]:
        """Digests of what notices say, by the names of their templates."""
        told = self.notifications.templates if self.notifications else {}
        return {name: one.digest for name, one in told.items()}

    @property
    def asking(self) -> tuple[Policy, ...]:
        """All policies: of a Roster about people who leave and people who begin, both of the same name."""
        return (*self.policies, *(one.joining for one in self.rosters if one.policy and one.joining))


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All documents of one folder."""

    documents: tuple[Placed, ...]

    @property
    def sites(self) -> tuple[Site, ...]:
        """The Site documents, by name."""
        found = [one.says for one in self.documents if isinstance(one.says, Site)]
        return tuple(sorted(found, key=lambda site: site.name))

    @property
    def digest(self) -> str:
        """``sha256:…`` over what all documents mean: not their order, layout, comments or line numbers.

        Tests are left out: what is tested, and how well, changes nothing on a site.
        """
        return _digest(self.documents)

    def for_site(self, name: str) -> SitePolicies:
        """What concerns one site, whether or not there is a Site document for it.

        Raises ``PolicyError`` when two Guardrails or Notifications documents concern the site.
        """
        placed = [one for one in self.documents if one.concerns(name)]
        says = [one.says for one in placed]
        rosters = sorted((one for one in says if isinstance(one, Roster)), key=lambda one: one.name)
        policies = [one for one in says if isinstance(one, Policy)]
        policies += [policy for one in rosters if (policy := one.policy or one.joining)]
        policies += [one.welcome for one in rosters if one.welcome]
        protections = [one for one in says if isinstance(one, Protection)]
        entries = [entry for one in says if isinstance(one, tuple) for entry in one]
        return SitePolicies(
            site=name,
            policies=tuple(sorted(policies, key=lambda one: one.name)),
            protections=tuple(sorted(protections, key=lambda one: one.name)),
            exemptions=tuple(sorted(entries, key=lambda one: (one.account, one.document))),
            guardrails=_only(says, Guardrails, name) or Guardrails(),
            overrides=tuple(sorted((one for one in says if isinstance(one, Override)), key=lambda one: one.name)),
            license=next((one.license for one in says if isinstance(one, Site)), None),
            rosters=tuple(rosters),
            groups=tuple(sorted((one for one in says if isinstance(one, Groups)), key=lambda one: one.name)),
            notifications=_only(says, Notifications, name),
            tests=tuple(sorted((one for one in says if isinstance(one, PolicyTest)), key=lambda one: one.name)),
            digest=_digest(placed),
        )


def _digest(documents: Iterable[Placed]) -> str:
    return manifest_digest(one.digest for one in documents if not isinstance(one.says, PolicyTest))


_One = TypeVar("_One", Guardrails, Notifications)


def _only(says: list[Document], kind: type[_One], site: str) -> _One | None:
    found = [one for one in says if isinstance(one, kind)]
    if len(found) > 1:
        first, second = found[0], found[1]
        file, _, line = second.where.rpartition(":")
        message = f"site {site} has two {kind.__name__}, `{first.name}` ({first.where}) and `{second.name}`"
        raise PolicyError([Problem(file, int(line), 1, message)])
    return found[0] if found else None

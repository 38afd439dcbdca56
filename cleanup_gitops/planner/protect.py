"""Who is never touched: the runner, listed accounts, groups and roles, administrators, non-persons, exemptions.

A protection over an unknown fact protects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.policy.documents import Exemption, SitePolicies
from cleanup_gitops.policy.match import resolve_groups


@dataclass(frozen=True, slots=True)
class Shield:
    """All protections and exemptions of one site, resolved against one inventory.

    ``missing`` are group patterns of Protection documents that match nothing: with one of them the plan is unsafe.
    """

    runner: frozenset[str]
    accounts: dict[str, str]
    groups: dict[str, str]
    roles: dict[str, str]
    exempt: dict[str, Exemption]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]

    def protection(self, user: User) -> tuple[str, str] | None:
        """Reason code and document of the protection that no policy can lift, or ``None``."""
        if user.id in self.runner:
            return "runner", ""
        if user.id in self.accounts:
            return "listed", self.accounts[user.id]
        if (self.groups or self.roles) and (found := self._through(user)):
            return found
        if user.kind == "unknown":
            return "account-type-unknown", ""
        if user.admin is None:
            return "administrator-unknown", ""
        return None

    def _through(self, user: User) -> tuple[str, str] | None:
        """The same, for what a user is a member or a holder of."""
        if self.groups and user.groups is None:
            return "protected-group-unknown", ""
        for group in user.groups or ():
            if group in self.groups:
                return "protected-group", self.groups[group]
        if self.roles and user.roles is None:
            return "role-unknown", ""
        for role in user.roles or ():
            if role in self.roles:
                return "protected-role", self.roles[role]
        return None


def speakable(user: User, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that speak about this kind of account: administrators and non-persons only when named."""
    admin = user.admin is not False
    return tuple(rule for rule in rules if rule.may_touch(user.kind, admin=admin))


def kind_protection(user: User) -> str:
    """Reason code for an account that no rule names."""
    return "administrator" if user.admin else f"account-type-{user.kind}"


def make_shield(policies: SitePolicies, inventory: Inventory, as_of: datetime) -> Shield:
    """Resolve protections and exemptions; an exemption counts up to and including its last day (UTC)."""
    today = as_of.date()
    accounts: dict[str, str] = {}
    groups: dict[str, str] = {}
    roles: dict[str, str] = {}
    missing: list[str] = []
    warnings: list[str] = []
    known = inventory.user_by_id
    for protection in policies.protections:
        for account in protection.accounts:
            accounts[account] = protection.name
            if account not in known:
                warnings.append(f"{protection.where}: protected account {account} is not on this site.")
        roles |= dict.fromkeys(protection.roles, protection.name)
        found, absent = resolve_groups(protection.groups, inventory)
        missing += [f"{pattern} ({protection.where})" for pattern in absent]
        for group in found:
            for member_group in inventory.members_through[group.id]:
                groups[member_group] = protection.name
    exempt, notes = _running_exemptions(policies.exemptions, set(known), today)
    return Shield(
        runner=frozenset(inventory.runner),
        accounts=accounts,
        groups=groups,
        roles=roles,
        exempt=exempt,
        missing=tuple(missing),
        warnings=(*warnings, *notes),
    )


def _running_exemptions(
    entries: Iterable[Exemption], known: set[str], today: date
) -> tuple[dict[str, Exemption], list[str]]:
    running: dict[str, Exemption] = {}
    notes: list[str] = []
    for entry in entries:
        if entry.account not in known:
            notes.append(f"{entry.where}: exemption for {entry.account} matches nobody on this site.")
        if entry.until < today:
            notes.append(f"{entry.where}: exemption for {entry.account} ended on {entry.until.isoformat()}.")
        else:
            running[entry.account] = entry
    return running, notes

"""Codes of the model as words that a person reads."""

from __future__ import annotations

from typing import assert_never

from cleanup_gitops.model.change import Action, GroupModifiable, MemberIs, Need, NotSeenAfter, StatusIs
from cleanup_gitops.model.inventory import Hosting
from cleanup_gitops.model.plan import State

SYMBOLS: dict[Action, str] = {
    "user.disable": "~",
    "user.enable": "~",
    "membership.remove": "-",
    "membership.add": "+",
}
LEGEND: dict[str, str] = {"~": "change", "-": "remove", "+": "add"}

UNTOUCHED: dict[State, str] = {
    "protected": "protected",
    "exempt": "exempt",
    "conflict": "in conflict",
    "handed_off": "handed off",
    "unknown": "unknown",
    "unchanged": "unchanged",
}
"""The dispositions without a change, in the order in which they are counted."""

_REASONS = {
    "account-absent": "no longer in the directory",
    "account-deactivated": "Atlassian account deactivated",
    "account-deleting": "account about to be deleted",
    "account-managed-elsewhere": "account managed elsewhere",
    "account-type-app": "app",
    "account-type-customer": "customer",
    "account-type-service": "service account",
    "account-type-unknown": "type of account not known",
    "administrator-group": "the group makes administrators",
    "administrator-unknown": "perhaps an administrator",
    "already-so": "already as asked",
    "blocked": "the policy is blocked",
    "excluded": "excluded by the policy itself",
    "group-grants-unknown": "not known what the group grants",
    "group-managed-elsewhere": "group managed elsewhere",
    "group-modifiable-unknown": "not known who manages the group",
    "group-not-in-directory": "the group is not in the user's directory",
    "groups-unknown": "groups not known",
    "listed": "named by a protection",
    "no-policy-matches": "no policy matches",
    "no-seat-left": "no seat left",
    "policies-disagree": "policies disagree",
    "policy-undecided": "a policy cannot be decided",
    "protected-group": "in a protected group",
    "protected-group-unknown": "perhaps in a protected group",
    "runner": "the account that runs this",
    "shared-group": "the group also grants other products",
    "status-unknown": "status not known",
    "writability-unknown": "not known who manages the account",
}

_HANDOFFS = {
    "account-absent": "an organization administrator, who has to invite the account again",
    "account-deactivated": "whoever administers the Atlassian accounts of your domains",
    "account-deleting": "an organization administrator, who can stop the deletion",
    "account-managed-elsewhere": "whoever runs the directory or identity provider that these accounts come from",
    "group-managed-elsewhere": "whoever runs the directory or identity provider that these groups come from",
}


def reason(code: str) -> str:
    """Words for the reason code of a disposition."""
    return _REASONS.get(code, code.replace("-", " "))


def hands(code: str) -> str:
    """Who has to act on handoffs with this reason code."""
    return _HANDOFFS.get(code, f"somebody else ({reason(code)})")


def done_to(action: Action, hosting: Hosting) -> str:
    """Past participle of an action, in the words of the platform's own administration pages."""
    cloud = hosting == "cloud"
    match action:
        case "user.disable":
            return "suspended" if cloud else "disabled"
        case "user.enable":
            return "restored" if cloud else "enabled"
        case "membership.add":
            return "added"
        case "membership.remove":
            return "removed"
        case _:
            assert_never(action)


def no_longer(need: Need) -> str:
    """Why a change was dropped: the need that did not hold any more."""
    match need:
        case StatusIs(status=status):
            return f"the account is no longer {status}"
        case MemberIs(member=True):
            return "the account had already left the group"
        case MemberIs():
            return "the account had already joined the group"
        case NotSeenAfter():
            return "the user has come back"
        case GroupModifiable():
            return "the group's members can no longer be changed here"
        case _:
            assert_never(need)


def counted(number: int, one: str, many: str = "") -> str:
    """``1 user``, ``2,892 users``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"

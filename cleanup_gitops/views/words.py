"""Codes of the model as words that a person reads."""

from __future__ import annotations

from typing import assert_never

from cleanup_gitops.model.change import (
    Action,
    GroupModifiable,
    LifecycleAllowed,
    MemberIs,
    Need,
    NotSeenAfter,
    RoleHeld,
    StatusIs,
    TokenExists,
)
from cleanup_gitops.model.inventory import Hosting
from cleanup_gitops.model.plan import Disposition, State

SYMBOLS: dict[Action, str] = {
    "user.delete": "-",
    "user.remove": "-",
    "user.deactivate": "~",
    "user.disable": "~",
    "user.enable": "~",
    "role.revoke": "-",
    "membership.remove": "-",
    "tokens.revoke": "-",
    "membership.add": "+",
    "notice.send": ">",
    "user.invite": "+",
}
LEGEND: dict[str, str] = {"~": "change", "-": "remove", "+": "add", ">": "notify"}

UNTOUCHED: dict[State, str] = {
    "protected": "protected",
    "exempt": "exempt",
    "conflict": "in conflict",
    "handed_off": "handed off",
    "pending": "pending",
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
    "account-unmanaged": "account not managed by this organization",
    "adopt": "the group is not adopted yet",
    "administrator-group": "the group makes administrators",
    "administrator-role": "the role makes administrators",
    "administrator-unknown": "perhaps an administrator",
    "already-so": "already as asked",
    "blocked": "the policy is blocked",
    "direct-roles-unknown": "not known which roles are held directly",
    "changed-by-a-later-run": "changed again by a later run",
    "excluded": "excluded by the policy itself",
    "externalDirectory.google": "account synced from a Google directory",
    "externalDirectory.scim": "account synced from an identity provider",
    "flapping": "undone by others again and again",
    "group-grants-unknown": "not known what the group grants",
    "group-managed-elsewhere": "group managed elsewhere",
    "group-modifiable-unknown": "not known who manages the group",
    "group-not-in-directory": "the group is not in the user's directory",
    "groups-unknown": "groups not known",
    "hold": "on hold",
    "invited": "invited, and the invitation is not accepted yet",
    "joiner-account-gone": "the account that the roster names is not there",
    "joiner-addresses-hidden": "the site shows no address of anybody",
    "joiner-closed": "begins, and the account with the address is closed",
    "joiner-has-left": "has left by another roster",
    "joiner-invited-before": "invited before, and the account is gone",
    "joiner-unclear": "begins, and several accounts have the address",
    "last-administrator": "no administrator would be left",
    "leaver-administrator": "leaver who is an administrator",
    "leaver-elsewhere": "leaver whose account is ended elsewhere",
    "leaver-exempt": "leaver who is exempt",
    "leaver-protected": "leaver who is protected",
    "license-unknown": "license not known",
    "lifecycle-refused": "the site does not allow to change the account",
    "lifecycle-unknown": "not known whether the account may be changed",
    "listed": "named by a protection",
    "managed-unknown": "not known whether the account is managed here",
    "new": "new, never used yet",
    "no-address": "shows no e-mail address",
    "no-policy-matches": "no policy matches",
    "no-seat-left": "no seat left",
    "not-of-this-run": "not of this run",
    "policies-disagree": "policies disagree",
    "policy-undecided": "a policy cannot be decided",
    "protected-group": "in a protected group",
    "protected-group-unknown": "perhaps in a protected group",
    "protected-role": "holds a protected role",
    "report": "the policy only reports",
    "role-unknown": "perhaps holds a protected role",
    "runner": "the account that runs this",
    "seat-by-permission": "the seat is held through a permission",
    "seat-to-guest": "would make a guest of somebody with a paid seat",
    "seats-unknown": "not known how the seat is held",
    "shared-group": "the group also grants other products",
    "stage-condition": "the condition of the next stage does not hold",
    "status-unknown": "status not known",
    "tokens-unknown": "API tokens not known",
    "undelivered": "a notice came back as undelivered",
    "waiting-stage": "waiting for the next stage",
    "writability-unknown": "not known who manages the account",
}

_HANDOFFS = {
    "account-absent": "an organization administrator, who has to invite the account again",
    "account-deactivated": "whoever administers the Atlassian accounts of your domains",
    "account-deleting": "an organization administrator, who can stop the deletion",
    "account-managed-elsewhere": "whoever runs the directory or identity provider that these accounts come from",
    "account-unmanaged": "the people themselves or the organizations that manage their accounts",
    "externalDirectory.google": "whoever runs the Google directory that these accounts are synced from",
    "externalDirectory.scim": "whoever runs the identity provider that these accounts are synced from (SCIM)",
    "group-managed-elsewhere": "whoever runs the directory or identity provider that these groups come from",
    "administrator-group": "an administrator of the organization: nobody is made one here",
    "group-declared": "whoever keeps the Groups document, which says exactly who is in these groups",
    "group-modifiable-unknown": "whoever knows who manages these groups",
    "joiner-account-gone": "whoever keeps the roster: the site does not have the account that it names",
    "joiner-addresses-hidden": "whoever may let the API key see addresses: who has an account is not known",
    "joiner-closed": "whoever knows the people: an address alone does not prove that an old account is theirs",
    "joiner-has-left": "whoever keeps the rosters: one says that these people begin, another that they have left",
    "joiner-invited-before": "whoever removed these accounts: nobody is invited a second time",
    "joiner-unclear": "whoever knows the people: several accounts have the address",
    "no-seat-left": "whoever frees or buys a seat",
    "leaver-administrator": "another organization administrator, because these people leave",
    "leaver-elsewhere": "an administrator of the site, once the leavers' accounts were ended elsewhere",
    "leaver-exempt": "whoever answers for the exemption, because these people leave",
    "leaver-protected": "whoever owns the protection, because these people leave",
    "no-address": "whoever can reach these people, because they show no e-mail address",
}


ADOPTION = {
    "asked": "{group} is adopted with this plan: whoever is not named is taken out, now and from now on",
    "clean": "{group} is adopted once this is recorded: it holds nobody who would be taken out",
    "dropped": "{group} is no longer declared as a whole; should it be again, a plan only adds at first",
}
"""What a plan says of declared groups."""

_SYNCED = "externalDirectory."
"""How the vendor's reasons begin that name the kind of directory an account is synced from."""

_REFUSALS = {
    "administrative": "an administrative restriction forbids it",
    "administrative.notMyself": "it is the account to which the organization API key belongs",
    "authPolicy.saml": "the account signs in through SAML single sign-on",
    "blocked.exportControl": "the account is blocked for US export controls",
    "managedAccount": "it depends on who manages the account",
    "myselfOnly": "only the account's owner may do that",
    "refused": "it does not say why",
}
"""Why an organization may not change an account (User management REST API, GET /users/{account}/manage).

In the words in which a refused write tells the same.
"""


_LOST = {
    "account-gone": "the account no longer exists",
    "administrator": "an administrator or no person: nothing is taken from such an account",
    "as-before": "it is as it was before the run",
    "changed-by-a-later-run": "a later run has changed it again",
    "changed-by-others": "others changed it since, and what is so now is theirs",
    "changed-meanwhile": "somebody has changed it since",
    "deletion-final": "14 days are over, so the deletion can no longer be stopped",
    "exempt": "the account is exempt now",
    "group-gone": "the group no longer exists, and is not made again",
    "groups-unknown": "the site does not tell the groups",
    "invitation-sent": "the site has no way to take an invitation back: remove the account from the directory by hand",
    "may-still-show": "the run has sent it and it may still show: make this plan again in some minutes",
    "needs-invitation": "the account has left the directory: it needs a new invitation, and its groups and roles anew",
    "notice-sent": "a mail that was sent stays sent; the stages after it do not follow",
    "not-closed-again": "a rollback neither removes nor deletes an account",
    "protected": "the account is protected",
    "role-not-granted-here": "a role is given again in the administration of the organization only",
    "status-unknown": "the site does not tell the status",
    "token-gone": "a token that was revoked never works again; its owner makes a new one",
    "was-closed-before": "the account was closed before the run as well, and opening it would give more than it had",
}


def lost(code: str) -> str:
    """Why a change of a run is not taken back."""
    return _LOST.get(code, code.replace("-", " "))


_UNASKED = {"hold": "on hold and nothing asked for", "flapping": "undone again and again and nothing asked for"}
"""Of somebody who is unchanged: policies that would leave the account alone ask for nothing just now."""


def reason(code: str, state: State | None = None) -> str:
    """Words for the reason code of a disposition, which may mean something else with some ``state``."""
    if state == "unchanged" and code in _UNASKED:
        return _UNASKED[code]
    if code.startswith(_SYNCED) and code not in _REASONS:
        return "account synced from another directory"
    return _REASONS.get(code, code.replace("-", " "))


def why(disposition: Disposition) -> str:
    """Words for the reason of a disposition, with its note."""
    note = disposition.note
    if disposition.reason == "lifecycle-refused":
        note = _REFUSALS.get(note, note)
    return reason(disposition.reason, disposition.state) + (f" ({note})" if note else "")


def hands(code: str) -> str:
    """Who has to act on handoffs with this reason code."""
    if code.startswith(_SYNCED) and code not in _HANDOFFS:
        return "whoever runs the directory that these accounts are synced from"
    return _HANDOFFS.get(code, f"somebody else ({reason(code)})")


_DONE: dict[Action, str] = {
    "user.delete": "scheduled for deletion",
    "user.remove": "removed from the directory",
    "user.deactivate": "deactivated",
    "user.disable": "suspended",
    "user.enable": "restored",
    "user.invite": "invited",
    "membership.add": "added",
    "membership.remove": "removed",
    "role.revoke": "revoked",
    "tokens.revoke": "revoked",
    "notice.send": "notified",
}
_DONE_ON_DATA_CENTER: dict[Action, str] = {"user.disable": "disabled", "user.enable": "enabled"}


def done_to(action: Action, hosting: Hosting) -> str:
    """Past participle of an action, in the words of the platform's own administration pages."""
    here = {} if hosting == "cloud" else _DONE_ON_DATA_CENTER
    return here.get(action, _DONE[action])


def wished_for(action: Action, hosting: Hosting) -> str:
    """The same for a change that somebody else has to make, and that is about the account, not a single token."""
    return "freed of all API tokens" if action == "tokens.revoke" else done_to(action, hosting)


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
        case RoleHeld(role=role):
            return f"the account no longer holds the role {role} directly"
        case TokenExists():
            return "the API token is gone"
        case LifecycleAllowed():
            return "the organization may no longer change the account"
        case _:
            assert_never(need)


def counted(number: int, one: str, many: str = "") -> str:
    """``1 user``, ``2,892 users``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"

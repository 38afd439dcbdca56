"""Plans built by hand, one for each thing a reader can meet, and the people they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from msgspec.structs import replace

from cleanup_gitops.model.change import (
    Action,
    Change,
    MemberIs,
    MembershipAdd,
    MembershipRemove,
    NotSeenAfter,
    RoleRevoke,
    StatusIs,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserRemove,
    change_order,
    membership_address,
    role_address,
    token_address,
    user_address,
)
from cleanup_gitops.model.inventory import Hosting, Proof, Reading
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import (
    Check,
    Disposition,
    Handoff,
    Inputs,
    Limit,
    Lost,
    Pending,
    Plan,
    Rollback,
    Seats,
    envelope_digest,
    plan_digest,
    summarize,
)
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Approval, Outcome, Result
from cleanup_gitops.runner.outcomes import outcome_of

CREATED = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
SEEN = datetime(2026, 5, 1, 7, tzinfo=UTC)
ADA, BOB, CAI, DEE = (f"712020:{letter * 8}-0000-4000-8000-{letter * 12}" for letter in "abcd")
RUN = "20261121T071700Z-1c2d3e4f"
USERS, EDITORS = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"

PEOPLE = People(
    {
        ADA: Person("Ada Example", "ada@example.com"),
        BOB: Person("Bob Muster", "bob@example.com"),
        CAI: Person("李 彩", "cai@example.com"),
    }
)

DORMANT = Cause(
    policy="dormant-members",
    where="policies/dormant.yaml:31",
    why="last seen by 2026-05-01, 204 days",
)
LEFT = Cause(policy="left-projects", where="policies/projects.yaml:12", why="in group alumni")
GUESTS = Cause(policy="old-guests", where="policies/guests.yaml:8", why="never seen, added 2025-01-07")


def plan(
    changes: Iterable[Change] = (),
    *,
    site: str = "acme",
    hosting: Hosting = "cloud",
    handoffs: tuple[Handoff, ...] = (),
    others: dict[str, Disposition] | None = None,
    failed: tuple[Check, ...] = (),
    lifted: tuple[Check, ...] = (),
    limits: tuple[Limit, ...] = (),
    blocked: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    seats: Seats | None = None,
    policy_commit: str = "4be1d0c2a9f04be1d0c2a9f04be1d0c2a9f04be1",
) -> Plan:
    """A plan that is consistent in itself: order, dispositions, summary and digests fit the changes."""
    ordered = tuple(sorted(changes, key=change_order))
    dispositions = dict(others or {})
    for change in ordered:
        policies = tuple(cause.policy for cause in change.causes)
        dispositions[change.user] = Disposition("changed", "changed", policies)
    dispositions = dict(sorted(dispositions.items()))
    digest = plan_digest(ordered)
    reading = Reading(what="users", endpoint="POST users/search", pages=1, items=1, ended=True)
    return Plan(
        site=site,
        hosting=hosting,
        created=CREATED,
        as_of=CREATED,
        changes=ordered,
        handoffs=handoffs,
        dispositions=dispositions,
        checks=(Check(name="protected-groups", passed=True, message="every protected group exists"), *failed, *lifted),
        limits=limits,
        blocked=blocked,
        warnings=warnings,
        seats=seats or Seats(before=412, after=412, limit=500),
        summary=summarize(ordered, dispositions),
        inputs=Inputs(
            policy_digest="sha256:" + "1" * 64,
            inventory_digest="sha256:" + "2" * 64,
            proof=Proof(readings=(reading,)),
            lineage="sha256:" + "3" * 64,
            serial=41,
            tool_version="0.1.0",
            policy_commit=policy_commit,
        ),
        applyable=not failed,
        complete=not blocked,
        digest=digest,
        envelope=envelope_digest(plan=digest, site=site, lineage="sha256:" + "3" * 64, serial=41, created=CREATED),
    )


def suspend(user: str, *causes: Cause) -> UserDisable:
    return UserDisable(
        address=user_address(user, None),
        user=user,
        directory="default",
        causes=causes or (DORMANT,),
        needs=(StatusIs("active"), NotSeenAfter("any", SEEN)),
        old="active",
        new="suspended",
    )


def restore(user: str, *causes: Cause) -> UserEnable:
    return UserEnable(
        address=user_address(user, None),
        user=user,
        directory="default",
        causes=causes,
        needs=(StatusIs("suspended"),),
        old="suspended",
        new="active",
    )


def leave(
    user: str, *causes: Cause, group: str = USERS, label: str = "confluence-users-acme", note: str = ""
) -> MembershipRemove:
    return MembershipRemove(
        address=membership_address(group, user, None),
        user=user,
        directory="default",
        causes=causes or (DORMANT,),
        needs=(StatusIs("active"), MemberIs(group, True)),
        note=note,
        group=group,
        label=label,
    )


def join(user: str, *causes: Cause, group: str = EDITORS, label: str = "wiki-editors") -> MembershipAdd:
    return MembershipAdd(
        address=membership_address(group, user, None),
        user=user,
        directory="default",
        causes=causes,
        needs=(StatusIs("active"), MemberIs(group, False)),
        group=group,
        label=label,
    )


def untouched(**counts: int) -> dict[str, Disposition]:
    """So many invented users per reason: ``untouched(administrator=2, no_policy_matches=2892)``."""
    states = {
        "administrator": "protected",
        "runner": "protected",
        "listed": "protected",
        "absence": "exempt",
        "policy_undecided": "unknown",
        "already_so": "unchanged",
        "no_policy_matches": "unchanged",
    }
    return {
        f"712020:{reason}-{number:05}": Disposition(states[reason], reason.replace("_", "-"))  # type: ignore[arg-type]
        for reason, count in counts.items()
        for number in range(count)
    }


def empty() -> Plan:
    return plan(others=untouched(administrator=2, runner=1, absence=4, no_policy_matches=2892))


def usual() -> Plan:
    return plan(
        [
            suspend(ADA),
            leave(BOB, DORMANT, LEFT, note="no seat freed: still held through group wiki-editors"),
            leave(DEE, GUESTS, label="confluence-guests-acme"),
            restore(CAI, Cause(policy="returning", where="policies/returning.yaml:9", why="in group staff")),
            join(CAI, Cause(policy="returning", where="policies/returning.yaml:11", why="in group staff")),
        ],
        others=untouched(administrator=61, absence=4, no_policy_matches=2890, already_so=2),
        seats=Seats(before=412, after=411, limit=500),
        warnings=("policies/exemptions.yaml:7: exemption for 712020:e2 ended on 2026-11-01.",),
    )


def unsafe() -> Plan:
    return plan(
        [suspend(ADA), suspend(BOB), leave(CAI)],
        others=untouched(administrator=1, no_policy_matches=97),
        failed=(
            Check(
                name="cap:user.disable",
                passed=False,
                message="2 planned and 0 applied in the last 24 hours, 1 allowed"
                " (max 25, 2 % of 90 seats; policies/guardrails.yaml:4)",
            ),
            Check(
                name="protected-groups",
                passed=False,
                message="protected groups that this site does not have: brake-glass (policies/protection.yaml:6)",
            ),
        ),
        limits=(
            Limit(name="user.disable", planned=2, recent=0, allowed=1, rule="max 25, 2 % of 90 seats"),
            Limit(name="membership.remove", planned=1, recent=7, allowed=9, rule="max 200, 10 % of 90 seats"),
            Limit(name="membership.add", planned=0, recent=0, allowed=18, rule="max 200, 20 % of 90 seats"),
            Limit(name="total", planned=3, recent=7, allowed=10, rule="max 300, 12 % of 90 seats"),
        ),
        seats=Seats(before=90, after=87),
        policy_commit="",
    )


def left_over() -> Plan:
    """Nothing to do here, much to do elsewhere: handoffs, conflicts, a blocked policy, many unknown users."""
    return plan(
        handoffs=(
            Handoff(
                address=membership_address(USERS, ADA, None),
                user=ADA,
                action="membership.remove",
                reason="group-managed-elsewhere",
                label="confluence-users-acme",
                causes=(DORMANT, LEFT),
            ),
            Handoff(
                address=user_address(BOB, None),
                user=BOB,
                action="user.disable",
                reason="account-managed-elsewhere",
                causes=(DORMANT,),
            ),
            Handoff(
                address=user_address(DEE, None),
                user=DEE,
                action="user.disable",
                reason="account-managed-elsewhere",
                causes=(DORMANT,),
            ),
        ),
        others={
            ADA: Disposition("handed_off", "group-managed-elsewhere", ("dormant-members", "left-projects")),
            BOB: Disposition("handed_off", "account-managed-elsewhere", ("dormant-members",)),
            CAI: Disposition("conflict", "policies-disagree", ("dormant-members", "returning"), "status"),
            DEE: Disposition("handed_off", "account-managed-elsewhere", ("dormant-members",)),
            "712020:e0": Disposition("conflict", "no-seat-left", ("returning",)),
            "712020:e1": Disposition(
                "unknown", "policy-undecided", ("old-guests",), "not known: activity (not in the answer)"
            ),
            **untouched(policy_undecided=1234, administrator=1, no_policy_matches=8),
        },
        blocked=("contractors (policies/contractors.yaml:14): no group matches contractor-*",),
    )


def data_center() -> Plan:
    """A site with several directories, where accounts are disabled and addresses name the directory."""
    key, other = "8a7f808a6f2c01016f2c0a5b0c120003", "8a7f808a6f2c01016f2c0a5b0c120004"
    idle = Cause(policy="idle", where="policies/idle.yaml:14", why="last seen by 2026-03-09, 258 days")
    group = "wiki-users"
    disable = UserDisable(
        address=user_address(key, "32769"),
        user=key,
        directory="32769",
        causes=(idle,),
        needs=(StatusIs("active"),),
        old="active",
        new="disabled",
    )
    enable = UserEnable(
        address=user_address(other, "32769"),
        user=other,
        directory="32769",
        causes=(Cause(policy="returning", where="policies/returning.yaml:9"),),
        needs=(StatusIs("disabled"),),
        old="disabled",
        new="active",
    )
    handoff = Handoff(
        address=membership_address(group, "8a7f808a6f2c01016f2c0a5b0c120005", "65537"),
        user="8a7f808a6f2c01016f2c0a5b0c120005",
        action="membership.remove",
        reason="group-managed-elsewhere",
        label=group,
        causes=(idle,),
    )
    return plan(
        [disable, enable],
        site="intranet",
        hosting="datacenter",
        handoffs=(handoff,),
        others={
            handoff.user: Disposition("handed_off", "group-managed-elsewhere", ("idle",)),
            "8a7f808a6f2c01016f2c0a5b0c120001": Disposition("protected", "runner"),
        },
        seats=Seats(before=9_871, after=9_871, limit=10_000),
    )


def accounts() -> Plan:
    """What only Cloud knows: whole accounts, direct roles, API tokens, and those who must act where we may not."""
    gone = Cause(policy="long-gone", where="policies/gone.yaml:14", why="last seen by 2025-02-01 in every product")
    facts: dict[str, Any] = {"directory": "default", "causes": (gone,), "needs": (StatusIs("active"),)}
    access = Cause(policy="dormant-members", where="policies/dormant.yaml:33", why="last seen by 2026-05-01, 204 days")
    return plan(
        [
            UserDelete(address=user_address(ADA, None), user=ADA, old="deactivated", new="deleting", **facts),
            UserRemove(address=user_address(BOB, None), user=BOB, old="suspended", new="absent", **facts),
            UserDeactivate(address=user_address(CAI, None), user=CAI, old="active", new="deactivated", **facts),
            TokenRevoke(address=token_address(CAI, "t-1"), user=CAI, token="t-1", **facts),
            RoleRevoke(
                address=role_address("user", DEE),
                user=DEE,
                role="user",
                note="no seat freed: still held through group confluence-users-acme",
                **(facts | {"causes": (access,)}),
            ),
        ],
        handoffs=(
            _account_handoff("712020:f1", "user.deactivate", "account-unmanaged", gone),
            _account_handoff("712020:f1", "tokens.revoke", "account-unmanaged", gone),
            _account_handoff("712020:f2", "user.deactivate", "externalDirectory.scim", gone),
            _account_handoff("712020:f3", "user.delete", "externalDirectory.google", gone),
        ),
        others={
            "712020:f1": Disposition("handed_off", "account-unmanaged", ("long-gone",)),
            "712020:f2": Disposition("handed_off", "externalDirectory.scim", ("long-gone",)),
            "712020:f3": Disposition("handed_off", "externalDirectory.google", ("long-gone",)),
            "712020:f4": Disposition("conflict", "lifecycle-refused", ("long-gone",), "managedAccount"),
            "712020:f5": Disposition("conflict", "seat-to-guest", ("old-guests",)),
            "712020:f6": Disposition("unknown", "direct-roles-unknown", ("dormant-members",)),
            "712020:f7": Disposition("unchanged", "new", ("never-used",), "12 days left"),
        },
        failed=(
            Check(
                name="allow:user.remove",
                passed=False,
                message="1 planned, which Guardrails do not allow (policies/guardrails.yaml:4)",
            ),
        ),
        warnings=("4 users count as idle by page views alone.",),
        seats=Seats(before=412, after=409, limit=400),
    )


def on_hold() -> Plan:
    """After a rollback: policies ask for changes of people whom they leave alone for a while."""
    note = f"held until 2026-12-06 after the rollback of {RUN}"
    often = "others undid this on 3 days, last on 2026-10-01: look at the identity provider"
    waiting = plan(
        others={
            ADA: Disposition("pending", "hold", ("dormant-members",), note),
            BOB: Disposition("pending", "flapping", ("left-projects",), often),
            CAI: Disposition("unchanged", "hold", ("dormant-members",), note),
            **untouched(administrator=1, no_policy_matches=8),
        },
        limits=(Limit(name="user.disable", planned=0, recent=0, allowed=1, rule="max 1", pending=1),),
    )
    return replace(
        waiting,
        pending=(
            Pending(change=suspend(ADA), reason="hold", until=date(2026, 12, 6), note=note),
            Pending(change=leave(BOB, LEFT), reason="flapping", note=often),
        ),
    )


def rollback() -> Plan:
    """A run is taken back as far as that is possible."""
    undo = Cause(
        policy=f"rollback of {RUN}",
        where=f"state/acme/runs/{RUN}/outcomes.jsonl:1",
        why="dormant-members had it closed on 2026-11-21",
    )
    facts: dict[str, Any] = {"user": BOB}
    made = plan(
        [restore(ADA, undo), join(ADA, undo)],
        others={
            BOB: Disposition("unchanged", "not-of-this-run"),
            "712020:e0": Disposition("conflict", "no-seat-left", (f"rollback of {RUN}",)),
        },
        seats=Seats(before=411, after=412, limit=412),
    )
    return replace(
        made,
        rollback=Rollback(
            run=RUN,
            time=datetime(2026, 11, 21, 7, 17, tzinfo=UTC),
            irreversible=(
                Lost(
                    address=membership_address("g-9", BOB, None),
                    action="membership.remove",
                    reason="group-gone",
                    label="old | <projects>",
                    **facts,
                ),
                Lost(address=token_address(BOB, "t-1"), action="tokens.revoke", reason="token-gone", **facts),
                Lost(address=user_address(DEE, None), user=DEE, action="user.remove", reason="needs-invitation"),
            ),
            left=(
                Lost(address=user_address(BOB, None), action="user.disable", reason="changed-meanwhile", **facts),
                Lost(
                    address=user_address(CAI, None),
                    user=CAI,
                    action="user.disable",
                    reason="changed-by-a-later-run",
                    note="20261121T201500Z-2d3e4f50",
                ),
            ),
            holds={ADA: ("dormant-members",)},
            until=date(2026, 12, 6),
            users=(ADA, BOB, CAI, DEE),
        ),
    )


def nothing_to_roll_back() -> Plan:
    """A run of which nothing can be taken back, or needs to be."""
    lost = Lost(address=user_address(DEE, None), user=DEE, action="user.remove", reason="needs-invitation")
    empty_one = plan(others={DEE: Disposition("unchanged", "not-of-this-run")})
    told = Rollback(run=RUN, time=CREATED, irreversible=(lost,), left=(), holds={}, until=date(2026, 12, 6))
    return replace(empty_one, rollback=told)


def _account_handoff(user: str, action: Action, reason: str, *causes: Cause) -> Handoff:
    return Handoff(address=user_address(user, None), user=user, action=action, reason=reason, causes=causes)


def rollback_over_its_limits() -> Plan:
    """A rollback that is unsafe: it is made anew by its own command."""
    proposed = "apiVersion: cleanup-gitops/v1\nkind: Override\nspec:\n  guard: total\n  max: 2\n"
    failed = Check(name="cap:total", passed=False, message="2 planned, allowed: 1", override=proposed)
    return replace(rollback(), applyable=False, checks=(failed,))


PLANS = {
    "empty": empty,
    "usual": usual,
    "unsafe": unsafe,
    "left-over": left_over,
    "data-center": data_center,
    "accounts": accounts,
    "on-hold": on_hold,
    "rollback": rollback,
    "rollback-unsafe": rollback_over_its_limits,
    "rollback-nothing": nothing_to_roll_back,
}


def outcome(change: Change, result: Result, detail: str = "", **facts: object) -> Outcome:
    """What became of one change."""
    return replace(outcome_of(change, result, CREATED, detail=detail), **facts)


def approval(of: Plan, kind: str = "plan") -> Approval:
    return Approval(kind=kind, by="712020:reviewer", at=CREATED, ref=of.envelope)  # type: ignore[arg-type]


def mixed_run(of: Plan) -> Sequence[Outcome]:
    """One outcome of each kind for the changes of the usual plan."""
    disable, first, second, enable, add = of.changes
    return (
        outcome(disable, "failed", "the site answered 403 (request 5f0c): the account may not be managed"),
        outcome(first, "superseded", unmet=(NotSeenAfter("confluence", SEEN),)),
        outcome(second, "applied", verified=CREATED),
        outcome(enable, "settling", "looked for it until 09:17:30"),
        outcome(add, "not_effective", "read back 3 times"),
    )

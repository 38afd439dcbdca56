"""Generated values of the model, for laws: inventories of both hostings, memories, plans.

Everything generated is valid: an inventory has its proof, a plan its digests. Times are UTC with
whole seconds and lie before `AS_OF`. Accounts are few, so that examples stay readable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar, get_args

from hypothesis import strategies as st

from cleanup_gitops.model.activity import Activity, Never, Seen, Source, Unknown
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.change import (
    ACTIONS,
    Change,
    GroupModifiable,
    LifecycleAllowed,
    MemberIs,
    MembershipAdd,
    MembershipRemove,
    Need,
    NotSeenAfter,
    RoleHeld,
    RoleRevoke,
    StatusIs,
    TokenExists,
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
from cleanup_gitops.model.group import Directory, Grant, Group
from cleanup_gitops.model.inventory import Hosting, Inventory, Proof, Reading
from cleanup_gitops.model.memory import Applied, Consumed, Memory
from cleanup_gitops.model.plan import (
    STATES,
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
from cleanup_gitops.model.run import Approval, Outcome, Receipt, Result
from cleanup_gitops.model.user import (
    GrantSeat,
    GroupSeat,
    Kind,
    License,
    Lifecycle,
    RoleSeat,
    SeatPath,
    Status,
    User,
)
from cleanup_gitops.runner import outcomes

AS_OF = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
"""When generated inventories were read and generated plans were made."""

T = TypeVar("T")

HOSTILE = (
    '=HYPERLINK("http://evil.example","x")',
    "a|b",
    "</td><script>",
    "line\nbreak",
    "right\u202eleft",
    "@everyone",
    "../../etc/passwd",
    "CON",
    "",
    " ",
    "Ａｃｍｅ",
    "Отдел",
)
"""Labels that real directories hold and that break careless text."""

MAYBE: st.SearchStrategy[bool | None] = st.sampled_from([None, False, True])
HOSTINGS: st.SearchStrategy[Hosting] = st.sampled_from(get_args(Hosting))
HEX = "0123456789abcdef"
DOMAINS = ("acme.com", "sub.acme.com", "partner.example", "xn--bcher-kva.example")
PRODUCTS = ("jira-software", "jira-servicedesk", "trello")


@cache
def instants(*, before: datetime = AS_OF, days: int = 2000) -> st.SearchStrategy[datetime]:
    """Moments up to so many days before, whole seconds, UTC."""
    seconds = st.integers(0, days * 86_400)
    return seconds.map(lambda ago: before - timedelta(seconds=ago))


@cache
def labels() -> st.SearchStrategy[str]:
    """Names of groups, hostile ones included."""
    plain = st.from_regex(r"[a-zA-Z][a-zA-Z0-9 ._-]{0,12}", fullmatch=True)
    return plain | st.sampled_from(HOSTILE) | st.text(max_size=8)


def subsets(pool: Sequence[T]) -> st.SearchStrategy[tuple[T, ...]]:
    """Some of these values, in their order."""
    numbers = st.integers(0, 2 ** len(pool) - 1)
    return numbers.map(lambda bits: tuple(v for at, v in enumerate(pool) if bits >> at & 1))


def account_id(hosting: Hosting, number: int) -> str:
    """An account id (Cloud) or user key (Data Center)."""
    text = hashlib.sha256(f"account {number}".encode()).hexdigest()
    return f"712020:{text[:8]}" if hosting == "cloud" else text[:32]


@cache
def digests() -> st.SearchStrategy[str]:
    return st.integers(0, 255).map(lambda number: sha256(bytes([number])))


@st.composite
def sightings(draw: st.DrawFn) -> Seen:
    """An exact sighting or an interval."""
    source = draw(st.sampled_from(get_args(Source)))
    latest = draw(instants())
    width = draw(st.sampled_from([0, 1, 3600, 86_400, 7 * 86_400, 200 * 86_400]))
    return Seen(latest - timedelta(seconds=width), latest, source)


@cache
def activities() -> st.SearchStrategy[Activity]:
    """Seen, never, or honestly unknown."""
    return st.one_of(
        sightings(),
        st.builds(Never, st.none() | instants(), st.sampled_from(["directory", "database"])),
        st.builds(Unknown, st.sampled_from(["not in the answer", "not read"])),
    )


def seat_paths(hosting: Hosting, groups: Sequence[str]) -> list[SeatPath]:
    """Ways to hold a seat in a site with these groups; on Data Center also through nesting."""
    own: SeatPath = RoleSeat("user") if hosting == "cloud" else GrantSeat("USECONFLUENCE")
    paths: list[SeatPath] = [own, *(GroupSeat((group,)) for group in groups)]
    if hosting == "datacenter":
        paths += [GroupSeat((one, other)) for one, other in pairwise(groups)]
    return paths


@cache
def elsewheres() -> st.SearchStrategy[tuple[tuple[str, Activity], ...] | None]:
    """Activity in other products; not listed is unknown, and so is all of it."""
    maybe = [st.none() | st.tuples(st.just(name), activities()) for name in PRODUCTS]
    listed = st.tuples(*maybe).map(lambda found: tuple(one for one in found if one is not None))
    return st.none() | listed


@cache
def users(
    account: str,
    hosting: Hosting = "cloud",
    groups: tuple[str, ...] = (),
    directories: tuple[str, ...] = ("default",),
) -> st.SearchStrategy[User]:
    """One account; each fact may be unknown."""
    statuses = [one for one in get_args(Status) if hosting == "cloud" or one != "suspended"]
    return st.builds(
        User,
        id=st.just(account),
        directory=st.sampled_from(directories),
        status=st.sampled_from(statuses),
        kind=st.sampled_from(get_args(Kind)),
        license=st.sampled_from(get_args(License)),
        managed=MAYBE,
        synced=MAYBE,
        writable=MAYBE,
        admin=MAYBE,
        domain=st.sampled_from([None, *DOMAINS]),
        added=st.none() | instants(),
        seat_since=st.none() | instants(days=100),
        seen=activities(),
        elsewhere=elsewheres(),
        groups=st.none() | subsets(groups),
        seats=st.none() | subsets(seat_paths(hosting, groups)),
        attributes=st.sampled_from([(), (("department", "Sales"),)]),
        roles=st.none() | subsets(("organization-admin", "site-admin")),
        direct=st.none() | subsets(("guest", "user")) if hosting == "cloud" else st.none(),
        external=MAYBE,
        has_email=MAYBE,
        accepted=MAYBE,
        status_since=st.none() | instants(),
        lifecycle=st.none() | lifecycles(),
        tokens=st.none() | subsets(("t-1", "t-2")),
    )


@cache
def lifecycles() -> st.SearchStrategy[Lifecycle]:
    """Allowed, refused, or not told."""
    told = st.sampled_from([None, "", "externalDirectory.scim", "managedAccount"])
    return st.builds(Lifecycle, told, told)


@cache
def groups_of(
    ids: tuple[str, ...], hosting: Hosting, directories: tuple[str, ...]
) -> st.SearchStrategy[tuple[Group, ...]]:
    """One group for each of these sorted ids; on Data Center they may be nested."""
    grants = subsets([Grant("confluence", "user"), Grant("jira-software", "user")])
    return st.tuples(
        *(
            st.builds(
                Group,
                id=st.just(one),
                name=labels(),
                directory=st.sampled_from(directories),
                modifiable=MAYBE,
                synced=MAYBE,
                license=st.sampled_from(get_args(License)),
                admin=MAYBE,
                grants=st.none() | grants,
                parents=subsets(ids if hosting == "datacenter" else ()),
            )
            for one in ids
        )
    )


def proof_of(users: int, groups: int) -> Proof:
    """The proof of a reading that ended and counted right."""
    return Proof(
        readings=(
            Reading(
                what="users",
                endpoint="POST …/users/search",
                pages=1 + users // 100,
                items=users,
                ended=True,
                reported_before=users,
                reported_after=users,
            ),
            Reading(what="groups", endpoint="POST …/groups/search", pages=1, items=groups, ended=True),
        )
    )


@st.composite
def inventories(
    draw: st.DrawFn,
    hosting: Hosting | None = None,
    *,
    site: str = "acme",
    max_users: int = 8,
    max_groups: int = 5,
) -> Inventory:
    """A site of either hosting. A Data Center has two directories, nested groups and user keys."""
    kind: Hosting = draw(HOSTINGS if hosting is None else st.just(hosting))
    directories: tuple[str, ...] = ("default",) if kind == "cloud" else ("1", "32769")
    group_ids = tuple(f"g-{number:02}" for number in range(draw(st.integers(0, max_groups))))
    accounts = sorted(account_id(kind, one) for one in range(draw(st.integers(0, max_users))))
    found = tuple(draw(users(account, kind, group_ids, directories)) for account in accounts)
    return Inventory(
        site=site,
        hosting=kind,
        as_of=AS_OF,
        users=found,
        groups=draw(groups_of(group_ids, kind, directories)),
        directories=tuple(
            Directory(id=one, name=f"Directory {one}", writable=draw(st.booleans())) for one in directories
        ),
        proof=proof_of(len(accounts), len(group_ids)),
        runner=tuple(accounts[:1]) if draw(st.booleans()) else (),
        seat_limit=draw(st.none() | st.integers(0, 1000)),
    )


@cache
def action_counts() -> st.SearchStrategy[dict[str, int]]:
    return st.dictionaries(st.sampled_from(ACTIONS), st.integers(1, 500))


@cache
def memories() -> st.SearchStrategy[Memory]:
    """What earlier runs may have left."""
    applied = st.builds(
        Applied,
        run=st.text(HEX, min_size=8, max_size=8).map(lambda tail: f"20261121T091500Z-{tail}"),
        at=instants(days=40),
        actions=action_counts(),
    )
    consumed = st.builds(
        Consumed, envelope=digests(), at=instants(days=40), rows=st.lists(digests(), max_size=3).map(tuple)
    )
    return st.builds(
        Memory,
        lineage=digests(),
        serial=st.integers(1, 10_000),
        head=digests().map(lambda text: text.removeprefix("sha256:")),
        sequence=st.integers(1, 10_000),
        applied=st.lists(applied, max_size=3).map(tuple),
        consumed=st.lists(consumed, max_size=3).map(tuple),
    )


@cache
def causes() -> st.SearchStrategy[tuple[Cause, ...]]:
    one = st.builds(
        Cause,
        policy=st.sampled_from(["dormant-members", "leavers", "never-used"]),
        where=st.sampled_from(["", "policies/dormant.yaml:31"]),
        why=st.sampled_from(["", "last seen by 2026-05-01, 204 days"]),
    )
    return st.lists(one, min_size=1, max_size=2).map(tuple)


def needs(groups: Sequence[str]) -> st.SearchStrategy[tuple[Need, ...]]:
    group = st.sampled_from(groups or ["g-0"])
    one: st.SearchStrategy[Need] = st.one_of(
        st.builds(StatusIs, st.sampled_from(get_args(Status))),
        st.builds(MemberIs, group, st.booleans()),
        st.builds(NotSeenAfter, st.sampled_from(["confluence", "any"]), st.none() | instants()),
        st.builds(GroupModifiable, group),
        st.builds(RoleHeld, st.sampled_from(["user", "guest"])),
        st.builds(TokenExists, st.sampled_from(["t-1", "t-2"])),
        st.builds(LifecycleAllowed, st.sampled_from(["enablement", "deletion"])),
    )
    return st.lists(one, max_size=3).map(tuple)


_CLOSING: dict[type[Change], Status] = {
    UserDeactivate: "deactivated",
    UserRemove: "absent",
    UserDelete: "deleting",
}


@st.composite
def changes_for(draw: st.DrawFn, user: User, groups: Sequence[Group], hosting: Hosting) -> Change:
    """Some change of this user, in a site with these groups. Only Cloud has roles, tokens and whole accounts."""
    kinds: list[type[Change]] = [UserDisable, UserEnable]
    if hosting == "cloud":
        kinds += [UserDeactivate, UserRemove, UserDelete, RoleRevoke, TokenRevoke]
    if groups:
        kinds += [MembershipAdd, MembershipRemove]
    kind = draw(st.sampled_from(kinds))
    directory = user.directory if hosting == "datacenter" else None
    common: dict[str, Any] = {
        "user": user.id,
        "directory": user.directory,
        "causes": draw(causes()),
        "needs": draw(needs([group.id for group in groups])),
    }
    if kind is RoleRevoke:
        role = draw(st.sampled_from(["user", "guest"]))
        return RoleRevoke(address=role_address(role, user.id), role=role, **common)
    if kind is TokenRevoke:
        token = draw(st.sampled_from(["t-1", "t-2"]))
        return TokenRevoke(address=token_address(user.id, token), token=token, **common)
    if kind is MembershipAdd or kind is MembershipRemove:
        group = draw(st.sampled_from(groups))
        address = membership_address(group.id, user.id, directory)
        return kind(address=address, group=group.id, label=group.name, **common)
    closed: Status = "suspended" if hosting == "cloud" else "disabled"
    opened: Status = "active"
    old, new = (opened, closed) if kind is not UserEnable else (closed, opened)
    common |= {"old": old, "new": _CLOSING.get(kind, new)}
    return kind(address=user_address(user.id, directory), **common)


def plan_of(
    inventory: Inventory,
    changes: Sequence[Change],
    *,
    memory: Memory | None = None,
    created: datetime = AS_OF,
    dispositions: dict[str, Disposition] | None = None,
) -> Plan:
    """A plan with exactly these changes; everybody else is unchanged unless said otherwise."""
    memory = memory or Memory()
    ordered = tuple(sorted(changes, key=change_order))
    touched = {change.user for change in ordered}
    everybody = {
        user.id: Disposition("changed", "policy") if user.id in touched else Disposition("unchanged", "matches")
        for user in inventory.users
    }
    everybody.update(dispositions or {})
    digest = plan_digest(ordered)
    return Plan(
        site=inventory.site,
        hosting=inventory.hosting,
        created=created,
        as_of=inventory.as_of,
        changes=ordered,
        handoffs=(),
        dispositions=everybody,
        checks=(Check(name="total", passed=True, message="3 of 100"),),
        limits=(Limit(name="total", planned=len(ordered), recent=0, allowed=100, rule="max 100"),),
        blocked=(),
        warnings=(),
        seats=Seats(before=inventory.seats_used, after=inventory.seats_used),
        summary=summarize(ordered, everybody),
        inputs=Inputs(
            policy_digest=f"sha256:{'0' * 64}",
            inventory_digest=inventory.digest,
            proof=inventory.proof,
            lineage=memory.lineage,
            serial=memory.serial,
            tool_version="0.1.0",
            policy_commit="",
        ),
        applyable=True,
        complete=True,
        digest=digest,
        envelope=envelope_digest(
            plan=digest,
            site=inventory.site,
            lineage=memory.lineage,
            serial=memory.serial,
            created=created,
        ),
    )


@st.composite
def plans(draw: st.DrawFn, inventory: Inventory | None = None, memory: Memory | None = None) -> Plan:
    """A plan over a generated (or this) inventory, with all that a plan file may hold."""
    site = inventory or draw(inventories())
    remembered = memory or draw(st.just(Memory()) | memories())
    found = [draw(changes_for(user, site.groups, site.hosting)) for user in site.users if draw(st.booleans())]
    others = {
        user.id: Disposition(draw(st.sampled_from(STATES)), "code", ("dormant-members",), "a note")
        for user in site.users
        if draw(st.booleans())
    }
    plan = plan_of(site, found, memory=remembered, created=draw(instants()), dispositions=others)
    handoffs = tuple(
        Handoff(
            address=change.address,
            user=change.user,
            action=change.action,
            reason="synced",
            causes=change.causes,
        )
        for change in found[:1]
    )
    blocked = draw(st.sampled_from([(), ("leavers",)]))
    waiting = [draw(changes_for(user, site.groups, site.hosting)) for user in site.users if draw(st.booleans())]
    more = {
        "handoffs": handoffs,
        "blocked": blocked,
        "applyable": draw(st.booleans()),
        "pending": tuple(Pending(change=one, reason="hold", until=AS_OF.date(), note="a note") for one in waiting),
        "rollback": draw(st.none() | st.just(rolled_back(found))),
    }
    return Plan(**{name: getattr(plan, name) for name in plan.__struct_fields__} | more)


def rolled_back(changes: Sequence[Change]) -> Rollback:
    """What a plan says that takes back a run; the first of these changes cannot be taken back."""
    lost = [Lost(address=one.address, user=one.user, action=one.action, reason="group-gone") for one in changes]
    return Rollback(
        run="20261121T091500Z-0a0a0a0a",
        time=AS_OF - timedelta(days=1),
        irreversible=tuple(lost[:1]),
        left=tuple(lost[1:]),
        holds={one.user: ("dormant-members",) for one in changes},
        until=AS_OF.date() + timedelta(days=14),
    )


def outcome_of(change: Change, result: Result, at: datetime = AS_OF) -> Outcome:
    """What became of this change."""
    receipt = Receipt(method="POST", endpoint="…/suspend", status=204) if result == "applied" else None
    return outcomes.outcome_of(change, result, at, receipt=receipt, seen=result in {"applied", "already"})


@st.composite
def outcomes_for(draw: st.DrawFn, plan: Plan) -> tuple[Outcome, ...]:
    """An outcome for each change of the plan."""
    results = st.sampled_from(get_args(Result))
    return tuple(outcome_of(change, draw(results)) for change in plan.changes)


def approval_of(plan: Plan, by: str = "712020:approver") -> Approval:
    """The approval of a saved plan."""
    return Approval(kind="plan", by=by, at=plan.created, ref=plan.envelope)

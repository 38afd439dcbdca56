"""One site on one screen: who is in it, what it costs, what was recorded, and what ends soon."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec

from cleanup_gitops.ledger.subjects import left_of
from cleanup_gitops.model.inventory import Hosting, Inventory
from cleanup_gitops.model.memory import NOTHING_NOTICED, Flap, Hold, Memory
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.run import ACTING, Kind, LedgerEntry
from cleanup_gitops.planner.holds import holds_of
from cleanup_gitops.policy.documents import Exemption, SitePolicies
from cleanup_gitops.policy.expiry import credential_warnings
from cleanup_gitops.policy.site import Site
from cleanup_gitops.views.documents import render
from cleanup_gitops.views.open_runs import OpenRun
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.rows import with_details
from cleanup_gitops.views.run import results_told
from cleanup_gitops.views.safe import json_text, label
from cleanup_gitops.views.waiting_hands import HandedOff
from cleanup_gitops.views.words import counted

EXEMPTION_DAYS = 30
"""Days before the end of an exemption from which on it is named."""
_OTHER_RECORDS: dict[Kind, str] = {
    "void": "last run that was void, so that nothing was done",
    "drift": "last record of what others changed",
    "recovery": "last recovery of a run that was cut off",
    "override": "last time that an Override lifted a guard",
    "undelivered": "last time that notices were said to have come back",
}
_WHY = {"rollback": "a rollback", "restored": "others undid what a policy did"}
OnHold = Hold | Flap
"""A user whom one policy leaves alone, until a day or (what others undid again and again) for good."""
_HOSTING: dict[Hosting, str] = {"cloud": "Confluence Cloud", "datacenter": "Confluence Data Center"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What ``state/`` holds, or the problem that keeps it from being read.

    ``last`` is the newest entry about a run that could act, ``times`` are those of the newest entry of each kind, and
    ``serial`` counts the snapshots. ``runs`` have not been recorded yet. ``place`` is where
    records go, ``version`` the one of the tool that wrote the last snapshot, where it is another than this one.
    ``older`` says why the record of this clone, which is shown, may not be the newest.
    """

    last: LedgerEntry | None = None
    problem: str = ""
    serial: int = 0
    times: Mapping[Kind, datetime] = field(default_factory=dict)
    runs: tuple[OpenRun, ...] = ()
    now: datetime | None = None
    """The moment (UTC) from which the age of leases is counted."""
    place: str = ""
    version: str = ""
    older: str = ""
    holds: tuple[OnHold, ...] = ()
    """Users whom policies leave alone."""
    handed: HandedOff = field(default_factory=HandedOff)
    """Users who wait in a stage for what others should do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatCount:
    """Seats of a site. ``free`` may be negative; it is ``None`` where the site does not tell its ``limit``.

    ``undecided`` accounts may occupy a seat or not. ``closed`` accounts hold a license that is not counted, because
    they are suspended or closed otherwise.
    """

    used: int
    limit: int | None
    free: int | None
    undecided: int
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An exemption that ends soon, or has ended (``days`` below 0). ``days`` counts from today; 0 is its last day."""

    account: str
    reason: str
    until: date
    days: int
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatus:
    """All that the screen says. Counts of unknown facts stand apart; nothing is added to a known number."""

    site: Site
    inventory: Inventory
    policies: SitePolicies
    seats: SeatCount
    statuses: Mapping[str, int]
    kinds: Mapping[str, int]
    uses: Mapping[str, int]
    invited: int
    guests: int
    external: Mapping[bool | None, int]
    administrators: Mapping[bool | None, int]
    recorded: Recorded
    exemptions: tuple[Ending, ...]
    credentials: tuple[str, ...]


def site_status(
    site: Site, policies: SitePolicies, inventory: Inventory, recorded: Recorded, today: date
) -> SiteStatus:
    """Count one site. ``today`` (UTC) is the day from which ends are counted."""
    users = inventory.users
    return SiteStatus(
        site=site,
        inventory=inventory,
        policies=policies,
        seats=seat_count(inventory),
        statuses=_most_first(user.status for user in users),
        kinds=_most_first(user.kind for user in users),
        uses=_most_first(str(msgspec.to_builtins(user.seen)["is"]) for user in users),
        invited=sum(1 for user in users if user.accepted is False),
        guests=sum(1 for user in users if user.license == "guest" and user.status == "active"),
        external=Counter(user.external for user in users),
        administrators=Counter(user.admin for user in users),
        recorded=recorded,
        exemptions=tuple(_endings(policies.exemptions, today)),
        credentials=credential_warnings(site, today),
    )


def seat_count(inventory: Inventory) -> SeatCount:
    """The seats of a site, as far as it tells them."""
    used, limit = inventory.seats_used, inventory.seat_limit
    return SeatCount(
        used=used,
        limit=limit,
        free=None if limit is None else limit - used,
        undecided=inventory.seats_taken - used,
        closed=sum(1 for user in inventory.users if user.license == "seat" and user.billed is False),
    )


def _most_first(words: Iterable[str]) -> dict[str, int]:
    found = Counter(words)
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def _endings(exemptions: Iterable[Exemption], today: date) -> Iterable[Ending]:
    for one in sorted(exemptions, key=lambda one: (one.until, one.account)):
        days = (one.until - today).days
        if days <= EXEMPTION_DAYS:
            yield Ending(account=one.account, reason=one.reason, until=one.until, days=days, where=one.where)


def render_status(status: SiteStatus, people: People = NOBODY, *, colour: bool = False) -> str:
    """The screen as text. Names of the people with an exemption that ends are taken from ``people``."""
    read = status.inventory.as_of.strftime("%Y-%m-%d %H:%M:%S UTC")
    hosting = _HOSTING[status.site.hosting]
    ending = [_ending(one, people) for one in status.exemptions]
    size = f"{counted(len(status.inventory.users), 'user')}, {counted(len(status.inventory.groups), 'group')}"
    text = render(
        "status.txt.j2", status=status, hosting=hosting, read=read, size=size, rows=_rows(status),
        recorded=_recorded(status.recorded), now=status.recorded.now,
        ending=ending, within=EXEMPTION_DAYS,
    )  # fmt: skip
    return paint(text, colour=colour)


def _rows(status: SiteStatus) -> list[tuple[str, str]]:
    """Label and text of every line of counts."""
    invited = f"; {status.invited:,} never accepted the invitation" if status.invited else ""
    return [
        ("Seats", _seats(status.seats)),
        *(("", text) for text in _beside_seats(status.seats)),
        ("Guests", f"{status.guests:,}"),
        ("External", _known(status.external)),
        ("Status", _list(status.statuses) + invited),
        ("Kind", _list(status.kinds)),
        ("Administrators", _known(status.administrators)),
        ("Last use", _list(status.uses)),
        ("Policies", _policies(status.policies)),
    ]


def _policies(policies: SitePolicies) -> str:
    protections = counted(len(policies.protections), "protection")
    exemptions = counted(len(policies.exemptions), "exemption")
    return f"{len(policies.policies):,}; {protections}, {exemptions}; guardrails: {policies.guardrails.where}"


def _seats(seats: SeatCount) -> str:
    if seats.limit is None or seats.free is None:
        return f"{seats.used:,} used; the site does not tell how many there are"
    if seats.free < 0:
        return f"{seats.used:,} used of {seats.limit:,}: {-seats.free:,} more than there are"
    return f"{seats.used:,} used of {seats.limit:,}, {seats.free:,} free"


def _beside_seats(seats: SeatCount) -> list[str]:
    found = []
    if seats.undecided:
        which = "its status or license is" if seats.undecided == 1 else "their status or license is"
        found.append(f"not counted: {counted(seats.undecided, 'account')} that may use one; {which} not known")
    if seats.closed:
        closed = "that is" if seats.closed == 1 else "that are"
        found.append(f"not counted: {counted(seats.closed, 'account')} with a license {closed} suspended or closed")
    return found


def _known(numbers: Mapping[bool | None, int]) -> str:
    unknown = numbers.get(None, 0)
    return f"{numbers.get(True, 0):,}" + (f"; not known of {unknown:,}" if unknown else "")


def _list(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{word} {number:,}" for word, number in numbers.items()) or "nobody"


def _recorded(recorded: Recorded) -> list[str]:
    """What the record holds, one thing a line."""
    if recorded.problem:
        return [f"cannot be used: {recorded.problem}"]
    lines = [_last_run(recorded)]
    lines += [
        f"{_OTHER_RECORDS[kind]}: {_at(recorded.times[kind])}" for kind in _OTHER_RECORDS if kind in recorded.times
    ]
    if recorded.version:
        lines.append(
            f"the last snapshot is by version {recorded.version}, which may class accounts and groups otherwise"
        )
    lines += _holds(recorded.holds)
    lines += filter(None, [recorded.handed.text])
    if recorded.place:
        lines.append(f"kept in {recorded.place}")
    if recorded.older:
        lines.append(recorded.older)
    return lines


def on_hold(
    memory: Memory, now: datetime, flapping_after: int, unbound: Collection[str] = frozenset()
) -> tuple[OnHold, ...]:
    """Whom policies leave alone at this moment (UTC): as a plan would, each user and policy once.

    The policies in ``unbound`` do again what others undid.
    """
    holds = {(one.user, one.policy): one for one in memory.holds}
    flaps = {(one.user, one.policy): one for one in memory.flaps}
    counts = holds_of(memory, NOTHING_NOTICED, now, flapping_after, unbound).by_user
    return tuple(
        flaps[user, policy] if held.until is None else holds[user, policy]
        for user, policies in sorted(counts.items())
        for policy, held in sorted(policies.items())
    )


def _holds(found: Sequence[OnHold]) -> list[str]:
    """How many users policies leave alone, how long the last of these holds lasts, and of how many it has no end."""
    lines = []
    if holds := [one for one in found if isinstance(one, Hold)]:
        users = counted(len({one.user for one in holds}), "user")
        last = max(one.until for one in holds).isoformat()
        after = ", or after ".join(_WHY[why] for why in _WHY if any(one.why == why for one in holds))
        lines.append(f"on hold after {after}: {users}, until {last} at the latest")
    if stopped := {one.user for one in found if isinstance(one, Flap)}:
        users = counted(len(stopped), "user")
        lines.append(f"left alone for good, because others undid again and again what a policy did: {users}")
    return lines


def _hold(one: OnHold) -> dict[str, Any]:
    """One hold for programs; without an end and a run where it has none."""
    if isinstance(one, Flap):
        return {"user": one.user, "policy": one.policy, "until": None, "why": "flapping", "run": ""}
    return {name: getattr(one, name) for name in ("user", "policy", "until", "why", "run")}


def _last_run(recorded: Recorded) -> str:
    last = recorded.last
    if last is None:
        return (
            f"serial {recorded.serial}, no run" if recorded.times else "nothing yet; the first apply records the site"
        )
    later = left_of(last)
    results = results_told(last.results) or ("nothing done" if later else "nothing to do")
    told = ", ".join(filter(None, (results, later)))
    return f"serial {recorded.serial}, last run {last.run} at {_at(last.time)}: {told}"


def _at(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def _ending(one: Ending, people: People) -> str:
    when = "ended" if one.days < 0 else "ends today," if one.days == 0 else "ends"
    left = f", in {counted(one.days, 'day')}" if one.days > 0 else ""
    who = with_details(one.account, label(people.name(one.account)))
    return f"{who}: {one.reason}, {when} on {one.until.isoformat()}{left} ({one.where})"


def render_status_json(status: SiteStatus) -> str:
    """The same as one JSON document: account ids only. What is not known is null, or stands under ``unknown``."""
    recorded, last = status.recorded, status.recorded.last
    document = {
        "site": status.site.name,
        "hosting": status.site.hosting,
        "url": status.site.url,
        "as_of": status.inventory.as_of,
        "seats": {name: getattr(status.seats, name) for name in ("used", "limit", "free", "undecided", "closed")},
        "users": {
            "total": len(status.inventory.users),
            "status": dict(status.statuses),
            "kind": dict(status.kinds),
            "last_use": dict(status.uses),
            "invited": status.invited,
            "guests": status.guests,
            "external": _split(status.external),
            "administrators": _split(status.administrators),
        },
        "groups": len(status.inventory.groups),
        "policies": {
            "policies": len(status.policies.policies),
            "protections": len(status.policies.protections),
            "exemptions": len(status.policies.exemptions),
            "guardrails": status.policies.guardrails.where,
            "digest": status.policies.digest,
        },
        "recorded": {
            "serial": recorded.serial,
            "run": last.run if last else None,
            "time": last.time if last else None,
            "results": last.results if last else {},
            "last": {kind: at for kind, at in sorted(recorded.times.items()) if kind not in ACTING},
            "holds": [_hold(one) for one in recorded.holds],
            "handed_off": {"users": recorded.handed.users, "overdue": recorded.handed.overdue},
            "leases": [
                {name: getattr(one, name) for name in ("directory", "run", "holder", "place", "since")}
                | {"process_lives": run.lives}
                for run in recorded.runs
                for one in run.leases
            ],
            "place": recorded.place or None,
            "older": recorded.older or None,
            "problem": recorded.problem or None,
        },
        "exemptions_ending": [
            {name: getattr(one, name) for name in ("account", "reason", "until", "days", "where")}
            for one in status.exemptions
        ],
        "credentials_ending": list(status.credentials),
    }
    return json_text(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2) + "\n")


def _split(numbers: Mapping[bool | None, int]) -> dict[str, Any]:
    return {word: numbers.get(key, 0) for word, key in (("yes", True), ("no", False), ("unknown", None))}

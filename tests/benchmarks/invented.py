"""An invented organization of any size and invented policies of any length, made without HTTP.

The shares are those of an ordinary neglected site: most people are there every week, about one in ten is not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from msgspec.structs import replace

from cleanup_gitops.model.activity import Activity, Never, Unknown, seen_at
from cleanup_gitops.model.change import Change, MemberIs, MembershipRemove, NotSeenAfter, StatusIs, membership_address
from cleanup_gitops.model.group import Directory, Grant, Group
from cleanup_gitops.model.inventory import Inventory, Proof, Reading
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.user import GroupSeat, User

AS_OF = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MEMBERS, GUESTS, JIRA = "g-users", "g-guests", "g-jira"
CONTRACTORS = ("g-contractors-it", "g-contractors-legal")
TEAMS = 294


def organization(users: int) -> Inventory:
    """A Cloud site with so many users in 300 groups; the same size gives the same site."""
    rng = Random(users)
    people = sorted((a_user(rng) for _ in range(users)), key=lambda user: user.id)
    return site_of(tuple(people), AS_OF)


def changes(number: int) -> list[Change]:
    """Removals as a policy on inactivity asks for them."""
    rng = Random(number)
    cause = (Cause(policy="dormant-members", where="policies/dormant-members.yaml:22", why="last seen long ago"),)
    return [_removal(_account(rng), AS_OF - timedelta(days=rng.randrange(100, 900)), cause) for _ in range(number)]


def _removal(account: str, seen: datetime, causes: tuple[Cause, ...]) -> Change:
    return MembershipRemove(
        address=membership_address(MEMBERS, account, None),
        user=account,
        directory="default",
        causes=causes,
        needs=(StatusIs("active"), MemberIs(MEMBERS, member=True), NotSeenAfter("confluence", seen)),
        group=MEMBERS,
        label="confluence-users-acme",
    )


def site_of(users: tuple[User, ...], as_of: datetime) -> Inventory:
    """The site with these users, sorted by id, as it is read at this time."""
    reading = Reading(
        what="users",
        endpoint="POST /users/search",
        pages=-(-len(users) // 100),
        items=len(users),
        ended=True,
        reported_before=len(users),
        reported_after=len(users),
    )
    return Inventory(
        site="acme",
        hosting="cloud",
        as_of=as_of,
        users=users,
        groups=_groups(),
        directories=(Directory(id="default", name="default"),),
        proof=Proof(readings=(reading,)),
        runner=(users[0].id,),
    )


def _groups() -> tuple[Group, ...]:
    wiki = (Grant("confluence", "user"),)
    found = [
        Group(id=MEMBERS, name="confluence-users-acme", directory="default", license="seat", grants=wiki),
        Group(
            id=GUESTS,
            name="confluence-guests-acme",
            directory="default",
            license="guest",
            grants=(Grant("confluence", "guest"),),
        ),
        Group(
            id=JIRA,
            name="jira-users-acme",
            directory="default",
            license="none",
            grants=(Grant("jira-software", "user"),),
        ),
        Group(id="g-break-glass", name="break-glass", directory="default", license="none", grants=()),
    ]
    plain = [*CONTRACTORS, *(f"g-team-{number:03}" for number in range(TEAMS))]
    found += [Group(id=one, name=one[2:], directory="default", license="none", grants=()) for one in plain]
    return tuple(sorted((replace(one, modifiable=True, synced=False, admin=False) for one in found), key=_id))


def _id(group: Group) -> str:
    return group.id


def _account(rng: Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"712020:{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


_SEATS = (GroupSeat((MEMBERS,)),)


def a_user(rng: Random) -> User:
    """Somebody, as people are on such a site."""
    draw = rng.random()
    seat = draw < 0.86
    groups = {f"g-team-{rng.randrange(TEAMS):03}" for _ in range(rng.randint(1, 4))}
    if seat:
        groups.add(MEMBERS)
    elif draw < 0.92:
        groups.add(GUESTS)
    if rng.random() < 0.4:
        groups.add(JIRA)
    if rng.random() < 0.06:
        groups.add(CONTRACTORS[rng.randrange(2)])
    added = AS_OF - timedelta(days=rng.randrange(5, 2500), seconds=rng.randrange(86_400))
    outside = rng.random() < 0.05
    return User(
        id=_account(rng),
        directory="default",
        status="suspended" if rng.random() < 0.03 else "active",
        kind="person" if rng.random() < 0.98 else "app",
        license="seat" if seat else "guest" if draw < 0.92 else "none",
        managed=not outside,
        synced=False,
        writable=True,
        admin=rng.random() < 0.002,
        domain=None if rng.random() < 0.02 else "globex.example" if outside else "acme.com",
        added=added,
        seen=_activity(rng, added) if draw < 0.92 else Unknown("no access to Confluence"),
        elsewhere=(("jira-software", _activity(rng, added)),) if JIRA in groups else (),
        groups=tuple(sorted(groups)),
        seats=_SEATS if seat else (GroupSeat((GUESTS,)),) if draw < 0.92 else (),
    )


def _activity(rng: Random, added: datetime) -> Activity:
    draw = rng.random()
    if draw < 0.02:
        return Never(added)
    days = rng.randrange(7) if draw < 0.8 else rng.randrange(60) if draw < 0.9 else rng.randrange(60, 700)
    at = AS_OF - timedelta(days=days, seconds=rng.randrange(86_400))
    return seen_at(max(at, added))


_MATCHES = (
    ["    all:", "      - has_seat: true", "      - inactive_for: {days}d"],
    ["    all:", "      - has_seat: true", "      - never_active_for: {days}d"],
    [
        "    all:",
        '      - in_group: ["contractors-*"]',
        "      - has_seat: true",
        "      - inactive_for: {days}d",
    ],
    ["    all:", '      - email_domain: [globex.example, "*.globex.example"]', "      - inactive_for: {days}d"],
    [
        "    all:",
        "      - in_group: confluence-guests-acme",
        "      - any:",
        "          - inactive_for: {days}d",
        "          - never_active_for: {days}d",
    ],
    ["    all:", "      - has_seat: true", "      - inactive_for: {{for: {days}d, product: any}}"],
    [
        "    all:",
        "      - has_seat: true",
        "      - inactive_for: {days}d",
        "      - none:",
        "          - in_group: [break-glass, team-001, team-002]",
    ],
)
_SITE = """\
apiVersion: cleanup-gitops/v1
kind: Site
metadata: {name: acme}
spec:
  hosting: cloud
  url: https://acme.atlassian.net
  cloud: {organization: 0f5e0000-0000-0000-0000-000000000000}
  credentials:
    org_api_key: {env: BENCHMARK_ORG_KEY}
    user: {env: BENCHMARK_USER}
    token: {env: BENCHMARK_TOKEN}
  runner: {accounts: ["712020:9a000000-0000-4000-8000-000000000001"]}
"""


def policy_texts(number: int) -> list[str]:
    """So many policies, each a YAML document with its comments, as people write them."""
    return ["\n".join(_policy(one, 60 + 10 * (one % 40))) for one in range(number)]


def _policy(number: int, days: int) -> list[str]:
    group = "confluence-guests-acme" if number % 7 == 4 else "confluence-users-acme"
    return [
        "# Why this number of days: longer than a holiday, shorter than a project.",
        "# How to undo it: ask the owner below for the seat again.",
        "apiVersion: cleanup-gitops/v1",
        "kind: Policy",
        "metadata:",
        f"  name: policy-{number:05}",
        "  owner: iam@acme.com",
        "  why: Members who have not opened Confluence for that long give their seat back.",
        '  controls: ["ISO27001:A.5.18"]',
        "spec:",
        "  match:",
        *(line.format(days=days) for line in _MATCHES[number % len(_MATCHES)]),
        "  ensure:",
        "    groups:",
        f"      absent: [{group}]",
        "",
    ]


def write_policies(folder: Path, *, policies: int = 0, lines: int = 0) -> int:
    """A policy folder with so many policies, or at least so many lines of them; the number of lines written.

    With neither, one policy that finds nobody: the site of a quiet day.
    """
    folder.mkdir(parents=True)
    texts = policy_texts(policies or lines // 16) or ["\n".join(_policy(0, 3650))]
    while sum(text.count("\n") + 1 for text in texts) < lines:
        texts = policy_texts(len(texts) + 10)
    for start in range(0, len(texts), 100):
        (folder / f"policies-{start:05}.yaml").write_text("---\n".join(texts[start : start + 100]), "utf-8")
    (folder / "site.yaml").write_text(_SITE, "utf-8")
    return sum(text.count("\n") + 1 for text in texts)

"""Laws of matching: both readings agree, and knowing less never turns into acting more."""

from __future__ import annotations

import re
from datetime import timedelta
from fnmatch import translate

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.model.activity import Activity, Never, Seen, Unknown
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.match import Scope, compile_match, compile_why, explain_match, resolve_groups, why
from cleanup_gitops.policy.patterns import glob, normal_domain
from cleanup_gitops.policy.tree import Match
from tests.policy.users import lists_of, organizations, trees
from tests.strategies import AS_OF, inventories

MORE = settings(max_examples=settings().max_examples * 2)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Match, Inventory, People]:
    """A tree that names groups of this inventory, and the people of some of its accounts."""
    inventory, people = draw(organizations())
    return draw(trees([group.name for group in inventory.groups])), inventory, people


@MORE
@given(cases(), st.integers(-3, 400))
def test_the_explaining_reading_gives_the_verdict_of_the_compiled_one(
    case: tuple[Match, Inventory, People], later: int
) -> None:
    match, inventory, people = case
    scope = Scope(AS_OF + timedelta(days=later), inventory, people, lists_of(inventory))
    compiled = compile_match(match, scope)
    for user in inventory.users:
        found = explain_match(match, user, scope)
        assert found.verdict is compiled.verdict(user)
        assert found.text
        if found.verdict:
            assert compile_why(match)(user, scope) == why(match, user, scope)


FACTS = (
    "status",
    "kind",
    "license",
    "domain",
    "groups",
    "seen",
    "elsewhere",
    "one elsewhere",
    "wider interval",
    "start",
    "managed",
    "synced",
    "external",
    "has_email",
    "roles",
    "seats",
    "direct",
    "status_since",
    "status_by",
    "status_after",
    "attributes",
)
"""Facts of which not knowing is a value. The date of being given a seat is not among them by itself: nobody tells it of
seats that are older than the first snapshot, and it is left out."""


def with_less_known(user: User, fact: str, which: int) -> User:
    """The same user, one fact of whom is not known (any more)."""
    match fact:
        case "status" | "kind" | "license":
            return replace(user, **{fact: "unknown"})
        case "attributes":
            return replace(user, attributes=user.attributes[: which % 2])
        case "seen":
            return replace(user, seen=Unknown("forgotten"))
        case "one elsewhere":
            listed = list(user.elsewhere or ())
            if listed:
                listed[which % len(listed)] = (listed[which % len(listed)][0], Unknown("forgotten"))
            return replace(user, elsewhere=None if user.elsewhere is None else tuple(listed))
        case "start":
            others = tuple((key, _without_start(one)) for key, one in user.elsewhere or ())
            others_known = None if user.elsewhere is None else others
            return replace(user, added=None, seat_since=None, seen=_without_start(user.seen), elsewhere=others_known)
        case "wider interval":
            seen = user.seen
            if not isinstance(seen, Seen):
                return user
            wider = Seen(seen.earliest - timedelta(days=which), seen.latest + timedelta(days=which), seen.source)
            return replace(user, seen=wider)
        case _:
            return replace(user, **{fact: None})


def _without_start(activity: Activity) -> Activity:
    return Never(None, activity.source) if isinstance(activity, Never) else activity


@MORE
@given(cases(), st.lists(st.tuples(st.sampled_from(FACTS), st.integers(0, 200)), min_size=1, max_size=3))
def test_knowing_less_changes_a_verdict_only_to_unknown(
    case: tuple[Match, Inventory, People], forgotten: list[tuple[str, int]]
) -> None:
    match, inventory, people = case
    lists = lists_of(inventory)
    verdict = compile_match(match, Scope(AS_OF, inventory, people, lists)).verdict
    nameless = compile_match(match, Scope(AS_OF, inventory, NOBODY, lists)).verdict
    listless = compile_match(match, Scope(AS_OF, inventory, people)).verdict
    for user in inventory.users:
        assert nameless(user) in (None, verdict(user))
        assert listless(user) in (None, verdict(user))
        less = user
        for fact, which in forgotten:
            less = with_less_known(less, fact, which)
        assert verdict(less) in (None, verdict(user))


@given(cases())
def test_who_matches_still_matches_as_long_as_nothing_but_time_passes_and_activity_is_asked_for(
    case: tuple[Match, Inventory, People],
) -> None:
    """Inactivity only grows: outside of ``none``, what held today holds tomorrow."""
    match, inventory, people = case
    match = Match(all=(*match.all, *match.any))
    if _negates(match):
        return
    lists = lists_of(inventory)
    today = compile_match(match, Scope(AS_OF, inventory, people, lists)).verdict
    tomorrow = compile_match(match, Scope(AS_OF + timedelta(days=1), inventory, people, lists)).verdict
    assert all(tomorrow(user) for user in inventory.users if today(user))


def _negates(match: Match) -> bool:
    return bool(match.none) or any(_negates(one) for one in (*match.all, *match.any) if isinstance(one, Match))


@given(st.text("aAbB*?[]-. \nß", max_size=10), st.text("aAbB[]-. \nßs", max_size=10))
def test_a_glob_knows_stars_and_question_marks_only(pattern: str, name: str) -> None:
    quoted = pattern.casefold().replace("[", "[[]")
    expected = re.match(translate(quoted), name.casefold())
    assert bool(glob(pattern).fullmatch(name.casefold())) is bool(expected)


def test_no_glob_tries_places_again_and_again() -> None:
    """A hundred stars in a name of thousands: this ends, as each part takes its first place for good."""
    assert not glob("*a" * 100 + "*b").fullmatch("a" * 5000)
    assert glob("*a" * 100 + "*").fullmatch("a" * 5000)


@given(inventories(), st.lists(st.sampled_from(["*", "g*", "?", "a", "*.*"]), max_size=3))
def test_resolved_groups_are_real_sorted_and_complete(inventory: Inventory, patterns: list[str]) -> None:
    names = [group.name for group in inventory.groups]
    found, missing = resolve_groups([*patterns, *names[:2], "no such group"], inventory)
    assert [one.id for one in found] == sorted({one.id for one in found})
    assert {one.name.casefold() for one in found} >= {name.casefold() for name in names[:2] if "*" not in name}
    assert "no such group" in missing
    if "*" in patterns:
        assert found == inventory.groups


@given(st.from_regex(r"[a-zA-Z0-9äöüßé]{1,8}(\.[a-zA-Z0-9äé-]{1,8}){1,2}", fullmatch=True))
def test_a_normal_domain_stays_as_it_is(text: str) -> None:
    normal = normal_domain(text)
    if normal is not None:
        assert normal == normal.lower()
        assert normal.isascii()
        assert normal_domain(normal) == normal == normal_domain(text.upper())

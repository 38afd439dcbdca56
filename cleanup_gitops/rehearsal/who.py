"""Whom conditions mean on a site as it was read, and why not others: a question before there is a policy. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import Kind, User
from cleanup_gitops.planner.protect import Shield, kind_protection, make_shield
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.match import Explanation, Match, Scope, compile_match, explain_match
from cleanup_gitops.policy.missing import Missing
from cleanup_gitops.rehearsal.comparison import DEPARTMENT
from cleanup_gitops.rehearsal.undecided import Undecided, count_undecided


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of the conditions that all have to hold: whom it means alone, and together with those before it.

    Each is a number of users who meet it, and of users who may.
    """

    asked: tuple[str, ...]
    """Conditions in words; several: the condition is a tree, ``word`` says which. Trees within stand in brackets."""
    word: str
    alone: tuple[int, int]
    left: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of those who meet the conditions have one license, domain, department or group; ``None``: not known."""

    name: str | None
    users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All users of the site, by what conditions say of them; ``meeting`` and ``undecided`` by id, like the users.

    ``reasons`` say why it is not known of those ``undecided``. ``spared`` counts those of ``meeting`` whom no policy
    would touch, by the code of the reason: protected, exempt, administrators, and accounts that are no persons.
    """

    site: str
    as_of: datetime
    total: int
    meeting: tuple[User, ...]
    undecided: tuple[User, ...]
    steps: tuple[Step, ...]
    reasons: tuple[Undecided, ...]
    spared: tuple[tuple[str, int], ...]
    groups: dict[str, str]
    """Names of the site's groups, by id."""
    explained: Callable[[User], Explanation]

    @property
    def by_license(self) -> tuple[Share, ...]:
        """The largest first, as in all of these."""
        return self._by(lambda user: (user.license,))

    @property
    def by_domain(self) -> tuple[Share, ...]:
        """Domains of e-mail addresses."""
        return self._by(lambda user: (user.domain,))

    @property
    def by_department(self) -> tuple[Share, ...]:
        """Empty where no department of anybody is known."""
        found = self._by(lambda user: (dict(user.attributes).get(DEPARTMENT),))
        return () if all(one.name is None for one in found) else found

    @property
    def by_group(self) -> tuple[Share, ...]:
        """Groups by name; somebody in several counts in each, somebody in none under ""."""
        return self._by(
            lambda user: (None,) if user.groups is None else [self.groups[one] for one in user.groups] or [""]
        )

    def _by(self, keys: Callable[[User], Iterable[str | None]]) -> tuple[Share, ...]:
        counts = Counter(key for user in self.meeting for key in keys(user))
        found = (Share(name, number) for name, number in counts.items())
        return tuple(sorted(found, key=lambda one: (one.name is None, -one.users, one.name or "")))


_ANYBODY = User(id="", directory="")
"""How conditions are called depends on nobody."""
_PERSONS: frozenset[Kind] = frozenset({"person"})


def missing_of(match: Match, live: Live, lists: Lists = NO_LISTS) -> tuple[Missing, ...]:
    """What the conditions name and the site does not have: then the question has no answer."""
    return compile_match(match, Scope(live.inventory.as_of, live.inventory, live.people, lists)).missing


def who(
    match: Match,
    policies: SitePolicies,
    live: Live,
    lists: Lists = NO_LISTS,
    *,
    kinds: Collection[Kind] = _PERSONS,
    include_admins: bool = False,
) -> Answer:
    """Ask these conditions about every user, for the instant of the reading.

    ``kinds`` and ``include_admins`` are those of the policy that has these conditions, or would.
    """
    inventory = live.inventory
    scope = Scope(inventory.as_of, inventory, live.people, lists)
    verdict = compile_match(match, scope).verdict
    verdicts = [(verdict(user), user) for user in inventory.users]
    meeting = tuple(user for met, user in verdicts if met)
    undecided = tuple(user for met, user in verdicts if met is None)
    shield = make_shield(policies, inventory, inventory.as_of)
    spared = Counter(filter(None, (_spared(user, shield, kinds, include_admins=include_admins) for user in meeting)))
    return Answer(
        site=inventory.site,
        as_of=inventory.as_of,
        total=len(inventory.users),
        meeting=meeting,
        undecided=undecided,
        steps=tuple(_steps(match, inventory, scope)),
        reasons=count_undecided(
            ((explain_match(match, user, scope), user) for user in undecided), recorded=inventory.recorded
        ),
        spared=tuple(sorted(spared.items(), key=lambda one: (-one[1], one[0]))),
        groups={group.id: group.name for group in inventory.groups},
        explained=lambda user: explain_match(match, user, scope),
    )


def _spared(user: User, shield: Shield, kinds: Collection[Kind], *, include_admins: bool) -> str:
    """Why no policy would touch the user; "" where nothing keeps one from it."""
    if found := shield.protection(user):
        return found[0]
    if user.kind not in kinds or (user.admin and not include_admins):
        return kind_protection(user)
    return "exempt" if user.id in shield.exempt else ""


def _steps(match: Match, inventory: Inventory, scope: Scope) -> Iterator[Step]:
    users: list[tuple[bool | None, User]] = [(True, user) for user in inventory.users]
    for part in _parts(match):
        verdict = compile_match(part, scope).verdict
        alone = Counter(verdict(user) for user in inventory.users)
        users = [(_both(met, verdict(user)), user) for met, user in users if met is not False]
        left = Counter(met for met, _ in users)
        word, asked = _asked(part, scope)
        yield Step(asked=asked, word=word, alone=(alone[True], alone[None]), left=(left[True], left[None]))


def _both(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 - truth values
    if one is False or other is False:
        return False
    return True if one and other else None


def _parts(match: Match) -> Iterator[Match]:
    """The conditions that all have to hold, each by itself."""
    for node in match.all:
        if isinstance(node, Match):
            yield from _parts(node)
        else:
            yield Match(all=(node,))
    if match.any:
        yield Match(any=match.any)
    for node in match.none:
        yield Match(none=(node,))


def _asked(part: Match, scope: Scope) -> tuple[str, tuple[str, ...]]:
    """What the part asks, in the words of explanations: "any of" or "none of" ("": as it is), and of what."""
    word = "any of" if part.any else "none of" if part.none else ""
    return word, tuple(dict.fromkeys(map(_called, explain_match(part, _ANYBODY, scope).children)))


def _called(one: Explanation) -> str:
    """A single condition, or a tree of them with its words: what stands under "none of" must not read as asked for."""
    if not one.children:
        return one.asked
    if len(one.children) == 1 and one.asked != "none of":
        return _called(one.children[0])
    return f"{one.asked} ({'; '.join(map(_called, one.children))})"

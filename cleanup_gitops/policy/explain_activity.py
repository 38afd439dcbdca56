"""The explaining reading of activity: days since the last use, after the lag of the source that told it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from cleanup_gitops.model.activity import LAG_DAYS, Activity, Never, Seen, Unknown
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.finding import NOT_KEPT, Finding, all_of
from cleanup_gitops.policy.tree import InactiveFor, NeverActiveFor


class _Fact(NamedTuple):
    """One thing that idleness counts from: ``at`` its latest moment, ``age`` the days since then after the lag.

    ``activity`` is what it was taken from; ``word`` says what happened ("added"), or names the product.
    """

    verdict: bool | None
    at: datetime | None = None
    age: int = 0
    word: str = ""
    activity: Activity | None = None


def idle(asked: InactiveFor, user: User, as_of: datetime, *, recorded: bool) -> Finding:
    """``inactive_for``: every fact that counts must be old; one that is recent decides at once.

    ``recorded``: the user stands in a snapshot, which does not keep the use of other products.
    """
    facts = _facts(asked, user, as_of, NOT_KEPT if recorded else "")
    name = f"inactive_for {asked.days}d"
    if asked.product != "confluence":
        name += f" ({'every product' if asked.product == 'any' else asked.product})"
    return Finding(name, all_of(fact.verdict for fact in facts), "; ".join(map(_text, facts)))


class Idleness(NamedTuple):
    """Days that a user is idle in a product, and from what they count; ``None``: not known, or never used."""

    days: int | None
    text: str


def idle_reason(asked: InactiveFor, user: User, as_of: datetime, known: dict[tuple[str, str], Idleness]) -> str | None:
    """What idleness counts from, when it holds: the fact with the fewest days since it.

    ``known`` keeps what was worked out before, by account and product: several policies ask about the same people.
    """
    key = (user.id, asked.product)
    found = known.get(key)
    if found is None:
        found = known[key] = _idleness(asked.product, user, as_of)
    return found.text if found.days is not None and found.days > asked.days else None


_PLACES = {"any": (" in every product", " in any product"), "confluence": ("", "")}
"""Where somebody was seen last, or never."""


@cache
def _at_any_age(product: str) -> InactiveFor:
    return InactiveFor(-1_000_000, product)


def _idleness(product: str, user: User, as_of: datetime) -> Idleness:
    """Asked with a threshold that every known fact passes: only what is not known, or never happened, is left."""
    facts = _facts(_at_any_age(product), user, as_of)
    if not all_of(fact.verdict for fact in facts):
        return Idleness(None, "")
    latest = min(facts, key=lambda fact: fact.age)
    here = f" in {product}"
    where, nowhere = _PLACES.get(product, (here, here))
    age = _days(latest.age)
    if isinstance(latest.activity, Seen):
        return Idleness(latest.age, f"last seen by {_day(latest.at)}{where}, {age}")
    if isinstance(latest.activity, Never):
        return Idleness(latest.age, f"never seen{nowhere}, added {_day(latest.at)}, {age}")
    return Idleness(latest.age, f"{latest.word} {_day(latest.at)}, {age}")


def never_used(asked: NeverActiveFor, user: User, as_of: datetime) -> Finding:
    """``never_active_for``: no use at all, for longer than that since the account was added or got its seat."""
    name = f"never_active_for {asked.days}d"
    if not isinstance(user.seen, Never):
        return Finding(name, _no_use_was_read(user.seen), _text(_Fact(None, activity=user.seen)))
    fact = _waiting("", user.seen, (user.seen.since, user.added, user.seat_since), as_of, asked.days)
    return Finding(name, fact.verdict, _text(fact))


def never_used_reason(asked: NeverActiveFor, user: User, as_of: datetime) -> str | None:
    """Since when nothing was seen, when it holds."""
    if not isinstance(user.seen, Never):
        return None
    fact = _waiting("", user.seen, (user.seen.since, user.added, user.seat_since), as_of, asked.days)
    return f"never seen, added {_day(fact.at)}, {_days(fact.age)}" if fact.verdict else None


def _no_use_was_read(seen: Seen | Unknown) -> bool | None:
    return False if isinstance(seen, Seen) else None


def _facts(asked: InactiveFor, user: User, as_of: datetime, unread: str = "") -> list[_Fact]:
    """Uses of the products asked about, and when the account was added and given its seat.

    A seat that was given before anybody took note has no date and is left out. ``unread`` is why nothing at all is
    known of other products, where that is known.
    """
    facts = list(_uses(asked, user, as_of, unread))
    if user.added is None:
        facts.append(_Fact(None, word="the day it was added is not known"))
    for at, word in ((user.added, "added"), (user.seat_since, "seat given")):
        if at is not None:
            age = _age(as_of, at)
            facts.append(_Fact(age > asked.days, at, age, word))
    return facts


def _uses(asked: InactiveFor, user: User, as_of: datetime, unread: str) -> Iterator[_Fact]:
    if asked.product == "confluence":
        yield _use("", user.seen, as_of, asked.days)
    elif asked.product == "any":
        for product, activity in (("confluence", user.seen), *(user.elsewhere or ())):
            if isinstance(activity, Never):
                yield _waiting(product, activity, (activity.since, user.added), as_of, asked.days)
            else:
                yield _use(product, activity, as_of, asked.days)
        if user.elsewhere is None:
            yield _Fact(None, word="other products", activity=Unknown(unread or "not read"))
    else:
        why = "" if user.elsewhere is not None else unread
        listed = (activity for key, activity in user.elsewhere or () if key == asked.product)
        yield _use(asked.product, next(listed, Unknown(why or "not listed for this user")), as_of, asked.days)


def _use(product: str, activity: Activity, as_of: datetime, days: int) -> _Fact:
    if not isinstance(activity, Seen):
        return _Fact(False if isinstance(activity, Never) else None, word=product, activity=activity)
    lag = LAG_DAYS[activity.source]
    age = _age(as_of, activity.latest) - lag
    oldest = age if activity.earliest == activity.latest else _age(as_of, activity.earliest) - lag
    verdict = True if age > days else (False if oldest <= days else None)
    return _Fact(verdict, activity.latest, age, product, activity)


def _waiting(product: str, never: Never, starts: Iterable[datetime | None], as_of: datetime, days: int) -> _Fact:
    """Never used since the latest of these moments, for longer than so many days."""
    known = [one for one in starts if one is not None]
    if not known:
        return _Fact(None, word=product, activity=never)
    age = _age(as_of, max(known)) - LAG_DAYS[never.source]
    return _Fact(age > days, max(known), age, product, never)


def _text(fact: _Fact) -> str:
    """A fact with its source, lag and age."""
    label = f"{fact.word} " if fact.word else ""
    match fact.activity:
        case Seen() as seen:
            age = "" if fact.at is None else f", {_days(fact.age)}"
            return f"{label}last seen {_span(seen)} ({seen.source}{_late(seen.source)}){age}"
        case Never() as never if fact.at is not None:
            return f"{label}never seen ({never.source}{_late(never.source)}), added {_day(fact.at)}, {_days(fact.age)}"
        case Never() as never if fact.verdict is False:
            return f"{label}never seen ({never.source}), which is no inactivity"
        case Never() as never:
            return f"{label}never seen ({never.source}), but the day it was added is not known"
        case Unknown() as unknown:
            return f"{label}activity unknown: {unknown.reason}"
        case _:
            return fact.word if fact.at is None else f"{fact.word} {_day(fact.at)}, {_days(fact.age)}"


def _age(as_of: datetime, at: datetime) -> int:
    """Days between two UTC dates."""
    now = as_of if as_of.tzinfo is UTC else as_of.astimezone(UTC)
    return now.toordinal() - (at if at.tzinfo is UTC else at.astimezone(UTC)).toordinal()


def _days(age: int) -> str:
    return "1 day" if age == 1 else f"{max(age, 0)} days"


def _day(at: datetime | None) -> str:
    return at.astimezone(UTC).date().isoformat() if at else "an unknown day"


def _span(seen: Seen) -> str:
    first, last = _day(seen.earliest), _day(seen.latest)
    return last if first == last else f"between {first} and {last}"


def _late(source: str) -> str:
    lag = LAG_DAYS[source]
    return f", up to {_days(lag)} late" if lag else ""

"""Why conditions cannot be decided: one line for a reason, whoever it is about."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.match import Scope, explain_match
from cleanup_gitops.policy.tree import InactiveFor, InStatusFor, Match, NeverActiveFor, Predicate
from cleanup_gitops.rehearsal.undecided import ELSEWHERE, WEEK_ALONE, Undecided, count_undecided
from tests.ledger.snapshots import site
from tests.rehearsal.test_backtest import BEGIN, WIKI, member


def counted(*asked: Predicate, users: tuple[User, ...], recorded: bool = False) -> tuple[Undecided, ...]:
    scope = Scope(BEGIN, site(*users, groups=(WIKI,), as_of=BEGIN))
    match = Match(all=asked)
    return count_undecided(((explain_match(match, user, scope), user) for user in users), recorded=recorded)


def test_each_user_counts_once_for_a_reason_and_the_most_frequent_comes_first() -> None:
    users = (
        member("a", Unknown("no access")),
        member("b", Unknown("not in the answer")),
        member("c", Unknown("not in the answer")),
        member("d", seen_at(BEGIN, "csv")),
    )
    assert counted(InactiveFor(90), users=users) == (
        Undecided("inactive_for 90d", "last use not known: not in the answer", 2),
        Undecided("inactive_for 90d", "last use not known: no access", 1),
    )


def test_an_interval_is_one_reason_whatever_its_days_are() -> None:
    ends = [BEGIN - timedelta(days=number) for number in (85, 86)]
    users = tuple(member(f"u{at.day}", Seen(at - timedelta(days=9), at, "snapshot")) for at in sorted(ends))
    assert counted(InactiveFor(90), users=users, recorded=True) == (Undecided("inactive_for 90d", WEEK_ALONE, 2),)
    (live,) = counted(InactiveFor(90), users=users)
    assert (live.reason, live.users) == ("of the last use the day is not known", 2)


def test_the_use_of_other_products_and_a_missing_first_day_are_reasons_of_their_own() -> None:
    old = seen_at(BEGIN - timedelta(days=400), "csv")
    alone = replace(member("a", old), elsewhere=None)
    assert [one.reason for one in counted(InactiveFor(90, "any"), users=(alone,), recorded=True)] == [ELSEWHERE]
    (live,) = counted(InactiveFor(90, "any"), users=(alone,))
    assert live.reason == "use of other products not known"
    new = replace(member("a", old), added=None)
    for asked, seen in ((InactiveFor(90), old), (NeverActiveFor(60), Never())):
        (found,) = counted(asked, users=(replace(new, seen=seen),))
        assert found.reason == "not known when the account was added"


def test_a_status_whose_day_is_not_exact_is_one_reason() -> None:
    user = member("a", seen_at(BEGIN, "csv"))
    by = replace(user, status_by=BEGIN - timedelta(days=10), status_after=BEGIN - timedelta(days=200))
    (found,) = counted(InStatusFor(90), users=(by,))
    assert found.reason == "since when the status is so is not known to the day"
    (found,) = counted(InStatusFor(90), users=(user,))
    assert "to the day" not in found.reason

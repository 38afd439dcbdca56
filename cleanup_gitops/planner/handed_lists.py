"""What a plan says about the lists of people that were handed over: which ones they were, and whether they fit."""

from __future__ import annotations

from collections.abc import Iterator

from cleanup_gitops.model.plan import ListInput
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.tree import ListedIn


def inputs_of(lists: Lists) -> tuple[ListInput, ...]:
    """Each file once, by name, whatever columns of it were asked for."""
    found = {ListInput(name=one.name, rows=one.rows, digest=one.digest) for one in lists.values()}
    found |= {ListInput(name=one.name, rows=len(one.rows), digest=one.digest) for one in lists.rosters.values()}
    return tuple(sorted(found, key=lambda one: (one.name, one.digest)))


def nobody_listed(evaluation: Evaluation) -> tuple[str, ...]:
    """A warning about each list or roster in which no account stands: often it is the wrong file or column."""
    scope = evaluation.scope
    asked = {one for rule in evaluation.rules for one in rule.policy.match.lists if one in scope.lists}
    lists = tuple(
        f"No account of {scope.inventory.site} is in {scope.lists[one].words}, column {one.column!r}:"
        " is it the right list, and the right column?"
        for one in sorted(asked, key=lambda one: (one.source, one.column, one.by))
        if not any(account in scope.lists[one].entries for account in _known_by(one, scope))
    )
    if not scope.lists.rosters:
        return lists
    known = {*scope.inventory.user_by_id, *scope.addresses.of.values()}
    return lists + tuple(
        f"No account of {scope.inventory.site} is in {rows.words}, the roster {name}: is it the right file, and are"
        " `columns` right?"
        for name, rows in sorted(scope.lists.rosters.items())
        if not any(row.account in known or row.email in known for row in rows.rows)
    )


def _known_by(asked: ListedIn, scope: Scope) -> Iterator[str]:
    """The ids, or the addresses, of all accounts of the site."""
    if asked.by == "email":
        yield from scope.addresses.of.values()
    else:
        yield from scope.inventory.user_by_id

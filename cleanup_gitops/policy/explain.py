"""The slow reading of conditions: the same verdict as the compiled one, with what was seen, where from and how old.

It is written on its own (it counts days where the compiled reading compares with a cutoff), so that the law that both
agree means something. Texts hold dates, group names, product keys and account types; never a person's name or address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from cleanup_gitops.model.user import GrantSeat, GroupSeat, RoleSeat, User
from cleanup_gitops.policy.explain_activity import idle, idle_reason, never_used, never_used_reason
from cleanup_gitops.policy.explain_facts import find_fact
from cleanup_gitops.policy.finding import Finding, all_of, not_kept
from cleanup_gitops.policy.scope import Scope
from cleanup_gitops.policy.tree import (
    EmailDomain,
    HasSeat,
    InactiveFor,
    InGroup,
    KindIs,
    Match,
    NeverActiveFor,
    Node,
    Predicate,
)

_WORD = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One condition as it turned out for one user: what was asked, True, False or None (unknown), and its parts.

    ``detail`` is the value that was seen, with its source and age; ``asks`` is the condition itself, where it is a
    single one.
    """

    asked: str
    verdict: bool | None
    detail: str = ""
    children: tuple[Explanation, ...] = ()
    asks: Predicate | None = None

    @property
    def text(self) -> str:
        """All of it but the parts, in one line."""
        told = f"{self.asked}: {_WORD[self.verdict]}"
        return f"{told}, {self.detail}" if self.detail else told


def explain_match(match: Match, user: User, scope: Scope) -> Explanation:
    """Why conditions hold, do not hold, or cannot be decided for one user."""
    parts = [_group("all of", match.all, user, scope)] if match.all else []
    if match.any:
        parts.append(_group("any of", match.any, user, scope))
    if match.none:
        parts.append(_group("none of", match.none, user, scope))
    if len(parts) == 1:
        return parts[0]
    verdict = all_of(part.verdict for part in parts)
    return Explanation("all of these", verdict, children=tuple(parts))


def why(match: Match, user: User, scope: Scope) -> str:
    """One sentence, without an end mark, on why a user who matches does: "last seen by 2026-05-01, 204 days".

    What is known of the user's activity says most and stands alone; without it, all that holds is listed.
    """
    holding = list(_holding(match, user, scope))
    reasons = _distinct(_reading(one)(user, scope) for one in holding if isinstance(one, InactiveFor | NeverActiveFor))
    if not reasons:
        found = (find(one, user, scope) for one in holding)
        reasons = _distinct(finding.reason for finding in found if finding.verdict)
    return "; ".join(reasons)


def compile_why(match: Match) -> Callable[[User, Scope], str]:
    """``why`` made ready for many users who match: in a plain list of conditions only activity is looked at."""
    asked = [_reading(one) for one in match.all if isinstance(one, InactiveFor | NeverActiveFor)]
    plain = not match.any and not any(isinstance(node, Match) and (node.all or node.any) for node in match.all)
    if not (plain and asked):
        return lambda user, scope: why(match, user, scope)
    if len(asked) == 1:
        only = asked[0]
        return lambda user, scope: only(user, scope) or why(match, user, scope)
    return lambda user, scope: "; ".join(_distinct(one(user, scope) for one in asked)) or why(match, user, scope)


def _distinct(texts: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text is not None))


def _reading(asked: InactiveFor | NeverActiveFor) -> Callable[[User, Scope], str | None]:
    if isinstance(asked, InactiveFor):
        return lambda user, scope: idle_reason(asked, user, scope.as_of, scope.idleness)
    return lambda user, scope: never_used_reason(asked, user, scope.as_of)


def _group(word: str, nodes: Iterable[Node], user: User, scope: Scope) -> Explanation:
    children = tuple(_explain(node, user, scope) for node in nodes)
    verdicts = [child.verdict for child in children]
    if word == "all of":
        verdict = all_of(verdicts)
    else:
        some = _not(all_of(_not(one) for one in verdicts))
        verdict = some if word == "any of" else _not(some)
    return Explanation(word, verdict, children=children)


def _explain(node: Node, user: User, scope: Scope) -> Explanation:
    if isinstance(node, Match):
        return explain_match(node, user, scope)
    finding = find(node, user, scope)
    return Explanation(finding.asked, finding.verdict, finding.detail, asks=node)


def _not(verdict: bool | None) -> bool | None:  # noqa: FBT001 - a truth value
    return None if verdict is None else not verdict


def _holding(match: Match, user: User, scope: Scope) -> Iterator[Predicate]:
    """Predicates outside of ``none``; those of a nested tree in an ``any`` only when the tree holds."""
    for node in match.all:
        if isinstance(node, Match):
            yield from _holding(node, user, scope)
        else:
            yield node
    for node in match.any:
        if not isinstance(node, Match):
            yield node
        elif explain_match(node, user, scope).verdict:
            yield from _holding(node, user, scope)


def find(predicate: Predicate, user: User, scope: Scope) -> Finding:
    """Ask one predicate about one user."""
    match predicate:
        case InactiveFor():
            return idle(predicate, user, scope.as_of, recorded=scope.inventory.recorded)
        case NeverActiveFor():
            return never_used(predicate, user, scope.as_of)
        case HasSeat():
            return _seat(predicate, user, scope)
        case InGroup():
            return _membership(predicate, user, scope)
        case KindIs():
            asked = f"kind {', '.join(predicate.kinds)}"
            if user.kind == "unknown":
                return Finding(asked, None, "the account type is not known")
            return Finding(asked, user.kind in predicate.kinds, f"account type {user.kind}")
        case EmailDomain():
            return _domain(predicate, user, scope)
        case _:
            return find_fact(predicate, user, scope)


def _seat(predicate: HasSeat, user: User, scope: Scope) -> Finding:
    asked = f"has_seat {'true' if predicate.wanted else 'false'}"
    billed = user.billed
    detail = f"license {user.license}, status {user.status}"
    if billed is None:
        return Finding(asked, None, detail)
    if not billed:
        return Finding(asked, not predicate.wanted, detail, "holds no seat")
    if user.seats:
        detail += f", through {', '.join(_path(seat, scope) for seat in user.seats)}"
    return Finding(asked, predicate.wanted, detail, "holds a seat")


def _path(seat: GroupSeat | RoleSeat | GrantSeat, scope: Scope) -> str:
    """A group that was not read has its id."""
    match seat:
        case GroupSeat():
            groups = scope.inventory.group_by_id
            return f"group {' > '.join(groups[one].name if one in groups else one for one in seat.chain)}"
        case RoleSeat():
            return f"role {seat.role}"
        case GrantSeat():
            return f"permission {seat.permission}"
        case _:
            assert_never(seat)


def _membership(predicate: InGroup, user: User, scope: Scope) -> Finding:
    asked = f"in_group {', '.join(predicate.patterns)}"
    targets = scope.targets(predicate.patterns)
    if targets.missing:
        return Finding(asked, None, f"the site has no group {', '.join(targets.missing)}")
    if user.groups is None:
        return Finding(asked, None, "the user's groups are not known")
    names = sorted(targets.names[group] for group in user.groups if group in targets.names)
    if not names:
        return Finding(asked, verdict=False, detail=f"in none of {len(targets.names)} group(s)")
    return Finding(asked, verdict=True, detail=f"member of {', '.join(names)}", reason=f"in {', '.join(names)}")


def _domain(predicate: EmailDomain, user: User, scope: Scope) -> Finding:
    """The user's own domain is repeated only where it fits a pattern: others could be somebody's private one."""
    asked = f"email_domain {', '.join(predicate.patterns)}"
    if user.domain is None:
        left_out = scope.inventory.recorded and user.has_email is not False
        return Finding(asked, None, not_kept("e-mail domain") if left_out else "the e-mail address is hidden")
    for pattern in predicate.patterns:
        if user.domain == pattern or (pattern.startswith("*.") and user.domain.endswith(pattern[1:])):
            return Finding(asked, verdict=True, detail=f"e-mail domain {pattern}")
    return Finding(asked, verdict=False, detail="another e-mail domain")

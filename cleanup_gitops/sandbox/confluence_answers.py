"""What Confluence's first REST API answers with: people, groups, and pages by offset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, confluence, json_answer
from cleanup_gitops.sandbox.state import SEAT_ROLES, State
from cleanup_gitops.sandbox.world import Group, User

T = TypeVar("T")
CONTEXT = "/wiki"
_MANAGED_BY = {"admins": "ADMINS", "external": "EXTERNAL", "team-members": "TEAM_MEMBERS", "open": "OPEN"}


def is_guest(state: State, user: User) -> bool:
    """Whether the user has a guest's access to Confluence and no better one."""
    roles = state.roles(user).get("confluence", set())
    return "atlassian/guest" in roles and not SEAT_ROLES & roles


def display_name(user: User) -> str:
    """The name as the site shows it: of a deactivated account it says so."""
    return user.name if user.account == "active" else f"{user.name} (Deactivated)"


def picture() -> dict[str, object]:
    """A profile picture; everybody has the same."""
    return {"path": "/wiki/aa-avatar/default", "width": 48, "height": 48, "isDefault": True}


def person(state: State, user: User) -> dict[str, object]:
    """A user. There is no status of the account in this API; a hidden address is an empty text."""
    guest = is_guest(state, user)
    return {
        "type": "known",
        "accountId": user.id,
        "accountType": user.type if user.type in ("atlassian", "app") else "",
        "email": "" if user.email_hidden else user.email or "",
        "publicName": user.nickname,
        "displayName": display_name(user),
        "profilePicture": picture(),
        "timeZone": user.time_zone,
        "isGuest": guest,
        "isExternalCollaborator": guest,
        "_expandable": {"operations": "", "personalSpace": ""},
        "_links": {},
    }


def group_view(group: Group) -> dict[str, object]:
    """A group."""
    team = group.managed_by in ("team-members", "open")
    return {
        "type": "group",
        "id": group.id,
        "name": group.name,
        "usageType": "TEAM_COLLABORATION" if team else "USERBASE_GROUP",
        "managedBy": _MANAGED_BY[group.managed_by],
        "_links": {},
    }


def query(request: Request, *known: str) -> dict[str, str]:
    """The query, the last value of every name. Raises `Refusal` 400 for a name that is not `known`.

    The real service leaves unknown names aside; here a mistyped filter must not mean everybody.
    """
    for name in request.query_params:
        if name not in known:
            raise confluence(400, f"Unknown query parameter: {name}")
    return dict(request.query_params)


def required(asked: dict[str, str], name: str) -> str:
    """A parameter that must be there; raises `Refusal` 400."""
    if not asked.get(name):
        raise confluence(400, f"{name} is required")
    return asked[name]


def number(asked: dict[str, str], name: str, default: int) -> int:
    """A whole number that is not negative; raises `Refusal` 400."""
    text = asked.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise confluence(400, f"{name} must be a whole number, not {text!r}")
    return int(text)


def flag(asked: dict[str, str], name: str) -> bool:
    """``true`` or ``false``, by default false; raises `Refusal` 400."""
    text = asked.get(name, "false").lower()
    if text not in ("true", "false"):
        raise confluence(400, f"{name} must be true or false, not {text!r}")
    return text == "true"


def links(request: Request, **following: object) -> dict[str, str]:
    """The links of a page; `following` are the parameters of the next one, none for the last page.

    ``next`` is relative to ``base``, and so lacks the ``/wiki`` of the path.
    """
    base = str(request.base_url).rstrip("/") + CONTEXT
    found = {"base": base, "context": CONTEXT, "self": str(request.url)}
    if following:
        kept = [(name, value) for name, value in request.query_params.multi_items() if name not in following]
        path = request.scope["path"].removeprefix(CONTEXT)
        found["next"] = f"{path}?{urlencode([*kept, *following.items()])}"
    return found


def offset_page(
    request: Request,
    rows: Sequence[T],
    show: Callable[[T], object],
    *,
    start: int,
    limit: int,
    more: Iterable[tuple[str, object]] = (),
) -> Response:
    """`limit` of the `rows` from `start` on, with the fields of `more` beside them."""
    shown = [show(row) for row in rows[start : start + limit]]
    following = {"start": start + limit, "limit": limit} if limit and start + limit < len(rows) else {}
    body = {"results": shown, "start": start, "limit": limit, "size": len(shown)}
    return json_answer({**body, **dict(more), "_links": links(request, **following)})


def not_found(what: str) -> Refusal:
    """There is no such thing, or none that the caller may see."""
    return confluence(404, f"No {what} found")

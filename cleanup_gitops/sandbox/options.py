"""What a sandbox does one way or the other, most of all where Atlassian's descriptions are silent."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

LAST_ACTIVE_DATES = r"^/admin/v1/orgs/[^/]+/directory/users/[^/]+/last-active-dates$"
EVENTS = r"^/admin/v1/orgs/[^/]+/events$"
EVENTS_STREAM = r"^/admin/v1/orgs/[^/]+/events-stream$"

Kind = Literal["status", "membership", "role", "org_role", "removal", "invite", "group"]
"""Kinds of change that can show late: suspending and restoring; members of groups; roles on products, of
users and groups; roles in the organization; removing from a directory; inviting; creating and deleting groups."""


ResetForm = Literal["iso", "short", "seconds", "absurd", "past", "none"]
"""How ``X-RateLimit-Reset`` tells an instant: ISO 8601, without its seconds, as seconds from now, as one that is
thousands of years away or long ago, or not at all."""


class RateLimit(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """At most `limit` requests of one family in every `window_seconds`, by one of the laws in ``limits``.

    The family are requests whose path matches `path`, and whose method is `method` where it is given.
    `reset` is how the header tells the instant from which on it gets better.
    """

    path: str
    limit: Annotated[int, msgspec.Meta(ge=1)]
    window_seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    law: Literal["window", "bucket"] = "window"
    method: str | None = None
    reset: ResetForm = "iso"


class Lag(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How late a change shows: after so many seconds of the virtual clock, and so many reads."""

    seconds: float = 0.0
    reads: int = 0


def _default_limits() -> list[RateLimit]:
    return [
        RateLimit(path=LAST_ACTIVE_DATES, limit=200),
        RateLimit(path=EVENTS, limit=10),
        RateLimit(path=EVENTS_STREAM, limit=50),
    ]


def _default_lags() -> dict[Kind, Lag]:
    return {"org_role": Lag(reads=1), "removal": Lag(reads=1), "group": Lag(reads=1)}


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """What an installation may do one way or the other.

    `group_ids_as_ari`: the expanded groups of a user carry ``ari:cloud:identity::group/{id}`` instead of
    the bare id. `activity_lag_hours`: how late new activity (see the control endpoint) shows in answers.
    `ticking`: the virtual clock runs in real time from `World.now` on. An empty `rate_limits` switches
    all limits off. They are measured by the machine's clock, as a client has to wait in real time; with
    `virtual_limits` by the virtual one, which the header ``Date`` shows then. `late`: how late changes
    show, by kind; a kind that is not named shows at once.

    What Atlassian leaves open: `repeated_status`: the answer where a suspended user is suspended or an
    active one restored. `refuse_suspending`: whom suspending is refused for with 403 (``synced`` users,
    the owner of the key, the last organization administrator). `restore_checks_seats`: restoring answers
    409 where no seat is free. `remove_non_member`: the answer where somebody who is not in the group is
    removed from it. `vague_conflicts`: 409 does not tell "already a member" from "no free seat".
    `units`: nobody can be added to a group that grants organization administration. `retry_after`: 429
    carries ``Retry-After``, in seconds; `throttled_body`: the shape of its body. `product_access_of_all`:
    a search in all directories (``-``) can expand ``productAccess``. `unmanaged_addresses`: addresses of
    people of other organizations are shown. `paid`: there is a paid subscription; without one nobody can
    be invited. `html_at_the_edge`: the site refuses missing or wrong credentials with a page instead of JSON.
    """

    group_ids_as_ari: bool = False
    activity_lag_hours: float = 0.0
    ticking: bool = False
    rate_limits: list[RateLimit] = msgspec.field(default_factory=_default_limits)
    virtual_limits: bool = False
    late: dict[Kind, Lag] = msgspec.field(default_factory=_default_lags)
    repeated_status: Literal[204, 400] = 204
    refuse_suspending: list[Literal["synced", "self", "last_admin"]] = msgspec.field(default_factory=list)
    restore_checks_seats: bool = False
    remove_non_member: Literal[404, 204] = 404
    vague_conflicts: bool = False
    units: bool = False
    retry_after: bool = False
    throttled_body: Literal["gateway", "application", "spring"] = "gateway"
    product_access_of_all: bool = True
    unmanaged_addresses: bool = True
    paid: bool = True
    html_at_the_edge: bool = False

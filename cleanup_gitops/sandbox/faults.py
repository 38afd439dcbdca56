"""Failures on request: rules that say which requests go wrong, and how.

A rule is JSON, for example ``{"match": {"method": "POST", "path_regex": "users/search$", "nth":
2}, "kind": "status", "status": 503}``. `Match`: `method`, `path_regex` (searched in the path),
`identity` (see ``asked``), and of the requests that fit, either only number `nth` (from 1), or those after the
first `after`, at most `times` of them. The first rule that fits wins. A storm (see ``storms``) is a rule too.

Instead of the answer (with `carry_out` the request is carried out first, and only its answer is lost):

``status``          answer `status` in the body shape `shape`, with `headers`
``throttle``        429 of the API that was asked; it gets better in `seconds` of real time, told in the
                    form `reset` and, if wanted, by ``Retry-After``
``error_in_ok``     200, and the body of an error with `status` in it
``html``            an HTML page with `status` (200 by default), as a proxy or a login page sends it
``not_json``        plain text that claims to be JSON
``reset``           the connection is reset without an answer
``cursor_expired``  the cursor is refused: 400, or `status`
``revoked``         401 (or `status`), from now on for every request with the same credentials

What becomes of the answer:

``truncate``        the connection ends in the middle of the body, or with `length` ``part`` the answer does
``slow``            wait `seconds` of real time, then answer as always
``drip``            `piece` bytes at a time with `seconds` between them; with `endless` it never ends
``content_type``    the answer claims to be of `media_type`
``cursor_loop``     the page names the cursor that it was asked with as its next one
``repeat_page``     the page has the rows of the page before it in the same search, a first page those of
                    the search that was answered last (counted from the first rule on)
``drop_rows``       the page lacks its last `rows` rows and does not say so

What happens in the world:

``vanish``          the account that the request is about is gone before it is carried out; of a page, the
                    last account that it would have shown; `account` names another one
``no_effect``       a write answers as if it had worked and changes nothing
``late``            a write shows only after `reads` further reads and `seconds` of the virtual clock

Beside any other rule that fits:

``skew``            the header ``Date`` and all instants in the body are off by `seconds`
``near_limit``      headers say that almost all of a rate limit is used up
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from cleanup_gitops.sandbox.asked import Asked
from cleanup_gitops.sandbox.options import ResetForm

Kind = Literal[
    "status", "throttle", "error_in_ok", "html", "not_json", "reset", "cursor_expired", "revoked",
    "truncate", "slow", "drip", "content_type", "cursor_loop", "repeat_page", "drop_rows",
    "vanish", "no_effect", "late",
    "skew", "near_limit",
]  # fmt: skip
BESIDE: tuple[Kind, ...] = ("skew", "near_limit")
PAGES: tuple[Kind, ...] = ("cursor_loop", "repeat_page", "drop_rows")


class Match(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which requests a rule is about."""

    method: str | None = None
    path_regex: str = ""
    identity: str | None = None
    nth: int | None = None
    after: int = 0
    times: int | None = None

    def fits(self, asked: Asked) -> bool:
        """Whether the rule is about the request, whenever it comes."""
        return (
            self.identity in (None, asked.identity)
            and self.method in (None, asked.method)
            and re.search(self.path_regex, asked.path) is not None
        )

    def in_turn(self, count: int) -> bool:
        """Whether the rule is about request number `count` of those that fit."""
        if self.nth is not None:
            return count == self.nth
        past = count - self.after
        return past > 0 and (self.times is None or past <= self.times)


class Fault(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One rule; see the module's description. `weight` counts in a storm only.

    `shape` is that of the API that was asked, or application, gateway, spring, confluence, or empty.
    """

    kind: Kind
    match: Match = msgspec.field(default_factory=Match)
    weight: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    shape: Literal["api", "application", "gateway", "spring", "confluence", "empty"] = "api"
    code: str = ""
    message: str = "Something went wrong"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: str = ""
    media_type: str = "text/plain"
    length: Literal["whole", "part"] = "whole"
    seconds: float = 0.0
    reset: ResetForm = "iso"
    retry_after: Literal["seconds", "date", "absurd", "none"] = "none"
    piece: Annotated[int, msgspec.Meta(ge=1)] = 16
    endless: bool = False
    rows: int = 1
    reads: int = 1
    account: str | None = None
    carry_out: bool = False


def applies(kind: Kind, asked: Asked) -> bool:
    """Whether a request can go wrong in this way at all."""
    match kind:
        case "cursor_expired":
            return asked.lists and asked.cursor is not None
        case "cursor_loop" | "repeat_page":
            return asked.continued
        case "drop_rows":
            return asked.lists
        case "content_type":
            return not asked.writes
        case "no_effect" | "late":
            return asked.writes
        case "vanish":
            return bool(asked.accounts) or asked.continued
        case _:
            return True

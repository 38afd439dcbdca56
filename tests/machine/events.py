"""What else happens while the product works: answers that go wrong, what others do, and edits of the policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.machine.house import House

WRITES = r"/(suspend|restore|memberships|revoke)$|/memberships/"
USERS = r"/users/search$"

FAULTS: dict[str, dict[str, Any]] = {
    "write: too many requests": {
        "kind": "status", "status": 429, "headers": {"Retry-After": "20"}, "match": {"path_regex": WRITES, "times": 2}
    },
    "write: too many for ever": {
        "kind": "status", "status": 429, "headers": {"Retry-After": "2000"}, "match": {"path_regex": WRITES, "times": 9}
    },
    "write: reset before": {"kind": "reset", "match": {"path_regex": WRITES, "times": 1}},
    "write: reset after": {"kind": "reset", "carry_out": True, "match": {"path_regex": WRITES, "times": 1}},
    "write: cut off": {"kind": "truncate", "match": {"path_regex": WRITES, "times": 2}},
    "write: 500 before": {"kind": "status", "status": 500, "match": {"path_regex": WRITES, "times": 1}},
    "write: 503 after": {
        "kind": "status", "status": 503, "carry_out": True, "match": {"path_regex": WRITES, "times": 1}
    },
    "write: refused": {"kind": "status", "status": 403, "match": {"path_regex": WRITES, "times": 1}},
    "write: a page": {"kind": "html", "carry_out": True, "match": {"path_regex": WRITES, "times": 1}},
    "write: late": {"kind": "late", "reads": 12, "match": {"path_regex": WRITES, "times": 2}},
    "write: without effect": {"kind": "no_effect", "match": {"path_regex": WRITES, "times": 1}},
    "key revoked midway": {"kind": "status", "status": 401, "match": {"path_regex": "^/admin/", "after": 30}},
    "reads: too many requests": {
        "kind": "status", "status": 429, "headers": {"Retry-After": "5"}, "match": {"path_regex": USERS, "times": 3}
    },
    "reads: 503": {"kind": "status", "status": 503, "match": {"path_regex": USERS, "times": 2}},
    "reads: broken for long": {
        "kind": "status", "status": 502, "match": {"path_regex": USERS, "after": 4, "times": 40}
    },
    "reads: a row less": {"kind": "drop_rows", "match": {"path_regex": USERS, "after": 1, "times": 2}},
    "reads: no JSON": {"kind": "not_json", "match": {"path_regex": USERS, "after": 6, "times": 1}},
    "reads: cut off": {"kind": "truncate", "match": {"method": "GET", "times": 2}},
}  # fmt: skip

GROUPS = ("confluence-users-acme", "jira-users-acme", "org-admins", "break-glass", "dept-finance", "product-suite-acme")

OUTSIDE: dict[str, Callable[[House, str, int], None]] = {
    "joins": lambda house, who, n: house.happens(who, add_groups=[GROUPS[n % len(GROUPS)]]),
    "leaves": lambda house, who, n: house.happens(who, remove_groups=[GROUPS[n % len(GROUPS)]]),
    "returns": lambda house, who, _: house.happens(who, activity={"confluence": "now"}),
    "works in Jira": lambda house, who, _: house.happens(who, activity={"jira-software": "now"}),
    "is suspended": lambda house, who, _: house.happens(who, status="suspended"),
    "is restored": lambda house, who, _: house.happens(who, status="active"),
    "vanishes": lambda house, who, _: house.happens(who, status="not_invited", groups=[], roles={}),
    "becomes administrator": lambda house, who, _: house.happens(who, platform_roles=["atlassian/org-admin"]),
    "gets a role": lambda house, who, _: house.happens(who, roles={"confluence": ["atlassian/user"]}),
    "loses roles": lambda house, who, _: house.happens(who, roles={}),
}
"""What others do to one user."""
DOCUMENTS: dict[str, Callable[[House, str, int], None]] = {
    "is protected": lambda house, who, _: house.protect(who),
    "is exempt": lambda house, who, n: house.exempt(who, n),
}
"""What a reviewed change of the policies does; it holds for runs that begin after it."""

"""The tables of docs/policy-reference.md that tell what each site can answer, made from what the code does.

Predicates are asked of a whole reading of the sandbox, of the same after questions about single accounts, with an older
snapshot beside it, and of a snapshot alone. Fields of `ensure` are planned for four kinds of accounts. Predicates and
fields are those of the shapes; a new one needs an example here. To write the tables anew:

    python -m tests.golden --accept tests/test_reference.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import get_args

from msgspec.structs import replace

from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.ledger.since import history_of, with_history
from cleanup_gitops.model.change import ACTIONS
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.requirement import DesiredStatus
from cleanup_gitops.model.user import QUESTIONS
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.condition_shapes import PREDICATES
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guardrails import DEFAULT_CAPS, Cap, Guardrails
from cleanup_gitops.policy.lists import Lists, user_list
from cleanup_gitops.policy.match import Scope, compile_match
from cleanup_gitops.policy.state_shapes import STATES, GroupsSpec
from cleanup_gitops.policy.tree import ListedIn, Match, predicates
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from tests.case_files import read_inventory
from tests.ledger.snapshots import files_of
from tests.policy.documents import load_texts, policy, site
from tests.sites.box import connected

PAGE = Path(__file__).parent.parent / "docs" / "policy-reference.md"
ASKED = 40
"""So many accounts are asked about one by one."""
DOMAINS = ("acme.example", "acme.com")
SITE = site(more=", identity: {internal_domains: [acme.com]}")

EXAMPLES: dict[str, dict[str, str]] = {
    "has_seat": {"": "true"},
    "inactive_for": {
        "": "90d",
        "`product: jira-software`": "{for: 90d, product: jira-software}",
        "`product: any`": "{for: 90d, product: any}",
    },
    "never_active_for": {"": "90d"},
    "active_only_once": {"": "true"},
    "added_for": {"": "90d"},
    "in_group": {"": "'confluence-*'"},
    "seat_via": {"": "'confluence-*'", "`role: direct`": "{role: direct}"},
    "license": {"": "seat"},
    "status": {"": "active"},
    "in_status_for": {"": "90d"},
    "kind": {"": "person"},
    "has_role": {"": "[organization-admin, confluence-admin]"},
    "managed": {"": "true"},
    "synced": {"": "true"},
    "external": {"": "true"},
    "directory": {"": "'*e*'"},
    "email_domain": {"": "acme.com"},
    "email": {"": "present"},
    "name": {"": "'*a*'"},
    "attribute": {"": "{department: '*e*'}"},
    "account": {"": "'ACCOUNT'"},
    "listed_in": {"`account`": "{env: LIST, account: id}", "`email`": "{env: LIST, email: mail}"},
}
"""Values of each predicate that somebody in the sandbox fits; more than one where they are answered differently."""


@dataclass(frozen=True)
class Views:
    """One site, as different commands see it."""

    read: Inventory
    asked: Inventory
    later: Inventory
    kept: Inventory
    people: People


@cache
def views() -> Views:
    """A reading of the sandbox, what is known after questions, with a snapshot of 200 days ago, and a snapshot."""
    with running(seed(users=250, seed=3)) as box, connected(box, internal_domains=DOMAINS) as cloud:
        reader = cloud.reader
        live = reader.read()
        some = live.inventory.users[:ASKED]
        told = reader.ask(live.inventory, {user.id: QUESTIONS for user in some})
    read = live.inventory
    before = files_of(replace(read, as_of=read.as_of - timedelta(days=200)), attributes=("department",))
    kept = recorded_inventory(files_of(read, attributes=("department",), before=before))
    return Views(read, told, with_history(read, history_of(before)), kept, live.people)


def match_of(predicate: str, value: str) -> Match:
    """The conditions of a policy with this one alone."""
    with tempfile.TemporaryDirectory() as folder:
        text = policy(f"{{all: [{{{predicate}: {value}}}]}}")
        (found,) = load_texts(Path(folder) / "policies", SITE, text).for_site("acme").policies
    return found.match


def known(match: Match, inventory: Inventory, people: People) -> tuple[int, bool]:
    """Of how many of the first accounts in a hundred the answer is known, and whether it is yes for anybody."""
    account = inventory.users[0].id
    data = f"id,mail\n{account},{people.email(account) or 'somebody@acme.example'}\n".encode()
    lists = Lists({node: user_list(node, data) for node in predicates(match) if isinstance(node, ListedIn)})
    compiled = compile_match(match, Scope(inventory.as_of, inventory, people, lists))
    verdicts = [compiled.verdict(user) for user in inventory.users[:ASKED]]
    everybody = [compiled.verdict(user) for user in inventory.users]
    return sum(one is not None for one in verdicts) * 100 // len(verdicts), True in everybody


def live(match: Match, seen: Views) -> str:
    """How a live site answers."""
    (read, _), (asked, _), (later, _) = (known(match, one, seen.people) for one in (seen.read, seen.asked, seen.later))
    if read >= 50 and asked <= read + 20:
        return "answered"
    if asked > read + 20:
        return "asked about single accounts"
    if later > read + 20:
        return "derived from snapshots"
    return "answered for some" if read else "unknown"


def offline(match: Match, seen: Views) -> str:
    """How a recorded snapshot answers. What can only ever say no is of no use to a policy."""
    share, yes = known(match, seen.kept, NOBODY)
    if not yes:
        return "unknown"
    before, _ = known(match, seen.read, seen.people)
    if share > before + 20:
        return "derived from snapshots"
    return "answered" if share >= 50 else "answered for some"


def predicate_rows() -> Iterator[str]:
    """A row for each predicate, and for each of its forms that is answered otherwise."""
    seen = views()
    for predicate in PREDICATES:
        for form, value in EXAMPLES[predicate].items():
            match = match_of(predicate, value.replace("ACCOUNT", seen.read.users[0].id))
            what = f"`{predicate}`" if not form else f"with {form}" if "" in EXAMPLES[predicate] else form
            if form and "" not in EXAMPLES[predicate]:
                what = f"by {form} (`{predicate}`)"
            yield f"| {what} | {live(match, seen)} | {offline(match, seen)} |"


# -- ensure ----------------------------------------------------------------------------------------------

_ORDINARY = """{"id": "712020:1", "seen": "2026-01-01", "groups": ["g-users"], "tokens": ["t1"], "direct": [],
 "lifecycle": {"enablement": "%(refusal)s", "deletion": "%(refusal)s"}, %(facts)s}"""
SITE_JSON = """{"about": "", "as_of": "2026-11-22T06:00:00Z", "seat_limit": 100, "others": 60, "groups": [
 {"id": "g-users", "name": "confluence-users-acme", "license": "seat"}, {"id": "g-editors", "name": "wiki-editors"}],
 "users": [%s]}"""
ACCOUNTS = {
    "managed": '"managed": true',
    "unmanaged": '"managed": false, "domain": "partner.example"',
    "synced": '"synced": true, "writable": false',
}
"""Kinds of accounts."""
FIELDS: dict[str, dict[str, str]] = {
    "status": {one: f"{{status: {one}}}" for one in get_args(DesiredStatus)},
    "product_access": {"absent": "{product_access: absent}"},
    "groups": {
        "present": "{groups: {present: [wiki-editors]}}",
        "absent": "{groups: {absent: [confluence-users-acme]}}",
        "exactly": "{groups: {exactly: [wiki-editors]}}",
    },
    "api_tokens": {"revoked": "{api_tokens: revoked}"},
}
"""Each thing that `ensure` may ask for."""
WIDE = Guardrails(caps=dict.fromkeys(DEFAULT_CAPS, Cap(1000, 100)), allow=frozenset(ACTIONS), per_domain=100)


def policies_of(ensure: str) -> SitePolicies:
    """One policy that asks this of the one account."""
    idle = ", {inactive_for: {for: 30d, product: any}}" if "status" in ensure and "active}" not in ensure else ""
    text = policy(f"{{all: [{{account: '712020:1'}}{idle}]}}", ensure)
    allow = f"{{allow: [{', '.join(ACTIONS)}]}}"
    guard = f"apiVersion: cleanup-gitops/v1\nkind: Guardrails\nmetadata: {{name: g, owner: o}}\nspec: {allow}\n"
    with tempfile.TemporaryDirectory() as folder:
        return load_texts(Path(folder) / "policies", site(), text, guard).for_site("acme")


def inventory_of(account: str, ensure: str) -> Inventory:
    """One account that is not as `ensure` wants it, and sixty people who are at work."""
    facts = ACCOUNTS[account] + (', "status": "suspended"' if ensure == "{status: active}" else "")
    refusal = "externalDirectory.scim" if account == "synced" else ""
    return read_inventory((SITE_JSON % (_ORDINARY % {"facts": facts, "refusal": refusal})).encode())[1]


def becomes(ensure: str, inventory: Inventory) -> str:
    """What a plan makes of it."""
    policies = policies_of(ensure)
    wide = SitePolicies(site="acme", policies=policies.policies, guardrails=WIDE)
    at = inventory.as_of
    plan = make_plan(inventory, wide, BLANK, created=at, as_of=at, tool_version="0")
    state = plan.dispositions["712020:1"].state
    if state == "changed":
        return "changed" + (", a part handed off" if plan.handoffs else "")
    return {"handed_off": "handed off", "unchanged": "left alone"}.get(state, state)


def ensure_rows() -> Iterator[str]:
    """A row for each thing that may be asked for."""
    for key in STATES:
        for value, ensure in FIELDS[key].items():
            cells = [becomes(ensure, inventory_of(one, ensure)) for one in ACCOUNTS]
            kept = recorded_inventory(files_of(inventory_of("managed", ensure)))
            yield f"| {key} `{value}` | {' | '.join(cells)} | {becomes(ensure, kept)} |"


HEADS: Mapping[str, str] = {
    "conditions": "| condition | Cloud, live | recorded snapshot |\n|---|---|---|\n",
    "states": (
        "| asked for | managed account | unmanaged account | synced account | managed, on a recorded snapshot |\n"
        "|---|---|---|---|---|\n"
    ),
}


def page() -> str:
    """The page with its tables made anew."""
    text = PAGE.read_text("utf-8")
    for name, rows in (("conditions", predicate_rows()), ("states", ensure_rows())):
        begin, end = f"<!-- generated: {name} -->\n", "<!-- end -->\n"
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        table = HEADS[name] + "".join(f"{row}\n" for row in rows)
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


GROUP_KEYS = tuple(GroupsSpec.model_fields)

"""`who` as text, Markdown and JSON: trees keep their words, and no name does anything but name."""

from __future__ import annotations

import json

from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.ports import Live
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.tree import InactiveFor, InGroup, Match, StatusIs
from cleanup_gitops.rehearsal.who import who
from cleanup_gitops.views.who import WhoReport, render_json, render_markdown, render_text
from tests.ledger.snapshots import site
from tests.rehearsal.test_backtest import BEGIN, WIKI, member

HOSTILE = "Ada\x1b[31m | <img src=x> `x`\n::error::y"
PEOPLE = People({"a": Person(HOSTILE, "ada@acme.com")}, b"a key for pseudonyms, long enough")


def report() -> WhoReport:
    user = member("a", seen_at(BEGIN.replace(year=2024), "csv"))
    live = Live(site(user, groups=(WIKI,), as_of=BEGIN), PEOPLE)
    inner = Match(none=(StatusIs(("suspended",)),))
    match = Match(all=(InactiveFor(90),), any=(InGroup(("wiki-users",)), inner))
    return WhoReport(answer=who(match, SitePolicies(site="acme"), live), asked="Who meets it")


def test_what_stands_under_any_or_none_is_told_so() -> None:
    text = render_text(report(), PEOPLE)
    assert "any of: in_group wiki-users; none of (status suspended)" in text
    assert "    any of: in_group wiki-users: yes, member of wiki-users\n" in text
    assert "    any of: none of: status suspended: no" in text
    (user,) = json.loads(render_json(report()))["users"]
    assert [one["under"] for one in user["conditions"]] == ["", "any of", "any of: none of"]


def test_a_name_is_one_line_without_a_command_in_every_form() -> None:
    text, markdown = render_text(report(), PEOPLE), render_markdown(report(), PEOPLE, limit=1)
    for told in (text, markdown):
        assert "\x1b" not in told
        assert "\n::error" not in told
        assert "Ada" in told
    assert "<img" not in markdown
    assert "Ada" not in render_json(report())
    assert "ada@acme.com" not in text + markdown + render_json(report())

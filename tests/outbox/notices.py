"""Notices, templates and people for tests of what is sent."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec.structs import replace

from cleanup_gitops.model.notices import Notice
from cleanup_gitops.model.people import Person
from cleanup_gitops.policy.notifying import Body, Languages, Notifications, Template

ADDRESS = "ada.lovelace+wiki@people.example"
NAME = "Ada Lovelace"
ADA = Person(NAME, ADDRESS)
TEXT = """\
Hello {{ name }},

{% if next_day %}
on {{ next_day }} at the earliest: {{ next_does }}.
{% endif %}
.Why: {{ why }}
"""
HTML = "<p>Hello {{ name }}, {% if next_day %}on {{ next_day }}: {{ next_does }}.{% endif %}</p>\n"
BODIES = {
    "": Body(subject="{{ name }}, do you still need {{ site }}?", text=TEXT, file="policies/t/soon.txt.j2", html=HTML),
    "de": Body(subject="Brauchen Sie {{ site }} noch?", text="Grüße, {{ name }}\n", file="policies/t/soon.de.txt.j2"),
}
TEMPLATES = {"soon": Template(name="soon", bodies=BODIES, digest="sha256:" + "1" * 64)}


def notice(account: str = "712020:ada", **changes: Any) -> Notice:  # noqa: ANN401 - any field
    """A notice of the first stage of an episode."""
    usual = Notice(
        address=f"stage/{account}/dormant-members/notice/1",
        user=account,
        site="acme",
        url="https://acme.atlassian.net",
        policy="dormant-members",
        stage="notice",
        episode=1,
        why="Seats cost money.",
        owner="iam@acme.example",
        template="soon",
        as_of=date(2026, 11, 22),
        last_seen=date(2026, 8, 3),
        days=110,
        next_stage="release-seat",
        next_does="access to Confluence ends",
        next_day=date(2026, 12, 6),
    )
    return replace(usual, **changes)


def notifications(**changes: Any) -> Notifications:  # noqa: ANN401 - any field
    """A Notifications document with one template in two languages."""
    usual: dict[str, Any] = {
        "name": "mail",
        "folder": "templates",
        "templates": TEMPLATES,
        "languages": Languages("location", "en", {"berlin": "de"}),
        "escalate": ("iam@acme.example", "desk@acme.example"),
        "where": "policies/mail.yaml:1",
    }
    return Notifications(**(usual | changes))

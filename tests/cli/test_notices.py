"""Telling people before something is taken: over real HTTP, real git, and mail that goes into a folder."""

from __future__ import annotations

import json
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from tests.cli.workspace import Workspace

WARNED = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: dormant, owner: iam@acme.com, why: Seats are for those who use them.}
spec:
  match:
    all:
      - has_seat: true
      - inactive_for: 90d
  stages:
    - {name: notice, notify: inactivity-notice}
    - {name: release-seat, after: 14d, ensure: {product_access: absent}}
"""
ROOMY = """\
apiVersion: cleanup-gitops/v1
kind: Guardrails
metadata: {name: roomy, owner: security@acme.com}
spec:
  caps:
    membership.remove: {max: 100, percent: 100}
    role.revoke: {max: 100, percent: 100}
    notice.send: {max: 100, percent: 100}
    total: {max: 200, percent: 100}
    per_domain: {percent: 100}
"""
MAIL = """\
apiVersion: cleanup-gitops/v1
kind: Notifications
metadata: {name: mail}
spec:
"""
TEXT = """\
Subject: Do you still need Confluence?

{% if next_day and next_does %}
On {{ next_day }} at the earliest: {{ next_does }}.
{% endif %}
{{ why }} Ask {{ owner }}.
"""


@pytest.fixture
def telling(workspace: Workspace) -> Workspace:
    """A workspace that tells people first, by mail that goes into a folder."""
    (workspace.folder / "policies" / "templates").mkdir()
    (workspace.folder / "policies" / "templates" / "inactivity-notice.txt.j2").write_text(TEXT)
    workspace.policy("mail.yaml", f"{MAIL}  templates: templates/\n  outbox: outbox/\n")
    workspace.policy("guardrails.yaml", ROOMY)
    workspace.policy("dormant.yaml", WARNED)
    return workspace


def letters(workspace: Workspace) -> list[Path]:
    return sorted((workspace.folder / "outbox").glob("*.eml"))


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    now = SystemClock().now() + timedelta(days=days)
    monkeypatch.setattr(SystemClock, "now", lambda _self: now)


@pytest.mark.slow
@pytest.mark.case("E72")
@pytest.mark.case("E69")
def test_people_are_told_and_who_was_not_reached_is_left_alone(
    telling: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = telling.run("plan", "--out", str(tmp_path / "plan.json"))
    assert plan.code == 0
    assert "to notify" in plan.out
    assert letters(telling) == []
    rows = json.loads((tmp_path / "plan.json").read_bytes())["changes"]
    assert {one["action"] for one in rows} == {"notice.send"}
    done = telling.run("apply", str(tmp_path / "plan.json"))
    assert done.code == 0
    assert f"{len(rows)} notified" in done.out
    assert len(letters(telling)) == len(rows)
    assert telling.run("apply", "--auto-approve").code == 0
    assert len(letters(telling)) == len(rows)

    letter = message_from_bytes(letters(telling)[0].read_bytes())
    bounces = tmp_path / "bounces.txt"
    bounces.write_text(f"{letter['Message-ID']}\n{rows[-1]['user']}  # nobody reads this box\n")
    said = telling.run("notices", "undelivered", str(bounces))
    assert (said.code, said.err) == (0, "")
    assert "2 notices came back" in said.out
    assert "iam@acme.com" in said.out

    later(monkeypatch, 15)
    assert telling.run("audit", "verify").code == 0
    shown = json.loads(telling.run("plan", "--format", "json").out)
    told = {one["user"] for one in rows}
    ended = {one["user"] for one in shown["changes"] if one["action"] != "notice.send"}
    assert len(_left(shown)) == 2
    assert _left(shown) < told
    assert ended
    assert ended <= told - _left(shown)
    assert telling.run("notices", "undelivered", str(bounces), "--again").code == 0
    again = json.loads(telling.run("plan", "--format", "json").out)
    assert _left(again) == set()
    assert _left(shown) <= {one["user"] for one in again["changes"] if one["action"] == "notice.send"}


def _left(plan: dict[str, object]) -> set[str]:
    """Users whose notice came back."""
    dispositions = plan["dispositions"]
    assert isinstance(dispositions, dict)
    return {user for user, one in dispositions.items() if one["reason"] == "undelivered"}


def test_a_mail_relay_without_its_password_stops_notices_alone(telling: Workspace) -> None:
    relay = (
        "{host: 127.0.0.1, port: 9, tls: true, user: {env: NO_USER}, password: {env: NO_PASSWORD}, from: a@acme.com}"
    )
    telling.policy("mail.yaml", f"{MAIL}  templates: templates/\n  smtp: {relay}\n")
    done = telling.run("apply", "--auto-approve")
    assert done.code == 5
    assert "NO_USER" in done.out
    assert "Not attempted" in done.out
    others = WARNED.partition("  stages:")[0].replace("name: dormant", "name: others")
    telling.policy("others.yaml", f"{others}  ensure: {{product_access: absent}}\n  priority: 9\n")
    done = telling.run("apply", "--auto-approve")
    assert done.code == 0
    assert "notified" not in done.out
    assert "0 removed" not in done.out

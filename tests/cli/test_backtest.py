"""`backtest`: a policy over the snapshots that git has, without a site."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.ledger.compose import ground_of
from cleanup_gitops.ledger.record import record_run
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.run import Approval
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.site import StateSettings
from tests.cli.workspace import SITE, Said
from tests.rehearsal.test_backtest import away, day, days_of, hit_on

Say = Callable[..., Said]
HIT = hit_on(0, 60)
LIVES = {"712020:back": away(1, HIT + 11), "712020:gone": away(1, 999), "712020:here": lambda _: True}
TAKEN = (0, 1, HIT - 1, HIT, HIT + 5, HIT + 11, HIT + 12, HIT + 13, HIT + 31, HIT + 33)
"""The days of which there is a snapshot: the others were missed."""
POLICY = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {{name: dormant, owner: iam@acme.com, why: seats}}
spec:
  match:
    all:
      - has_seat: true
      - inactive_for: {days}d
  ensure: {{product_access: absent}}
"""


def _git(folder: Path, *args: str) -> str:
    identity = ("-c", "user.name=tester", "-c", "user.email=tester@localhost")
    done = subprocess.run(["git", "-C", str(folder), *identity, *args], check=True, capture_output=True, text=True)
    return done.stdout


def _record(folder: Path) -> None:
    """A run that had nothing to do on each of these days."""
    store = GitStore(folder, "acme", None, StateSettings())
    for site in days_of(LIVES, max(TAKEN) + 1, [one for one in range(max(TAKEN)) if one not in TAKEN]):
        made = site.as_of + timedelta(minutes=1)
        policies = SitePolicies(site="acme")
        ground = ground_of("acme", store.read(), tool_version="0", domains=frozenset({"acme.com"}))
        plan = make_plan(site, policies, ground.memory, created=made, as_of=site.as_of, tool_version="0")
        approval = Approval(kind="auto", by="712020:runner", at=made, ref=plan.envelope)
        record = record_run(ground, plan=plan, outcomes=(), approval=approval, inventory=site, time=made)
        store.commit(record.files, record.subject, record.trailers)
    assert ground.memory != BLANK


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a policy and a recorded past; nobody writes to it."""
    folder = tmp_path_factory.mktemp("past")
    policies = folder / "policies"
    policies.mkdir()
    values = {"url": "https://acme.atlassian.net", "organization": "0f5e0000-0000-0000-0000-000000000000"}
    (policies / "site.yaml").write_text(SITE.format(**values, directory="default", runner="712020:runner"))
    (policies / "dormant.yaml").write_text(POLICY.format(days=60))
    (policies / "sooner.yaml").write_text(POLICY.format(days=14).replace("name: dormant", "name: sooner"))
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "config", "user.name", "tester")
    _git(folder, "config", "user.email", "tester@localhost")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "policies")
    _record(folder)
    return folder


@pytest.fixture
def say(past: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*args: str) -> Said:
        head = _git(past, "rev-parse", "HEAD")
        code = run(["-C", str(past), "backtest", *args])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert _git(past, "status", "--porcelain") == ""
        assert _git(past, "rev-parse", "HEAD") == head
        return Said(code, said.out, said.err)

    return say


def test_it_tells_whom_the_policy_would_have_hit_and_who_came_back(say: Say) -> None:
    said = say("dormant")
    assert said.code == 0, said.err
    assert "Back-test of dormant (policies/dormant.yaml:9) on acme: 10 recorded days from 2025-11-24 to" in said.out
    assert f"days; the longest gap is {HIT - 3} days after 2025-11-25)" in said.out
    assert f"2 users would have been hit on later days, 0.2 a day; most on {day(HIT)}: 2." in said.out
    assert "     1  came back within 30 days: hit by mistake\n" in said.out
    assert "     1  not seen again within 30 days\n" in said.out
    assert "Hit by mistake: 50.0 % of the 2 of which the record tells." in said.out
    mistake = f"  712020:back: membership.remove on {day(HIT)}; last seen by 2025-11-30, back by {day(HIT + 12)}"
    assert f"{mistake} (12 days later)\n" in said.out
    assert "60 days (as written)" in said.out


def test_json_has_every_day_and_every_hit(say: Say) -> None:
    found = json.loads(say("dormant", "--format", "json", "--thresholds", "60,120").out)
    assert [one["day"] for one in found["days"]] == [str(day(one)) for one in TAKEN]
    seats = {one["day"]: (one["seats"]["recorded"], one["seats"]["with_policy"]) for one in found["days"]}
    assert seats[str(day(HIT - 1))] == (3, 3)
    assert seats[str(day(HIT))] == (3, 1)
    assert seats[str(day(HIT + 33))] == (3, 2)
    assert {one["account"]: one["sequel"] for one in found["users"]} == {"712020:back": "back", "712020:gone": "away"}
    assert [(one["days"], one["own"], one["hits"]["all"]) for one in found["thresholds"]] == [
        (60, True, 2),
        (120, False, 0),
    ]
    assert found["longest_gap"] == {"days": HIT - 3, "after": str(day(1))}


def test_the_days_can_be_chosen(say: Say) -> None:
    found = json.loads(say("dormant", "--format", "json", "--since", str(day(HIT)), "--until", str(day(HIT + 12))).out)
    assert (found["from"], found["to"]) == (str(day(HIT)), str(day(HIT + 12)))
    assert found["hits"]["first_day"] == 2
    said = say("dormant", "--since", "2031-01-01")
    assert (said.code, said.out) == (1, "")
    assert "Since 2031-01-01 no snapshot of acme is recorded." in said.err
    assert say("dormant", "--since", "2026-02-01", "--until", "2026-01-01").code == 1
    assert "is not a day like" in say("dormant", "--since", "yesterday").err


def test_markdown_names_nobody_unless_asked(say: Say) -> None:
    assert "712020:" not in say("dormant", "--format", "markdown").out
    assert "712020:back" in say("dormant", "--format", "markdown", "--limit", "1").out
    assert "712020:" not in say("dormant", "--limit", "0").out


def test_pictures_hold_the_seats_and_the_thresholds_and_nobody(say: Say, tmp_path: Path) -> None:
    seats, curve = tmp_path / "seats.svg", tmp_path / "thresholds.svg"
    said = say("dormant", "--chart", "--limit", "0", "--svg", str(seats), "--svg-thresholds", str(curve))
    assert said.code == 0, said.err
    assert f"\n {day(0)}       3  █" in said.out.partition("Seats of acme")[2]
    assert " *   60    2     1  50 %" in said.out
    for file, words in ((seats, "had dormant been in force"), (curve, "and who came back")):
        text = file.read_text()
        assert words in text
        assert "712020:" not in text
        assert f"The picture was written to {file}." in said.err
    said = say("dormant", "--thresholds", "60", "--svg-thresholds", str(tmp_path / "none.svg"))
    assert said.code == 1
    assert "no other thresholds were compared" in said.err
    assert not (tmp_path / "none.svg").exists()
    assert say("dormant", "--chart", "--format", "json").code == 1


def test_what_cannot_be_told_is_refused_before_anything_is_read(say: Say) -> None:
    said = say("sooner")
    assert (said.code, said.out) == (1, "")
    assert "sooner (policies/sooner.yaml:9) asks for 14 days of idleness" in said.err
    assert "A back-test needs 27 days or more." in said.err
    assert "cannot tell less than 27 days" in say("dormant", "--thresholds", "14,60").err
    assert "are no days such as 30,60,90" in say("dormant", "--thresholds", "soon").err
    assert "acme has no policy 'dormand'; did you mean `dormant`?" in say("dormand").err


def test_a_repository_without_a_record_says_so(past: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _git(tmp_path, "clone", "-q", str(past), "clone")
    folder = tmp_path / "clone"
    _git(folder, "switch", "-q", "--orphan", "fresh")
    _git(folder, "restore", "--source", "main", "--", "policies")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "policies")
    assert run(["-C", str(folder), "backtest", "dormant"]) == 1
    said = capsys.readouterr()
    assert "No snapshot of acme is recorded in this branch." in said.err


def test_the_record_may_have_a_branch_of_its_own(
    past: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _git(tmp_path, "clone", "-q", str(past), "clone")
    folder = tmp_path / "clone"
    _git(folder, "branch", "state")
    site = folder / "policies" / "site.yaml"
    site.write_text(site.read_text() + "  state: {branch: state, remote: none}\n")
    _git(folder, "rm", "-rq", "state")
    _git(folder, "commit", "-qam", "a branch for the record")
    assert run(["-C", str(folder), "backtest", "dormant", "--thresholds", "60"]) == 0
    assert "10 recorded days" in capsys.readouterr().out

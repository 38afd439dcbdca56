"""What a plan says of people who are not told what comes, and of those in whose stages nobody leads on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from cleanup_gitops.model.memory import BLANK, Closed, Mark, Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.documents import Ensure, Policy, Stage
from cleanup_gitops.policy.notifying import Notifications
from tests.planner.guarded import plan_for
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy, site

STAGED = replace(
    policy(IDLE),
    ensure=Ensure(),
    stages=(
        Stage(name="notice", notify="inactivity-notice"),
        Stage(name="leave", ensure=Ensure(groups_absent=("users",)), after=14),
    ),
)
SILENT = (
    "Notices are silent: nobody gets a mail, and the days of the next stage begin all the same. Atlassian itself may"
    " mail people whose account it closes."
)


def mark(user: str, **facts: Any) -> Mark:  # noqa: ANN401 - fields of a Mark
    given: dict[str, Any] = {"policy": "dormant", "episode": 1, "stage": "notice", "entered": TODAY} | facts
    return Mark(user=user, **given)


def marked(*lines: Mark | Closed) -> Memory:
    return changed(
        BLANK,
        marks=tuple(one for one in lines if isinstance(one, Mark)),
        closed=tuple(one for one in lines if isinstance(one, Closed)),
    )


def planned(*policies: Policy, memory: Memory = BLANK, **more: Any) -> Plan:  # noqa: ANN401 - fields of SitePolicies
    return plan_for(site({"id": "a"}, {"id": "b"}), *policies, memory=memory, **more)


def silent(*policies: Policy, silent: bool = True) -> list[str]:
    told = planned(*policies, notifications=Notifications(name="n", folder="f", silent=silent)).warnings
    return [one for one in told if one.startswith("Notices are silent")]


def test_a_plan_with_notices_says_that_nobody_gets_them() -> None:
    assert [one.action for one in planned(STAGED).changes] == ["notice.send"] * 2
    assert silent(STAGED) == [SILENT]
    assert silent(STAGED, silent=False) == []
    assert not [one for one in planned(STAGED).warnings if one.startswith("Notices are silent")]
    assert silent(policy(IDLE)) == []


@pytest.mark.parametrize(("users", "whom"), [(("a",), "1 user came"), (("a", "b"), "2 users came")])
def test_people_whose_notice_came_back_are_counted_by_policy_and_stage(users: tuple[str, ...], whom: str) -> None:
    back = [mark(one, undelivered=TODAY) for one in users]
    sent = [mark(one, done=TODAY) for one in "ab" if one not in users]
    (told,) = planned(STAGED, memory=marked(*back, *sent)).warnings
    assert told == (
        f"dormant/notice: the notices of {whom} back as undelivered, so nothing follows. Find these people in another"
        " way and mend their addresses; `notices undelivered FILE --again` has them told again."
    )

"""Standing approvals in a recorded history: what must fit together, and what is found when it does not."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from cleanup_gitops.ledger import record as recording
from cleanup_gitops.ledger.pending import Terms
from cleanup_gitops.ledger.record import record_intent, record_run
from cleanup_gitops.model.change import Change, MembershipRemove, RoleRevoke
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Approval, Outcome
from cleanup_gitops.model.standing import Missing
from cleanup_gitops.runner.standing import approval_of_run
from tests import strategies as some
from tests.ledger.verified import RUNNER, START, Chronicle, Recorded, inventory

BEN = Approval(kind="standing", by="SHA256:ben", at=START - timedelta(days=1), ref="approve/1")
ADA = Approval(kind="standing", by="SHA256:ada", at=START - timedelta(days=2), ref="approve/2")
BOTH = {"a": BEN, "b": ADA}


def leave(user: str, *policies: str) -> Change:
    """A change that these policies ask for."""
    return MembershipRemove(
        address=f"membership/g-1/{user}",
        user=user,
        directory="default",
        group="g-1",
        causes=tuple(Cause(policy=name) for name in policies),
    )


CHANGES = (leave("u1", "a"), leave("u2", "a", "b"))


def history(
    changes: tuple[Change, ...] = CHANGES,
    approvals: dict[str, Approval] | None = None,
    approval: Approval | None = None,
) -> Recorded:
    """One run under standing approvals, whatever is wrong with them."""
    made = Chronicle()
    found = inventory("u1", "u2", at=made.time)
    plan = made.plan(changes, found)
    used = BOTH if approvals is None else approvals
    allowed = approval or approval_of_run(plan, used)
    intent = None
    if changes:
        begun = record_intent(
            made.ground, plan=plan, approval=replace(allowed, ref=plan.envelope), changes=plan.changes,
            directories=["default"], holder=RUNNER, time=made.time, actor=RUNNER, approvals=used,
        )  # fmt: skip
        intent = made.add(begun).intent
    made.wait(minutes=2)
    made.add(
        record_run(
            made.ground, plan=plan, approval=replace(allowed, ref=plan.envelope), inventory=found, time=made.time,
            outcomes=[some.outcome_of(one, "applied", made.time) for one in plan.changes], actor=RUNNER, intent=intent,
            terms=Terms(standing={"a": "", "b": ""}),
        )
    )  # fmt: skip
    return Recorded(made.records)


def whats(recorded: Recorded) -> str:
    return "; ".join(f"{one.where} {one.what}" for one in recorded.verdict().findings)


@pytest.mark.parametrize("changes", [(), CHANGES[:1], CHANGES])
def test_a_run_under_standing_approvals_fits(changes: tuple[Change, ...]) -> None:
    needed = {cause.policy for one in changes for cause in one.causes}
    assert whats(history(changes, {name: BOTH[name] for name in needed})) == ""


@pytest.mark.parametrize(
    ("changes", "approvals", "said"),
    [
        (CHANGES[:1], BOTH, "does not name the standing approvals of exactly the policies that ask"),
        (CHANGES, {"a": BEN, "b": replace(ADA, at=START + timedelta(days=1))}, "was given after the run began"),
        (CHANGES, {"a": BEN, "b": replace(ADA, ref="refs/heads/main")}, "names no key or no tag"),
        (CHANGES, {"a": BEN, "b": replace(ADA, by="712020:1")}, "names no key or no tag"),
        (CHANGES, {"a": BEN, "b": replace(ADA, kind="plan")}, "names no key or no tag"),
        (
            (
                RoleRevoke(
                    address="role/user/u1", user="u1", directory="default", role="user", causes=(Cause(policy="a"),)
                ),
            ),
            {"a": BEN},
            "has changes that no standing approval covers",
        ),
    ],
)
def test_approvals_that_do_not_fit_are_found(
    changes: tuple[Change, ...], approvals: dict[str, Approval], said: str
) -> None:
    assert said in whats(history(changes, approvals))


def test_a_run_that_names_other_keys_than_its_policies_is_found() -> None:
    plan = Chronicle().plan(CHANGES, inventory("u1", "u2"))
    other = replace(approval_of_run(plan, BOTH), by="SHA256:ben")
    assert "names other keys as those that approved the run" in whats(history(approval=other))


def test_a_run_that_was_approved_otherwise_has_no_standing_approvals() -> None:
    plan = Chronicle().plan(CHANGES, inventory("u1", "u2"))
    assert "is approved otherwise" in whats(history(approval=some.approval_of(plan)))


def test_a_run_that_was_planned_at_another_time_than_it_says_is_found() -> None:
    plan = Chronicle().plan(CHANGES, inventory("u1", "u2"))
    other = replace(approval_of_run(plan, BOTH), at=START - timedelta(hours=1))
    assert "made at another time" in whats(history(approval=other))


def test_keys_without_anything_to_write_are_found() -> None:
    plan = Chronicle().plan((), inventory("u1", "u2"))
    named = replace(approval_of_run(plan, {}), by="SHA256:ben")
    assert "though nothing was to be written" in whats(history((), {}, named))


def test_an_outcome_under_another_approval_than_that_of_its_policies_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "approval_of", lambda *_: BEN)
    assert "outcomes.jsonl:2 is of another run, site, plan or approval" in whats(history())
    monkeypatch.setattr(recording, "approval_of", lambda _, run, __: run)
    found = whats(history())
    assert "outcomes.jsonl:1 is of another run" in found
    assert "outcomes.jsonl:2 is of another run" in found


def test_an_outcome_that_names_other_policies_than_the_plan_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = some.outcome_of

    def other(change: Change, *rest: object) -> Outcome:
        return replace(original(change, *rest), causes=(Cause(policy="a"),))  # type: ignore[arg-type]

    monkeypatch.setattr(some, "outcome_of", other)
    assert "names other policies than the plan" in whats(history())


def test_values_of_standing_approvals_are_read_back_as_they_were_written() -> None:
    data = msgspec.json.encode(BEN)
    assert msgspec.json.decode(data, type=Approval) == BEN
    assert Missing("why").todo == ""

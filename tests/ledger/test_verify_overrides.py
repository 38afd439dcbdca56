"""Records of kind override: what they hold, and that nobody can change which Overrides they name."""

from __future__ import annotations

import msgspec
import pytest

from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.model.run import Reason
from tests.ledger.test_verify import rechained, whats
from tests.ledger.verified import Chronicle, Recorded, inventory, suspend


def lifted_plan(made: Chronicle) -> Plan:
    check = Check(name="cap:total", passed=True, message="1 planned, 1 allowed", lifted=("first", "second"))
    plan = made.plan([suspend("u1")], inventory("u1", "u2", at=made.time))
    return msgspec.structs.replace(plan, checks=(check,))


@pytest.fixture
def made() -> Chronicle:
    """A use for a plan, on a site without any record, and one for a reading alone."""
    chronicle = Chronicle()
    chronicle.lift(lifted_plan(chronicle))
    chronicle.wait(hours=1)
    chronicle.run([suspend("u1")], inventory("u1", "u2", at=chronicle.time))
    chronicle.wait(hours=1)
    chronicle.lift()
    return chronicle


def test_a_history_with_uses_of_overrides_is_whole_and_counts_them(made: Chronicle) -> None:
    verdict = Recorded(made.records).verdict()
    assert verdict.findings == ()
    first, last = made.records[0].entry, made.records[-1].entry
    assert first is not None
    assert last is not None
    assert first.reason == Reason(code="first, second", text="cap:total: 1 planned, 1 allowed")
    assert made.records[0].subject == "acme: override: first, second"
    assert set(first.digests) == {f"runs/{first.run}/plan.json"}
    assert (last.digests, last.plan, last.serial) == ({}, "", 1)


def test_a_use_names_the_overrides_that_its_plan_names(made: Chronicle) -> None:
    other = Reason(code="first", text="cap:total: 1 planned, 1 allowed")
    changed = rechained(made.records, 0, lambda entry: msgspec.structs.replace(entry, reason=other))
    assert "names other Overrides than the ledger" in whats(changed)
    bare = rechained(made.records, 0, lambda entry: msgspec.structs.replace(entry, reason=None))
    assert "has a override entry without a reason" in whats(bare)

from __future__ import annotations

from datetime import timedelta

import pytest

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.leases import age, describe, held, leases_of, read_intent, read_lease
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.model.change import MembershipRemove, change_digest
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.run import Lease
from cleanup_gitops.model.user import User
from tests import strategies as some
from tests.ledger.history import after, begun, entry_of, ground, run

LEASE = Lease(
    format=1,
    directory="default",
    site="acme",
    run="20261122T091500Z-01234567",
    holder="712020:runner, process 42",
    since=some.AS_OF,
    intent=f"sha256:{'0' * 64}",
)
SITE = Inventory(
    site="acme",
    hosting="cloud",
    as_of=some.AS_OF,
    users=(User(id="712020:0", directory="default"),),
    groups=(),
    directories=(),
    proof=some.proof_of(1, 0),
)
CHANGE = MembershipRemove(address="membership/g-1/712020:0", user="712020:0", directory="default", group="g-1")
PLAN = some.plan_of(SITE, [CHANGE])


def test_an_intent_brings_the_plan_and_a_lease_and_leaves_everything_else() -> None:
    record = begun({}, PLAN)
    intent = record.intent
    assert intent is not None
    assert record.entry is None
    folder = f"runs/{intent.run}"
    assert record.files.keys() == {f"{folder}/intent.json", f"{folder}/plan.json", "leases/default.json"}
    assert read_intent("", record.files[f"{folder}/intent.json"] or b"") == intent
    assert intent.changes == (change_digest(CHANGE),)
    (lease,) = leases_of(after({}, record))
    assert (lease.run, lease.directory, lease.holder) == (intent.run, "default", "712020:runner, process 42")
    assert lease.intent == record.trailers["Intent-Digest"]
    assert record.trailers["Kind"] == "intent"
    assert record.subject == "acme: 1 change begun"


def test_the_record_of_the_run_names_the_files_of_its_intent_and_ends_its_lease() -> None:
    begin = begun({}, PLAN)
    assert begin.intent is not None
    files = after({}, begin)
    record = run(files, PLAN, [some.outcome_of(CHANGE, "applied")], SITE, some.AS_OF, begin.intent)
    entry = entry_of(record)
    folder = f"runs/{begin.intent.run}"
    assert entry.run == begin.intent.run
    assert entry.intent == begin.trailers["Intent-Digest"]
    assert entry.digests.keys() == {f"{folder}/{name}" for name in ("intent.json", "plan.json", "outcomes.jsonl")} | {
        "manifest.json"
    }
    assert record.files["leases/default.json"] is None
    assert f"{folder}/plan.json" not in record.files
    assert leases_of(after(files, record)) == ()
    assert ground(after(files, record)).memory == record.memory


@pytest.mark.case("E65")
def test_the_refusal_of_a_second_run_names_holder_place_and_age_and_how_to_go_on() -> None:
    error = held(LEASE, some.AS_OF + timedelta(hours=26, minutes=3))
    assert error.exit_code == 6
    assert error.message == (
        "A run is under way on directory default, or was cut off: run 20261122T091500Z-01234567 of acme by"
        " 712020:runner, process 42, since 2026-11-22 09:15 UTC (1 d 2 h 3 min)."
    )
    assert "`cleanup-gitops recover` says whether its process lives" in error.hint
    assert "cleanup-gitops recover 20261122T091500Z-01234567 --site acme" in error.hint


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(-5, "0 min"), (0, "0 min"), (59, "59 min"), (60, "1 h 0 min"), (24 * 60, "1 d 0 h 0 min")],
)
def test_the_age_of_a_lease_counts_days_hours_and_minutes(minutes: int, text: str) -> None:
    assert age(LEASE, some.AS_OF + timedelta(minutes=minutes)) == text


def test_a_lease_may_say_where_its_run_works() -> None:
    lease = Lease(**{name: getattr(LEASE, name) for name in LEASE.__struct_fields__} | {"place": "https://ci/1"})
    assert "process 42 at https://ci/1, since" in describe(lease, some.AS_OF)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[]"])
def test_a_damaged_lease_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(StateError, match=r"leases/default\.json cannot be read"):
        read_lease("leases/default.json", data)


def test_a_lease_without_a_time_zone_is_refused_with_its_place() -> None:
    data = canonical(LEASE).replace(b"2026-11-22T09:15:00Z", b"2026-11-22T09:15:00")
    with pytest.raises(StateError, match=r"leases/default\.json cannot be read: .*timezone"):
        read_lease("leases/default.json", data)


def test_a_lease_of_a_newer_format_is_refused() -> None:
    data = begun({}, PLAN).files["leases/default.json"] or b""
    with pytest.raises(StateError, match="has format 2; this version knows 1"):
        read_lease("leases/default.json", data.replace(b'"format": 1', b'"format": 2'))


@pytest.mark.parametrize(
    ("directory", "file"),
    [
        ("default", "leases/default.json"),
        ("9f6a-11", "leases/9f6a-11.json"),
        ("Corporate LDAP", "leases/corporate-ldap-"),
        ("../../x", "leases/x-"),
        ("con", "leases/directory-"),
        ("é", "leases/e-"),
    ],
)
def test_every_directory_has_a_lease_file_of_its_own(directory: str, file: str) -> None:
    assert layout.lease_file(directory).startswith(file)
    assert layout.lease_file(directory).count("/") == 1
    assert layout.lease_file(directory) != layout.lease_file(f"{directory}!")

"""What is new of a run is asked of everything that is remembered, also of kinds that come to memory later."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.memory import BLANK, Memory
from cleanup_gitops.runner.quiet import nothing_new

OF_EVERY_RECORD = {"lineage", "serial", "head", "sequence", "state", "baseline", "last"}


@pytest.mark.parametrize("name", Memory.__struct_fields__)
def test_whatever_is_remembered_otherwise_is_new_but_for_what_every_record_changes(name: str) -> None:
    other = replace(BLANK, **{name: "something else"})
    assert nothing_new(BLANK, other) == (name in OF_EVERY_RECORD)
    assert nothing_new(other, other)

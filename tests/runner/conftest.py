"""What holds for every test of runs: they are recorded by git as it is installed."""

from __future__ import annotations

import pytest

from tests.ledger.repository import plain_git


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_git(monkeypatch)

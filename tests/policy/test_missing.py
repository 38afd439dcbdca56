"""What is named and not there, in words."""

from __future__ import annotations

import pytest

from cleanup_gitops.policy.missing import Missing, lacking


@pytest.mark.case("E30")
@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ((Missing("group", "a"), Missing("group", "b-*")), "no group matches a, b-*"),
        ((Missing("directory", "x"),), "no directory matches x"),
        ((Missing("list", "HR"), Missing("list", "IT")), "the list HR was not read; the list IT was not read"),
        (
            (Missing("directory", "x"), Missing("group", "a"), Missing("list", "HR")),
            "no group matches a; no directory matches x; the list HR was not read",
        ),
    ],
)
def test_everything_is_called_what_it_is(missing: tuple[Missing, ...], said: str) -> None:
    assert lacking(missing) == said

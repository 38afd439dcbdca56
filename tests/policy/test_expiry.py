"""Credentials that end soon, or have ended, are told of before the site refuses them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.policy.expiry import credential_warnings
from cleanup_gitops.policy.site import Site
from tests.policy.documents import load_texts, site

ENDS = date(2026, 12, 1)


def acme(folder: Path, expires: str = f", expires: {ENDS}") -> Site:
    text = site().replace("{env: WIKI_TOKEN}", f"{{env: WIKI_TOKEN{expires}}}")
    folder.mkdir(exist_ok=True)
    return load_texts(folder / "policies", text).sites[0]


@pytest.mark.case("E67")
@pytest.mark.parametrize(
    ("days", "said"),
    [
        (14, "expires on 2026-12-01, in 14 days (policies/00.yaml:4)."),
        (9, "expires on 2026-12-01, in 9 days (policies/00.yaml:4)."),
        (1, "expires on 2026-12-01, in 1 day (policies/00.yaml:4)."),
        (0, "expires today, on 2026-12-01 (policies/00.yaml:4)."),
        (-1, "ended on 2026-12-01 (policies/00.yaml:4)."),
        (-400, "ended on 2026-12-01 (policies/00.yaml:4)."),
    ],
)
def test_a_credential_that_ends_soon_or_has_ended_is_named(tmp_path: Path, days: int, said: str) -> None:
    (warning,) = credential_warnings(acme(tmp_path), ENDS - timedelta(days))
    assert warning == f"acme: the API token {said} Make a new one and change $WIKI_TOKEN and `expires`."


@pytest.mark.case("E67")
def test_nothing_is_said_earlier_or_about_a_credential_without_an_end(tmp_path: Path) -> None:
    assert credential_warnings(acme(tmp_path), ENDS - timedelta(15)) == ()
    assert credential_warnings(acme(tmp_path / "other", expires=""), ENDS) == ()


@pytest.mark.case("E67")
def test_each_credential_is_warned_of_by_itself_and_at_its_line(tmp_path: Path) -> None:
    text = site().replace("org_api_key: {env: KEY}", f"org_api_key:\n      {{env: KEY,\n      expires: {ENDS}}}")
    text = text.replace("{env: WIKI_USER}", f"{{env: WIKI_USER, expires: {ENDS}}}")
    first, second = credential_warnings(load_texts(tmp_path / "policies", text).sites[0], ENDS)
    assert "the organization's API key expires today, on 2026-12-01 (policies/00.yaml:6)" in first
    assert "$KEY" in first
    assert "$WIKI_USER" in second

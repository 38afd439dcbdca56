"""An Override beside the documents that it is about: what would lift nothing, or a cap that says never, is refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError
from tests.policy.documents import document, policy, problems, site


def override(guard: str = "total", maximum: int = 10, *, about: str = "", sites: str = "", until: str = "") -> str:
    named = f"policy: {about}, " if about else ""
    spec = f"{{guard: {guard}, {named}max: {maximum}, until: {until or '2026-12-01'}, reason: incident, ticket: C-1}}"
    return document("Override", spec, name="more", top=f"sites: [{sites}]\n" if sites else "")


def limits(spec: str, *, sites: str = "") -> str:
    return document("Guardrails", spec, name="strict", top=f"sites: [{sites}]\n" if sites else "")


NEVER = "{caps: {total: {max: 0}}}"


@pytest.mark.parametrize("caps", [NEVER, "{caps: {total: {max: 5, percent: 0}}}"])
@pytest.mark.parametrize("where", ["", "acme", "'a*'"])
def test_a_cap_that_says_never_is_lifted_by_nothing(tmp_path: Path, caps: str, where: str) -> None:
    texts = [limits(caps, sites=where), override(sites=where)]
    for folder, some in (("without", texts), ("with", [site(), *texts])):
        (found,) = problems(tmp_path / folder, *some)
        assert f"the cap of `total` is 0, which means never ({folder}/" in found


@pytest.mark.parametrize(
    "caps",
    ["{caps: {user.disable: {max: 0}}}", "{caps: {total: {max: 1}}}", "{caps: {total: {max: 1, percent: 1}}}"],
)
def test_another_cap_says_nothing_of_this_one(tmp_path: Path, caps: str) -> None:
    assert problems(tmp_path / "policies", site(), limits(caps), override()) == []


def test_a_cap_of_another_site_says_nothing_of_this_one(tmp_path: Path) -> None:
    both = [site(), site("beta")]
    assert problems(tmp_path / "a", *both, limits(NEVER, sites="beta"), override(sites="acme")) == []
    assert len(problems(tmp_path / "b", *both, limits(NEVER, sites="beta"), override(sites="'*'"))) == 1
    assert len(problems(tmp_path / "c", *both, limits(NEVER, sites="'*'"), override(sites="acme"))) == 1


@pytest.mark.parametrize(("about", "good"), [("one", True), ("acme", False), ("strict", False), ("two", False)])
def test_the_policy_that_an_override_names_is_there(tmp_path: Path, about: str, good: bool) -> None:
    """A Site or a Guardrails document of that name is none."""
    found = problems(tmp_path / "policies", site(), policy(), limits("{plan_ttl: 1h}"), override(about=about))
    assert (found == []) is good
    assert all(f"there is no Policy `{about}`" in one for one in found)


def test_the_policy_that_an_override_names_is_about_the_same_site(tmp_path: Path) -> None:
    both = [site(), site("beta"), policy(top="sites: [beta]\n")]
    (found,) = problems(tmp_path / "a", *both, override(about="one", sites="acme"))
    assert found.endswith("the Policy `one` (a/02.yaml:4) is about none of the same sites")
    assert problems(tmp_path / "b", *both, override(about="one", sites="acme, beta")) == []
    assert problems(tmp_path / "c", policy(top="sites: [beta]\n"), override(about="one", sites="acme")) == []


@pytest.mark.parametrize(
    ("guard", "maximum", "good"), [("reading.max_drop", 100, True), ("reading.max_drop", 101, False)]
)
def test_a_guard_of_what_was_read_counts_percent(tmp_path: Path, guard: str, maximum: int, good: bool) -> None:
    found = problems(tmp_path / "policies", override(guard, maximum))
    assert (found == []) is good
    assert all("must be at most 100" in one for one in found)


@pytest.mark.parametrize(("days", "good"), [(31, True), (32, False)])
def test_an_override_ends_within_a_month_wherever_it_stands(tmp_path: Path, days: int, good: bool) -> None:
    today = date(2026, 11, 22)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_text(f"{policy()}---\n{override(until=str(today + timedelta(days=days)))}")
    if good:
        assert load(folder, today=today).for_site("acme").overrides
        return
    with pytest.raises(PolicyError, match="must be at most 31 days ahead, 2026-12-23"):
        load(folder, today=today)
    assert load(folder).for_site("acme").overrides

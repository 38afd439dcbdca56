"""The text of a suggested policy: a name that is free, whose policy it is, and whom it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.suggesting import Circle, free_name, suggestion, usual_owner
from tests.policy.documents import load_texts, policy, site

DOMAIN = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata:
  name: idle
  owner: "no"
  why: People of acme.com who have not opened Confluence for 90 days give their seat back.
spec:
  match:
    all:
      - email_domain: acme.com
      - has_seat: true
      - any:
          - inactive_for: 90d
          - never_active_for: 90d
  ensure:
    product_access: absent
"""


def test_a_policy_for_a_domain_is_written_like_this() -> None:
    assert suggestion(Circle(domain="acme.com"), name="idle", owner="no", days=90, sites=[]) == DOMAIN


def test_a_policy_for_a_group_names_the_sites_it_is_given(tmp_path: Path) -> None:
    text = suggestion(Circle(group="dept-*"), name="idle", owner="iam", days=45, sites=["acme", "intranet"])
    assert "kind: Policy\nsites: [acme, intranet]\nmetadata:\n" in text
    assert '  why: "People in dept-* who have not opened Confluence for 45 days give their seat back."\n' in text
    assert '      - in_group: "dept-*"\n' in text
    (found,) = load_texts(tmp_path, site("acme"), site("intranet"), text).for_site("intranet").policies
    assert found.name == "idle"


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("idle-acme.com", (), "idle-acme-com"),
        ("idle-Dépt / A_*", (), "idle-dept-a"),
        ("idle", ("idle",), "idle-2"),
        ("idle", ("idle", "idle-2"), "idle-3"),
        ("idle", ("idle-2",), "idle"),
        ("--*--", (), "policy"),
        ("漢字", ("policy",), "policy-2"),
        ("a" * 60, (), "a" * 50),
        ("a" * 49 + "-" + "b" * 9, (), "a" * 49),
    ],
)
def test_the_name_is_free_and_one_that_a_document_may_have(
    tmp_path: Path, wanted: str, taken: tuple[str, ...], name: str
) -> None:
    assert free_name(wanted, taken) == name
    load_texts(tmp_path, suggestion(Circle(domain="acme.com"), name=name, owner="iam", days=9, sites=[]))


def test_the_owner_is_that_of_most_policies_and_of_two_the_first_by_name(tmp_path: Path) -> None:
    def owned(*owners: str) -> str:
        texts = [policy(name=f"p{number}").replace("iam", one) for number, one in enumerate(owners)]
        folder = tmp_path / "-".join(owners)
        return usual_owner(load_texts(folder, *texts).for_site("acme").policies)

    assert owned("b", "a", "b") == "b"
    assert owned("a", "b", "b") == "b"
    assert owned("b", "a") == "a"
    assert usual_owner(()) == "iam-team"

"""One-off policies made of conditions and states that were given one by one."""

from __future__ import annotations

from datetime import date

import pytest

from cleanup_gitops.policy.bulk import OneOff, check_ensure, one_off_text
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.yaml_text import read_documents

WRITTEN = """\
# One-off change CHG-1, written by `cleanup-gitops bulk`. It acts once; remove it afterwards.
apiVersion: cleanup-gitops/v1
kind: Policy
sites: [acme]
metadata:
  name: bulk-chg-1
  owner: iam@acme.com
  why: "No: really"
spec:
  once: true
  until: 2027-01-31
  match:
    all:
      - inactive_for: 90d
      - in_group: 'contractors-*'
      - {any: [{kind: service}, {external: true}]}
  ensure:
    status: suspended
    groups: {absent: [wiki-users]}
    product_access: absent
"""


def test_conditions_and_states_stand_in_the_document_as_they_were_given() -> None:
    text = one_off_text(
        OneOff(
            name="bulk-chg-1",
            owner="iam@acme.com",
            why="No: really",
            ticket="CHG-1",
            until=date(2027, 1, 31),
            where=["inactive_for: 90d", "in_group: 'contractors-*'", "{any: [{kind: service}, {external: true}]}"],
            ensure=["status: suspended", "{groups: {absent: [wiki-users]}, product_access: absent}"],
            sites=["acme"],
        )
    )
    assert text == WRITTEN
    assert read_documents(text.encode(), "x.yaml").problems == ()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["status: gone"], ["--ensure:1:9: `status` cannot be `gone`; known here: "]),
        (["stauts: suspended"], ["--ensure:1:1: unknown key `stauts`; did you mean `status`?"]),
        (["suspended"], ["--ensure:1:1: write one wished state, such as "]),
        ([""], ["--ensure:1:1: write one wished state, such as "]),
        (["{}"], ["--ensure:1:1: write one wished state, such as "]),
        (["status: active", "{status: active}"], ["--ensure 2:1:2: `status` stands in --ensure 1 already"]),
        (["a: [", "groups: {}"], ["--ensure 1:1:5: not valid YAML"]),
        (["status: active\n---\nstatus: active"], ["--ensure:1:1: write one wished state"]),
    ],
)
def test_what_is_no_wished_state_is_told_with_its_place(texts: list[str], said: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        check_ensure(texts)
    told = [str(one) for one in caught.value.problems]
    assert len(told) == len(said)
    for line, begin in zip(told, said, strict=True):
        assert line.startswith(begin)

"""A digest of policies is about what they mean, not about how they are written down."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.policy.documents import PolicySet
from cleanup_gitops.policy.yaml_text import read_documents
from tests.policy.documents import VALID, document, load_texts, policy, site

Json = Any
"""A value as JSON has it."""
EVERYTHING = read_documents((VALID / "everything.yaml").read_bytes(), "everything").documents


def shuffled(value: Json, rng: random.Random) -> Json:
    """The same with the keys of every mapping in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(one, rng)) for key, one in value.items()]
        rng.shuffle(items)
        return dict(items)
    return [shuffled(one, rng) for one in value] if isinstance(value, list) else value


def written(documents: Iterable[Any], *, flow: bool) -> str:
    return yaml.safe_dump_all(documents, default_flow_style=flow, sort_keys=False, explicit_start=True)


@given(st.randoms(use_true_random=False), st.booleans())
def test_order_comments_files_and_style_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, rng: random.Random, flow: bool
) -> None:
    folder = tmp_path_factory.mktemp("digest")
    before = load_texts(folder / "one", (VALID / "everything.yaml").read_text("utf-8"))
    documents = [shuffled(one, rng) for one in EVERYTHING]
    rng.shuffle(documents)
    cut = rng.randint(0, len(documents))
    parts = [documents[:cut], documents[cut:]]
    texts = [f"# {rng.random()}\n\n{written(part, flow=flow)}# end\n" for part in parts]
    after = load_texts(folder / "other", *texts)
    assert after.digest == before.digest
    assert after.for_site("acme").digest == before.for_site("acme").digest


def standing(how: str) -> str:
    """A policy that is approved in this way."""
    return policy().replace("spec: {", f"spec: {{{how}")


def digests(folder: Path, *texts: str) -> tuple[str, str]:
    loaded: PolicySet = load_texts(folder, *texts)
    return loaded.digest, loaded.for_site("acme").digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (policy("{all: [{inactive_for: 91d}]}"), policy("{all: [{inactive_for: 13w}]}")),
        (policy("{all: [{inactive_for: 9d}]}"), policy("{all: [{inactive_for: {for: 9d, product: confluence}}]}")),
        (policy("{all: [{in_group: a}]}"), policy("{all: [{in_group: [a]}], include_admins: false}")),
        (policy("{all: [{email_domain: ACME.example}]}"), policy("{all: [{email_domain: acme.example}]}")),
        (document("Guardrails", "{plan_ttl: 48h}"), document("Guardrails", "{plan_ttl: '2d'}")),
        (
            document("Guardrails", "{windows: {time_zone: UTC, deny: [2026-12-24]}}"),
            document("Guardrails", "{windows: {time_zone: UTC, deny: ['2026-12-24/2026-12-24']}}"),
        ),
        (standing("approval: plan, "), standing("")),
        (standing("class: routine, priority: 0, mode: enforce, once: false, "), standing("")),
        (
            standing("approval: standing, standing: {max_per_day: 4, after: 24h}, "),
            standing("approval: standing, standing: {max_per_day: 4}, "),
        ),
    ],
)
def test_two_ways_to_say_the_same_have_one_digest(tmp_path: Path, one: str, other: str) -> None:
    assert digests(tmp_path / "a", one) == digests(tmp_path / "b", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (policy("{all: [{inactive_for: 90d}]}"), policy("{all: [{inactive_for: 91d}]}")),
        (policy("{all: [{inactive_for: 90d}]}"), policy("{all: [{never_active_for: 90d}]}")),
        (policy("{all: [{has_seat: true}]}"), policy("{any: [{has_seat: true}]}")),
        (policy("{all: [{has_seat: true}]}"), policy("{all: [{has_seat: false}]}")),
        (policy("{all: [{has_seat: true}]}"), policy("{all: [{has_seat: true}], include_admins: true}")),
        (policy(name="a"), policy(name="b")),
        (standing(""), standing("approval: standing, standing: {max_per_day: 4}, ")),
        (standing(""), standing("class: termination, ")),
        (standing(""), standing("priority: 1, ")),
        (standing(""), standing("mode: report, ")),
        (standing(""), standing("until: 2026-12-31, ")),
        (standing("until: 2026-12-31, "), standing("until: 2026-12-31, once: true, ")),
        (
            standing("approval: standing, standing: {max_per_day: 4}, "),
            standing("approval: standing, standing: {max_per_day: 5}, "),
        ),
        (
            standing("approval: standing, standing: {max_per_day: 4}, "),
            standing("approval: standing, standing: {max_per_day: 4, after: 25h}, "),
        ),
        (policy(), policy(top="sites: [acme]\n")),
        (policy(), policy() + "---\n" + document("Protection", "{groups: [a]}")),
        (document("Guardrails", "{plan_ttl: 48h}"), document("Guardrails", "{plan_ttl: 49h}")),
        (site(), site().replace("env: KEY", "env: OTHER")),
    ],
)
def test_another_meaning_is_another_digest(tmp_path: Path, one: str, other: str) -> None:
    first, second = digests(tmp_path / "a", one), digests(tmp_path / "b", other)
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_a_site_has_the_digest_of_its_own_documents_only(tmp_path: Path) -> None:
    texts = [site(), site("intranet"), policy(top="sites: [acme]\n")]
    before = load_texts(tmp_path / "a", *texts)
    after = load_texts(tmp_path / "b", *texts, policy(name="two", top="sites: [intranet]\n"))
    assert before.for_site("acme").digest == after.for_site("acme").digest
    assert before.for_site("intranet").digest != after.for_site("intranet").digest
    assert before.digest.startswith("sha256:")
    assert before.digest != after.digest

"""The stages of a policy: in which order they may stand, and what each of them says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.documents import document, problems

ENDS, TOKENS, TELLS = "ensure: {product_access: absent}", "ensure: {api_tokens: revoked}", "notify: goodbye"


def staged(*stages: str, more: str = "") -> str:
    return document("Policy", f"{{{more}match: {{all: [{{has_seat: true}}]}}, stages: [{', '.join(stages)}]}}")


def stage(number: int, what: str, *, after: str = "1d") -> str:
    return f"{{name: s{number}, {f'after: {after}, ' if number and after else ''}{what}}}"


def in_a_row(*whats: str) -> list[str]:
    return [stage(number, what) for number, what in enumerate(whats)]


def told(tmp_path: Path, text: str) -> list[str]:
    """What is wrong, without its places; that no document says how mail is sent is not what these tests are about."""
    found = [one.split(": ", 1)[1] for one in problems(tmp_path / "policies", text)]
    return [one for one in found if not one.startswith("no Notifications document")]


@pytest.mark.parametrize(
    ("whats", "wrong"),
    [
        ((ENDS, TELLS, TELLS), 0),
        ((ENDS, TOKENS), 0),
        ((ENDS, TOKENS, TELLS), 0),
        ((TELLS, ENDS), 1),
        ((TELLS, TELLS, ENDS), 2),
        ((ENDS, TELLS, TOKENS, TELLS), 1),
        ((TELLS,), 0),
        ((TELLS, TELLS), 0),
    ],
)
def test_who_leaves_is_told_after_the_access_has_ended(tmp_path: Path, whats: tuple[str, ...], wrong: int) -> None:
    """A mail that comes back would keep the account of somebody who left open."""
    found = told(tmp_path, staged(*in_a_row(*whats), more="class: termination, "))
    assert len(found) == wrong
    assert all("every `ensure` comes before `notify`" in one for one in found)


def test_who_is_idle_may_be_told_before(tmp_path: Path) -> None:
    assert told(tmp_path, staged(*in_a_row(TELLS, ENDS))) == []


def test_every_stage_is_looked_at_whatever_stands_before_it(tmp_path: Path) -> None:
    found = told(tmp_path, staged(stage(0, ENDS), "later", "{name: s0, ensure: {api_tokens: revoked}}"))
    assert sorted(one.partition(":")[0] for one in found) == [
        "`after` is missing",
        "an entry of `stages` must be a mapping (keys and values), not text",
        "another stage of this policy is named `s0`",
    ]


@pytest.mark.parametrize(
    ("whats", "late"),
    [
        (("ensure: {status: removed}", TOKENS), 1),
        (("ensure: {status: deleted}", TOKENS, TOKENS), 2),
        (("ensure: {status: deactivated}", "ensure: {status: deleted}"), 0),
        (("ensure: {status: suspended}", TOKENS, "ensure: {status: removed}"), 0),
    ],
)
def test_nothing_comes_after_the_end_of_an_account(tmp_path: Path, whats: tuple[str, ...], late: int) -> None:
    found = told(tmp_path, staged(*in_a_row(*whats)))
    assert len([one for one in found if "when there is no account left to change" in one]) == late


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (("{name: a, after: 1d, ensure: {api_tokens: revoked}}",), "the first stage begins with the match"),
        ((stage(0, ENDS), stage(1, TOKENS, after="")), "`after` is missing: how many days"),
        (("{name: a}",), "a stage needs `ensure`, the state to be in, or `notify`"),
        (("{name: a, notify: goodbye, ensure: {api_tokens: revoked}}",), "a stage has either `notify`"),
        (("{name: a, when: {}, ensure: {api_tokens: revoked}}",), "`when` says nothing"),
        (("{name: a, when: {all: [{}]}, ensure: {api_tokens: revoked}}",), "an empty condition"),
        (("{name: a, when: {any: [{}]}, ensure: {api_tokens: revoked}}",), "an empty condition"),
        (("{name: a, when: {none: [{}]}, ensure: {api_tokens: revoked}}",), "an empty condition"),
        (("{name: a, ensure: {}}",), "`ensure` says nothing"),
    ],
)
def test_a_stage_says_what_is_done_when_and_for_whom(tmp_path: Path, stages: tuple[str, ...], message: str) -> None:
    (found,) = told(tmp_path, staged(*stages))
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{match: {all: [{has_seat: true}]}}", "`spec` needs `ensure`, the state to be in, or `stages`"),
        (
            f"{{match: {{all: [{{has_seat: true}}]}}, {ENDS}, stages: [{{name: a, {TOKENS}}}]}}",
            "a policy has either `ensure`, a state, or `stages`",
        ),
        (
            f"{{once: true, until: 2027-01-31, match: {{all: [{{has_seat: true}}]}}, stages: [{{name: a, {TOKENS}}}]}}",
            "`once` is for one run, and stages need several",
        ),
    ],
)
def test_a_policy_has_one_state_or_stages(tmp_path: Path, spec: str, message: str) -> None:
    (found,) = told(tmp_path, document("Policy", spec))
    assert found.startswith(message)


def test_a_policy_with_stages_may_say_that_it_is_for_every_run(tmp_path: Path) -> None:
    assert told(tmp_path, staged(stage(0, ENDS), more="once: false, ")) == []

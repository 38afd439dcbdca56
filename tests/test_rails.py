"""Each rail, shown to be what holds: with it an accident does not happen, with a no-op in its place it does.

The accidents are in `tests.machine.accidents`. A rail is taken out at one seam: a function or value by its name.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import pytest
import yaml

from cleanup_gitops.ledger.drift import ACCOUNT_FACTS
from cleanup_gitops.model.memory import NOTHING_NOTICED
from cleanup_gitops.planner.declared import _declaration
from cleanup_gitops.planner.guards.caps import _counted, cap_checks
from cleanup_gitops.planner.lifecycle import current
from cleanup_gitops.policy.guardrails import DEFAULT_CAPS, Cap
from cleanup_gitops.policy.match import CompiledMatch, compile_match
from cleanup_gitops.policy.scope import resolve_groups
from cleanup_gitops.policy.yaml_text import Reading
from cleanup_gitops.runner.approval import Choice
from cleanup_gitops.views import documents
from tests import case_marks
from tests.machine import accidents
from tests.machine.accidents import Accident


@dataclass(frozen=True)
class Rail:
    """One line of the table: the accident's number, what would happen, and the rail with what is put in its place.

    ``seams`` are ``module:name`` with the no-op; there are several only where two rails stop the same accident.
    """

    number: str
    accident: Accident
    seams: tuple[tuple[str, Any], ...]


def _yes_to_what_is_not_known(match: Any, scope: Any) -> CompiledMatch:  # noqa: ANN401 - as the rail itself
    compiled = compile_match(match, scope)
    return replace(compiled, verdict=lambda user: compiled.verdict(user) is not False)


def _limits_of_people_alone(counted: Any, *others: Any) -> Any:  # noqa: ANN401
    return tuple(one for one in cap_checks(counted, *others) if one.name.startswith("cap:user."))


def _no_limit_below_ten(*asked: Any) -> Any:  # noqa: ANN401
    *_, base, _exceptions = asked
    given: list[Any] = [Cap(10_000) if isinstance(one, Cap) and base.now < 10 else one for one in asked]
    return _counted(*given)


def _adopted_from_the_start(*asked: Any) -> Any:  # noqa: ANN401
    return replace(_declaration(*asked), adopted=True)


def _any_yaml(data: bytes, file: str) -> Reading:
    del file
    yaml.load(data, Loader=yaml.UnsafeLoader)
    return Reading((), (), whole=True)


class _Never(Exception):  # noqa: N818 - nothing is of this kind
    """Takes the place of an error that is to be handled no more."""


FACTS_THAT_PASS_BY = (*ACCOUNT_FACTS, "seen")

RAILS: tuple[Rail, ...] = (
    Rail(
        "F1",
        accidents.half_a_list_is_taken_for_everybody,
        (("cleanup_gitops.model.inventory:Proof.flaws", lambda _: []),),
    ),
    Rail(
        "F1",
        accidents.a_list_that_fell_by_half_is_planned_on,
        (("cleanup_gitops.planner.guards:reading_checks", lambda *_, **__: ()),),
    ),
    Rail(
        "F1",
        accidents.everybody_looks_idle_and_is_taken_out,
        (("cleanup_gitops.planner.guards:reading_checks", lambda *_, **__: ()),),
    ),
    Rail(
        "F2",
        accidents.who_is_not_known_is_taken_for_idle,
        (("cleanup_gitops.planner.rules:compile_match", _yes_to_what_is_not_known),),
    ),
    Rail(
        "F3",
        accidents.a_list_that_is_not_whole_yet_empties_a_group,
        (("cleanup_gitops.planner.declared:_declaration", _adopted_from_the_start),),
    ),
    Rail(
        "F4",
        accidents.many_memberships_go_under_a_limit_for_people,
        (("cleanup_gitops.planner.guards:cap_checks", _limits_of_people_alone),),
    ),
    Rail(
        "F5",
        accidents.most_of_a_small_site_goes_because_few_are_no_percent,
        (("cleanup_gitops.planner.guards.caps:_counted", _no_limit_below_ten),),
    ),
    Rail(
        "F6",
        accidents.nobody_wrote_a_limit_so_there_is_none,
        (("cleanup_gitops.policy.guardrails:DEFAULT_CAPS", dict.fromkeys(DEFAULT_CAPS, Cap(10_000))),),
    ),
    Rail(
        "F7",
        accidents.one_exception_opens_everything,
        (("cleanup_gitops.planner.guards.exceptions:Exceptions.of", lambda self, _: self.running),),
    ),
    Rail(
        "F8",
        accidents.what_nobody_approved_is_applied,
        (("cleanup_gitops.runner.run:choose", lambda _, current, *__: Choice(current.changes)),),
    ),
    Rail(
        "F10",
        accidents.who_has_come_back_is_taken_out_all_the_same,
        (
            ("cleanup_gitops.runner.attempt:unmet", lambda *_, **__: ()),
            ("cleanup_gitops.runner.attempt:Attempt._decided_otherwise", lambda *_: ""),
        ),
    ),
    Rail(
        "F11",
        accidents.a_plan_is_applied_twice,
        (
            ("cleanup_gitops.runner.approval:_consumed", lambda *_: None),
            ("cleanup_gitops.planner.ready:noticed", lambda *_, **__: NOTHING_NOTICED),
        ),
    ),
    Rail(
        "F12",
        accidents.a_crash_loses_what_was_done,
        (("cleanup_gitops.runner.run:claim", lambda _, ground, *__, **___: (ground, None)),),
    ),
    Rail(
        "F13",
        accidents.one_record_overwrites_another,
        (("cleanup_gitops.ledger.repository.store:GitStore._check_base", lambda *_: None),),
    ),
    Rail(
        "F14",
        accidents.a_protection_goes_with_the_file_it_stood_in,
        (("cleanup_gitops.planner.plan:gone", lambda *_: ()),),
    ),
    Rail(
        "F15",
        accidents.a_group_was_renamed_and_those_in_it_are_not_spared,
        (("cleanup_gitops.policy.scope:resolve_groups", lambda *asked: (resolve_groups(*asked)[0], ())),),
    ),
    Rail(
        "F16",
        accidents.one_bad_account_stops_everybody_else,
        (("cleanup_gitops.runner.attempt:RefusedError", _Never),),
    ),
    Rail(
        "F17",
        accidents.success_is_told_and_nothing_changed,
        (("cleanup_gitops.runner.attempt:Attempt._look", lambda _: True),),
    ),
    Rail(
        "F18",
        accidents.a_stage_does_not_wait_for_the_days_before_it,
        (("cleanup_gitops.planner.lifecycle:current", lambda *asked: (*current(*asked)[:2], None)),),
    ),
    Rail(
        "F18",
        accidents.a_stage_without_days_gets_some_by_default,
        (("cleanup_gitops.policy.stage_rules:_order", lambda _: ()),),
    ),
    Rail(
        "F19",
        accidents.a_day_on_which_people_worked_is_reported_as_a_difference,
        (
            ("cleanup_gitops.ledger.drift:ACCOUNT_FACTS", FACTS_THAT_PASS_BY),
            ("cleanup_gitops.ledger.drift:_account_facts", attrgetter(*FACTS_THAT_PASS_BY)),
        ),
    ),
    Rail(
        "F21",
        accidents.a_secret_stands_in_an_error,
        (
            ("cleanup_gitops.sites.http:redacted", lambda text, _: text),
            ("cleanup_gitops.sites.exchange:blotted", lambda data, _: data),
        ),
    ),
    Rail("F22", accidents.a_name_calls_somebody, (("cleanup_gitops.views.safe:inline", str),)),
    Rail("F23", accidents.a_name_is_a_command_to_the_build_server, (("cleanup_gitops.views.safe:plain", str),)),
    Rail("F26", accidents.a_policy_runs_code, (("cleanup_gitops.policy.loader:read_documents", _any_yaml),)),
)
NOT_YET = {
    "F29": "who owns a schedule is known when schedules are",
}
"""Accidents in parts that the product does not have."""
OF_A_CODE_HOST = {
    "F9": "the check that a merge waits for",
    "F20": "the length of a comment",
    "F24": "one comment that is edited",
    "F25": "what a pull request of a fork may do",
    "F27": "pins of the actions of a workflow",
    "F28": "a schedule that died",
    "F30": "a check that fails on a date",
}
"""Accidents on GitHub."""


@pytest.fixture(autouse=True)
def fresh_templates() -> Iterator[None]:
    """Templates are made once, with the functions of that moment."""

    def forget() -> None:
        documents._environment.cache_clear()
        documents._template.cache_clear()

    forget()
    yield
    forget()


NUMBERED = [pytest.param(one, id=f"{one.number} {one.accident.__name__}") for one in RAILS]


@pytest.mark.parametrize("rail", NUMBERED)
@pytest.mark.case(
    "E30", "E60", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F10", "F11", "F12", "F13", "F14", "F15", "F16",
    "F17", "F18", "F19", "F21", "F22", "F23", "F26",
)  # fmt: skip
def test_with_its_rail_the_accident_does_not_happen(rail: Rail) -> None:
    assert not rail.accident()


@pytest.mark.parametrize("rail", NUMBERED)
def test_with_nothing_in_the_place_of_the_rail_the_accident_happens(
    rail: Rail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seam, noop in rail.seams:
        module, _, path = seam.partition(":")
        *owners, name = path.split(".")
        owner = importlib.import_module(module)
        for one in owners:
            owner = getattr(owner, one)
        monkeypatch.setattr(owner, name, noop)
    documents._environment.cache_clear()
    assert rail.accident()


def test_every_accident_has_a_rail_here_or_a_reason() -> None:
    numbers = {one.number for one in RAILS}
    others = [NOT_YET, OF_A_CODE_HOST]
    assert sum(map(len, others)) + len(numbers) == 30
    assert numbers.union(*others) == {one for one in case_marks.ALL_IDS if one.startswith("F")}
    assert all(reason for reasons in others for reason in reasons.values())


def test_every_rail_of_the_table_is_marked() -> None:
    here = case_marks.named_in_tests()
    assert all("test_rails.py" in here[number] for number in sorted({one.number for one in RAILS}))

"""Whatever is sent to the sandbox, it answers: no request that schemathesis makes up ends in an internal error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from tests.openapi.fuzz import authorization, lead, real_names, served
from tests.openapi.published import SERVED
from tests.patience import STALLED

pytestmark = pytest.mark.slow

EXAMPLES = 10
"""Requests for each operation."""


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    with running(seed(users=40)) as found:
        yield found


@pytest.mark.parametrize(("prefix", "name"), [pair for pair in SERVED if pair[1]], ids=str)
def test_no_request_ends_in_an_internal_error(
    openapi_contracts: Path, box: RunningSandbox, prefix: str, name: str
) -> None:
    (path,) = openapi_contracts.glob(f"{name}.*.json")
    found = served(box, path, prefix)
    assert found.operations, f"nothing of {name} is served"
    names, asked, ended = real_names(box, prefix), 0, set[int]()
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = authorization(box, prefix)
        for result in schemathesis.openapi.from_dict(found.text).get_all_operations():
            assert isinstance(result, Ok), result
            for status in statuses(session, box.url + found.prefix, result.ok(), names):
                asked += 1
                ended.add(status)
    assert asked >= len(found.operations)
    assert min(ended) < 300
    assert 500 not in ended


def statuses(session: requests.Session, url: str, operation: Any, names: Mapping[str, list[str]]) -> list[int]:  # noqa: ANN401 - schemathesis's
    """The answers to valid and to invalid requests for one operation."""
    found: list[int] = []
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    made_up = st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=made_up, choice=st.integers(0, 5))
    def send(case: Any, choice: int) -> None:  # noqa: ANN401 - schemathesis's
        for values in (case.path_parameters, case.query, case.body):
            if isinstance(values, dict):
                lead(values, names, choice)
        case.headers.pop("Authorization", None)
        answer = case.call(base_url=url, session=session, timeout=STALLED)
        found.append(answer.status_code)
        assert answer.status_code != 500, f"{case.method} {case.formatted_path}: {answer.text}"

    send()
    return found

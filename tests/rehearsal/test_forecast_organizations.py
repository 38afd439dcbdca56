"""The law of forecasts on invented organizations: each day is the plan that is really made then, and what it does."""

from __future__ import annotations

from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.rehearsal.ahead import Ahead
from cleanup_gitops.rehearsal.forecast import forecast
from cleanup_gitops.runner.desk import BrokenGuardsError
from cleanup_gitops.runner.foreseen import choosing
from tests.fake_store import FakeStore
from tests.fakes import FakeClock, FakeSite
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.planner.staged import staged
from tests.rehearsal.test_forecast import SITE
from tests.runner.office import Office
from tests.strategies import AS_OF

SEEDS = st.integers(0, 2**32)


def lived(office: Office) -> tuple[str, int, tuple[str, ...]] | None:
    """One real day: digest of the plan, changes, broken guards; ``None`` where the site refused something."""
    plan = office.plan()
    try:
        run = office.apply(plan if plan.applyable else None)
    except BrokenGuardsError as error:
        return error.plan.digest, 0, error.broken
    if any(one.result != "applied" for one in run.outcomes):
        return None
    return run.plan.digest, len(run.outcomes), ()


@settings(max_examples=30)
@given(SEEDS, st.booleans(), st.booleans())
@example(855, True, True)
def test_nine_days_of_any_organization_are_as_foreseen(seed: int, stages: bool, asked: bool) -> None:
    """``asked``: the site tells some facts only when it is asked about single users."""
    rng = Random(seed)
    inventory = organization(rng, seat_limit=False)
    policies = site_policies(rng, inventory)
    if stages:
        policies = staged(rng, policies, inventory)

    def site() -> FakeSite:
        return FakeSite(inventory, asked=inventory if asked else None)

    reader = site()
    ahead = Ahead(reader.read(), policies, BLANK, None, reader)
    found = forecast(ahead, SITE, AS_OF, 9, choosing(policies)).days
    office = Office(site(), FakeStore(), FakeClock(AS_OF), policies)
    for number, day in enumerate(found):
        real = lived(office)
        if real is None:
            return
        assert (day.digest, day.changes, tuple(name for name, _ in day.broken)) == real, f"day {number}"
        office.later(1)

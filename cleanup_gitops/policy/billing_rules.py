"""Rules about billing periods: what the license of a Site says, and policies that wait for the end of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cleanup_gitops.policy.acting_rules import ends_access
from cleanup_gitops.policy.checks import Source
from cleanup_gitops.policy.problems import Problem, shown
from cleanup_gitops.policy.rules import Broken
from cleanup_gitops.policy.yaml_values import Map

SHORTEST_MONTH = 28


def broken_billing(document: Map) -> Iterator[Broken]:
    """Every broken rule of this kind in one document, whatever else may be wrong with it."""
    spec = document.get("spec")
    if not isinstance(spec, Map):
        return
    if document.get("kind") == "Site" and isinstance(spec.get("license"), Map):
        yield from _license(spec["license"], spec)
    if document.get("kind") == "Policy" and isinstance(spec.get("schedule"), Map):
        yield from _schedule(spec["schedule"], spec)


def _license(given: Map, spec: Map) -> Iterator[Broken]:
    billing = given.get("billing")
    if billing == "monthly" and "period_day" not in given:
        message = "monthly billing needs `period_day`: the day of the month on which a period begins, 1 to 31"
        yield Broken(spec.at_key("license"), message)
    if billing == "annual" and "renews" not in given:
        yield Broken(spec.at_key("license"), "annual billing needs `renews`: the day on which the license renews")
    if billing == "annual" and "period_day" in given:
        yield Broken(given.at_key("period_day"), "`period_day` is for monthly billing; a year ends on the day `renews`")


def _schedule(given: Map, spec: Map) -> Iterator[Broken]:
    if not {"cron", "before_billing"} & set(given):
        message = "`schedule` says nothing; name `cron` with a `time_zone`, or `before_billing`"
        yield Broken(spec.at_key("schedule"), message)
    if "cron" in given and "time_zone" not in given:
        message = "`cron` needs `time_zone`: whose clocks are meant, such as Europe/Oslo"
        yield Broken(given.at_key("cron"), message)
    if "time_zone" in given and "cron" not in given:
        message = "`time_zone` is about the clocks of `cron`, which is not here; days of billing are UTC"
        yield Broken(given.at_key("time_zone"), message)
    if "before_billing" in given and ends_access(spec):
        message = "a termination does not wait for what a seat costs: leave `before_billing` out"
        yield Broken(given.at_key("before_billing"), message)


def check_billing(sources: Sequence[Source]) -> Iterator[Problem]:
    """Policies that wait for the end of a period which their site does not tell, or which is shorter."""
    sites = [one for one in sources if one.kind == "Site" and one.name]
    for policy in sources:
        days = _days(policy)
        for site in sites if days and policy.kind == "Policy" else ():
            if not site.name or not policy.concerns(site.name):
                continue
            spec = policy.data["spec"]
            at = spec["schedule"].at_key("before_billing")
            own = site.data.get("spec")
            given = own.get("license") if isinstance(own, Map) else None
            if not isinstance(given, Map):
                message = (
                    f"`before_billing` needs to know when {shown(site.name)} is billed: add `license` to its Site"
                    f" ({site.where}), such as `license: {{billing: monthly, period_day: 1}}`"
                )
                yield policy.problem(at, message)
            elif given.get("billing") == "monthly" and days >= SHORTEST_MONTH:
                message = f"{shown(site.name)} is billed by the month, so that this is always: at most 27d"
                yield policy.problem(spec["schedule"].at_value("before_billing"), message)


def _days(policy: Source) -> int:
    """So many days before the end of a period the policy acts; 0: it does not wait for that."""
    schedule = getattr(getattr(policy.shape, "spec", None), "schedule", None)
    days = getattr(schedule, "before_billing", None)
    return days if isinstance(days, int) else 0

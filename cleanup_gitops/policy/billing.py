"""When a freed seat begins to save money: the periods for which the license of a site is billed. Pure; UTC days.

Fact (Atlassian): a month is billed by the largest number of users in it, and a year by the number bought at its
renewal. Neither gives money back for a seat that is freed within the period.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Billing = Literal["monthly", "annual"]
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class License:
    """How the license of a site is billed.

    Monthly: a period begins on ``period_day`` of each month, on its last day where it is shorter. Annual: one begins on
    the day ``renews``, and what comes after that day is not known.
    """

    billing: Billing
    period_day: int = 1
    """Of monthly billing alone."""
    renews: date | None = None
    """Of annual billing, always known there."""
    where: str = ""

    def next_period(self, today: date) -> date | None:
        """The first day of the period after the one of today; ``None``: not known, as the renewal has passed."""
        if self.billing == "annual":
            return self.renews if self.renews and today < self.renews else None
        begins = _day_of(today.year, today.month, self.period_day)
        return begins if today < begins else _day_of(*_following(today), self.period_day)

    def this_period(self, today: date) -> date | None:
        """The first day of the period of today; ``None``: not known."""
        if self.billing == "annual":
            if self.renews is None or today >= self.renews:
                return self.renews
            before = _day_of(self.renews.year - 1, self.renews.month, self.renews.day)
            return before if before <= today else None
        begins = _day_of(today.year, today.month, self.period_day)
        return begins if begins <= today else _day_of(*_preceding(today), self.period_day)

    def opens(self, today: date, days: int) -> date | None:
        """The first of the last so many days of this period, which may be over; ``None``: its end is not known."""
        following = self.next_period(today)
        return None if following is None else following - timedelta(days=days)


def _day_of(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _following(day: date) -> tuple[int, int]:
    return (day.year + 1, 1) if day.month == _MONTHS else (day.year, day.month + 1)


def _preceding(day: date) -> tuple[int, int]:
    return (day.year - 1, _MONTHS) if day.month == 1 else (day.year, day.month - 1)


def license_warning(site: str, license_: License | None, today: date) -> tuple[str, ...]:
    """A sentence where the day of the renewal has passed, so that nobody knows when the next period begins."""
    if license_ is None or license_.billing == "monthly" or license_.next_period(today) is not None:
        return ()
    todo = "write the day of the next renewal into `renews`; until then policies with `before_billing` free no seat."
    return (f"{site}: the license was to renew on {license_.renews} ({license_.where}); {todo}",)

"""What an import says in comments, and the policies to begin with."""

from __future__ import annotations

from dataclasses import dataclass

ABOUT_GROUPS = """\
# Who is in which group, as found on the site. `at_least`: whoever is named is brought back when somebody is missing,
# and others are left alone. Take out the groups that need no such care, and shorten the lists to whom it matters.
#
# `exactly` instead of `at_least` also takes out everybody else: at first a plan only adds, until the group is
# adopted. Groups that give a seat are not here: policies give and take seats."""
ABOUT_PROTECTION = """\
# Whoever holds one of these administrative roles, or is in one of these groups, is touched by no policy, not even by
# one that says `include_admins: true`. Groups are here that are called as if they were for emergencies: check them, for
# a group that is gone stops every plan. Add the emergency accounts (`accounts`, by id) and groups that must never lose
# access: nobody but you knows which these are."""
ABOUT_GUARDRAILS = """\
# The most that one plan may change, together with what was applied in the last 24 hours. Where a number and a
# percentage (of the seats in use) stand, both hold.
#
# Canaries must be in every reading, the accounts active and the groups with members: where one is missing, the
# reading is taken for wrong and nothing is done. These are accounts that run the tool or administer the site, and
# groups with seats. Put others in the place of people who may leave one day."""
ABOUT_POLICIES = """\
# Policies to begin with, at the thresholds that are usual. They only report: a plan lists what each would change, and
# nothing of it is carried out. Read what they would do, set the days that fit, and take `mode: report` out of one
# after the other."""


@dataclass(frozen=True, slots=True)
class Starter:
    """One policy of the starter set."""

    name: str
    why: str
    conditions: tuple[str, ...]
    ensure: str


STARTERS = (
    Starter(
        "idle-members",
        "Members who have not opened Confluence for a quarter give their seat back.",
        ("has_seat: true", "inactive_for: 90d"),
        "product_access: absent",
    ),
    Starter(
        "never-came",
        "A seat that nobody has used within two months goes back to the pool.",
        ("has_seat: true", "never_active_for: 60d"),
        "product_access: absent",
    ),
    Starter(
        "idle-everywhere",
        "Accounts that no product has seen for a year are doors that nobody watches.",
        ("inactive_for: {for: 365d, product: any}",),
        "status: suspended",
    ),
)
EXTERNALS = Starter(
    "idle-externals",
    "People from outside who have not come for two months have most likely moved on.",
    ("external: true", "has_seat: true", "inactive_for: 60d"),
    "product_access: absent",
)

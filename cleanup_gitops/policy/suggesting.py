"""A policy for people whom no policy covers yet, as text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cleanup_gitops.policy.documents import API_VERSION, Policy
from cleanup_gitops.policy.rewrite import written

USUAL_OWNER = "iam-team"


@dataclass(frozen=True, slots=True)
class Circle:
    """The people that a suggestion is about: of one e-mail domain, or of one group."""

    domain: str | None = None
    group: str | None = None

    @property
    def condition(self) -> str:
        """The condition that means them, as it stands in a list of a policy."""
        return f"email_domain: {written(self.domain)}" if self.domain else f"in_group: {written(self.group or '')}"

    @property
    def words(self) -> str:
        """How texts speak of them, after "people"."""
        return f"of {self.domain}" if self.domain else f"in {self.group}"


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """The text as the name of a document that no other one has."""
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "policy"
    names, number = set(taken), 1
    while (name := base if number == 1 else f"{base}-{number}") in names:
        number += 1
    return name


def usual_owner(policies: Sequence[Policy]) -> str:
    """The owner of most policies."""
    owners = Counter(one.owner for one in policies)
    return min(owners, key=lambda owner: (-owners[owner], owner), default=USUAL_OWNER)


def suggestion(circle: Circle, *, name: str, owner: str, days: int, sites: Sequence[str]) -> str:
    """A Policy document. ``sites`` are named where there is more than one Site."""
    why = f"People {circle.words} who have not opened Confluence for {days} days give their seat back."
    lines = [f"apiVersion: {API_VERSION}", "kind: Policy"]
    lines += [f"sites: [{', '.join(map(written, sites))}]"] if sites else []
    lines += [
        "metadata:",
        f"  name: {name}",
        f"  owner: {written(owner)}",
        f"  why: {written(why)}",
        "spec:",
        "  match:",
        "    all:",
        f"      - {circle.condition}",
        "      - has_seat: true",
        "      - any:",
        f"          - inactive_for: {days}d",
        f"          - never_active_for: {days}d",
        "  ensure:",
        "    product_access: absent",
    ]
    return "\n".join(lines) + "\n"

"""The option that adopts declared groups: from then on whoever is not named there is taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import click

from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.problems import did_you_mean

_Command = TypeVar("_Command", bound=Callable[..., object])


def adopt_option(command: _Command) -> _Command:
    """``--adopt GROUP``, repeatable, as the parameter ``adopt``."""
    told = "Take people out of this group of a Groups document, though it is new to the record; repeatable."
    return click.option("--adopt", multiple=True, metavar="GROUP", help=told)(command)


def adoptable(names: Iterable[str], policies: Iterable[SitePolicies]) -> frozenset[str]:
    """The names in lower case. Raises ``UsageError`` for one of which no document declares all members."""
    entries = {
        entry.name.casefold(): entry for one in policies for document in one.groups for entry in document.entries
    }
    whole = sorted(entry.name for entry in entries.values() if entry.exactly)
    found = set()
    for name in names:
        entry = entries.get(name.casefold())
        if entry is None:
            known = did_you_mean(name, whole) or "; no document declares a group with `exactly`"
            raise click.UsageError(f"--adopt: no Groups document declares {name!r}{known}")
        if not entry.exactly:
            raise click.UsageError(
                f"--adopt: {entry.name} is declared with `at_least` ({entry.where}), which takes nobody out."
            )
        found.add(name.casefold())
    return frozenset(found)

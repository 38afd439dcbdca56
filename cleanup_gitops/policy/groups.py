"""Groups whose members are declared by name: frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEntry:
    """One group and the accounts (ids) that must be direct members of it.

    With ``exactly`` nobody else may be one; else (``at_least``) others are left alone. ``previously`` are names that
    the group had: the site may still call it so. ``where`` is where ``members`` stand.
    """

    name: str
    accounts: tuple[str, ...]
    exactly: bool = False
    previously: tuple[str, ...] = ()
    allow_shared_groups: bool = False
    """Whether people may be taken out though the group gives other products too."""
    where: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What the group may be called, the present name first."""
        return self.name, *self.previously


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """One document that declares members of groups. It acts as a routine policy of this name."""

    name: str
    owner: str = ""
    entries: tuple[GroupEntry, ...] = ()
    where: str = ""

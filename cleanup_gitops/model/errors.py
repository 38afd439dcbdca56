"""Every error a person can meet, in families by whose turn it is to act.

An error carries what happened and what to do next; the command line prints both and exits with ``exit_code``.
Messages never hold a secret, an e-mail address or a person's name: account ids and endpoints only.
"""

from __future__ import annotations

from typing import ClassVar


class CleanupError(Exception):
    """Something went wrong that a person can act on.

    ``message`` says what happened and where, ``hint`` what to do next (may be empty).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class SiteError(CleanupError):
    """The site could not be read or written: network, TLS, an answer that is not the documented one."""


class CredentialError(SiteError):
    """A credential is missing, wrong, expired, or may not do what is needed. Stops a whole run."""


class RefusedError(SiteError):
    """The site refused one write, or the reading of one account (4xx). Nothing was changed; others may go on."""


class LostAnswerError(SiteError):
    """A write was sent and its answer never came: the effect is unknown until it is read back."""


class IncompleteReadingError(SiteError):
    """The live data could not be proven complete, so no plan can be made from it."""

    exit_code = 3


class UnsafePlanError(CleanupError):
    """A guard is broken: nothing of the plan may be applied."""

    exit_code = 3


class UncappedActionError(CleanupError):
    """An action of the program has no cap: it must not start like that."""

    exit_code = 3


class StateError(CleanupError):
    """The recorded state does not fit its own record (edited, truncated, of an unknown format)."""

    exit_code = 3


class StoreError(StateError):
    """The recorded state cannot be read or written here: no repository, no branch, a refused push, a full disk."""

    exit_code = 1


class StateMovedError(StateError):
    """Another run recorded something between reading the state and recording: nothing was thrown away."""

    exit_code = 6


class LeaseTakenError(StateError):
    """A lease that was to be taken is there already. ``path`` is below ``state/``, ``data`` its content."""

    exit_code = 6

    def __init__(self, path: str, data: bytes, hint: str = "") -> None:
        super().__init__(f"Another run is under way: {path} is there.", hint)
        self.path = path
        self.data = data


class ApprovalError(CleanupError):
    """The approval covers nothing: altered, expired, consumed, of another lineage, nothing in common."""

    exit_code = 4


class LeaseHeldError(CleanupError):
    """Another run is under way on the same directory."""

    exit_code = 6

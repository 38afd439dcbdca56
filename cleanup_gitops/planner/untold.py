"""What whoever reads a plan should know about users who are not told what comes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from cleanup_gitops.model.change import Change, NoticeSend
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.policy.documents import SitePolicies


def untold(changes: Iterable[Change], memory: Memory, policies: SitePolicies) -> Iterator[str]:
    """A warning where notices are silent, and one for each stage whose notices came back."""
    silent = policies.notifications is not None and policies.notifications.silent
    if silent and any(isinstance(change, NoticeSend) for change in changes):
        yield (
            "Notices are silent: nobody gets a mail, and the days of the next stage begin all the same. Atlassian"
            " itself may mail people whose account it closes."
        )
    returned = Counter((one.policy, one.stage) for one in memory.marks if one.undelivered)
    for (policy, stage), number in sorted(returned.items()):
        whom = "1 user came" if number == 1 else f"{number} users came"
        yield (
            f"{policy}/{stage}: the notices of {whom} back as undelivered, so nothing follows. Find these people in"
            " another way and mend their addresses; `notices undelivered FILE --again` has them told again."
        )

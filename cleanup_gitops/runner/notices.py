"""Sends the notices of a run, one at a time. A relay that fails stops notices, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cleanup_gitops.model.activity import LAG_DAYS, Seen
from cleanup_gitops.model.change import Change, NoticeSend
from cleanup_gitops.model.errors import CleanupError, RefusedError
from cleanup_gitops.model.notices import Notice, Sent
from cleanup_gitops.model.people import Person
from cleanup_gitops.model.ports import Notifier
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.model.user import User
from cleanup_gitops.planner import Evaluation
from cleanup_gitops.policy.documents import Ensure, Policy, Stage

NOBODY_SENDS = "nothing here sends notices"
AGAIN = "it is sent again, with the same Message-ID"
LOST = f"nobody knows whether it went out; {AGAIN}"


@dataclass(frozen=True, slots=True)
class Post:
    """Who tells people, where the site is for them, and which attribute of theirs names a language ("": none).

    Without a ``notifier`` nobody can be told; ``why`` says why.
    """

    notifier: Notifier | None
    url: str = ""
    language: str = ""
    why: str = NOBODY_SENDS


class Messenger:
    """The notices of one run. ``why`` says why no more of them are to be sent; "" while they may be.

    Threads share it.
    """

    def __init__(self, post: Post | None, evaluation: Evaluation, changes: Iterable[Change]) -> None:
        self._post = post
        self._evaluation = evaluation
        self._one_by_one = threading.Lock()
        self.why = ""
        if any(isinstance(change, NoticeSend) for change in changes):
            self.why = self._checked()

    def stop(self, why: str) -> None:
        """Send no more notices in this run."""
        self.why = self.why or why

    def send(self, change: NoticeSend, user: User, now: datetime) -> Sent:
        """Tell the user at a UTC time. Raises as a Notifier does."""
        if self._post is None or self._post.notifier is None:
            raise RefusedError(NOBODY_SENDS)
        people = self._evaluation.scope.people
        known = people.name(user.id), people.email(user.id)
        person = Person(*known) if any(known) else None
        notice = notice_of(change, user, self._evaluation, self._post, now)
        with self._one_by_one:
            return self._post.notifier.send(notice, person)

    def _checked(self) -> str:
        if self._post is None or self._post.notifier is None:
            return self._post.why if self._post else NOBODY_SENDS
        try:
            self._post.notifier.check()
        except CleanupError as error:
            return f"no notice can be sent: {error.message}"
        except Exception as error:  # noqa: BLE001 - what else is to be done does not depend on it
            return f"no notice can be sent: a defect ({type(error).__name__})"
        return ""


def receipt_of(sent: Sent) -> Receipt:
    """What was answered to a notice, as to any other change. The message id tells it apart in logs of the relay."""
    status = int(sent.answer) if sent.answer.isdecimal() else 0
    return Receipt(method="MAIL", endpoint=sent.how, status=status, request_id=sent.message_id)


def notice_of(change: NoticeSend, user: User, evaluation: Evaluation, post: Post, now: datetime) -> Notice:
    """What the notice tells, from the policy and from what is known of the user at a UTC time."""
    policy = next(course.policy for course in evaluation.courses if course.policy.name == change.policy)
    today = now.astimezone(UTC).date()
    follows = _after(policy, change.stage)
    seen, days = _last_use(user, today)
    return Notice(
        address=change.address,
        user=user.id,
        site=evaluation.scope.inventory.site,
        url=post.url,
        policy=policy.name,
        stage=change.stage,
        episode=change.episode,
        why=policy.why,
        owner=policy.owner,
        template=change.template,
        as_of=today,
        last_seen=seen,
        days=days,
        next_stage=follows.name if follows else "",
        next_does=does(follows) if follows else "",
        next_day=today + timedelta(days=follows.after) if follows else None,
        language=dict(user.attributes).get(post.language, ""),
    )


def _after(policy: Policy, stage: str) -> Stage | None:
    names = [one.name for one in policy.stages]
    return next(iter(policy.stages[names.index(stage) + 1 :]), None)


def _last_use(user: User, today: date) -> tuple[date | None, int | None]:
    """The day of the last use and the days since, after the lag of its source; nothing where that is no single day."""
    seen = user.seen
    if not isinstance(seen, Seen) or seen.earliest.date() != seen.latest.date():
        return None, None
    day = seen.latest.astimezone(UTC).date()
    return day, max(0, (today - day).days - LAG_DAYS[seen.source])


_STATUSES = {
    "active": "the account is opened",
    "suspended": "the account is suspended",
    "disabled": "the account is disabled",
    "deactivated": "the whole Atlassian account is deactivated",
    "removed": "the account is removed",
    "deleted": "the account is deleted",
}


def does(stage: Stage) -> str:
    """What a stage does to a user, as a part of a sentence: "access to Confluence ends and API tokens are revoked"."""
    if stage.notify:
        return "another notice is sent"
    return " and ".join(_parts(stage.ensure))


def _parts(ensure: Ensure) -> Iterable[str]:
    if ensure.no_access:
        yield "access to Confluence ends"
    if ensure.groups_absent or ensure.groups_exactly is not None:
        yield "memberships of groups end"
    if ensure.groups_present:
        yield "memberships of groups begin"
    if ensure.no_tokens:
        yield "API tokens are revoked"
    if ensure.status:
        yield _STATUSES[ensure.status]

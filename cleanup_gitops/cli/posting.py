"""How a run tells people, made of what the policies and the environment say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cleanup_gitops.cli.telling import telling
from cleanup_gitops.cli.wiring import Workplace
from cleanup_gitops.model.errors import CredentialError
from cleanup_gitops.runner.notices import Post


@contextmanager
def posting(place: Workplace) -> Iterator[Post | None]:
    """How the people of a site are told, for as long as the block lasts; ``None`` where no document says it.

    A credential of the mail relay that is missing keeps notices from being sent, and nothing else from being done.
    """
    found = place.policies.notifications
    attribute = found.languages.attribute if found and found.languages else ""
    with ExitStack() as stack:
        try:
            notifier = stack.enter_context(telling(place))
        except CredentialError as error:
            post: Post | None = Post(None, why=f"no notice can be sent: {error.message}")
        else:
            post = Post(notifier, place.site.url, attribute) if notifier else None
        yield post

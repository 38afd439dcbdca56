"""How a site's people are told: the Notifier that its Notifications document describes, with its credentials."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cleanup_gitops.cli.wiring import Workplace
from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.model.ports import Notifier
from cleanup_gitops.policy.notifying import Smtp

if TYPE_CHECKING:
    from cleanup_gitops.outbox.notifiers import AnyNotifier
    from cleanup_gitops.sites.secret import Secret


@contextmanager
def telling(place: Workplace) -> Iterator[Notifier | None]:
    """The Notifier of the site, for as long as the block lasts; ``None`` where no document says how people are told.

    Connects to nothing before it is asked to. At the end the teams under ``escalate`` are told of notices that were
    refused; where that fails, it is a warning. Raises ``CredentialError`` when a variable is missing.
    """
    notifier = notifier_of(place)
    try:
        yield notifier
    finally:
        if notifier is not None:
            _escalate(notifier)
            notifier.close()


def notifier_of(place: Workplace) -> AnyNotifier | None:
    """The Notifier of a site; only the environment variables that its Notifications document names are read."""
    from cleanup_gitops.outbox.notifiers import FolderNotifier, MailNotifier, SilentNotifier
    from cleanup_gitops.outbox.relay import Relay

    found, site = place.policies.notifications, place.site
    if found is None:
        return None
    if found.silent:
        return SilentNotifier(found, site.name, site.url)
    if found.smtp is None:
        return FolderNotifier(found, place.folder / (found.outbox or ""), site.name, site.url, place.clock)
    relay = Relay(found.smtp, _login(found.smtp, os.environ), lambda: _trust(place), place.clock)
    return MailNotifier(found, found.smtp, site.name, relay, place.clock)


def _login(smtp: Smtp, environment: Mapping[str, str]) -> tuple[Secret, Secret] | None:
    """User and password as they are sent. Raises ``CredentialError``."""
    from cleanup_gitops.sites.secret import Secret, taken

    if smtp.user is None or smtp.password is None:
        return None
    secrets = {name: Secret(environment[name], name) for name in (smtp.user, smtp.password) if environment.get(name)}
    where = "spec.smtp of the Notifications document"
    return (
        taken(secrets, smtp.user, "user of the mail relay", where),
        taken(secrets, smtp.password, "password of the mail relay", where),
    )


def _trust(place: Workplace) -> ssl.SSLContext:
    """The authorities of the system and those that the Site names: relays of a company use the same ones."""
    from cleanup_gitops.sites.exchange import trusted

    return trusted(place.site.ca_bundle, place.site.where_tls)


def _escalate(notifier: AnyNotifier) -> None:
    try:
        notifier.escalate()
    except SiteError as error:
        click.echo(
            f"Warning: the teams under `escalate` could not be told of refused notices. {error.message}", err=True
        )

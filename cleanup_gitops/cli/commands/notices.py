"""``cleanup-gitops notices``: what people are told before policies act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleanup_gitops.cli.files import write_file
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.undelivered import undelivered_command
from cleanup_gitops.cli.wiring import Workplace, load_policies, only_one, with_sites, workplaces
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.notifying import Notifications, Template, told_nobody
from cleanup_gitops.policy.problems import did_you_mean
from cleanup_gitops.views.words import counted

if TYPE_CHECKING:
    from cleanup_gitops.model.notices import Notice
    from cleanup_gitops.outbox.letters import Letter

NAME, ADDRESS = "Ada Example", "ada@example.com"


@click.group("notices")
def command() -> None:
    """Check and preview templates of notices, or say that notices came back."""


command.add_command(undelivered_command)


@command.command("lint")
@click.pass_obj
def lint(folder: Path) -> int:
    """Check every template of notices, with and without what may not be known of a person.

    Templates that cannot be used are errors of the policies, which `validate` and every other command refuse as well.
    Beside them this warns of notices that do not say what happens and when, and of files that nobody would ever get.
    Exit code 1 for an error, 0 with or without warnings.

    Example: cleanup-gitops notices lint
    """
    from cleanup_gitops.policy.templates import warnings

    found = with_sites(load_policies(folder, SystemClock()), folder)
    for site in found.sites:
        own = found.for_site(site.name).notifications
        if own is None:
            click.echo(f"{site.name}: no Notifications document, so no policy can tell people.")
            continue
        told = [one for one in (*warnings(own), told_nobody(own)) if one]
        click.echo(f"{site.name}: {_inventory(own)}, {counted(len(told), 'warning')}.")
        for warning in told:
            click.echo(f"Warning: {warning}", err=True)
    return 0


def _inventory(own: Notifications) -> str:
    languages = sorted({tag for one in own.templates.values() for tag in one.bodies if tag})
    more = f" (also in {', '.join(languages)})" if languages else ""
    return f"{counted(len(own.templates), 'template')} in {own.folder}/{more}"


@command.command("preview")
@click.argument("template", metavar="TEMPLATE")
@site_option
@click.option("--language", metavar="LANGUAGE", default="", help="Language, such as de (default: the default one).")
@click.option("--html", is_flag=True, help="Print the HTML instead of the text.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the whole mail to a file (.eml), which mail programs open.",
)
@click.pass_obj
def preview(folder: Path, template: str, site_name: str | None, language: str, html: bool, out: Path | None) -> int:
    r"""Show a notice as a made-up person would get it. Sends nothing.

    \b
    Examples:
      cleanup-gitops notices preview inactivity-notice
      cleanup-gitops notices preview inactivity-notice --language de --out notice.eml
    """
    from cleanup_gitops.outbox.letters import rendered

    place = only_one(workplaces(folder, SystemClock(), site_name))
    own = place.policies.notifications
    if own is None:
        raise CleanupError(
            f"No Notifications document is about {place.site.name}, so there are no templates.",
            "docs/policy-reference.md says how to write one.",
        )
    chosen = _template(own, template)
    own = _in_language(own, chosen, language)
    message = rendered(_notice(place, template, language), NAME, chosen, own)
    if out is not None:
        write_file(out, _letter(place, own, template, language).data)
        click.echo(f"The mail was written to {out}.", err=True)
        return 0
    part = message.get_body(("html",) if html else ("plain",))
    if part is None:
        raise CleanupError(f"There is no HTML of {template} in this language.", "Leave out --html to see the text.")
    click.echo(part.get_content() if html else f"Subject: {message['Subject']}\n\n{part.get_content()}", nl=False)
    return 0


def _template(own: Notifications, name: str) -> Template:
    if name not in own.templates:
        raise CleanupError(f"There is no template {name!r} in {own.folder}/{did_you_mean(name, own.templates)}")
    return own.templates[name]


def _in_language(own: Notifications, template: Template, language: str) -> Notifications:
    """The same, in which the wanted language is chosen by its own name."""
    from cleanup_gitops.policy.notifying import Languages

    default = own.languages.default if own.languages else ""
    if language and language != default and language not in template.bodies:
        known = ", ".join(sorted(tag for tag in {default, *template.bodies} if tag)) or "the default one alone"
        raise CleanupError(f"The template {template.name} is not written in {language!r}.", f"Languages: {known}.")
    if not language and own.languages is None:
        return own
    return replace(own, languages=Languages("language", default, {}))


def _notice(place: Workplace, template: str, language: str) -> Notice:
    import msgspec

    from cleanup_gitops.model.notices import Notice
    from cleanup_gitops.policy.samples import sample

    values = {key: value for key, value in sample().items() if key != "name"}
    values |= {"site": place.site.name, "url": place.site.url, "template": template, "language": language}
    return msgspec.convert(values, Notice)


def _letter(place: Workplace, own: Notifications, template: str, language: str) -> Letter:
    from cleanup_gitops.model.people import Person
    from cleanup_gitops.outbox.letters import no_relay_sender, notice_letter

    sender = own.smtp.sender if own.smtp else no_relay_sender(place.site.url)
    return notice_letter(_notice(place, template, language), Person(NAME, ADDRESS), own, sender, place.clock.now())

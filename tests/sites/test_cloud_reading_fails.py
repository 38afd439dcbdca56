"""Readings that cannot be trusted are no inventory, and what is wrong from the start is said at the start."""

from __future__ import annotations

import re
import ssl
import traceback
from dataclasses import replace

import pytest
import trustme

from cleanup_gitops.model.errors import (
    CredentialError,
    IncompleteReadingError,
    SiteError,
)
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import Directory, World
from cleanup_gitops.sites.cloud import connect
from cleanup_gitops.sites.secret import Secret
from tests import canaries
from tests.fakes import FakeClock
from tests.sites.box import (
    KEY,
    QUICK,
    TOKEN,
    USER,
    connected,
    disturb,
    requests,
    secrets_of,
    site_of,
)
from tests.sites.broken import USERS_SEARCH, refused
from tests.sites.scripted import Reply, scripted

# -- completeness (E61) ----------------------------------------------------------------------------


@pytest.mark.case("E61", "F1")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 400, "code": "ADMIN-400-1"},
        {"kind": "reset"},
        {"kind": "truncate"},
        {"kind": "html"},
        {"kind": "not_json"},
    ],
)
def test_a_page_that_fails_midway_is_no_end_of_the_list(box: RunningSandbox, fault: dict[str, object]) -> None:
    with connected(box) as site:
        # Two lists of users have several pages and are read side by side: usually one of them breaks off midway.
        disturb(box, fault | {"match": {"path_regex": USERS_SEARCH, "after": 4}})
        with pytest.raises(IncompleteReadingError) as caught:
            site.reader.read()
    text = refused(box, caught.value)
    assert "broke off" in text
    assert caught.value.exit_code == 3


@pytest.mark.case("E61", "F1")
@pytest.mark.parametrize("kind", ["cursor_loop", "repeat_page", "drop_rows"])
def test_a_list_that_loops_repeats_or_loses_rows_is_never_a_plan(box: RunningSandbox, kind: str) -> None:
    with connected(box) as site:
        disturb(box, {"kind": kind, "match": {"path_regex": USERS_SEARCH, "after": 1}})
        with pytest.raises(IncompleteReadingError) as caught:
            site.reader.read()
    refused(box, caught.value)


@pytest.mark.case("E61")
def test_a_list_that_lost_a_row_once_is_read_a_second_time(box: RunningSandbox) -> None:
    with connected(box) as site:
        whole = site.reader.read().inventory
        disturb(box, {"kind": "drop_rows", "match": {"path_regex": USERS_SEARCH, "nth": 1}})
        assert site.reader.read().inventory.digest == whole.digest


@pytest.mark.case("E61")
@pytest.mark.parametrize("path", ["groups/search$", "role-assignments$", "last-active-dates$"])
def test_whatever_else_fails_for_good_there_is_no_inventory(box: RunningSandbox, path: str) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 503, "match": {"path_regex": path}})
        with pytest.raises(SiteError) as caught:
            site.reader.read()
    assert "503" in refused(box, caught.value)


def test_a_hiccup_is_not_even_noticed(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(
            box,
            {"kind": "status", "status": 503, "match": {"path_regex": USERS_SEARCH, "nth": 2}},
            {"kind": "reset", "match": {"path_regex": "groups/search$", "nth": 1}},
            {"kind": "truncate", "match": {"path_regex": "role-assignments$", "nth": 3}},
        )
        assert site.reader.read().inventory.proof.flaws() == []


def test_somebody_whose_last_activity_the_organization_does_not_know_is_unknown(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 404, "match": {"path_regex": "last-active-dates$"}})
        users = site.reader.read().inventory.users
    reasons = {getattr(user.seen, "reason", "") for user in users if user.license in ("seat", "guest")}
    assert reasons == {"", "the organization knows no activity of this account"}


def test_an_answer_about_somebody_else_is_an_error(box: RunningSandbox) -> None:
    with connected(box) as site:
        somebody = next(one.id for one in site.reader.read().inventory.users if not one.admin)
        # The last of the three searches about the runner has the runner's row: it administers.
        disturb(box, {"kind": "repeat_page", "match": {"path_regex": USERS_SEARCH, "after": 3}})
        assert site.reader.user(box.runner_account) is not None
        with pytest.raises(SiteError, match="other accounts"):
            site.reader.user(somebody)


# -- fail at the start, with the reason (E67) --------------------------------------------------------


@pytest.mark.case("E67")
@pytest.mark.parametrize("name", [KEY, USER, TOKEN])
@pytest.mark.parametrize("value", ["", "  \n", None])
def test_a_missing_variable_is_named(box: RunningSandbox, name: str, value: str | None) -> None:
    secrets = secrets_of(box)
    if value is None:
        del secrets[name]
    else:
        secrets[name] = Secret(value, name)
    with pytest.raises(CredentialError, match=f"variable {name} "):
        connect(site_of(box), secrets, FakeClock())
    assert requests(box) == []


@pytest.mark.case("E67", "E78")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (KEY, r"The organization API key in \$ORG_KEY was refused \(401\): wrong, revoked or expired."),
        (TOKEN, r"The API token in \$SITE_TOKEN was refused by .* \(401\)"),
        (USER, r"The API token in \$SITE_TOKEN was refused by .* \(401\).* the user in \$SITE_USER"),
    ],
)
def test_a_wrong_credential_is_named_by_its_variable(box: RunningSandbox, name: str, text: str) -> None:
    with pytest.raises(CredentialError) as caught:
        connect(site_of(box), secrets_of(box, **{name: canaries.STRAY}), FakeClock(), limits=QUICK)
    assert re.search(text, refused(box, caught.value))
    assert canaries.found("".join(traceback.format_exception(caught.value))) == []
    assert caught.value.exit_code == 1


@pytest.mark.case("E67")
def test_a_key_with_a_line_end_inside_is_refused_before_it_is_sent(box: RunningSandbox) -> None:
    with pytest.raises(CredentialError, match="characters that no key has"):
        connect(site_of(box), secrets_of(box, **{KEY: f"{canaries.STRAY}\ndef"}), FakeClock())


@pytest.mark.case("E67")
@pytest.mark.parametrize("which", ["org_api_key_expires", "api_token_expires"])
def test_an_expired_credential_stops_the_start(world: World, which: str) -> None:
    setattr(world.credentials, which, "2026-11-01T00:00:00Z")
    with running(world) as box, pytest.raises(CredentialError, match=r"\(401\)"):
        connected(box)


@pytest.mark.case("E67")
def test_a_key_that_dies_while_reading_is_a_matter_of_the_key(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(
            box,
            {"kind": "status", "status": 401, "shape": "gateway", "match": {"path_regex": USERS_SEARCH, "after": 3}},
        )
        with pytest.raises(CredentialError, match=r"\(401\)"):
            site.reader.read()


@pytest.mark.case("E67")
def test_a_key_with_too_few_scopes_is_told_to_be_replaced(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 403, "match": {"path_regex": USERS_SEARCH}})
        with pytest.raises(CredentialError) as caught:
            site.reader.read()
    assert "may not manage the directory of acme (403" in caught.value.message
    assert "without scopes" in caught.value.hint


@pytest.mark.case("E67")
def test_an_organization_of_somebody_else_is_named(world: World) -> None:
    foreign = "0f5e0000-0000-0000-0000-00000000ffff"
    world.foreign_organizations.append(foreign)
    with running(world) as box:
        with pytest.raises(CredentialError, match=f"may not manage the organization {foreign}"):
            connected(box, organization=foreign)
        with pytest.raises(SiteError) as caught:
            connected(box, organization="0f5e0000-0000-0000-0000-000000000bad")
    assert "Check spec.cloud.organization" in caught.value.hint


def two_directories(world: World) -> World:
    world.directories.append(Directory(id="second-id", name="Second"))
    world.directories.append(Directory(id="hidden-id", name="Hidden", manageable=False))
    return world


@pytest.mark.case("E42")
def test_of_several_directories_one_must_be_named(world: World) -> None:
    with running(two_directories(world)) as box:
        with pytest.raises(SiteError) as caught:
            connected(box)
        assert "2 directories" in caught.value.message
        assert "Second (second-id), default (default)" in caught.value.message
        assert "spec.cloud.directory" in caught.value.hint
        for name in ("second-id", "Second", "SECOND"):
            connected(box, directory=name).close()


def test_a_directory_that_the_key_may_not_manage_is_named_before_anything_is_read(world: World) -> None:
    with running(two_directories(world)) as box:
        for name in ("hidden-id", "Hidden", "no such"):
            with pytest.raises(SiteError, match="is not a directory that the key may manage"):
                connected(box, directory=name)
        assert not any(re.search(USERS_SEARCH, one["path"]) for one in requests(box))


def test_an_account_without_confluence_cannot_be_the_site_user(world: World) -> None:
    runner = next(user for user in world.users if user.id == world.credentials.runner_account)
    runner.directories = dict.fromkeys(runner.directories, "suspended")
    with running(world) as box, pytest.raises(CredentialError, match="may not use the Confluence"):
        connected(box)


def test_an_anonymous_answer_is_no_login(box: RunningSandbox) -> None:
    with (
        scripted(Reply(body=b'{"type": "anonymous"}')) as wiki,
        pytest.raises(CredentialError, match="anonymous"),
    ):
        connect(site_of(box, url=wiki.url), secrets_of(box), FakeClock(), limits=QUICK)


def test_a_url_of_something_else_is_said_to_be_wrong(box: RunningSandbox) -> None:
    with scripted(Reply(status=404)) as other:
        for fields, text in (({"url": other.url}, "spec.url"), ({"api_url": other.url}, "spec.cloud.organization")):
            with pytest.raises(SiteError) as caught:
                connect(site_of(box, **fields), secrets_of(box), FakeClock(), limits=QUICK)
            assert text in caught.value.hint


@pytest.mark.parametrize("path", ["user/current$", "systemInfo$", "orgs/[^/]+$", "directories$"])
def test_html_at_the_start_is_one_clear_line(box: RunningSandbox, path: str) -> None:
    disturb(box, {"kind": "html", "match": {"path_regex": path}})
    with pytest.raises(SiteError) as caught:
        connected(box)
    assert "with HTML, not JSON" in refused(box, caught.value)
    assert caught.value.exit_code == 1


def test_a_site_behind_a_certificate_that_nobody_trusts(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tls")
    certificate = trustme.CA().issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    with (
        running(world, ssl_certfile=folder / "both.pem", ssl_keyfile=folder / "both.pem") as box,
        pytest.raises(SiteError, match="TLS certificate could not be verified"),
    ):
        connected(box)
    assert ssl.OPENSSL_VERSION  # the message above comes from it


def test_a_site_url_may_end_in_wiki(box: RunningSandbox) -> None:
    site = replace(site_of(box), url=f"{box.url}/wiki")
    connect(site, secrets_of(box), FakeClock(), limits=QUICK).close()

"""What follows from one row of the users' list: pure, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.group import Grant, Group
from cleanup_gitops.model.user import GroupSeat, User
from cleanup_gitops.sites.cloud.activity import NOT_LISTED, Sightings
from cleanup_gitops.sites.cloud.facts import Translator, status_of
from cleanup_gitops.sites.cloud.grants import bare_id, modifiable
from cleanup_gitops.sites.cloud.later import must_be_asked, with_dates, without_dates
from cleanup_gitops.sites.cloud.wire import GroupRow, LastActive, LastActiveDates, UserRow

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HERE = "ari:cloud:confluence::site/11111111-aaaa"
OTHER = "ari:cloud:confluence::site/22222222-bbbb"
JIRA = "ari:cloud:jira-software::site/11111111-aaaa"
SIGHTINGS = Sightings(HERE, NOW)
IN_2025 = datetime(2025, 11, 6, 23, 7, 29, tzinfo=UTC)


def group(id_: str, **facts: Any) -> Group:  # noqa: ANN401 - any field of a group
    values: dict[str, Any] = {"license": "none", "admin": False, "grants": (), "modifiable": True}
    return Group(id=id_, name=id_, directory="d", **(values | facts))


SEAT = group("seat", license="seat", grants=(Grant("confluence", "user"),))
SECOND = group("second", license="seat", grants=(Grant("confluence", "user"),))
GUEST = group("guest", license="guest", grants=(Grant("confluence", "guest"),))
ACCESS = group("access", admin=True, grants=(Grant("confluence", "user-access-admin"),))
UNTOLD = group("untold", license="unknown", admin=None, grants=None)
PLAIN = group("plain")
WITH_JIRA = group("with-jira", grants=(Grant("jira-software", "user"),))
DESK = group("desk", grants=(Grant("jira-servicedesk", "user"),))
ORG_ADMINS = group("org-admins", admin=True, grants=(Grant("platform", "org-admin"),))
SUITE = group("suite", license="seat", grants=(Grant("confluence", "user"), Grant("confluence:22222222-bbbb", "user")))
ALL = {one.id: one for one in (SEAT, SECOND, GUEST, ACCESS, UNTOLD, PLAIN, WITH_JIRA, DESK, ORG_ADMINS, SUITE)}


def row(**fields: Any) -> UserRow:  # noqa: ANN401 - any field of the answer
    """A full row; fields in the API's spelling, ``...`` leaves one out."""
    full: dict[str, Any] = {
        "accountId": "712020:1",
        "accountType": "atlassian",
        "status": "active",
        "accountStatus": "active",
        "membershipStatus": "active",
        "addedToOrg": "2024-01-02T03:04:05.678Z",
        "name": "Ada Example",
        "nickname": "ada",
        "email": "ada@acme.com",
        "emailVerified": True,
        "department": " Talent ",
        "jobTitle": "",
        "location": "Oslo",
        "organization": None,
        "claimStatus": "managed",
        "managementSource": "invited",
        "platformRoles": [],
        "productAccess": [entry(HERE, "confluence", "2025-11-06T23:07:29.936941226Z")],
        "groups": [{"id": "seat", "name": "seat"}],
    } | fields
    known = {name: value for name, value in full.items() if value is not ...}
    return msgspec.json.decode(msgspec.json.encode(known), type=UserRow)


def entry(ari: str, key: str, at: str | None) -> dict[str, str | None]:
    return {"id": ari, "key": key, "lastActiveTimestamp": at}


def member_of(*groups: Group) -> list[dict[str, str]]:
    return [{"id": one.id} for one in groups]


def translator(*service_accounts: str) -> Translator:
    return Translator(
        directory="d",
        groups=ALL,
        sightings=SIGHTINGS,
        service_accounts=service_accounts,
        internal_domains=("acme.com",),
    )


def user(**fields: Any) -> User:  # noqa: ANN401
    return translator("svc-*").user(row(**fields))


def asked_about(one: User) -> bool:
    return must_be_asked(one, SIGHTINGS.lately)


def test_a_full_row_gives_all_facts() -> None:
    assert user() == User(
        id="712020:1",
        directory="d",
        status="active",
        kind="person",
        license="seat",
        managed=True,
        synced=False,
        writable=True,
        admin=False,
        domain="acme.com",
        added=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        seen=seen_at(IN_2025),
        elsewhere=(),
        groups=("seat",),
        seats=(GroupSeat(("seat",)),),
        attributes=(("department", "Talent"), ("location", "Oslo")),
        roles=(),
        external=False,
        has_email=True,
        accepted=True,
    )


@pytest.mark.case("F2")
def test_a_row_with_nothing_but_an_id_is_unknown_in_everything() -> None:
    bare = translator().user(UserRow(account_id="1"))
    assert bare == User(id="1", directory="d", seen=Unknown("not in the answer"))
    assert bare.billed is None


@pytest.mark.parametrize(
    ("composite", "account", "membership", "status"),
    [
        ("active", "active", "active", "active"),
        ("suspended", "active", "suspended", "suspended"),
        ("not_invited", "active", "no_membership", "absent"),
        ("deactivated", "inactive", "active", "deactivated"),
        ("deactivated", "inactive", "no_membership", "deactivated"),
        ("for_deletion", "inactive", "active", "deleting"),
        ("for_deletion", "closed", "no_membership", "deleting"),
        ("active", ..., ..., "active"),
        ("suspended", None, None, "suspended"),
        (..., "active", "active", "active"),
        (..., "active", "suspended", "suspended"),
        (..., "inactive", "active", "deactivated"),
        (..., "closed", "active", "deleting"),
        (..., "active", "no_membership", "absent"),
        (..., "active", ..., "unknown"),
        (..., ..., "active", "unknown"),
        (..., ..., ..., "unknown"),
        ("active", "inactive", "active", "unknown"),
        ("active", "active", "suspended", "unknown"),
        ("suspended", "active", "active", "unknown"),
        ("deactivated", "active", "active", "unknown"),
        ("frozen", "active", "active", "unknown"),
        ("active", "dormant", "active", "unknown"),
    ],
)
def test_the_status_is_what_all_words_agree_on(
    composite: object, account: object, membership: object, status: str
) -> None:
    assert status_of(row(status=composite, accountStatus=account, membershipStatus=membership)) == status


def test_a_scheduled_deletion_contradicts_an_active_account() -> None:
    assert status_of(row(forDeletion=True)) == "unknown"
    assert status_of(row(forDeletion=False)) == "active"


@pytest.mark.case("E23")
@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "person"),
        ({"accountType": "app"}, "app"),
        ({"accountType": "customer"}, "customer"),
        ({"accountType": "robot"}, "unknown"),
        ({"accountType": ...}, "unknown"),
        ({"email": "x@ServiceAccount.atlassian.com"}, "service"),
        ({"accountType": "app", "email": "x@serviceaccount.atlassian.com"}, "service"),
        ({"email": "x@not-serviceaccount.atlassian.com"}, "person"),
        ({"email": "SVC-backup@acme.com"}, "service"),
        ({"accountId": "svc-1"}, "service"),
        ({"email": "svc-backup@acme.com", "claimStatus": "unmanaged"}, "service"),
        ({"email": "svc-backup@example.org"}, "service"),
        ({"email": "svc-backup@example.org", "claimStatus": ...}, "service"),
        ({"email": "ada@svc-x.com"}, "person"),
        ({"name": ..., "nickname": ..., "email": ...}, "person"),
    ],
)
def test_the_kind_comes_from_the_account_type_and_the_site_s_service_accounts(
    fields: dict[str, Any], kind: str
) -> None:
    assert user(**fields).kind == kind


@pytest.mark.case("E23")
@pytest.mark.parametrize(
    "fields",
    [
        {"nickname": "svc-me"},
        {"name": "svc-me"},
        {"name": "svc-me", "nickname": "svc-me", "email": ...},
        {"email": "svc-me@example.org", "claimStatus": "unmanaged"},
    ],
)
def test_nobody_becomes_a_service_account_by_what_they_can_edit_themselves(fields: dict[str, Any]) -> None:
    assert user(**fields).kind == "person"


@pytest.mark.parametrize(
    ("claim", "source", "facts"),
    [
        ("managed", "invited", (True, False, True)),
        ("managed", "synced", (True, True, False)),
        ("managed", None, (True, None, None)),
        ("unmanaged", None, (False, None, True)),
        ("unmanaged", "synced", (False, True, False)),
        (..., ..., (None, None, None)),
        ("maybe", "guessed", (None, None, None)),
    ],
)
def test_who_owns_the_account_decides_who_may_change_its_status(claim: object, source: object, facts: object) -> None:
    found = user(claimStatus=claim, managementSource=source)
    assert (found.managed, found.synced, found.writable) == facts


@pytest.mark.case("E20")
@pytest.mark.parametrize(
    ("roles", "groups", "admin"),
    [
        ([], [PLAIN], False),
        (["atlassian/org-admin"], [PLAIN], True),
        (["atlassian/site-admin"], [PLAIN], True),
        (["atlassian/user-access-admin"], [PLAIN], True),
        (["atlassian/ai-access"], [PLAIN], False),
        ([], [PLAIN, ACCESS], True),
        (..., [ACCESS], True),
        (..., [PLAIN], None),
        (None, [PLAIN], None),
        ([], [UNTOLD], None),
        ([], ..., None),
        (["atlassian/org-admin"], ..., True),
    ],
)
def test_an_administrator_is_one_by_role_or_group_and_unknown_without_roles(
    roles: object,
    groups: Any,  # noqa: ANN401 - a list, or ... for "not told"
    admin: bool | None,
) -> None:
    told = groups if groups is ... else member_of(*groups)
    assert user(platformRoles=roles, groups=told).admin is admin


@pytest.mark.case("E37", "E48")
@pytest.mark.parametrize(
    ("groups", "license_", "paths"),
    [
        ([SEAT], "seat", ["seat"]),
        ([SEAT, SECOND, PLAIN], "seat", ["seat", "second"]),
        ([GUEST], "guest", ["guest"]),
        ([GUEST, SEAT], "seat", ["guest", "seat"]),
        ([ACCESS], "none", []),
        ([PLAIN], "none", []),
        ([], "none", []),
        ([SEAT, UNTOLD], "seat", ["seat"]),
        ([GUEST, UNTOLD], "unknown", None),
        ([UNTOLD], "unknown", None),
        ([group("never-read")], "unknown", None),
    ],
)
def test_every_way_to_the_license_is_listed(groups: list[Group], license_: str, paths: list[str] | None) -> None:
    found = user(groups=member_of(*groups))
    assert found.license == license_
    assert found.groups == tuple(sorted(one.id for one in groups))
    assert found.seats == (None if paths is None else tuple(GroupSeat((one,)) for one in paths))


def test_groups_that_were_not_told_are_unknown_and_not_none() -> None:
    found = user(groups=...)
    assert (found.groups, found.license, found.seats, found.billed) == (None, "unknown", None, None)


@pytest.mark.parametrize("told", ["seat", "ari:cloud:identity::group/seat"])
def test_group_ids_come_bare_or_wrapped(told: str) -> None:
    assert user(groups=[{"id": told}]).groups == ("seat",)
    assert bare_id(told) == "seat"


@pytest.mark.case("E32", "E33")
@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada@acme.com", "acme.com"),
        ("Ada+wiki@ACME.Com", "acme.com"),
        ("ada@eu.acme.com", "eu.acme.com"),
        ("ada@bücher.example", "xn--bcher-kva.example"),
        ("a@b@acme.com", "acme.com"),
        ("", None),
        ("ada", None),
        ("@acme.com", None),
        ("ada@", None),
        ("ada@..", None),
        (..., None),
        (None, None),
    ],
)
def test_the_domain_is_normalised_or_unknown(email: object, domain: str | None) -> None:
    assert user(email=email).domain == domain


def test_names_and_addresses_are_in_people_alone() -> None:
    person = translator().person(row())
    assert (person.name, person.email) == ("Ada Example", "ada@acme.com")
    assert "Ada" not in repr(user())
    assert "ada@" not in repr(user())
    assert translator().person(row(name=None, email=...)).name == "ada"


# -- activity --------------------------------------------------------------------------------------


@pytest.mark.case("E17")
@pytest.mark.parametrize(
    ("at", "seen"),
    [
        ("2025-11-06T23:07:29.936941226Z", seen_at(IN_2025)),
        ("2025-11-07T01:07:29+02:00", seen_at(IN_2025)),
        ("2026-11-23T09:00:00Z", seen_at(NOW + timedelta(days=1))),
        ("2026-11-23T09:00:01Z", Unknown("the site reported a date in the future")),
        ("Never accessed", Unknown("the site reported a date that cannot be read")),
    ],
)
def test_a_sighting_is_exact_and_never_in_the_future(at: str, seen: object) -> None:
    found = user(productAccess=[entry(HERE, "confluence", at)])
    assert found.seen == seen
    assert not asked_about(found)


@pytest.mark.case("E17")
def test_a_future_date_is_not_outweighed_by_an_older_one() -> None:
    rows = [entry(HERE, "confluence", "2030-01-01T00:00:00Z"), entry(HERE, "confluence", "2020-01-01T00:00:00Z")]
    for order in (rows, rows[::-1]):
        assert isinstance(user(productAccess=order).seen, Unknown)


@pytest.mark.case("E1")
@pytest.mark.parametrize("access", [[], [entry(HERE, "confluence", None)], [entry(JIRA, "jira", "2026-01-01")], ...])
@pytest.mark.parametrize(("groups", "asked"), [([SEAT], True), ([GUEST], True), ([PLAIN], False), ([UNTOLD], False)])
def test_only_holders_of_a_license_without_a_sighting_are_asked_about(
    access: object, groups: list[Group], asked: bool
) -> None:
    found = user(productAccess=access, groups=member_of(*groups))
    assert isinstance(found.seen, Unknown)
    assert asked_about(found) is asked


def test_who_has_no_license_any_more_was_still_seen() -> None:
    assert user(groups=[]).seen == seen_at(IN_2025)
    assert user(groups=[], productAccess=[]).seen == Unknown("no access to Confluence")


@pytest.mark.case("E7", "E42")
def test_other_products_and_another_confluence_are_elsewhere_and_the_newest_counts() -> None:
    found = user(
        productAccess=[
            entry(JIRA, "jira-software", "2026-01-01T00:00:00Z"),
            entry(JIRA + "2", "jira-software", "2026-03-01T00:00:00Z"),
            entry(JIRA + "3", "jira-software", "2026-02-01T00:00:00Z"),
            entry(OTHER, "confluence", "2026-04-01T00:00:00Z"),
        ]
    )
    assert found.elsewhere == (
        ("confluence:22222222-bbbb", seen_at(datetime(2026, 4, 1, tzinfo=UTC))),
        ("jira-software", seen_at(datetime(2026, 3, 1, tzinfo=UTC))),
    )
    assert found.seen == Unknown("not in the answer")


def test_a_confluence_without_an_id_is_not_taken_for_this_one() -> None:
    assert isinstance(user(productAccess=[entry("", "confluence", "2026-01-01")]).seen, Unknown)


@pytest.mark.case("E17")
@pytest.mark.parametrize("other", [entry("", "confluence", "2026-11-01T00:00:00Z"), entry(HERE, "confluence", "soon")])
def test_an_old_sighting_proves_nothing_beside_one_that_cannot_be_read_or_placed(other: dict[str, str | None]) -> None:
    old = entry(HERE, "confluence", "2025-11-06T23:07:29Z")
    found = [user(productAccess=both) for both in ([old, other], [other, old])]
    assert all(isinstance(one.seen, Unknown) for one in found)
    told = {"id": HERE, "key": "confluence", "last_active_timestamp": "2026-11-01T00:00:00Z"}
    assert after_dates(found[0], product_access=[told]).seen == seen_at(datetime(2026, 11, 1, tzinfo=UTC))


def test_products_that_were_not_told_are_unknown() -> None:
    assert user(productAccess=...).elsewhere is None
    assert user(productAccess=None).elsewhere is None
    assert user(productAccess=[]).elsewhere == ()


def dated(**answer: Any) -> User:  # noqa: ANN401
    """A user whom the listing left open, after the answer of last-active-dates."""
    return after_dates(user(productAccess=[entry(JIRA, "jira-software", "2026-01-01T00:00:00Z")]), **answer)


def after_dates(open_: User, **answer: Any) -> User:  # noqa: ANN401
    dates = msgspec.convert({"product_access": [], **answer}, LastActiveDates)
    return with_dates(open_, SIGHTINGS.of_dates(dates.product_access), Never(open_.added))


@pytest.mark.case("E1")
def test_a_product_that_last_active_dates_leaves_out_was_never_used() -> None:
    assert dated().seen == Never(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert dated(product_access=[{"id": OTHER, "key": "confluence", "last_active": "2026-01-01"}]).seen == Never(
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("product", "seen"),
    [
        (LastActive(HERE, "confluence", "2025-11-06", "2025-11-06T23:07:29Z"), seen_at(IN_2025)),
        (
            LastActive(HERE, "confluence", "2025-11-06"),
            Seen(datetime(2025, 11, 6, tzinfo=UTC), datetime(2025, 11, 6, 23, 59, 59, tzinfo=UTC)),
        ),
        (LastActive(HERE, "confluence"), Unknown("not in the answer")),
        (LastActive(HERE, "confluence", "2031-01-01"), Unknown("the site reported a date in the future")),
        (LastActive(HERE, "confluence", "soon"), Unknown("the site reported a date that cannot be read")),
    ],
)
def test_last_active_dates_may_know_the_day_only(product: LastActive, seen: object) -> None:
    assert dated(product_access=[msgspec.to_builtins(product)]).seen == seen


def test_both_sources_together_give_the_newest_of_every_product() -> None:
    found = dated(
        product_access=[
            {"id": JIRA, "key": "jira-software", "last_active_timestamp": "2026-02-01T00:00:00Z"},
            {"id": "t", "key": "trello", "last_active_timestamp": "2026-05-01T00:00:00Z"},
        ]
    )
    assert found.elsewhere == (
        ("jira-software", seen_at(datetime(2026, 2, 1, tzinfo=UTC))),
        ("trello", seen_at(datetime(2026, 5, 1, tzinfo=UTC))),
    )


# -- products of which the list says nothing ---------------------------------------------------------

ADDED = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD = entry(HERE, "confluence", "2025-11-06T23:07:29Z")


def elsewhere(groups: list[Group], *products: dict[str, str | None]) -> User:
    """Somebody whose last use of Confluence is a year ago."""
    return user(groups=member_of(SEAT, *groups), productAccess=[OLD, *products])


@pytest.mark.case("E7")
def test_a_product_without_a_time_is_not_known_and_not_unused() -> None:
    found = elsewhere([], entry(JIRA, "jira-software", None))
    assert found.elsewhere == (("jira-software", NOT_LISTED),)


@pytest.mark.case("E7")
def test_one_site_of_a_product_of_which_nothing_is_told_leaves_the_product_open() -> None:
    told = entry(JIRA, "jira-software", "2024-01-01T00:00:00Z")
    for untold in (None, "Never accessed", "2040-01-01T00:00:00Z"):
        for rows in (
            [told, entry(JIRA + "2", "jira-software", untold)],
            [entry(JIRA + "2", "jira-software", untold), told],
        ):
            found = elsewhere([], *rows)
            assert isinstance(dict(found.elsewhere or ())["jira-software"], Unknown)


@pytest.mark.case("E7")
@pytest.mark.parametrize(
    ("groups", "products", "unknown"),
    [
        ([WITH_JIRA], [], ["jira-software"]),
        ([WITH_JIRA, DESK, SUITE], [], ["confluence:22222222-bbbb", "jira-service-desk", "jira-software"]),
        ([WITH_JIRA], [entry(JIRA, "jira-software", "2026-01-01")], []),
        ([DESK], [entry("ari:cloud:jira-servicedesk::site/1", "jira-service-desk", "2026-01-01")], []),
        ([SUITE], [entry(OTHER, "confluence", "2026-01-01")], []),
        ([ORG_ADMINS], [], []),
        ([PLAIN], [], []),
    ],
)
def test_a_product_that_a_group_gives_and_the_list_leaves_out_is_not_known(
    groups: list[Group], products: list[dict[str, str | None]], unknown: list[str]
) -> None:
    found = elsewhere(groups, *products)
    assert [product for product, activity in found.elsewhere or () if activity == NOT_LISTED] == unknown
    assert found.seen == seen_at(IN_2025)


@pytest.mark.case("E7")
def test_a_group_that_does_not_tell_all_that_it_gives_leaves_other_products_open() -> None:
    found = elsewhere([UNTOLD], entry(JIRA, "jira-software", "2026-01-01"))
    assert found.elsewhere is None
    assert asked_about(found)


def ago(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


@pytest.mark.case("E7")
@pytest.mark.parametrize(
    ("here", "jira", "groups", "asked"),
    [
        (ago(31), [], [SEAT, WITH_JIRA], True),
        (ago(31), [], [WITH_JIRA], True),
        (ago(30), [], [SEAT, WITH_JIRA], False),
        (ago(0), [], [SEAT, WITH_JIRA], False),
        (ago(400), [entry(JIRA, "jira-software", ago(200))], [SEAT, WITH_JIRA], False),
        (ago(400), [entry(JIRA, "jira-software", ago(200))], [SEAT, WITH_JIRA, DESK], True),
        (ago(400), [entry(JIRA, "jira-software", ago(5))], [SEAT, WITH_JIRA, DESK], False),
        (ago(400), [entry(JIRA, "jira-software", None)], [SEAT], True),
        (ago(400), [], [SEAT, ORG_ADMINS], False),
        (ago(-2), [], [SEAT, WITH_JIRA], False),
        (None, [], [WITH_JIRA], False),
        (None, [], [SEAT, WITH_JIRA], True),
    ],
)
def test_only_whoever_may_be_idle_is_asked_about_other_products(
    here: str | None, jira: list[dict[str, str | None]], groups: list[Group], asked: bool
) -> None:
    listed = [entry(HERE, "confluence", here), *jira] if here else jira
    assert asked_about(user(groups=member_of(*groups), productAccess=listed)) is asked


@pytest.mark.case("E7")
def test_one_answer_settles_every_product() -> None:
    open_ = elsewhere([WITH_JIRA, DESK], entry("t", "trello", None))
    used = {"id": JIRA, "key": "jira-software", "last_active_timestamp": "2026-11-20T00:00:00Z"}
    found = after_dates(open_, product_access=[used])
    assert found.seen == seen_at(IN_2025)
    assert found.elsewhere == (
        ("jira-service-desk", Never(ADDED)),
        ("jira-software", seen_at(datetime(2026, 11, 20, tzinfo=UTC))),
        ("trello", Never(ADDED)),
    )
    assert not asked_about(found)


def test_the_newest_use_of_confluence_counts_also_when_it_was_asked_for_another_product() -> None:
    newer = {"id": HERE, "key": "confluence", "last_active_timestamp": "2026-01-01T00:00:00Z"}
    older = {"id": HERE, "key": "confluence", "last_active_timestamp": "2020-01-01T00:00:00Z"}
    assert after_dates(elsewhere([WITH_JIRA]), product_access=[newer]).seen == seen_at(datetime(2026, 1, 1, tzinfo=UTC))
    assert after_dates(elsewhere([WITH_JIRA]), product_access=[older]).seen == seen_at(IN_2025)


@pytest.mark.parametrize(
    ("listed", "told", "unknown"),
    [
        (None, {"last_active_timestamp": "2026-01-01T00:00:00Z"}, False),
        (None, {}, True),
        ("Never accessed", {"last_active_timestamp": "2026-01-01T00:00:00Z"}, False),
        ("2024-01-01T00:00:00Z", {"last_active": "soon"}, True),
        ("2040-01-01T00:00:00Z", {"last_active_timestamp": "2026-01-01T00:00:00Z"}, True),
    ],
)
def test_an_answer_that_says_nothing_settles_nothing(listed: str | None, told: dict[str, str], unknown: bool) -> None:
    open_ = elsewhere([], entry(JIRA, "jira-software", listed))
    found = after_dates(open_, product_access=[{"id": JIRA, "key": "jira-software", **told}])
    assert isinstance(dict(found.elsewhere or ())["jira-software"], Unknown) is unknown


def test_an_account_that_is_not_known_there_stays_open_and_keeps_its_sightings() -> None:
    found = without_dates(elsewhere([WITH_JIRA], entry("t", "trello", "2026-01-01T00:00:00Z")))
    assert found.seen == seen_at(IN_2025)
    assert found.elsewhere == (
        ("jira-software", Unknown("the organization knows no activity of this account")),
        ("trello", seen_at(datetime(2026, 1, 1, tzinfo=UTC))),
    )


# -- groups ----------------------------------------------------------------------------------------


@pytest.mark.case("E34")
@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, None),
        ({"managementAccess": {"modifiable": True}}, True),
        ({"managementAccess": {"modifiable": False}}, False),
        ({"managementAccess": {}}, None),
        ({"managedBy": "admins"}, True),
        ({"managedBy": "external"}, False),
        ({"externalSynced": True}, False),
        ({"externalSynced": False}, True),
        ({"managementAccess": {"modifiable": True}, "externalSynced": True}, False),
        ({"managementAccess": {"modifiable": True}, "managedBy": "external"}, False),
        ({"managementAccess": {"modifiable": False}, "managedBy": "admins", "externalSynced": False}, False),
    ],
)
def test_a_group_is_modifiable_when_nothing_speaks_against_it(fields: dict[str, Any], verdict: bool | None) -> None:
    assert modifiable(msgspec.convert({"id": "g", **fields}, GroupRow)) is verdict

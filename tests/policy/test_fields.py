"""What may stand in a single field, up to which edge, and what is said of the rest."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from cleanup_gitops.policy.fields import (
    AccountId,
    AllowedHours,
    ApiUrl,
    Day,
    Days,
    DeniedDays,
    Domain,
    DomainPattern,
    GroupName,
    GroupPattern,
    Name,
    OneOrSome,
    Percent,
    PlanAge,
    Product,
    Prose,
    SiteUrl,
    Some,
    Text,
    TimeZone,
)

Kind = Any
"""The type of a field."""


def taken(kind: Kind, value: object) -> object:
    return TypeAdapter[Any](kind).validate_python(value, strict=True)


def refused(kind: Kind, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        taken(kind, value)
    return caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Days, "1d", 1),
        (Days, "1w", 7),
        (Days, "13w", 91),
        (Days, "3650d", 3650),
        (Days, "521w", 3647),
        (PlanAge, "1h", 1),
        (PlanAge, "720h", 720),
        (PlanAge, "1d", 24),
        (PlanAge, "30d", 720),
        (Percent, "1%", 1),
        (Percent, "99%", 99),
        (Percent, "100%", 100),
        (Day, "2027-03-01", date(2027, 3, 1)),
        (Day, date(2027, 3, 1), date(2027, 3, 1)),
        (DeniedDays, date(2026, 12, 24), "2026-12-24/2026-12-24"),
        (DeniedDays, "2026-12-24", "2026-12-24/2026-12-24"),
        (DeniedDays, "2026-12-24/2026-12-24", "2026-12-24/2026-12-24"),
        (DeniedDays, "2026-12-15/2027-01-05", "2026-12-15/2027-01-05"),
        (AllowedHours, "mon 00:00-00:01", "mon 00:00-00:01"),
        (AllowedHours, "fri-mon 06:00-24:00", "fri-mon 06:00-24:00"),
        (TimeZone, "UTC", "UTC"),
        (Product, "any", "any"),
        (Product, "confluence", "confluence"),
        (Product, "jira-software", "jira-software"),
        (GroupName, "wiki users", "wiki users"),
        (GroupPattern, "*a*", "*a*"),
        (Domain, "ACME.example", "acme.example"),
        (DomainPattern, "*.ACME.example", "*.acme.example"),
        (DomainPattern, "acme.example", "acme.example"),
        (Text, "x" * 500, "x" * 500),
        (Text, "x", "x"),
        (Prose, "two\nlines  of\ttext\n", "two lines of text"),
        (Prose, "x" * 2000, "x" * 2000),
        (Some[Text], ["a"], ["a"]),
        (OneOrSome[Text], "a", ["a"]),
        (OneOrSome[Text], ["a", "b"], ["a", "b"]),
        (Name, "dormant-members", "dormant-members"),
        (AccountId, "712020:4f", "712020:4f"),
        (SiteUrl, "https://acme.atlassian.net", "https://acme.atlassian.net"),
        (SiteUrl, "https://acme.atlassian.net/", "https://acme.atlassian.net"),
        (SiteUrl, "https://acme.example:1", "https://acme.example:1"),
        (ApiUrl, "http://localhost:8080/admin/", "http://localhost:8080/admin"),
        (ApiUrl, "http://127.0.0.1", "http://127.0.0.1"),
        (ApiUrl, "http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_field_takes_what_it_can_mean_exactly(kind: Kind, text: object, value: object) -> None:
    assert taken(kind, text) == value


UNIT = "must be whole days or weeks, at least 1: for example 90d or 13w"
DAY_FORM = "must be a day such as 2027-03-01"
URL = "must be a URL such as https://example.atlassian.net"
ZONE = "must be a time zone such as Europe/Oslo or UTC"


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Days, 1, "needs a unit: write 1d"),
        (Days, 3650, "needs a unit: write 3650d"),
        (Days, 0, "must be a time such as 90d"),
        (Days, 3651, "must be a time such as 90d"),
        (Days, True, "must be a time such as 90d"),
        (Days, [], "must be a time such as 90d"),
        (Days, 1.5, "must be whole and have a unit: for example 90d"),
        (Days, "3651d", "must be at most 3650d"),
        (Days, "522w", "must be at most 3650d"),
        (Days, "0d", UNIT),
        (Days, "0 days", UNIT),
        (Days, "12345 days", UNIT),
        (Days, "90 bananas", UNIT),
        (Days, "1 day", "must be written without a space, in lower case: 1d"),
        (Days, "2 Weeks", "must be written without a space, in lower case: 2w"),
        (Days, "2 months", "must be in days, as months differ in length: for example 60d"),
        (Days, "2M", "must be in days, as months differ in length: for example 60d"),
        (Days, "2mo", "must be in days, as months differ in length: for example 60d"),
        (Days, "2 years", "must be in days, as years differ in length: for example 730d"),
        (Days, "2h", "must be in whole days: write for example 90d"),
        (Days, "2 hours", "must be in whole days: write for example 90d"),
        (Days, "2m", "must be in whole days: write for example 90d"),
        (Days, "2 min", "must be in whole days: write for example 90d"),
        (PlanAge, 1, "needs a unit: write 1h"),
        (PlanAge, 0, "must be a time such as 72h"),
        (PlanAge, True, "must be a time such as 72h"),
        (PlanAge, 1.5, "must be whole and have a unit: for example 72h"),
        (PlanAge, "721h", "must be at most 30d: an old plan says little about the site of today"),
        (PlanAge, "31d", "must be at most 30d: an old plan says little about the site of today"),
        (PlanAge, "0h", "must be whole hours or days, at least 1: for example 72h or 3d"),
        (PlanAge, "3w", "must be whole hours or days, at least 1: for example 72h or 3d"),
        (Percent, 1, "needs a sign: write 1%"),
        (Percent, 100, "needs a sign: write 100%"),
        (Percent, 0, "must be a share such as 10%"),
        (Percent, 101, "must be a share such as 10%"),
        (Percent, True, "must be a share of whole percent, 1% to 100%"),
        (Percent, "0%", "must be a share of whole percent, 1% to 100%"),
        (Percent, "101%", "must be a share of whole percent, 1% to 100%"),
        (Percent, "10", "must be a share of whole percent, 1% to 100%"),
        (Day, "2027-02-30", "is no day of the calendar"),
        (Day, "1.3.2027", DAY_FORM),
        (Day, 20270301, DAY_FORM),
        (DeniedDays, "2026-02-30", "is no day of the calendar"),
        (DeniedDays, "2026-12-24/2026-12-23", "must not end before it begins"),
        (DeniedDays, 20261224, "must be a day or a first and a last day, such as 2026-12-15/2027-01-05"),
        (DeniedDays, "christmas", "must be a day or a first and a last day, such as 2026-12-15/2027-01-05"),
        (AllowedHours, "mon 24:00-24:00", "must be days of the week and hours, such as mon-fri 06:00-18:00"),
        (
            AllowedHours,
            "mon 06:00-06:00",
            "must end after it begins; write hours over midnight as two entries, up to 24:00 and from 00:00",
        ),
        (TimeZone, "oslo", f"{ZONE}; did you mean `Europe/Oslo`?"),
        (TimeZone, "New York", f"{ZONE}; did you mean `America/New_York`?"),
        (TimeZone, "Xyzzyplugh", ZONE),
        (Product, "Confluence", "must be confluence, any, or the key of another product such as jira-software"),
        (Product, "confluense", "is no known product; did you mean `confluence`?"),
        (GroupName, "wiki-*", "must be the name of one group; patterns with `*` and `?` cannot stand here"),
        (GroupPattern, "*?", "would mean every name; write at least one letter"),
        (Domain, "*.acme.example", "must be a domain such as example.com, without `*`"),
        (DomainPattern, "a@acme.example", "must be a domain alone, without what stands before the @"),
        (
            DomainPattern,
            "*.*.example",
            "must be a domain such as example.com, or *.example.com for its sub-domains",
        ),
        (Name, "Dormant", "must be lower-case letters, digits and `-`, at most 63 characters"),
        (
            AccountId,
            "ada@acme.example",
            "must be an account id such as 712020:4f…, not a name or an e-mail address (they change)",
        ),
        (Text, "x" * 501, "String should have at most 500 characters"),
        (Text, "", "String should have at least 1 character"),
        (Text, "  ", "must not be empty"),
        (Text, " x", "must not begin or end with a space"),
        (Text, "x ", "must not begin or end with a space"),
        (Text, "a\nb", "must be one line without invisible characters"),
        (Text, "a\u200bb", "must be one line without invisible characters"),
        (Prose, "x" * 2001, "String should have at most 2000 characters"),
        (Prose, "", "String should have at least 1 character"),
        (Prose, " \n ", "must not be empty"),
        (Some[Text], [], "List should have at least 1 item after validation, not 0"),
        (OneOrSome[Text], [], "List should have at least 1 item after validation, not 0"),
        (SiteUrl, "https://acme.atlassian.net/wiki", "must be the site's address alone, without a path such as /wiki"),
        (SiteUrl, "https://", URL),
        (SiteUrl, "https://acme.example:0", URL),
        (SiteUrl, "https://acme.example:99999", URL),
        (SiteUrl, "https://a%20b.example", URL),
        (
            SiteUrl,
            "https://me@acme.example",
            "must not hold a user or password; name environment variables under `credentials`",
        ),
        (
            SiteUrl,
            "https://:pass@acme.example",
            "must not hold a user or password; name environment variables under `credentials`",
        ),
        (SiteUrl, "https://acme.example?x=1", "must end before `?` and `#`"),
        (SiteUrl, "https://acme.example?", "must end before `?` and `#`"),
        (SiteUrl, "https://acme.example#x", "must end before `?` and `#`"),
        (SiteUrl, "https://acme.example#", "must end before `?` and `#`"),
        (SiteUrl, "http://acme.example", "must begin with https:// (http:// is allowed for this computer only)"),
        (SiteUrl, "ftp://localhost", "must begin with https:// (http:// is allowed for this computer only)"),
        (
            SiteUrl,
            "http://127.0.0.1.evil.example",
            "must begin with https:// (http:// is allowed for this computer only)",
        ),
    ],
)
def test_a_field_refuses_the_rest_and_says_what_to_write(kind: Kind, value: object, message: str) -> None:
    assert refused(kind, value) == message

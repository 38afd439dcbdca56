"""The shape of PolicyTest documents: invented people, a day, and what the policies should do with them.

Field docstrings are what the JSON Schema tells an editor.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from cleanup_gitops.policy.documents import AdminRole
from cleanup_gitops.policy.fields import (
    AccountId,
    Day,
    Domain,
    GroupName,
    Name,
    Product,
    Prose,
    Some,
    Text,
    day_of,
    wrong,
)
from cleanup_gitops.policy.shape import Shape, some_key


def _told(value: object) -> object:
    if isinstance(value, bool) or value == "unknown":
        return value
    raise wrong("must be true, false or unknown")


Told = Annotated[bool | str, BeforeValidator(_told), WithJsonSchema({"enum": [True, False, "unknown"]})]
"""A fact that a site may not tell."""


def _day_or(*words: str) -> tuple[BeforeValidator, PlainSerializer, WithJsonSchema]:
    """A day, or one of these words."""

    def read(value: object) -> object:
        if isinstance(value, str) and value in words:
            return value
        try:
            return day_of(value)
        except PydanticCustomError:
            named = " or ".join(f"`{one}`" for one in words)
            raise wrong(f"must be a day such as 2026-05-01, or {named}") from None

    schema = {"anyOf": [{"type": "string", "format": "date"}, {"enum": list(words)}]}
    return BeforeValidator(read), PlainSerializer(str, return_type=str), WithJsonSchema(schema)


Sighting = Annotated[date | str, *_day_or("never", "unknown")]
"""The day (UTC) of the last use, `never`, or `unknown`."""
Added = Annotated[date | str, *_day_or("unknown")]


class PolicyTestMetadata(Shape):
    """Name and purpose of a test."""

    name: Name
    """Unique among tests."""
    owner: Text | None = None
    """A team's address or handle, never a Confluence user."""
    why: Prose | None = None
    """What the test is to show."""


class GroupFacts(Shape):
    """A group of the invented site."""

    name: GroupName
    """Its name."""
    license: Literal["seat", "guest", "none"] = "none"
    """Class of the license in Confluence that its members have."""
    products: Some[Product] | None = None
    """Keys of other products that it gives, such as `jira-software`."""
    modifiable: bool = True
    """Whether memberships can be changed here; `false`: an identity provider fills it."""
    admin: bool = False
    """Whether its members are administrators."""


class AttributeFacts(Shape):
    """What the directory holds of a user."""

    model_config = ConfigDict(json_schema_extra=some_key)

    department: Text | None = None
    """Text of the attribute."""
    job_title: Text | None = None
    """Text of the attribute."""
    location: Text | None = None
    """Text of the attribute."""
    organization: Text | None = None
    """Text of the attribute."""


class Standing(Shape):
    """Where a user stands in a policy with stages: one stage that was entered."""

    policy: Name
    """The policy."""
    stage: Name
    """The stage."""
    entered: Day
    """The day (UTC) on which a run entered it."""
    done: Day | None = None
    """The day (UTC) on which all of it was seen to be done; not done if left out."""


class UserFacts(Shape):
    """What the invented site tells of a user. What is left out is usual: an active, managed person without a seat."""

    id: AccountId
    """How the test calls the user."""
    seat: bool | None = None
    """Whether the user occupies a paid seat: by a role given directly, unless one of the groups gives it."""
    license: Literal["seat", "guest", "none", "unknown"] | None = None
    """Class of the license; excludes `seat`."""
    seen: Sighting | None = None
    """Day of the last use of Confluence, `never`, or `unknown`; the day of the test if left out."""
    elsewhere: Annotated[dict[Product, Sighting], Field(json_schema_extra={"additionalProperties": False})] | None = (
        None
    )
    """The same for other products, by their keys."""
    status: Literal["active", "suspended", "deactivated", "deleting", "absent", "unknown"] | None = None
    """Status of the account."""
    status_since: Day | None = None
    """Since when the status has been what it is; not told if left out."""
    added: Added | None = None
    """The day on which the account was added; three years before the test if left out."""
    kind: Literal["person", "service", "app", "customer", "unknown"] | None = None
    """Type of the account."""
    groups: list[GroupName] | None = None
    """Groups that the user is in."""
    roles: Some[AdminRole] | None = None
    """Administrative roles."""
    managed: Told | None = None
    """Whether the organization manages the account."""
    synced: Told | None = None
    """Whether an identity provider syncs the account; then its status is changed there."""
    external: Told | None = None
    """Whether the account belongs to somebody outside; by `domain` and the Site's own domains if left out."""
    domain: Domain | None = None
    """E-mail domain; an internal one of the Site if left out."""
    email: Literal["present", "absent"] | None = None
    """`absent` where the site shows no e-mail address, and so no domain."""
    name: Text | None = None
    """Display name, for policies that ask for it. Invent one."""
    attributes: AttributeFacts | None = None
    """What the directory holds of the user."""
    accepted: bool | None = None
    """`false` for somebody who was invited and never came."""
    api_tokens: int | None = Field(default=None, ge=0, le=20)
    """Number of API tokens; none if left out."""
    listed_in: Some[Text] | None = None
    """Rosters in which the last day of the user is over, and lists (by variable or path) that name the user."""
    begins_in: Some[Name] | None = None
    """Rosters in which the first day of the user is that of the test."""
    directory: GroupName | None = None
    """Id or name of the directory, for policies that ask for it."""
    stages: list[Standing] | None = Field(default=None, min_length=1)
    """Stages of policies that earlier runs have entered, in order."""


class GroupsExpected(Shape):
    """Memberships that change."""

    model_config = ConfigDict(json_schema_extra=some_key)

    present: Some[GroupName] | None = None
    """Groups that the user is added to."""
    absent: Some[GroupName] | None = None
    """Groups that the user leaves."""


WISHES = ("status", "product_access", "groups", "api_tokens", "notify")
"""Keys of an expectation that name changes."""


def _some_wish(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": [name]} for name in WISHES]


class Expected(Shape):
    """Changes of one user, in the words of `ensure`."""

    model_config = ConfigDict(json_schema_extra=_some_wish)

    user: AccountId
    """The user, as `users` calls them."""
    status: Literal["active", "disabled", "suspended", "deactivated", "removed", "deleted"] | None = None
    """The status that the account gets; `disabled` and `suspended` are one."""
    product_access: Literal["absent"] | None = None
    """`absent`: ways to a license in Confluence end."""
    groups: GroupsExpected | None = None
    """Memberships that begin or end."""
    api_tokens: Literal["revoked"] | None = None
    """`revoked`: API tokens end."""
    notify: Name | None = None
    """Template of a notice that is sent."""
    because: Name | None = None
    """Policy, Roster or Groups document that must be a cause of these changes."""
    stage: Name | None = None
    """Stage of that policy."""
    is_: Literal["changed", "handed_off", "pending"] = Field(default="changed", alias="is")
    """`changed`: a run makes the changes. `handed_off`: only somebody else can. `pending`: they wait."""


def _or_name(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"type": "string", "pattern": r"^[^\s@/*?]{1,128}$"}, {"type": "object"}]
    del schema["type"]


class Untouched(Shape):
    """Somebody for whom nothing changes: the user alone, or with what becomes of them instead."""

    model_config = ConfigDict(json_schema_extra=_or_name)

    user: AccountId
    """The user, as `users` calls them."""
    is_: Literal["protected", "exempt", "conflict", "handed_off", "pending", "unknown", "unchanged"] | None = Field(
        default=None, alias="is"
    )
    """What becomes of the user, as plans call it."""
    because: Text | None = None
    """The reason code of the plan, or a policy that is concerned."""


def _or_user(value: object) -> object:
    return {"user": value} if isinstance(value, str) else value


UntouchedEntry = Annotated[Untouched, BeforeValidator(_or_user)]


class DayFacts(Shape):
    """A later day: what has changed by itself since the day before, and what should happen."""

    as_of: Day
    """The day (UTC); later than the one before."""
    users: list[UserFacts] | None = Field(default=None, min_length=1)
    """What has changed: for each user only the facts that are others now."""
    expect: list[Expected] | None = Field(default=None, min_length=1)
    """Changes that the policies must make."""
    untouched: list[UntouchedEntry] | None = Field(default=None, min_length=1)
    """Users for whom nothing may change."""


class PolicyTestSpec(Shape):
    """Invented people on one day, and what must happen to them, and nothing else."""

    as_of: Day
    """The day (UTC) for which ages are counted: a test means the same on every day that it runs."""
    users: list[UserFacts] = Field(min_length=1)
    """The people of the invented site."""
    groups: list[GroupFacts] | None = Field(default=None, min_length=1)
    """Groups that are not as usual. Groups that policies or users name are there in any case."""
    expect: list[Expected] | None = Field(default=None, min_length=1)
    """Changes that the policies must make; any other change of a user fails the test."""
    untouched: list[UntouchedEntry] | None = Field(default=None, min_length=1)
    """Users for whom nothing may change."""
    then: list[DayFacts] | None = Field(default=None, min_length=1)
    """Later days, each after the plan of the day before was carried out as a whole."""

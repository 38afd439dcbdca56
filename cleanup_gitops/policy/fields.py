"""Types of single fields in policy documents: what is accepted, and a message that says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from cleanup_gitops.policy.patterns import is_glob, normal_domain
from cleanup_gitops.policy.problems import did_you_mean
from cleanup_gitops.policy.timing import WEEKDAYS, wrong_cron
from cleanup_gitops.policy.yaml_values import Map, Seq, Trap

MAX_DAYS = 3650
_DURATION = re.compile(r"([1-9][0-9]{0,5})([a-z]+)")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ACCOUNT = re.compile(r"[^\s@/*?]{1,128}")
_ENV = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_PRODUCT = re.compile(r"[a-z][a-z0-9-]{0,63}")
_BRANCH = re.compile(r"(?!refs/|.*(\.\.|//|/\.|\.lock(/|$)))[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}(?<![./])")
_REMOTE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def wrong(message: str) -> PydanticCustomError:
    """An error whose text is final."""
    return PydanticCustomError("policy", "{text}", {"text": message})


def _text(value: str) -> str:
    if not value.strip():
        raise wrong("must not be empty")
    if value != value.strip():
        raise wrong("must not begin or end with a space")
    if not value.isprintable():
        raise wrong("must be one line without invisible characters")
    return value


def _prose(value: str) -> str:
    """Text for people: lines are joined, as a folded block in YAML leaves one line end."""
    return _text(" ".join(value.split())) if value.strip() else _text(value)


def _fits(pattern: re.Pattern[str], message: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise wrong(message)
        return value

    return check


def _group(value: str) -> str:
    if is_glob(value):
        raise wrong("must be the name of one group; patterns with `*` and `?` cannot stand here")
    return value


def _glob(value: str) -> str:
    if not value.strip("*?"):
        raise wrong("would mean every name; write at least one letter")
    return value


def _domain(value: str) -> str:
    bare = value.removeprefix("*.")
    if "@" in value:
        raise wrong("must be a domain alone, without what stands before the @")
    normal = normal_domain(bare)
    if normal is None:
        raise wrong("must be a domain such as example.com, or *.example.com for its sub-domains")
    return "*." + normal if value != bare else normal


def _exact_domain(value: str) -> str:
    if value.startswith("*."):
        raise wrong("must be a domain such as example.com, without `*`")
    return _domain(value)


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or port == 0 or not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
        raise wrong("must be a URL such as https://example.atlassian.net")
    if parts.username is not None or parts.password is not None:
        raise wrong("must not hold a user or password; name environment variables under `credentials`")
    if parts.query or parts.fragment or "?" in value or "#" in value:
        raise wrong("must end before `?` and `#`")
    local = host in ("localhost", "::1") or re.fullmatch(r"127(\.[0-9]{1,3}){3}", host)
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise wrong("must begin with https:// (http:// is allowed for this computer only)")
    return value.rstrip("/")


def _site_url(value: str) -> str:
    found = _url(value)
    if urlsplit(found).path:
        raise wrong("must be the site's address alone, without a path such as /wiki")
    return found


def _days(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong(f"needs a unit: write {value}d" if 0 < value <= MAX_DAYS else "must be a time such as 90d")
    if not isinstance(value, str):
        return _time_in_words(value, "90d")
    parts = _DURATION.fullmatch(value)
    if parts and parts[2] in ("d", "w"):
        days = int(parts[1]) * (7 if parts[2] == "w" else 1)
        if days > MAX_DAYS:
            raise wrong(f"must be at most {MAX_DAYS}d")
        return days
    raise wrong(_unit_hint(value))


def _unit_hint(value: str) -> str:
    word = re.fullmatch(r"([0-9]{1,4})\s*([A-Za-z]+)", value)
    if word and int(word[1]) > 0:
        unit, number = word[2].lower(), int(word[1])
        if unit.startswith("mo") or word[2] == "M":
            return f"must be in days, as months differ in length: for example {number * 30}d"
        if unit.startswith("y"):
            return f"must be in days, as years differ in length: for example {number * 365}d"
        if unit.startswith("h") or unit in ("m", "min", "minutes", "s", "seconds"):
            return "must be in whole days: write for example 90d"
        if unit in ("d", "day", "days"):
            return f"must be written without a space, in lower case: {number}d"
        if unit in ("w", "week", "weeks"):
            return f"must be written without a space, in lower case: {number}w"
    return "must be whole days or weeks, at least 1: for example 90d or 13w"


def _hours_up_to(reason: str) -> Callable[[object], object]:
    """Hours as a number. ``reason`` says why there are no more than 30 days."""

    def check(value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            raise wrong(f"needs a unit: write {value}h" if value > 0 else "must be a time such as 72h")
        if not isinstance(value, str):
            return _time_in_words(value, "72h")
        parts = _DURATION.fullmatch(value)
        if not parts or parts[2] not in ("h", "d"):
            raise wrong("must be whole hours or days, at least 1: for example 72h or 3d")
        hours = int(parts[1]) * (24 if parts[2] == "d" else 1)
        if hours > 720:
            raise wrong(f"must be at most 30d: {reason}")
        return hours

    return check


def _percent(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong(f"needs a sign: write {value}%" if 1 <= value <= 100 else "must be a share such as 10%")
    parts = re.fullmatch(r"([1-9][0-9]?|100)%", value) if isinstance(value, str) else None
    if not parts:
        raise wrong("must be a share of whole percent, 1% to 100%")
    return int(parts[1])


def _time_in_words(value: object, example: str) -> object:
    if isinstance(value, float):
        raise wrong(f"must be whole and have a unit: for example {example}")
    raise wrong(f"must be a time such as {example}")


def day_of(value: object) -> object:
    """A day as written, or as YAML has read it. Raises for what is none."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise wrong("is no day of the calendar") from None
    raise wrong("must be a day such as 2027-03-01")


def _zone(value: str) -> str:
    known = available_timezones()
    if value not in known:
        city = f"/{value.strip().replace(' ', '_')}".casefold()
        meant = min((one for one in known if one.casefold().endswith(city)), default="")
        hint = f"; did you mean `{meant}`?" if meant else did_you_mean(value, known)
        raise wrong(f"must be a time zone such as Europe/Oslo or UTC{hint}")
    return value


def _cron(value: str) -> str:
    if problem := wrong_cron(value):
        raise wrong(problem)
    return value


def _days_denied(value: object) -> object:
    parts = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:/([0-9]{4}-[0-9]{2}-[0-9]{2}))?", str(value))
    if not isinstance(value, str | date) or not parts:
        raise wrong("must be a day or a first and a last day, such as 2026-12-15/2027-01-05")
    try:
        first, last = date.fromisoformat(parts[1]), date.fromisoformat(parts[2] or parts[1])
    except ValueError:
        raise wrong("is no day of the calendar") from None
    if last < first:
        raise wrong("must not end before it begins")
    return f"{first.isoformat()}/{last.isoformat()}"


def _hours_allowed(value: str) -> str:
    found = HOURS.fullmatch(value)
    if not found:
        raise wrong("must be days of the week and hours, such as mon-fri 06:00-18:00")
    if found[3] >= found[4]:
        raise wrong("must end after it begins; write hours over midnight as two entries, up to 24:00 and from 00:00")
    return value


def _product(value: str) -> str:
    if not _PRODUCT.fullmatch(value):
        raise wrong("must be confluence, any, or the key of another product such as jira-software")
    if value not in ("confluence", "any"):
        hint = did_you_mean(value, ("confluence", "any"))
        if "did you mean" in hint:
            raise wrong("is no known product" + hint)
    return value


def _as_list(value: object) -> object:
    return value if isinstance(value, Seq | Map | Trap | list) else [value]


T = TypeVar("T")


def _schema(**keywords: Any) -> WithJsonSchema:  # noqa: ANN401 - JSON Schema keywords
    return WithJsonSchema(keywords)


_name_rule = "must be lower-case letters, digits and `-`, at most 63 characters"
_line = {"type": "string", "minLength": 1, "maxLength": 500}
Text = Annotated[
    str, Field(min_length=1, max_length=500), AfterValidator(_text), _schema(**_line, pattern=r"^\S(.*\S)?$")
]
Prose = Annotated[
    str, Field(min_length=1, max_length=2000), AfterValidator(_prose), _schema(type="string", minLength=1)
]
Name = Annotated[str, AfterValidator(_fits(_NAME, _name_rule)), _schema(type="string", pattern=f"^{_NAME.pattern}$")]
SitePattern = Annotated[
    str,
    AfterValidator(_fits(re.compile(r"[a-z0-9*?-]{1,63}"), "must be the name of a Site, or a glob")),
    _schema(type="string", pattern="^[a-z0-9*?-]{1,63}$"),
]
AccountId = Annotated[
    str,
    AfterValidator(
        _fits(_ACCOUNT, "must be an account id such as 712020:4f…, not a name or an e-mail address (they change)")
    ),
    _schema(type="string", pattern=r"^[^\s@/*?]{1,128}$"),
]
GroupName = Annotated[Text, AfterValidator(_group), _schema(**_line, pattern=r"^[^*?]+$")]
GroupPattern = Annotated[Text, AfterValidator(_glob), _schema(**_line, pattern=r"[^*?]")]
Domain = Annotated[Text, AfterValidator(_exact_domain), _schema(**_line, pattern=r"^[^*@]+\.[^*@]+$")]
DomainPattern = Annotated[Text, AfterValidator(_domain), _schema(**_line, pattern=r"^(\*\.)?[^*@]+\.[^*@]+$")]
PlainId = Annotated[
    str,
    AfterValidator(_fits(_PLAIN_ID, "must be an id of letters, digits, `-` and `_`")),
    _schema(type="string", pattern="^[A-Za-z0-9_-]{1,64}$"),
]
BranchName = Annotated[
    str,
    AfterValidator(_fits(_BRANCH, "must be the name of a branch, such as `state`, without `refs/heads/` before it")),
    _schema(type="string", pattern="^[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}$"),
]
RemoteName = Annotated[
    str,
    AfterValidator(_fits(_REMOTE, "must be the name of a remote, such as `origin`, or `none`; never its address")),
    _schema(type="string", pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"),
]
EnvName = Annotated[
    str,
    AfterValidator(_fits(_ENV, "must be the name of an environment variable in capitals, never the secret itself")),
    _schema(type="string", pattern="^[A-Z_][A-Z0-9_]{0,63}$"),
]
SiteUrl = Annotated[str, AfterValidator(_site_url), _schema(type="string", format="uri")]
ApiUrl = Annotated[str, AfterValidator(_url), _schema(type="string", format="uri")]
Product = Annotated[str, AfterValidator(_product), _schema(type="string", pattern="^[a-z][a-z0-9-]{0,63}$")]
_day_pattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
HOURS = re.compile(
    rf"({'|'.join(WEEKDAYS)})(?:-({'|'.join(WEEKDAYS)}))?"
    r" ((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
)
"""Days of the week and hours: first and last day, begin and end."""
TimeZone = Annotated[str, AfterValidator(_zone), _schema(type="string", minLength=1)]
CronLine = Annotated[Text, AfterValidator(_cron), _schema(type="string", pattern=r"^\S+( +\S+){4}$")]
DeniedDays = Annotated[
    str, BeforeValidator(_days_denied), _schema(type="string", pattern=f"^{_day_pattern}(/{_day_pattern})?$")
]
AllowedHours = Annotated[
    str, AfterValidator(_hours_allowed), _schema(type="string", pattern=f"^{HOURS.pattern.replace('?:', '')}$")
]
Days = Annotated[int, BeforeValidator(_days), _schema(type="string", pattern="^[1-9][0-9]{0,5}[dw]$")]
_hours_schema = _schema(type="string", pattern="^[1-9][0-9]{0,5}[hd]$")
PlanAge = Annotated[
    int, BeforeValidator(_hours_up_to("an old plan says little about the site of today")), _hours_schema
]
Soak = Annotated[int, BeforeValidator(_hours_up_to("who has not objected by then will not")), _hours_schema]
Sla = Annotated[int, BeforeValidator(_hours_up_to("who has left should not have access for that long")), _hours_schema]
Percent = Annotated[int, BeforeValidator(_percent), _schema(type="string", pattern="^([1-9][0-9]?|100)%$")]
Day = Annotated[
    date,
    BeforeValidator(day_of),
    PlainSerializer(date.isoformat, return_type=str),
    _schema(type="string", format="date"),
]
"""``2027-03-01``, with or without quotes."""


def _one_or_list(schema: dict[str, Any]) -> None:
    several = {key: schema.pop(key) for key in tuple(schema)} | {"uniqueItems": True}
    schema["anyOf"] = [several["items"], several]


Some = Annotated[list[T], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
"""A list that is not empty (nothing in it may stand twice: see ``rules``)."""
OneOrSome = Annotated[
    list[T],
    Field(min_length=1, json_schema_extra=_one_or_list),
    BeforeValidator(_as_list),
]
"""One value, or a list as above."""

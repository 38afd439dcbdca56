"""Checked documents to the frozen values that the rest of the product works with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, assert_never

from cleanup_gitops.model.canonical import digest
from cleanup_gitops.policy.billing import License
from cleanup_gitops.policy.conditions import match_of
from cleanup_gitops.policy.documents import NOTHING_ASKED, Document, Exemption, Placed, Policy, Protection, Standing
from cleanup_gitops.policy.group_shapes import entries_of
from cleanup_gitops.policy.groups import Groups
from cleanup_gitops.policy.guard_shapes import CapSpec, CapsSpec, ReadingSpec, WindowsSpec
from cleanup_gitops.policy.guarding import Override, ReadingGuards
from cleanup_gitops.policy.guardrails import (
    DEFAULT_ALLOW,
    DEFAULT_CAPS,
    DEFAULT_FLAPS,
    DEFAULT_GRACE,
    DEFAULT_HANDOFF_SLA,
    DEFAULT_PER_DOMAIN,
    DEFAULT_PLAN_TTL,
    Cap,
    Guardrails,
)
from cleanup_gitops.policy.messages import key_of, place_of
from cleanup_gitops.policy.notice_values import notifications_of
from cleanup_gitops.policy.policytest_convert import policy_test_of
from cleanup_gitops.policy.roster_convert import roster_of
from cleanup_gitops.policy.shapes import (
    AnyDocument,
    ExemptionsDocument,
    GroupsDocument,
    GuardrailsDocument,
    NotificationsDocument,
    OverrideDocument,
    PolicyDocument,
    PolicyTestDocument,
    ProtectionDocument,
    RosterDocument,
    SiteDocument,
)
from cleanup_gitops.policy.site import (
    DEFAULT_API_URL,
    USUAL_PLACE,
    ActivityCsv,
    CredentialRef,
    Credentials,
    Site,
    StateSettings,
)
from cleanup_gitops.policy.site_shapes import Activity, Credential, LicenseSpec, State
from cleanup_gitops.policy.stages import ensure_of, stages_of
from cleanup_gitops.policy.timing import WEEKDAYS, Hours, Schedule, Windows
from cleanup_gitops.policy.yaml_values import Map


def placed(shape: AnyDocument, data: Map, file: str) -> Placed:
    """One document with its digest, which covers what it means: defaults written out or not are the same."""
    meaning = meaning_digest(shape)
    sites = None if isinstance(shape, SiteDocument) or shape.sites is None else tuple(shape.sites)
    return Placed(sites=sites, digest=meaning, says=_document(shape, data, file, meaning))


def meaning_digest(shape: AnyDocument) -> str:
    """Digest of what one document means.

    A choice that is as if nothing was written is left out: so digests stay what they were before there was a choice.
    """
    meaning: dict[str, Any] = shape.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(shape, PolicyDocument):
        spec = meaning["spec"]
        meaning["spec"] = {key: value for key, value in spec.items() if key not in _USUAL or value != _USUAL[key]}
    return digest(meaning)


_USUAL = {"approval": "plan", "class": "routine", "mode": "enforce", "once": False, "priority": 0}
"""What is meant where a policy does not say."""


def _document(shape: AnyDocument, data: Map, file: str, meaning: str) -> Document:
    where = f"{file}:{data.line}"
    match shape:
        case SiteDocument():
            return _site(shape, data, file)
        case PolicyDocument():
            return _policy(shape, data, file, meaning)
        case ProtectionDocument():
            return Protection(
                name=shape.metadata.name,
                owner=shape.metadata.owner,
                accounts=tuple(shape.spec.accounts or ()),
                groups=tuple(shape.spec.groups or ()),
                roles=tuple(shape.spec.roles or ()),
                where=where,
            )
        case ExemptionsDocument():
            return _exemptions(shape, data, file)
        case GuardrailsDocument() | OverrideDocument():
            return _guardrails(shape, where) if isinstance(shape, GuardrailsDocument) else _override(shape, where)
        case RosterDocument():
            metadata = shape.metadata
            return roster_of(metadata.name, metadata.owner, shape.spec, data, file, meaning)
        case GroupsDocument():
            entries = entries_of(shape.spec, data["spec"], file)
            owner = shape.metadata.owner or ""
            return Groups(name=shape.metadata.name, owner=owner, entries=entries, where=where)
        case NotificationsDocument():
            return notifications_of(shape.metadata.name, shape.spec, data, file)
        case PolicyTestDocument():
            return policy_test_of(shape.metadata.name, shape.spec, data, file)
        case _:
            assert_never(shape)


def _site(shape: SiteDocument, data: Map, file: str) -> Site:
    spec = shape.spec
    identity = spec.identity
    return Site(
        name=shape.metadata.name,
        hosting=spec.hosting,
        url=spec.url,
        organization=spec.cloud.organization,
        directory=spec.cloud.directory,
        api_url=spec.cloud.api_url or DEFAULT_API_URL,
        credentials=Credentials(
            org_api_key=_credential(spec.credentials.org_api_key, data, file, "org_api_key"),
            user=_credential(spec.credentials.user, data, file, "user"),
            token=_credential(spec.credentials.token, data, file, "token"),
        ),
        runner_accounts=tuple(spec.runner.accounts),
        internal_domains=tuple((identity and identity.internal_domains) or ()),
        service_accounts=tuple((identity and identity.service_accounts) or ()),
        synced_users=spec.cloud.synced_users,
        sources=tuple(spec.activity.sources),
        csv=_csv(spec.activity, data, file),
        approvers=spec.approvers.env if spec.approvers else None,
        state=_state(spec.state),
        recorded_attributes=tuple(sorted(set(spec.snapshot.attributes))) if spec.snapshot else (),
        license=_license(spec.license, data, file),
        ca_bundle=spec.tls.ca_bundle if spec.tls else None,
        where_tls=f"{file}:{key_of(data, ('spec', 'tls', 'ca_bundle'))[0]}" if spec.tls else "",
        where=f"{file}:{data.line}",
    )


def _license(shape: LicenseSpec | None, data: Map, file: str) -> License | None:
    if shape is None:
        return None
    where = f"{file}:{key_of(data, ('spec', 'license'))[0]}"
    return License(shape.billing, shape.period_day or 1, shape.renews, where)


def _state(shape: State | None) -> StateSettings:
    if shape is None:
        return USUAL_PLACE
    signers = shape.allowed_signers
    return StateSettings(shape.branch, shape.remote, shape.sign, signers.env if signers else None)


def _csv(shape: Activity, data: Map, file: str) -> ActivityCsv | None:
    if shape.csv is None:
        return None
    line = key_of(data, ("spec", "activity", "csv"))[0]
    given = shape.csv
    return ActivityCsv(env=given.env, path=given.path, account=given.account, seen=given.seen, where=f"{file}:{line}")


def _credential(shape: Credential, data: Map, file: str, key: str) -> CredentialRef:
    if shape.expires is None:
        return CredentialRef(shape.env)
    line = key_of(data, ("spec", "credentials", key, "expires"))[0]
    return CredentialRef(shape.env, shape.expires, where=f"{file}:{line}")


def _policy(shape: PolicyDocument, data: Map, file: str, meaning: str) -> Policy:
    metadata, ensure = shape.metadata, shape.spec.ensure
    match = match_of(shape.spec.match)
    return Policy(
        name=metadata.name,
        owner=metadata.owner,
        why=metadata.why,
        codeowner=metadata.codeowner,
        controls=tuple(metadata.controls or ()),
        match=match,
        kinds=match.kinds,
        include_admins=shape.spec.match.include_admins,
        allow_shared_groups=bool(ensure and ensure.allow_shared_groups),
        standing=_standing(shape),
        termination=shape.spec.class_ == "termination",
        report=shape.spec.mode == "report",
        once=shape.spec.once,
        until=shape.spec.until,
        schedule=_schedule(shape, data, file),
        before_billing=shape.spec.schedule.before_billing if shape.spec.schedule else None,
        priority=shape.spec.priority,
        ensure=ensure_of(ensure, data["spec"]["ensure"], file) if ensure else NOTHING_ASKED,
        stages=stages_of(shape.spec.stages or (), data["spec"].get("stages"), file),
        where=f"{file}:{key_of(data, ('spec', 'ensure' if ensure else 'stages'))[0]}",
        digest=meaning,
    )


def _standing(shape: PolicyDocument) -> Standing | None:
    """Who leaves does not wait until somebody may have objected."""
    given = shape.spec.standing
    if given is None:
        return None
    hours = 0 if shape.spec.class_ == "termination" else given.after
    return Standing(given.max_per_day, timedelta(hours=hours))


def _schedule(shape: PolicyDocument, data: Map, file: str) -> Schedule | None:
    given = shape.spec.schedule
    if given is None or given.cron is None or given.time_zone is None:
        return None
    where = f"{file}:{key_of(data, ('spec', 'schedule'))[0]}"
    return Schedule(tuple(given.cron), given.time_zone, where=where)


def _exemptions(shape: ExemptionsDocument, data: Map, file: str) -> tuple[Exemption, ...]:
    return tuple(
        Exemption(
            account=entry.account,
            reason=entry.reason,
            owner=entry.owner or shape.metadata.owner,
            until=entry.until,
            ticket=entry.ticket,
            document=shape.metadata.name,
            where=f"{file}:{place_of(data, ('spec', index))[0]}",
        )
        for index, entry in enumerate(shape.spec)
    )


def _guardrails(shape: GuardrailsDocument, where: str) -> Guardrails:
    spec = shape.spec
    share = spec.caps and spec.caps.per_domain
    return Guardrails(
        caps=_caps(spec.caps),
        allow=DEFAULT_ALLOW if spec.allow is None else frozenset(spec.allow),
        plan_ttl=DEFAULT_PLAN_TTL if spec.plan_ttl is None else timedelta(hours=spec.plan_ttl),
        per_domain=share.percent if share else DEFAULT_PER_DOMAIN,
        min_admins=1 if spec.min_admins is None else spec.min_admins,
        grace=DEFAULT_GRACE if spec.grace is None else spec.grace,
        handoff_sla=DEFAULT_HANDOFF_SLA if spec.handoff_sla is None else spec.handoff_sla,
        flapping_after=spec.flapping.after if spec.flapping else DEFAULT_FLAPS,
        reading=_reading(spec.reading),
        windows=_windows(spec.windows) if spec.windows else None,
        name=shape.metadata.name,
        where=where,
    )


def _windows(shape: WindowsSpec) -> Windows:
    denied = [tuple(map(date.fromisoformat, one.split("/"))) for one in shape.deny or ()]
    return Windows(
        time_zone=shape.time_zone,
        deny=tuple((first, last) for first, last in denied),
        allow=tuple(_hours(one) for one in shape.allow or ()),
    )


def _hours(text: str) -> Hours:
    """``fri-mon`` are the days from Friday on to Monday."""
    named, _, hours = text.partition(" ")
    days_named = [WEEKDAYS.index(one) for one in named.split("-")]
    first, last = days_named[0], days_named[-1]
    days = frozenset((first + number) % 7 for number in range((last - first) % 7 + 1))
    begin, end = (int(one[:2]) * 60 + int(one[3:]) for one in hours.split("-"))
    return Hours(days, begin, end)


def _caps(shape: CapsSpec | None) -> dict[str, Cap]:
    caps = dict(DEFAULT_CAPS)
    for name, field in CapsSpec.model_fields.items():
        given: object = getattr(shape, name, None)
        if isinstance(given, CapSpec):
            action = field.alias or name
            percent = caps[action].percent if given.percent is None else given.percent
            caps[action] = Cap(given.max, percent)
    return caps


def _reading(shape: ReadingSpec | None) -> ReadingGuards:
    usual = ReadingGuards()
    if shape is None:
        return usual
    canaries = shape.canaries
    return ReadingGuards(
        max_drop=usual.max_drop if shape.max_drop is None else shape.max_drop,
        min_known=usual.min_known if shape.min_known_activity is None else shape.min_known_activity,
        canary_accounts=tuple((canaries and canaries.accounts) or ()),
        canary_groups=tuple((canaries and canaries.groups) or ()),
    )


def _override(shape: OverrideDocument, where: str) -> Override:
    spec = shape.spec
    return Override(
        name=shape.metadata.name,
        owner=shape.metadata.owner or "",
        guard=spec.guard,
        policy=spec.policy,
        max=spec.max,
        until=spec.until,
        reason=spec.reason,
        ticket=spec.ticket,
        where=where,
    )

"""Checked documents to the frozen values that the rest of the product works with."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from cleanup_gitops.model.canonical import digest
from cleanup_gitops.policy.documents import (
    DEFAULT_API_URL,
    DEFAULT_CAPS,
    DEFAULT_PLAN_TTL,
    Cap,
    CredentialRef,
    Credentials,
    Document,
    Ensure,
    Exemption,
    Guardrails,
    Placed,
    Policy,
    Protection,
    Site,
)
from cleanup_gitops.policy.messages import key_of, place_of
from cleanup_gitops.policy.shapes import (
    AnyDocument,
    CapsSpec,
    Condition,
    Credential,
    ExemptionsDocument,
    GuardrailsDocument,
    MatchSpec,
    PolicyDocument,
    ProtectionDocument,
    SiteDocument,
)
from cleanup_gitops.policy.tree import (
    EmailDomain,
    HasSeat,
    InactiveFor,
    InGroup,
    KindIs,
    Match,
    NeverActiveFor,
    Node,
)
from cleanup_gitops.policy.yaml_values import Map


def placed(shape: AnyDocument, data: Map, file: str) -> Placed:
    """One document with its digest, which covers what it means: defaults written out or not are the same."""
    meaning = shape.model_dump(mode="json", by_alias=True, exclude_none=True)
    sites = None if isinstance(shape, SiteDocument) or shape.sites is None else tuple(shape.sites)
    return Placed(sites=sites, digest=digest(meaning), says=_document(shape, data, file))


def _document(shape: AnyDocument, data: Map, file: str) -> Document:
    where = f"{file}:{data.line}"
    match shape:
        case SiteDocument():
            return _site(shape, data, file)
        case PolicyDocument():
            return _policy(shape, data, file)
        case ProtectionDocument():
            return Protection(
                name=shape.metadata.name,
                owner=shape.metadata.owner,
                accounts=tuple(shape.spec.accounts or ()),
                groups=tuple(shape.spec.groups or ()),
                where=where,
            )
        case ExemptionsDocument():
            return _exemptions(shape, data, file)
        case GuardrailsDocument():
            hours = shape.spec.plan_ttl
            return Guardrails(
                caps=_caps(shape.spec.caps),
                plan_ttl=DEFAULT_PLAN_TTL if hours is None else timedelta(hours=hours),
                name=shape.metadata.name,
                where=where,
            )
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
        where=f"{file}:{data.line}",
    )


def _credential(shape: Credential, data: Map, file: str, key: str) -> CredentialRef:
    if shape.expires is None:
        return CredentialRef(shape.env)
    line = key_of(data, ("spec", "credentials", key, "expires"))[0]
    return CredentialRef(shape.env, shape.expires, where=f"{file}:{line}")


def _policy(shape: PolicyDocument, data: Map, file: str) -> Policy:
    metadata, ensure = shape.metadata, shape.spec.ensure
    match = match_of(shape.spec.match)
    groups = ensure.groups
    return Policy(
        name=metadata.name,
        owner=metadata.owner,
        why=metadata.why,
        codeowner=metadata.codeowner,
        controls=tuple(metadata.controls or ()),
        match=match,
        kinds=match.kinds,
        include_admins=shape.spec.match.include_admins,
        ensure=Ensure(
            status=ensure.status,
            groups_present=_names(groups.present if groups else None),
            groups_absent=_names(groups.absent if groups else None),
            groups_exactly=_names(groups.exactly if groups else None),
            where_groups=f"{file}:{key_of(data, ('spec', 'ensure', 'groups'))[0]}" if groups else "",
        ),
        where=f"{file}:{key_of(data, ('spec', 'ensure'))[0]}",
    )


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def match_of(shape: MatchSpec | Condition) -> Match:
    """The tree of conditions of a `match`, or of one nested tree."""
    return Match(
        all=tuple(map(_node, shape.all or ())),
        any=tuple(map(_node, shape.any or ())),
        none=tuple(map(_node, shape.none or ())),
    )


def _node(shape: Condition) -> Node:
    if shape.has_seat is not None:
        return HasSeat(shape.has_seat)
    if shape.inactive_for is not None:
        return InactiveFor(shape.inactive_for.for_, shape.inactive_for.product)
    if shape.never_active_for is not None:
        return NeverActiveFor(shape.never_active_for)
    if shape.in_group is not None:
        return InGroup(tuple(shape.in_group))
    if shape.kind is not None:
        return KindIs(tuple(shape.kind))
    if shape.email_domain is not None:
        return EmailDomain(tuple(shape.email_domain))
    return match_of(shape)


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


def _caps(shape: CapsSpec | None) -> dict[str, Cap]:
    caps = dict(DEFAULT_CAPS)
    if shape:
        given = {
            "user.disable": shape.user_disable,
            "membership.remove": shape.membership_remove,
            "user.enable": shape.user_enable,
            "membership.add": shape.membership_add,
            "total": shape.total,
        }
        for name, cap in given.items():
            if cap is not None:
                percent = caps[name].percent if cap.percent is None else cap.percent
                caps[name] = Cap(cap.max, percent)
    return caps

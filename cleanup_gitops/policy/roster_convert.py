"""Checked Roster documents to values, with the policy that ends the access of people who left."""

from __future__ import annotations

from datetime import timedelta

from cleanup_gitops.policy.documents import Ensure, Policy, Stage, Standing
from cleanup_gitops.policy.messages import key_of
from cleanup_gitops.policy.roster import DEFAULT_PER_DAY, WELCOME, Joiners, Leavers, Roster, Source, welcome_of
from cleanup_gitops.policy.roster_shapes import RosterSource, RosterSpec
from cleanup_gitops.policy.stages import ensure_of
from cleanup_gitops.policy.tree import Begins, HasLeft, Match
from cleanup_gitops.policy.yaml_values import Map


def roster_of(name: str, owner: str, spec: RosterSpec, data: Map, file: str, digest: str) -> Roster:
    """One Roster; ``data`` is the document that it was read from, ``digest`` that of what it means."""
    standing = None
    if spec.approval == "standing":
        standing = Standing(spec.standing.max_per_day if spec.standing else DEFAULT_PER_DAY, timedelta())
    leavers = None
    if spec.leavers:
        ensure = ensure_of(spec.leavers.ensure, data["spec"]["leavers"]["ensure"], file)
        leavers = Leavers(ensure, timedelta(hours=spec.leavers.sla))
    joiners = None
    if spec.joiners:
        given = spec.joiners
        where = f"{file}:{key_of(data, ('spec', 'joiners'))[0]}"
        joiners = Joiners(tuple(given.groups), given.role, where, given.notify)
    return Roster(
        name=name,
        owner=owner,
        source=_source(spec.source),
        standing=standing,
        leavers=leavers,
        joiners=joiners,
        policy=_policy(name, owner, spec, leavers, standing, data, file, digest) if leavers else None,
        joining=_joining(name, owner, joiners, standing, digest) if joiners else None,
        welcome=_welcome(name, owner, joiners, standing, digest) if joiners and joiners.notify else None,
        where=f"{file}:{data.line}",
        digest=digest,
    )


def _joining(name: str, owner: str, joiners: Joiners, standing: Standing | None, digest: str) -> Policy:
    """What the Roster asks of accounts of people who begin, as a policy of its name."""
    return Policy(
        name=name,
        owner=owner,
        why="Who begins is given what everybody here has.",
        match=Match(all=(Begins(name),)),
        ensure=Ensure(groups_present=joiners.groups, where_groups=joiners.where),
        standing=standing,
        where=joiners.where,
        digest=digest,
    )


def _welcome(name: str, owner: str, joiners: Joiners, standing: Standing | None, digest: str) -> Policy:
    """What people who begin are told once they have an account, as a policy of its own name."""
    return Policy(
        name=welcome_of(name),
        owner=owner,
        why="Who begins is told what there is.",
        match=Match(all=(Begins(name),)),
        stages=(Stage(name=WELCOME, notify=joiners.notify, where=joiners.where),),
        standing=standing,
        where=joiners.where,
        digest=digest,
    )


def _source(given: RosterSource) -> Source:
    return Source(
        columns={key: getattr(given.columns, key) or "" for key in ("account", "email", "starts", "ends")},
        time_zone=given.time_zone,
        env=given.env,
        path=given.path,
        encoding=given.encoding,
        separator=given.separator,
        days=given.days,
    )


def _policy(
    name: str,
    owner: str,
    spec: RosterSpec,
    leavers: Leavers,
    standing: Standing | None,
    data: Map,
    file: str,
    digest: str,
) -> Policy:
    """What the Roster asks of people who left, as a policy of its name."""
    return Policy(
        name=name,
        owner=owner,
        why="Who has left the company has no access any more.",
        match=Match(all=(HasLeft(name, leavers.sla),)),
        ensure=leavers.ensure,
        allow_shared_groups=bool(spec.leavers and spec.leavers.ensure.allow_shared_groups),
        standing=standing,
        termination=True,
        where=f"{file}:{key_of(data, ('spec', 'leavers', 'ensure'))[0]}",
        digest=digest,
    )

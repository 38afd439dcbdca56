"""The plan file: written once, read by people, checked before anything is done with it.

Besides the plan it shows, for every change, the managed fields before and after and the change's digest, and at the
top level ``file_digest`` over everything else in the file. A reader computes all of them again: a file in which
anything was altered is refused, with the place where it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cleanup_gitops.ledger.chain import HINT, UNREADABLE
from cleanup_gitops.model.canonical import canonical, digest, manifest_digest, sha256
from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    NoticeSend,
    RoleRevoke,
    TokenRevoke,
    UserInvite,
    is_invite_address,
    membership_address,
    role_address,
    stage_address,
    token_address,
    user_address,
)
from cleanup_gitops.model.errors import ApprovalError, StateError
from cleanup_gitops.model.plan import (
    FORMAT_VERSION,
    Disposition,
    Plan,
    Summary,
    envelope_digest,
    summarize,
)

_HINT = "Make a new plan and have that one approved."
_INDENT = b"  "
_LEFT_OUT = frozenset({"pending", "rollback", "lifecycle", "adoption", "unmatched"})
"""Keys that a plan without any such thing does not have."""


def plan_bytes(plan: Plan) -> bytes:
    """The plan as indented JSON with sorted keys and one line for each user's disposition, ended by LF."""
    return _written(plan, plan.dispositions)


def kept_plan_bytes(plan: Plan) -> bytes:
    """The plan as it is recorded: without the dispositions of users who are unchanged, which are only counted."""
    return _written(plan, {user: one for user, one in plan.dispositions.items() if one.state != "unchanged"})


def _written(plan: Plan, dispositions: Mapping[str, Disposition]) -> bytes:
    """A plan with these dispositions. Every value is encoded once, for the file and for its digest."""
    changes: list[dict[str, Any]] = msgspec.to_builtins(plan.changes)
    for shown, change, known in zip(changes, plan.changes, plan.manifest, strict=True):
        shown |= {"before": change.before, "after": change.after, "digest": known}
    values = msgspec.structs.asdict(plan)
    del values["dispositions"]
    values = {name: value for name, value in values.items() if value or name not in _LEFT_OUT}
    encoded = {name: canonical(value) for name, value in (values | {"changes": changes}).items()}
    rows = [(canonical(user), canonical(row)) for user, row in sorted(dispositions.items())]
    whole = encoded | {"dispositions": b"{" + b",".join([user + b":" + row for user, row in rows]) + b"}"}
    inner = b",".join([canonical(name) + b":" + value for name, value in sorted(whole.items())])
    encoded["file_digest"] = canonical(sha256(b"{" + inner + b"}"))
    members = {name: _indented(value) for name, value in encoded.items()} | {"dispositions": _lines(rows)}
    texts = [_INDENT + canonical(name) + b": " + text for name, text in sorted(members.items())]
    return b"{\n" + b",\n".join(texts) + b"\n}\n"


def _indented(value: bytes) -> bytes:
    """A member of the top level. JSON strings hold no line ends, so indenting lines is safe."""
    return msgspec.json.format(value, indent=len(_INDENT)).replace(b"\n", b"\n" + _INDENT)


def _lines(rows: Sequence[tuple[bytes, bytes]]) -> bytes:
    """An object with one line for each row."""
    if not rows:
        return b"{}"
    start = _INDENT * 2
    return b"{\n" + b",\n".join([start + user + b": " + row for user, row in rows]) + b"\n" + _INDENT + b"}"


def read_plan(data: bytes) -> Plan:
    """The plan in a plan file.

    Raises ``ApprovalError`` when the file is no plan, has an unknown format, or was altered in any place.
    """
    document = _document(data)
    version = _check_version(document)
    try:
        plan = msgspec.convert(document, Plan)
    except msgspec.ValidationError as error:
        raise ApprovalError(f"The plan file does not hold a plan: {error}.", _HINT) from None
    for name, at in (("created", plan.created), ("as_of", plan.as_of)):
        if at.tzinfo is None:
            raise ApprovalError(f"The plan file does not hold a plan: {name} has no time zone.", _HINT)
    ours = plan_bytes(plan)
    _check_rows(document, plan)
    _check_digests(plan)
    if version == FORMAT_VERSION and data == ours:  # which leaves nothing for the next checks to find
        return plan
    _check_content(document, plan, ours)
    if version == FORMAT_VERSION and _compact(data) != _compact(ours):
        raise _altered("a key stands twice or the keys were sorted anew")
    return plan


def read_recorded_plan(path: str, data: bytes) -> Plan:
    """The plan in a file of the record. Raises ``StateError``, which names its path, where ``read_plan`` refuses it."""
    try:
        return read_plan(data)
    except ApprovalError as error:
        raise StateError(f"{path} cannot be used: {error.message}", HINT) from None


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(data)
    except RecursionError:
        raise ApprovalError("The plan file is not JSON of a plan: it is nested too deeply.", _HINT) from None
    except UNREADABLE as error:
        raise ApprovalError(f"The plan file is not JSON: {error}.", _HINT) from None
    if not isinstance(document, dict) or "format_version" not in document:
        raise ApprovalError("The file is not a plan: it has no format_version.", _HINT)
    return document


def _check_version(document: Mapping[str, Any]) -> str:
    """The format of the file. A newer minor only adds keys; another major means something else."""
    version = str(document["format_version"])
    major = FORMAT_VERSION.partition(".")[0]
    if version.partition(".")[0] != major:
        raise ApprovalError(
            f"The plan file has format {version}; this version reads {major}.0 and later minor formats.",
            "Apply it with the version that made it, or make a new plan.",
        )
    return version


def _check_rows(document: Mapping[str, Any], plan: Plan) -> None:
    """Compute the digest of each change again, and what its address says about its other fields."""
    for number, (shown, change, known) in enumerate(zip(document["changes"], plan.changes, plan.manifest, strict=True)):
        if shown.get("digest") != known:
            raise _altered(f"changes[{number}] ({change.address}) does not fit its digest")
        if change.address not in _addresses(change):
            raise _altered(f"changes[{number}] ({change.address}) names another user, group, role, token or stage")


def _addresses(change: Change) -> tuple[str, str]:
    """The addresses that fit a change: of a site with one directory, and of one with several."""
    here = change.directory
    match change:
        case MembershipAdd() | MembershipRemove():
            group, user = change.group, change.user
            return membership_address(group, user, None), membership_address(group, user, here)
        case RoleRevoke():
            return (role_address(change.role, change.user),) * 2
        case TokenRevoke():
            return (token_address(change.user, change.token),) * 2
        case NoticeSend():
            user, policy, stage, episode = change.user, change.policy, change.stage, change.episode
            return stage_address(user, policy, stage, episode, None), stage_address(user, policy, stage, episode, here)
        case UserInvite():
            return (change.user,) * 2
        case _:
            return user_address(change.user, None), user_address(change.user, here)


def _check_digests(plan: Plan) -> None:
    """Compute again what the plan says about itself."""
    if manifest_digest(plan.manifest) != plan.digest:
        raise _altered("its digest does not fit its changes")
    envelope = envelope_digest(
        plan=plan.digest,
        site=plan.site,
        lineage=plan.inputs.lineage,
        serial=plan.inputs.serial,
        created=plan.created,
    )
    if envelope != plan.envelope:
        raise _altered("its envelope does not fit its site, lineage, serial, created and digest")
    if plan.summary not in (summarize(plan.changes, plan.dispositions), _with_unchanged(plan)):
        raise _altered("its summary does not count its changes and dispositions")
    for change in plan.changes:
        if isinstance(change, UserInvite):
            if not is_invite_address(change.user):
                raise _altered("an invitation is to somebody who stands in the file by more than a pseudonym")
        elif change.user not in plan.dispositions:
            raise _altered(f"{change.address} is to change, but nothing says what becomes of its user")


def _with_unchanged(plan: Plan) -> Summary | None:
    """What a plan whose unchanged users were left out counts, as far as it says itself how many they are."""
    unchanged = plan.summary.states.get("unchanged", 0)
    if any(one.state == "unchanged" for one in plan.dispositions.values()) or unchanged < 1:
        return None
    there = summarize(plan.changes, plan.dispositions)
    states = dict(sorted((there.states | {"unchanged": unchanged}).items()))
    return msgspec.structs.replace(there, users=there.users + unchanged, states=states)


def _check_content(document: Mapping[str, Any], plan: Plan, written: bytes) -> None:
    """Compare with what would be written for this plan, and with the digest over the whole file."""
    rest = {key: value for key, value in document.items() if key != "file_digest"}
    ours = msgspec.json.decode(written)
    del ours["file_digest"]
    same_format = plan.format_version == FORMAT_VERSION
    if place := _difference(ours, rest, may_have_more=not same_format):
        raise _altered(f"{place} does not fit the rest of the file")
    if document.get("file_digest") != digest(rest):
        raise _altered("its file_digest does not fit its content")


def _difference(ours: object, theirs: object, *, may_have_more: bool, place: str = "") -> str:
    """Where two JSON values differ first, such as "changes[3].before"; "" when they are equal."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if theirs.keys() != ours.keys() and not (may_have_more and theirs.keys() >= ours.keys()):
            odd = min(theirs.keys() ^ ours.keys())
            return f"{place}.{odd}".lstrip(".")
        pairs = [(f"{place}.{key}".lstrip("."), ours[key], theirs[key]) for key in ours]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        both = enumerate(zip(ours, theirs, strict=True))
        pairs = [(f"{place}[{at}]", one, other) for at, (one, other) in both]
    else:
        return "" if type(ours) is type(theirs) and ours == theirs else place
    found = (_difference(a, b, may_have_more=may_have_more, place=at) for at, a, b in pairs)
    return next(filter(None, found), "")


def _compact(data: bytes) -> bytes:
    """Without white space: a file may be indented anew, not rearranged."""
    return data.translate(None, b" \t\r\n")


def _altered(what: str) -> ApprovalError:
    return ApprovalError(f"The plan file was altered after it was made: {what}.", _HINT)

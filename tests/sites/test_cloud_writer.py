"""The Cloud Writer over real HTTP: exactly one call for a change, and what every answer to it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    RoleRevoke,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserRemove,
)
from cleanup_gitops.model.errors import CleanupError, CredentialError, LostAnswerError, RefusedError, SiteError
from cleanup_gitops.model.run import Invitation, Receipt
from cleanup_gitops.policy.site import CredentialRef, Credentials, Site
from cleanup_gitops.sites.cloud.refusals import organization_refusals
from cleanup_gitops.sites.cloud.writer import CloudWriter
from cleanup_gitops.sites.exchange import Limits
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import Secret, bearer
from tests.fakes import FakeClock
from tests.patience import STALLED
from tests.sites.scripted import JSON, Reply, Scripted, scripted

ADA = "712020:ada"
PERSON = "ada.example@acme.com"
ARI = "ari:cloud:confluence::site/1"
WHO: dict[str, Any] = {"address": "user/712020:ada", "user": ADA, "directory": "dir-2"}
DONE = Reply(status=204, body=b"")
LIMITS = Limits(connect=STALLED, read=STALLED, total=STALLED, attempts=3, connect_attempts=2, waiting=100)
SITE = Site(
    name="acme",
    hosting="cloud",
    url="https://acme.atlassian.net/wiki",
    organization="org-1",
    credentials=Credentials(CredentialRef("ORG_KEY"), CredentialRef("SITE_USER"), CredentialRef("SITE_TOKEN")),
    runner_accounts=(),
)
USERS = "/admin/v2/orgs/org-1/directories/dir-2/users/712020%3Aada"
GROUPS = "/admin/v2/orgs/org-1/directories/dir-2/groups/g-1"
MANAGED = "/users/712020%3Aada/manage"

DATE = "Sun, 22 Nov 2026 09:00:00 GMT"


def opened(old: Any) -> UserEnable:  # noqa: ANN401 - a status, also wrong ones
    return UserEnable(**WHO, old=old, new="active")


CHANGES: list[tuple[Change, str, str, Any]] = [
    (MembershipAdd(**WHO, group="g-1"), "POST", f"{GROUPS}/memberships", {"accountId": ADA}),
    (MembershipRemove(**WHO, group="g-1"), "DELETE", f"{GROUPS}/memberships/712020%3Aada", None),
    (
        RoleRevoke(**WHO, role="user"),
        "POST",
        "/admin/v1/orgs/org-1/users/712020%3Aada/roles/revoke",
        {"role": "atlassian/user", "resource": ARI},
    ),
    (UserDisable(**WHO, old="active", new="suspended"), "POST", f"{USERS}/suspend", None),
    (opened("suspended"), "POST", f"{USERS}/restore", None),
    (opened("deactivated"), "POST", f"{MANAGED}/lifecycle/enable", None),
    (opened("deleting"), "POST", f"{MANAGED}/lifecycle/cancel-delete", None),
    (UserDeactivate(**WHO, old="active", new="deactivated"), "POST", f"{MANAGED}/lifecycle/disable", {}),
    (UserRemove(**WHO, old="active", new="absent"), "DELETE", USERS, None),
    (UserDelete(**WHO, old="active", new="deleting"), "POST", f"{MANAGED}/lifecycle/delete", None),
    (TokenRevoke(**WHO, token="t-1"), "DELETE", f"{MANAGED}/api-tokens/t-1", None),
]
SUSPEND, DEACTIVATE, JOIN = CHANGES[3][0], CHANGES[7][0], CHANGES[0][0]
Write = Callable[[CloudWriter], object]


def written(change: Change) -> Write:
    return lambda writer: writer.write(change)


WRITES: dict[str, Write] = {
    **{f"{change.action}: {path}": written(change) for change, _, path, _ in CHANGES},
    "invite": lambda writer: writer.invite(Invitation(PERSON, role="user", groups=("g-1",))),
    "create_group": lambda writer: writer.create_group("Ada's friends"),
    "delete_group": lambda writer: writer.delete_group("g-1"),
}


@contextmanager
def writing(*replies: Reply, clock: FakeClock | None = None) -> Iterator[tuple[CloudWriter, Scripted]]:
    """A writer and the scripted site that it writes to."""
    with scripted(*replies) as server:
        secret = bearer(Secret("canary", "ORG_KEY"))
        http = Http(server.url, secret, clock or FakeClock(), explain=organization_refusals(SITE), limits=LIMITS)
        try:
            yield CloudWriter(http, "org-1", "dir-1", ARI), server
        finally:
            http.close()


def answer(status: int, body: object) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())


def error_of(reply: Reply, write: Write) -> CleanupError:
    """The error of one write, which was sent once and holds no person."""
    with writing(reply) as (writer, server), pytest.raises(CleanupError) as caught:
        write(writer)
    assert len(server.requests) == 1
    assert PERSON not in str(caught.value)
    assert "Ada" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(("change", "method", "path", "body"), CHANGES, ids=lambda one: getattr(one, "action", None))
def test_a_change_is_one_call_in_its_own_directory(change: Change, method: str, path: str, body: object) -> None:
    with writing(Reply(status=204, body=b"", headers={"X-Request-Id": "r-1", "Date": DATE})) as (writer, server):
        receipt = writer.write(change)
    (request,) = server.requests
    assert (request.method, request.path) == (method, path)
    assert (json.loads(request.body) if request.body else None) == body
    assert (receipt.method, receipt.status, receipt.request_id, receipt.server_date) == (method, 204, "r-1", DATE)
    assert ADA not in receipt.endpoint


@pytest.mark.parametrize("old", ["absent", "disabled", "unknown", "active"])
def test_an_account_that_was_not_closed_in_the_cloud_way_cannot_be_opened(old: str) -> None:
    with writing(DONE) as (writer, server), pytest.raises(RefusedError, match=old):
        writer.write(opened(old))
    assert not server.requests


@pytest.mark.case("E63")
@pytest.mark.parametrize("reply", [Reply(reset=True), Reply(status=500), Reply(status=503), Reply(status=408)])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_no_write_is_repeated_when_its_answer_is_lost(write: Write, reply: Reply) -> None:
    with writing(reply, DONE) as (writer, server), pytest.raises(LostAnswerError):
        write(writer)
    assert len(server.requests) == 1


@pytest.mark.case("E62")
@pytest.mark.parametrize("write", list(WRITES.values())[:-3], ids=list(WRITES)[:-3])
def test_a_write_that_came_too_fast_is_sent_again_after_the_wait_and_done_once(write: Write) -> None:
    clock = FakeClock()
    began = clock.now()
    busy = answer(429, {"code": 429, "message": "slow down"})
    busy.headers |= {"X-RateLimit-Reset": "2026-11-22T12:01Z", "Date": "Sun, 22 Nov 2026 12:00:30 GMT"}
    with writing(busy, DONE, clock=clock) as (writer, server):
        assert isinstance(write(writer), Receipt)
    assert len(server.requests) == 2
    assert (clock.now() - began).total_seconds() == 30


# -- refusals --------------------------------------------------------------------------------------

FORBIDDEN = {"allowed": False, "reason": {"key": "externalDirectory.scim"}}
GOOGLE = {"allowed": False, "reason": {"key": "externalDirectory.google"}}
OWNS = {"message": f"{PERSON} owns", "accountId": ADA, "errorCodes": [{"code": "owns.site", "message": "Ada's"}]}


def application(code: str) -> dict[str, object]:
    return {"errors": [{"id": "1", "status": "403", "code": code, "title": "Ada", "detail": PERSON}]}


@pytest.mark.parametrize(
    ("change", "reply", "line"),
    [
        pytest.param(
            DEACTIVATE,
            answer(403, {"key": "forbidden.action", "context": FORBIDDEN}),
            "The site refused to deactivate the account: an identity provider manages the account (403, "
            "forbidden.action, externalDirectory.scim; POST /users/{account}/manage/lifecycle/disable). Change it "
            "there: what is changed here, the next sync would undo.",
            marks=pytest.mark.case("E34"),
        ),
        pytest.param(
            DEACTIVATE,
            answer(403, {"key": "forbidden.action", "context": GOOGLE}),
            "Google Workspace manages the account",
            marks=pytest.mark.case("E45"),
        ),
        pytest.param(
            DEACTIVATE,
            answer(403, {"key": "forbidden"}),
            "another organization or nobody manages the account (403, forbidden;",
            marks=pytest.mark.case("E43", "E44"),
        ),
        (DEACTIVATE, answer(403, {"key": "forbidden.targetUnverified"}), "e-mail address is not verified"),
        pytest.param(
            CHANGES[9][0],
            answer(404, {"key": "accountNotFound"}),
            "The site refused to schedule the account's deletion: the account is not there any more",
            marks=pytest.mark.case("E47"),
        ),
        (
            DEACTIVATE,
            answer(409, {"key": "conflict.lifecycleErrors", "context": OWNS}),
            "because it owns a site (409, conflict.lifecycleErrors, owns.site; POST /users/{account}/manage/lifecycle",
        ),
        (CHANGES[2][0], answer(409, application("ADMIN-UAM-409-3")), "no seat is left (409, ADMIN-UAM-409-3;"),
        (CHANGES[2][0], answer(400, application("ADMIN-UAM-400-2")), "the account is inactive"),
        (JOIN, answer(409, application("ADMIN-409-3")), "no seat is left (409, ADMIN-409-3;"),
        (JOIN, answer(409, application("ADMIN-409-28")), "the account is in the group already, or no seat is left"),
        (JOIN, answer(409, {}), "the account is in the group already, or no seat is left (409;"),
        (CHANGES[4][0], answer(409, {}), "no seat is left (409;"),
        (JOIN, answer(403, application("ADMIN-403-5")), "If an identity provider syncs it, change it there."),
        (SUSPEND, answer(403, {"error": "Forbidden", "message": "User has no permission"}), "(403, Forbidden;"),
        (SUSPEND, answer(404, application("ADMIN-404-8")), "Make a new plan."),
        (SUSPEND, Reply(status=404, body=b"<html>Ada</html>", headers={"Content-Type": "text/html"}), "(404;"),
        (SUSPEND, answer(400, application("ADMIN-400-24")), "not possible for the account or group as it is now"),
        (SUSPEND, answer(418, {}), "it says no more (418;"),
        (CHANGES[10][0], answer(404, {"key": "notFound"}), "The site refused to revoke the API token"),
    ],
)
def test_a_refusal_is_one_line_about_one_account_that_says_what_to_do(change: Change, reply: Reply, line: str) -> None:
    error = error_of(reply, lambda writer: writer.write(change))
    assert type(error) is RefusedError
    assert line in error.message
    assert "\n" not in str(error)
    assert error.message.endswith(".")


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.case("E67")
def test_a_key_that_ended_stops_everything_and_is_named_by_its_variable(write: Write) -> None:
    for body in ({"code": 401, "message": "x"}, {"key": "unauthorized"}):
        error = error_of(answer(401, body), write)
        assert type(error) is CredentialError
        assert "$ORG_KEY" in error.message
        assert "admin.atlassian.com" in error.hint


@pytest.mark.case("E67")
def test_a_key_with_scopes_stops_everything_and_says_to_make_one_without() -> None:
    body = {"code": 403, "message": "The request needs the scope manage:org for Ada."}
    error = error_of(answer(403, body), lambda writer: writer.write(DEACTIVATE))
    assert type(error) is CredentialError
    assert error.message == (
        "The organization API key in $ORG_KEY was made with scopes, and no scope opens "
        "POST /users/{account}/manage/lifecycle/disable (403, manage:org)."
    )
    assert "without scopes" in error.hint


@pytest.mark.parametrize("code", ["ADMIN-403-3", "ADMIN-UAM-403-2"])
def test_an_organization_that_the_key_may_not_manage_stops_everything(code: str) -> None:
    assert type(error_of(answer(403, application(code)), lambda writer: writer.write(JOIN))) is CredentialError


@pytest.mark.parametrize("status", [405, 410, 415])
def test_a_call_that_is_not_offered_any_more_stops_everything(status: int) -> None:
    error = error_of(answer(status, {}), lambda writer: writer.write(SUSPEND))
    assert type(error) is SiteError
    assert "newer version" in error.hint


# -- invitations and groups --------------------------------------------------------------------------

ASKED = Invitation(PERSON, role="user", groups=("g-1", "g-2"))
INVITE: Write = lambda writer: writer.invite(ASKED)  # noqa: E731


def results(*roles: object, groups: tuple[object, ...]) -> list[dict[str, object]]:
    return [{"roleAssignmentResult": list(roles), "groupAssignmentResult": list(groups)}]


ROLE = {"resource": ARI, "role": "ari:cloud:confluence::role/product/member", "status": "INVITED", "statusReason": None}
ONE, TWO = ({"group": one, "status": "INVITED"} for one in ("g-1", "ari:cloud:identity::group/g-2"))
ROW: dict[str, object] = {"id": ADA, "email": PERSON.upper(), "results": results(ROLE, groups=(ONE, TWO))}


def test_an_invitation_is_for_one_person_with_role_and_groups_and_without_a_mail() -> None:
    with writing(answer(200, {"data": [ROW]})) as (writer, server):
        found = writer.invite(ASKED)
    assert (found.account, found.refused, found.receipt.status) == (ADA, (), 200)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/admin/v2/orgs/org-1/users/invite")
    assert json.loads(request.body) == {
        "emails": [PERSON],
        "sendNotification": False,
        "permissionRules": [{"resource": ARI, "role": "atlassian/user"}],
        "additionalGroups": ["g-1", "g-2"],
    }


@pytest.mark.parametrize("status", [200, 206])
def test_every_item_of_an_invitation_is_looked_at_whatever_the_status(status: int) -> None:
    failed = {"group": "g-1", "status": "ERROR", "statusReason": f"{PERSON} may not"}
    full = ROLE | {"status": "ERROR", "statusReason": "LICENSE_LIMIT"}
    rows = {"data": [ROW | {"results": results(full, groups=(failed,))}]}
    with writing(answer(status, rows)) as (writer, _):
        found = writer.invite(ASKED)
    assert found.refused == ("role user: LICENSE_LIMIT", "group g-1: refused", "group g-2: not in the answer")
    assert PERSON not in repr(found)


def test_an_invitation_of_which_nothing_was_done_is_refused() -> None:
    none = {"status": "ERROR"}
    every = results(ROLE | none, groups=({"group": "g-1"} | none, {"group": "g-2"} | none))
    error = error_of(answer(206, {"data": [{"email": PERSON, "results": every}]}), INVITE)
    assert type(error) is RefusedError
    assert "role user: refused; group g-1: refused; group g-2: refused (206;" in error.message


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, {}),
        answer(200, {"data": []}),
        answer(200, {"data": [ROW, ROW]}),
        answer(200, {"data": [ROW | {"email": "bob@acme.com"}]}),
        answer(200, {"data": [ROW | {"id": None}]}),
        Reply(body=b"<html>"),
    ],
)
def test_an_answer_that_does_not_tell_who_was_invited_counts_as_lost(reply: Reply) -> None:
    assert type(error_of(reply, INVITE)) is LostAnswerError


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (
            answer(402, application("ADMIN-UAM-402-1")),
            "the organization has no paid subscription (402, ADMIN-UAM-402-1;",
        ),
        (answer(409, application("ADMIN-UAM-409-3")), "no seat is left"),
        (answer(409, {}), "no seat is left"),
        (answer(404, application("ADMIN-UAM-404-3")), "the group or the role is not there any more"),
    ],
)
def test_an_invitation_that_is_refused_as_a_whole_says_why(reply: Reply, line: str) -> None:
    error = error_of(reply, INVITE)
    assert type(error) is RefusedError
    assert line in error.message


def test_a_group_is_created_in_the_directory_of_the_site_and_deleted_there() -> None:
    with writing(Reply(status=201, body=b""), DONE) as (writer, server):
        assert writer.create_group("Ada's friends").status == 201
        assert writer.delete_group("g-9").status == 204
    sent = [(one.method, one.path, json.loads(one.body or b"null")) for one in server.requests]
    base = "/admin/v2/orgs/org-1/directories/dir-1/groups"
    assert sent == [("POST", base, {"name": "Ada's friends"}), ("DELETE", f"{base}/g-9", None)]


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (answer(403, application("ADMIN-403-6")), "it is a default group"),
        (answer(403, application("ADMIN-403-7")), "the group gives administration"),
        (answer(404, application("ADMIN-404-10")), "the group is not there any more"),
    ],
)
def test_a_group_that_cannot_be_deleted_says_why(reply: Reply, line: str) -> None:
    assert line in error_of(reply, lambda writer: writer.delete_group("g-1")).message


def test_a_group_whose_name_is_taken_is_refused() -> None:
    error = error_of(answer(409, {}), lambda writer: writer.create_group("Ada"))
    assert "a group of this name exists (409;" in error.message


@pytest.mark.parametrize("trace", ["a b", "x" * 200, ""])
def test_a_trace_id_that_is_none_is_left_out(trace: str) -> None:
    with writing(Reply(status=204, body=b"", headers=JSON | {"X-Request-Id": trace})) as (writer, _):
        assert writer.write(SUSPEND).request_id == ""

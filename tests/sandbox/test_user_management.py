"""User management: what may be done with managed accounts, and doing it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cleanup_gitops.sandbox.manageable import PRIVILEGES, PROFILE_FIELDS
from cleanup_gitops.sandbox.records import Token
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import RateLimit, User
from tests.sandbox.caller import Caller


def manage(user: User, rest: str = "") -> str:
    return f"/users/{user.id}/manage{rest}"


def people(caller: Caller, **wanted: Any) -> list[User]:  # noqa: ANN401 - any attribute
    """Ordinary managed people whom nobody else in this module changes."""
    state = caller.box.state
    plain = {"managed": True, "account": "active", "source": "invited", "lifecycle_errors": {}, "restrictions": {}}
    return [
        user
        for user in caller.box.world.users
        if all(getattr(user, name) == value for name, value in (plain | wanted).items())
        and user.email_verified
        and user.id != caller.box.runner_account
        and state.status(user) in ("active", "deactivated")
    ]


def key(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["key"]


def test_all_privileges_of_an_ordinary_account_are_allowed(lab: Caller) -> None:
    told = lab.admin("GET", manage(people(lab)[0])).json()
    assert set(told) == set(PRIVILEGES)
    assert told["lifecycle.enablement"] == {"allowed": True}
    assert told["profile.write"] == {name: {"allowed": True} for name in PROFILE_FIELDS}


def test_only_privileges_asked_for_are_told_and_unknown_ones_are_left_out(lab: Caller) -> None:
    asked = {"privileges": ["lifecycle.enablement", "email.set", "lifecycle.sideways"]}
    told = lab.admin("GET", manage(people(lab)[0]), params=asked).json()
    assert told == {"lifecycle.enablement": {"allowed": True}, "email.set": {"allowed": True}}


@pytest.mark.parametrize(
    "reason",
    ["managedAccount", "externalDirectory.google", "blocked.exportControl", "authPolicy.saml", "administrative"],
)
def test_every_restriction_can_be_given_to_an_account(lab: Caller, reason: str) -> None:
    user = people(lab)[1]
    user.restrictions = {"lifecycle": reason}
    try:
        told = lab.admin("GET", manage(user)).json()
        assert told["lifecycle.enablement"] == {"allowed": False, "reason": {"key": reason}}
        assert told["lifecycle.delete"] == {"allowed": False, "reason": {"key": reason}}
        assert told["email.set"] == {"allowed": True}
        for turn in ("disable", "enable", "delete", "cancel-delete"):
            refused = lab.admin("POST", manage(user, f"/lifecycle/{turn}"))
            assert key(refused) == (403, "forbidden.action")
            assert refused.json()["context"] == {"allowed": False, "reason": {"key": reason}}
        assert user.account == "active"
    finally:
        user.restrictions = {}


def test_a_synced_account_belongs_to_its_identity_provider(lab: Caller) -> None:
    user = next(one for one in people(lab, source="synced") if not one.restrictions)
    told = lab.admin("GET", manage(user)).json()
    scim = {"allowed": False, "reason": {"key": "externalDirectory.scim"}}
    assert told["lifecycle.enablement"] == told["lifecycle.delete"] == told["email.set"] == scim
    assert set(map(str, told["profile.write"].values())) == {str(scim)}
    assert told["apiToken.delete"] == {"allowed": True}
    assert key(lab.admin("POST", manage(user, "/lifecycle/disable"))) == (403, "forbidden.action")


def test_nobody_deactivates_the_owner_of_the_key(lab: Caller) -> None:
    runner = lab.box.state.user(lab.box.runner_account)
    assert runner is not None
    told = lab.admin("GET", manage(runner)).json()
    assert told["lifecycle.enablement"]["reason"] == {"key": "administrative.notMyself"}
    assert key(lab.admin("POST", manage(runner, "/lifecycle/delete"))) == (403, "forbidden.action")


def test_unmanaged_unverified_and_unknown_accounts_are_out_of_reach(lab: Caller) -> None:
    unmanaged = next(user for user in lab.box.world.users if not user.managed)
    pending = next(user for user in lab.box.world.users if user.managed and not user.email_verified)
    for rest, method in (("", "GET"), ("/profile", "GET"), ("/lifecycle/disable", "POST"), ("/api-tokens", "GET")):
        assert key(lab.admin(method, manage(unmanaged, rest))) == (403, "forbidden")
        assert key(lab.admin(method, manage(pending, rest))) == (403, "forbidden.targetUnverified")
        assert key(lab.admin(method, f"/users/nobody/manage{rest}")) == (404, "accountNotFound")
    assert key(lab.admin("GET", "/users/nobody/elsewhere")) == (404, "notFound")


def test_deactivating_shows_everywhere_and_can_be_undone(lab: Caller) -> None:
    user = people(lab)[2]
    groups = list(user.groups)
    assert lab.admin("POST", manage(user, "/lifecycle/disable"), json={"message": "on leave"}).status_code == 204
    row = lab.search(accountIds=[user.id])["data"][0]
    assert (row["status"], row["accountStatus"], row["membershipStatus"]) == ("deactivated", "inactive", "active")
    assert lab.admin("GET", manage(user, "/profile")).json()["account"]["account_status"] == "inactive"
    assert lab.admin("POST", manage(user, "/lifecycle/disable")).status_code == 204  # again, without a body
    assert lab.admin("POST", manage(user, "/lifecycle/enable")).status_code == 204
    assert lab.search(accountIds=[user.id])["data"][0]["status"] == "active"
    assert user.groups == groups


def test_an_account_that_owns_a_site_is_not_eligible(lab: Caller) -> None:
    user = people(lab)[3]
    user.lifecycle_errors = {"siteOwner": "The account owns a site."}
    for turn in ("disable", "delete"):
        refused = lab.admin("POST", manage(user, f"/lifecycle/{turn}"))
        assert key(refused) == (409, "conflict.lifecycleErrors")
        context = refused.json()["context"]
        assert context["accountId"] == user.id
        assert context["errorCodes"][0]["code"] == "siteOwner"
    assert user.account == "active"
    told = lab.admin("GET", manage(user)).json()
    assert told["lifecycle.enablement"] == {"allowed": True}  # the privilege is there, the account is the problem
    user.lifecycle_errors = {}


def test_a_deletion_can_be_cancelled_and_until_then_nothing_activates_the_account(lab: Caller) -> None:
    user = people(lab)[4]
    assert key(lab.admin("POST", manage(user, "/lifecycle/cancel-delete"))) == (404, "notFound")
    answer = lab.admin("POST", manage(user, "/lifecycle/delete"))
    assert (answer.status_code, answer.json()) == (200, {"message": "Success"})
    assert lab.search(accountIds=[user.id])["data"][0]["status"] == "for_deletion"
    assert lab.admin("POST", manage(user, "/lifecycle/delete")).status_code == 200
    assert key(lab.admin("POST", manage(user, "/lifecycle/enable"))) == (409, "conflict.lifecycleErrors")
    answer = lab.admin("POST", manage(user, "/lifecycle/cancel-delete"))
    assert (answer.status_code, answer.json()) == (200, {"message": "Success"})
    assert lab.search(accountIds=[user.id])["data"][0]["status"] == "active"


def test_after_the_grace_period_a_deleted_account_is_gone(caller: Caller) -> None:
    user = people(caller)[0]
    caller.admin("POST", manage(user, "/lifecycle/delete"))
    caller.control("POST", "clock", {"advance_days": 13})
    assert caller.search(accountIds=[user.id])["data"][0]["status"] == "for_deletion"
    caller.control("POST", "clock", {"advance_days": 1})
    assert key(caller.admin("POST", manage(user, "/lifecycle/cancel-delete"))) == (404, "accountNotFound")
    assert caller.search(accountIds=[user.id])["data"] == []
    assert (user.account, user.email, user.groups) == ("closed", None, [])


def test_a_profile_is_read_and_changed(lab: Caller) -> None:
    user = people(lab)[5]
    shown = lab.admin("GET", manage(user, "/profile")).json()["account"]
    assert (shown["account_id"], shown["email"], shown["account_type"]) == (user.id, user.email, "atlassian")
    assert shown["extended_profile"]["department"] == user.department
    change = {"nickname": "Kit", "locale": "nb-NO", "extended_profile": {"job_title": "Gardener"}}
    changed = lab.admin("PATCH", manage(user, "/profile"), json=change).json()["account"]
    assert (changed["nickname"], changed["locale"]) == ("Kit", "nb-NO")
    assert changed["extended_profile"]["job_title"] == "Gardener"
    assert lab.admin("GET", manage(user, "/profile")).json()["account"] == changed


def test_a_profile_refuses_what_may_not_change_and_what_is_no_value(lab: Caller) -> None:
    user = people(lab)[6]
    name = user.name
    refused = lab.admin("PATCH", manage(user, "/profile"), json={"name": "New", "email": "x@acme.com"})
    assert key(refused) == (403, "forbidden.fieldMutation")
    assert refused.json()["context"] == {"email": {"allowed": False, "reason": {"key": "administrative"}}}
    bad = lab.admin("PATCH", manage(user, "/profile"), json={"nickname": "x" * 31, "name": "a\x07b"})
    assert key(bad) == (400, "fieldConstraintsViolated")
    violations = {item["field"]: item["violations"] for item in bad.json()["context"]["fieldViolations"]}
    assert violations == {"nickname": [{"key": "maxLength"}], "name": [{"key": "validCharacters"}]}
    assert key(lab.admin("PATCH", manage(user, "/profile"), content=b"{")) == (400, "bodyParseFailure")
    assert user.name == name


def test_an_address_must_be_of_a_claimed_domain_and_free(lab: Caller) -> None:
    user, other = people(lab)[7:9]
    assert lab.admin("PUT", manage(user, "/email"), json={"email": "someone.new@eu.acme.com"}).status_code == 204
    assert user.email == "someone.new@eu.acme.com"
    refused = lab.admin("PUT", manage(user, "/email"), json={"email": "me@globex.example"})
    assert key(refused) == (403, "forbidden.unclaimedDomain")
    assert refused.json()["context"] == {"domain": "globex.example"}
    for wrong in ("nobody", "a b@acme.com", 7, other.email):
        answer = lab.admin("PUT", manage(user, "/email"), json={"email": wrong})
        assert key(answer) == (400, "fieldConstraintsViolated"), wrong
    assert key(lab.admin("PUT", manage(user, "/email"), content=b"[]")) == (400, "bodyParseFailure")


def test_tokens_are_a_bare_list_and_are_revoked_one_by_one(lab: Caller) -> None:
    user = people(lab)[9]
    user.tokens = [
        Token("t1", "old script", "2026-01-01T00:00:00Z"),
        Token("t2", "backup", "2026-02-01T00:00:00Z", "2027-01-01T00:00:00Z", "2026-11-01T10:00:00Z"),
    ]
    rows = lab.admin("GET", manage(user, "/api-tokens")).json()
    assert rows[0] == {"id": "t1", "label": "old script", "createdAt": "2026-01-01T00:00:00Z"}
    assert (rows[1]["expiry"], rows[1]["lastAccess"]) == ("2027-01-01T00:00:00Z", "2026-11-01T10:00:00Z")
    assert lab.admin("DELETE", manage(user, "/api-tokens/t1")).status_code == 204
    assert key(lab.admin("DELETE", manage(user, "/api-tokens/t1"))) == (404, "notFound")
    assert [token.id for token in user.tokens] == ["t2"]


def test_credentials_are_refused_in_this_apis_own_words(caller: Caller) -> None:
    path = manage(people(caller)[0])
    assert key(caller.http.get(path)) == (401, "unauthorized")
    assert key(caller.http.get(path, headers={"Authorization": "Bearer wrong"})) == (401, "unauthorized")
    assert key(caller.http.get("/users/x/y", headers={"Authorization": "Bearer wrong"})) == (401, "unauthorized")
    caller.control("POST", "clock", {"advance_days": 400})
    assert key(caller.admin("GET", path)) == (401, "unauthorized")


def test_a_key_with_scopes_reaches_the_organization_but_not_this_api(caller: Caller) -> None:
    caller.box.world.credentials.org_api_key_scopes = ["read:accounts:admin"]
    refused = caller.admin("GET", manage(people(caller)[0]))
    assert (refused.status_code, refused.json()["code"]) == (403, 403)
    assert "manage:org" in refused.json()["message"]
    assert caller.admin("GET", caller.org).status_code == 200


def test_limits_of_this_api_are_answered_like_others() -> None:
    world = seed(users=20)
    world.options.rate_limits = [RateLimit(path=r"/manage/api-tokens$", limit=1, window_seconds=3600)]
    with running(world) as box:
        caller = Caller(box)
        with caller.http:
            user = people(caller)[0]
            answers = [caller.admin("GET", manage(user, "/api-tokens")) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["x-ratelimit-remaining"] == "0"

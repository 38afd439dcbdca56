"""A client of a running sandbox that knows its credentials and checks nothing by itself."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import httpx

from cleanup_gitops.sandbox.server import RunningSandbox
from cleanup_gitops.sandbox.world import User
from tests.patience import STALLED


class Key(httpx.Auth):
    """The organization's key, put in as a request is sent, so that the locals of a failed call do not hold it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


class Caller:
    """Sends requests to a running sandbox as the organization, as the site user, or as fate."""

    def __init__(self, box: RunningSandbox) -> None:
        self.box = box
        self.http = httpx.Client(base_url=box.url, trust_env=False, verify=False, timeout=STALLED)
        self.key = {"Authorization": f"Bearer {box.org_api_key}"}
        self.auth = Key(box.org_api_key)
        self.org = f"/admin/v1/orgs/{box.org_id}"
        self.directories = f"/admin/v2/orgs/{box.org_id}/directories"
        self.users = f"{self.directories}/default/users"
        self.groups = f"{self.directories}/default/groups"

    def admin(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - handed on
        return self.http.request(method, path, auth=self.auth, **options)

    def site(self, path: str) -> httpx.Response:
        return self.http.get(path, auth=(self.box.user_email, self.box.api_token))

    def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        answer = self.http.request(method, f"/_sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def search(self, what: str = "users", **body: object) -> dict[str, Any]:
        path = self.users if what == "users" else self.groups
        answer = self.admin("POST", f"{path}/search", json=body)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def all_rows(self, what: str = "users", **body: object) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.search(what, **body, **cursor)
            rows += page["data"]
            if not page["links"].get("next"):
                return rows
            cursor = {"cursor": page["links"]["next"]}

    def group_id(self, name: str) -> str:
        return next(group.id for group in self.box.world.groups if group.name == name)

    def someone(self, **wanted: Any) -> User:  # noqa: ANN401 - any attribute
        """The first user with these attributes; `group` and `status` are looked up."""
        group = self.group_id(wanted.pop("group")) if "group" in wanted else None
        status = wanted.pop("status", None)
        return next(
            user
            for user in self.box.world.users
            if all(getattr(user, name) == value for name, value in wanted.items())
            and (group is None or group in user.groups)
            and (status is None or self.box.state.status(user) == status)
        )

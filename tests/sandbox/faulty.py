"""Rules for faults, and requests that they hit."""

from __future__ import annotations

from typing import Any

import httpx

from tests.sandbox.caller import Caller

SEARCH = {"path_regex": "users/search$"}


def fault(caller: Caller, kind: str, match: dict[str, Any] | None = None, **more: object) -> None:
    caller.control("POST", "faults", {"kind": kind, "match": match or SEARCH, **more})


def ask(caller: Caller, **body: object) -> httpx.Response:
    return caller.admin("POST", f"{caller.users}/search", json={"limit": 10, **body})


def suspend(caller: Caller) -> tuple[httpx.Response, str]:
    user = caller.someone(status="active", managed=False)
    return caller.admin("POST", f"{caller.users}/{user.id}/suspend"), user.id


def status_of(caller: Caller, account: str) -> str:
    return str(caller.search(accountIds=[account])["data"][0]["status"])

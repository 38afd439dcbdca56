"""Where the sandbox, the client or both are right and the published OpenAPI files are not: one table.

A row that is not needed any more fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.openapi.published import Problem


@dataclass(frozen=True)
class Deviation:
    """Which `Problem`s a row covers: ``*`` and ``?`` stand for anything, as in names of files."""

    file: str
    operation: str
    side: str
    status: str
    at: str
    rule: str
    reason: str

    def covers(self, problem: Problem) -> bool:
        """Whether this is the known deviation."""
        return (
            self.file == problem.file
            and fnmatchcase(problem.side, self.side)
            and fnmatchcase(str(problem.status), self.status)
            and self.rule == problem.rule
            and fnmatchcase(problem.operation, self.operation.replace("[", "[[]"))
            and fnmatchcase(problem.at, self.at)
        )


ORGANIZATIONS = "admin-organization"
USER_MANAGEMENT = "admin-user-management"
PROVISIONING = "admin-user-provisioning"
SITE = "confluence-cloud-v1"
SITE_2 = "confluence-cloud-v2"
USERS = "/v2/orgs/{orgId}/directories/{directoryId}/users"

DEVIATIONS = (
    # No file at hand.
    Deviation(
        "",
        "* /admin/api-access/*",
        "re*",
        "*",
        "",
        "path",
        "The reference of the API Access API tells of these endpoints; its OpenAPI file is not among those at hand.",
    ),
    Deviation(
        "",
        "* /admin/user-provisioning/*",
        "re*",
        "*",
        "",
        "path",
        "Clients that are in use call these helpers of user provisioning; no OpenAPI file at hand has them.",
    ),
    # Organizations.
    Deviation(
        ORGANIZATIONS,
        f"* {USERS}*",
        "response",
        "200",
        "data.*.accountType",
        "enum",
        "The file knows accounts of people only; live answers list apps and customers too.",
    ),
    Deviation(
        ORGANIZATIONS,
        f"* {USERS}*",
        "response",
        "200",
        "data.*.managementSource",
        "enum",
        "The property may be null by its own words; the list of its values forgets it.",
    ),
    Deviation(
        ORGANIZATIONS,
        f"GET {USERS}/{{accountId}}/role-assignments",
        "response",
        "200",
        "data.*.userDirectoryStatus",
        "enum",
        "Roles of the platform belong to no directory, so there is no status in one: null, as directoryId is.",
    ),
    Deviation(
        ORGANIZATIONS,
        f"GET {USERS}/{{accountId}}/role-assignments",
        "response",
        "200",
        "data.*.userDirectoryStatus",
        "type",
        "Roles of the platform belong to no directory, so there is no status in one: null, as directoryId is.",
    ),
    Deviation(
        ORGANIZATIONS,
        "POST /v1/orgs/{orgId}/users/{userId}/role*",
        "request",
        "0",
        "path userId",
        "format",
        "Account ids are opaque; they hold a colon or are no UUID, and the roles API takes them all the same.",
    ),
    Deviation(
        ORGANIZATIONS,
        "* *",
        "response",
        "403",
        "",
        "status",
        "A key that may not manage the organization gets 403 from every operation, also where the file forgets it.",
    ),
    Deviation(
        ORGANIZATIONS,
        "GET *",
        "response",
        "404",
        "",
        "status",
        "An organization that does not exist is not found, also where the file names the status for other ids only.",
    ),
    Deviation(
        ORGANIZATIONS,
        "GET /v1/orgs/{orgId}/domains/{domainId}",
        "response",
        "404",
        "errors.*.code",
        "enum",
        "The file names the code for an unknown domain only; an unknown organization has a code of its own.",
    ),
    Deviation(
        ORGANIZATIONS,
        "GET *role-assignments",
        "response",
        "401",
        "",
        "additionalProperties",
        "The gateway refuses a wrong key before any service sees it, even if the file has the services' body here.",
    ),
    Deviation(
        ORGANIZATIONS,
        "* *",
        "response",
        "429",
        "",
        "additionalProperties",
        "The file lists ADMIN-429-1 among the codes of the services, whose body for errors is not the gateway's.",
    ),
    Deviation(
        ORGANIZATIONS,
        f"POST {USERS}/{{accountId}}/restore",
        "response",
        "409",
        "",
        "status",
        "The restore before this one named 409 where no seat is left; the sandbox can be told to do so too.",
    ),
    # User management.
    Deviation(
        USER_MANAGEMENT,
        "* /users/{account_id}/manage*",
        "re*",
        "*",
        "*account*",
        "pattern",
        "The pattern of an account id ends in a line end, which no account id does.",
    ),
    Deviation(
        USER_MANAGEMENT,
        "* /users/{account_id}/manage*",
        "request",
        "0",
        "path account_id",
        "readOnly",
        "The schema of the path's parameter is one of answers, and so marked as read only.",
    ),
    Deviation(
        USER_MANAGEMENT,
        "* /users/{account_id}/manage*",
        "response",
        "403",
        "",
        "oneOf",
        "A key with scopes is refused by the gateway in its own words; seen live, and in no file.",
    ),
    # User provisioning.
    Deviation(
        PROVISIONING,
        "GET /scim/directory/{directoryId}/ResourceTypes*",
        "response",
        "200",
        "",
        "type",
        "The file calls these answers strings; they are SCIM resources, as RFC 7643 has them.",
    ),
    Deviation(
        PROVISIONING,
        "GET /scim/directory/{directoryId}/Schemas*",
        "response",
        "200",
        "",
        "type",
        "The file calls these answers strings; they are SCIM resources, as RFC 7643 has them.",
    ),
    Deviation(
        PROVISIONING,
        "GET /scim/directory/{directoryId}/ServiceProviderConfig",
        "response",
        "200",
        "",
        "type",
        "The file calls this answer a string; it is a SCIM resource, as RFC 7643 has it.",
    ),
    Deviation(
        PROVISIONING,
        "GET /scim/directory/{directoryId}/Users/{userId}",
        "response",
        "400",
        "",
        "status",
        "Attributes that cannot be understood are refused like in the list of users, for which the file says so.",
    ),
    Deviation(
        PROVISIONING,
        "PUT /scim/directory/{directoryId}/Groups/{id}",
        "response",
        "400",
        "",
        "additionalProperties",
        "The file shows a stack trace of the server here; every other operation answers with an error of SCIM.",
    ),
    # Confluence.
    Deviation(
        SITE,
        "*",
        "response",
        "40[01]",
        "",
        "status",
        "What cannot be understood, or has no valid token, is refused everywhere; the file says so here and there.",
    ),
    Deviation(
        SITE,
        "GET *",
        "response",
        "404",
        "",
        "status",
        "A group or user that does not exist is not found, also where the file forgets it.",
    ),
    Deviation(
        SITE,
        "*",
        "response",
        "429",
        "",
        "status",
        "The page about rate limits describes 429 for the whole API; the file nowhere.",
    ),
    Deviation(
        SITE_2,
        "*",
        "response",
        "429",
        "",
        "status",
        "The page about rate limits describes 429 for the whole API; the file nowhere.",
    ),
)

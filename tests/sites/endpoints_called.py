"""Every endpoint that the Cloud adapter calls, by what builds the calls."""

from __future__ import annotations

from cleanup_gitops.sites.cloud import endpoints
from cleanup_gitops.sites.cloud.endpoints import InDirectory
from cleanup_gitops.sites.cloud.write_rules import BY_ENDPOINT

_PLACE = InDirectory("o", "d")
READS = frozenset(
    call.endpoint
    for call in (
        endpoints.CURRENT_USER,
        endpoints.SYSTEM_INFO,
        endpoints.organization("o"),
        endpoints.directories("o", None),
        endpoints.domains("o"),
        endpoints.workspaces("o"),
        endpoints.manageable("a"),
        endpoints.api_tokens("a"),
        endpoints.contributions("a"),
        endpoints.audit(0, 1, 0),
        _PLACE.search_users(),
        _PLACE.count_users(),
        _PLACE.search_groups(),
        _PLACE.role_assignments("g"),
        _PLACE.user_roles("a", "ari"),
        _PLACE.last_active_dates("a"),
    )
)
WRITES = frozenset(BY_ENDPOINT)

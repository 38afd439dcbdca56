"""Which proxy setting a failure has to do with, by the name of its variable and never by its value.

httpx takes the proxy from the environment (or from the system's settings, where there are any). A proxy's address may
hold a password, so that no error shows more of it than where it stands.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from cleanup_gitops.model.errors import SiteError

SCHEMES = ("https", "http", "all")
HINT = "Check HTTPS_PROXY and NO_PROXY (lower case counts, too). A proxy is written as http://host:port."


def proxy_in_use(url: str) -> str | None:
    """The variable that names the proxy for ``url``, or ``None`` where no proxy stands in between."""
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    known = getproxies()
    return next((_variable(scheme) for scheme in (parts.scheme, "all") if known.get(scheme)), None)


def unusable_proxy() -> SiteError:
    """Why a client could not be made from the proxy settings: which of them, and what is wrong with it."""
    known = getproxies()
    for scheme in SCHEMES:
        url = known.get(scheme, "")
        if url.partition("://")[0].casefold().startswith("socks"):
            return SiteError(f"{_variable(scheme)} names a SOCKS proxy, which cleanup-gitops cannot use.", HINT)
        if url and not _is_proxy(url):
            return SiteError(f"{_variable(scheme)} holds no address of a proxy.", HINT)
    return SiteError("NO_PROXY holds something that is no host name.", HINT)


def _variable(scheme: str) -> str:
    return f"{scheme.upper()}_PROXY"


def _is_proxy(url: str) -> bool:
    try:
        httpx.Proxy(url if "://" in url else f"http://{url}")
    except (ValueError, TypeError, httpx.InvalidURL):
        return False
    return True

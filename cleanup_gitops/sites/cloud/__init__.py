"""Confluence Cloud: users and groups through the Organizations API, the site through Confluence's own."""

from cleanup_gitops.sites.cloud.site import CloudSite, connect

__all__ = ["CloudSite", "connect"]

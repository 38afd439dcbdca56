"""Where users live: one HTTP client, and an adapter for each kind of site."""

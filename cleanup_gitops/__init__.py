"""Policy as code for Confluence users and groups: plan, review, apply, keep the proof in git."""

__version__ = "0.1.0"

"""The table of writes as docs/cloud-writes.md shows it; `python -m tests.sites.write_table` prints it."""

from __future__ import annotations

from cleanup_gitops.sites.cloud.write_rules import RULES, WriteRule

HEADS = (
    "write",
    "call",
    "success",
    "idempotent",
    "sent again",
    "the same again answers",
    "may mean *already*",
    "shows",
    "answer lost",
)


def row(rule: WriteRule) -> str:
    """One line of the table."""
    cells = (
        f"`{rule.name}`",
        f"`{rule.endpoint}`",
        ", ".join(map(str, rule.accepted)),
        "yes" if rule.idempotent else "**no**",
        "after 429, or without a connection" if rule.repeatable else "**never**",
        rule.repeated + (" (not documented)" if rule.open else ""),
        ", ".join(f"`{answer}`" for answer in rule.already) or "nothing",
        rule.shows,
        rule.lost,
    )
    return f"| {' | '.join(cells)} |"


def table() -> str:
    """Head and rows, in the order of the code."""
    head = f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}"
    return "\n".join([head, *(row(rule) for rule in RULES.values())])


if __name__ == "__main__":
    print(table())

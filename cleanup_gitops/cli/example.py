"""The project's own example policies: packed into the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

import cleanup_gitops
from cleanup_gitops.model.errors import CleanupError


def example_policies(package: Path | None = None) -> dict[str, bytes]:
    """Name and bytes of every example file, sorted. ``package`` is the folder of the installed package.

    Raises ``CleanupError`` when they are in neither place.
    """
    here = package or Path(cleanup_gitops.__file__).parent
    for folder in (here / "example" / "policies", here.parent / "policies"):
        files = sorted(folder.glob("*.yaml"))
        if any(file.name == "site.yaml" for file in files):
            return {file.name: file.read_bytes() for file in files}
    raise CleanupError(
        f"The example policies are missing beside {here}.",
        "Install cleanup-gitops again: its package holds them.",
    )

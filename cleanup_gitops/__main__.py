"""``python -m cleanup_gitops`` is the same as ``cleanup-gitops``."""

from cleanup_gitops.cli.main import main

if __name__ == "__main__":
    main()

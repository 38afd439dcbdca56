"""State on disk and in git: snapshot, record of runs with its hash chain, plan files, the git store."""

"""Whether a recorded history is whole: commit by commit, from the first record to the last. Pure but for the branch."""

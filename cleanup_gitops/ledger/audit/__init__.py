"""Whether a recorded history is whole, commit by commit: git hands over branch and history, the rest is pure."""

"""What the recorded history proves, for people who were not there: events, lives of accounts, figures of a period."""

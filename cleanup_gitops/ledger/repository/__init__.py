"""The record in a git repository: where it is, what is read from it, how it is published, what may not be believed."""

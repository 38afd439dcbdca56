"""The command line: parse, wire, print, exit code. No rules."""

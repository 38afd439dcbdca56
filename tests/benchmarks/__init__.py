"""What the tool costs: each measurement in fresh processes, beside its budget. See docs/performance.md.

    python -m tests.benchmarks                              everything at its usual sizes
    python -m tests.benchmarks rules digest --users 100000  some of it
    python -m tests.benchmarks year --days 60 --users 10000 a year of records, or less of it
    python -m tests.benchmarks --write                      and renew the table in docs/performance.md

Nothing here is a test: no run fails because a machine was slow.
"""

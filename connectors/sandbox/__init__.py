"""A local accounting service that speaks the vendors' HTTP APIs, for rehearsal and tests.

It behaves as the vendors' contracts describe, runs on the injected clock, and loads a book file
whose events become visible day by day. It is a rehearsal, not the judge.
"""

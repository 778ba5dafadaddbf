"""A local accounting service that speaks the vendors' HTTP APIs, for rehearsal and tests.

It behaves as the vendors' contracts describe, runs on the injected clock, and loads a book file
whose events become visible day by day. It is a rehearsal, not the judge.

    service.py     Sandbox: a book, a vendor, a clock, and a way in
    ledger.py      what the company's books hold; people.py: who works in them beside the client
    door.py        the way of a request: faults, limits, tokens; faultnames.py lists the faults
    webhooks.py    what changed, told to an address
    quickbooks/, xero/   a face for each vendor: addresses, refusals, and words
"""

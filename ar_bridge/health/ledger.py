"""The policy of a book, and what the ledger itself says about its set-up."""

from collections.abc import Iterator
from shlex import quote

from ar_bridge.company_facts import company_of
from ar_bridge.health.book import ExaminedBook
from ar_bridge.policy_remarks import remarks
from ar_bridge.store import books
from ar_bridge.wiring import policy_of, templates_of
from connectors.budget import serving_writes
from connectors.port import Finding
from rules.calendar import local_date


def of_policy(examined: ExaminedBook) -> Iterator[Finding]:
    """Can the policy in force be read, and is it sound?"""
    zone = examined.book.timezone or "UTC"
    policy = policy_of(examined.book, local_date(examined.clock.now(), zone))
    subject = examined.subject("policy")
    yield Finding(
        level="ok",
        subject=subject,
        text=f"{policy.name}: {_counted(len(policy.stage), 'stage')}, "
        f"{_counted(len(policy.fee), 'fee')}",
    )
    for remark in remarks(policy, templates_of(examined.home)):
        if remark.severity != "info":
            yield Finding(
                level=remark.severity, subject=subject, text=remark.message, remedy=remark.hint
            )


def of_fees(examined: ExaminedBook) -> Iterator[Finding]:
    """Late fees need an account and a tax, which have no default; so do write-offs."""
    if examined.book.ledger != "bookfile" and not examined.book.can_charge:
        yield Finding(
            level="warning",
            subject=examined.subject("late fees"),
            text="fee_account or fee_tax is empty: no fee is charged",
            remedy="set both once you know where late fees are booked",
        )
    account, tax = examined.book.bad_debt_account, examined.book.bad_debt_tax
    if bool(account) != bool(tax):
        missing = "bad_debt_tax" if account else "bad_debt_account"
        yield Finding(
            level="warning",
            subject=examined.subject("write-offs"),
            text=f"{missing} is empty: a debt that is written off stays a task for a person",
            remedy="set both, or neither; your accountant knows the tax of bad debts",
        )


def of_ledger(examined: ExaminedBook) -> Iterator[Finding]:
    """Does the ledger let us in, and is it set up for what we write?

    What it says of the company is kept: a late fee waits until its account and tax were seen.
    """
    desk = examined.desk
    # A few calls, in answer to a person: what is kept of the day is for these too.
    with serving_writes():
        found = desk.connector.check()
    with desk.store.write() as conn:
        row = books.get(conn, desk.book_id)
        if found.company.id == row.company_id:
            seen = company_of(found, desk.fee_account, desk.fee_tax)
            books.register(conn, seen, name=row.name, connected_on=row.connected_on)
    company = found.company
    yield Finding(
        level="ok",
        subject=examined.subject("ledger"),
        text=f"{company.name or company.id} ({company.base_currency}, {company.timezone})",
    )
    if row.state == "rebuilt":
        yield Finding(
            level="warning",
            subject=examined.subject("records"),
            text="our own records were lost and found again in the ledger: every action waits "
            "for approval",
            remedy="look through them, then: "
            f"ar-bridge trust --book {quote(row.name)} --reason ...",
        )
    yield from found.findings


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

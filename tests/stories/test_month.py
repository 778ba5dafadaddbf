"""A month of days: what stands in the ledger and in the mailbox is what we did, and only that."""

from datetime import date, timedelta
from typing import Any

from tests.stories.books import company, customer, flat_fee, invoice, payment, policy
from tests.stories.conftest import Opens, on_both_databases
from tests.stories.evidence import is_matched
from tests.stories.stage import Office

INTEREST = """
[[fee]]
id = "interest"
name = "Interest"
type = "interest"
annual_rate = 12
day_count = "act/365"
base = "outstanding"
grace = "5d"
grace_mode = "retroactive"
post = { every = "month", on = "last_business_day" }
cap = { percent_of_original = 25 }
"""


def a_month() -> list[dict[str, Any]]:
    return [
        company(),
        customer("North"),
        customer("South"),
        customer("East"),
        customer("West"),
        invoice("N-1", "North", "2026-05-29", "1200.00"),
        invoice("N-2", "North", "2026-06-12", "300.00"),
        invoice("S-1", "South", "2026-06-03", "800.00"),
        invoice("E-1", "East", "2026-06-08", "450.00"),
        invoice("E-2", "East", "2026-06-09", "90.00"),
        invoice("W-1", "West", "2026-07-20", "70.00"),
        payment("P-1", "South", "2026-06-10", "300.00", S_1="300.00"),
        payment("P-2", "East", "2026-06-16", "450.00", E_1="450.00"),
    ]


def play(office: Office, first: str, last: str) -> None:
    for _ in office.days(first, last):
        office.run()


def charged(office: Office) -> dict[tuple[str, str], int]:
    """Fees in the ledger: (customer, tag without its day) to amount."""
    return {
        (fee.customer_book_id or "", fee.tag.split(" key=")[1]): fee.amount
        for fee in office.records.fees
    }


def served(office: Office) -> list[str]:
    """Item keys of all reminders that went out."""
    return sorted(
        item.key
        for row in office.rows("done", kind="reminder")
        for item in row.action.items
        if item.kind == "reminder"
    )


@on_both_databases
def test_everything_there_was_done_once_and_the_second_run_writes_nothing(
    an_office: Opens,
) -> None:
    office = an_office(
        *a_month(), policy=policy(fee=flat_fee() + INTEREST), today="2026-06-01", over_http=True
    )
    play(office, "2026-06-01", "2026-07-01")
    is_matched(office)
    fees = charged(office)
    flat = {who for (who, key) in fees if "/late/" in key}
    assert flat == {"North", "South", "East"}
    assert sum(1 for (_, key) in fees if "/late/" in key) == 5
    # 1200.00 at 12 % for the 30 days of June: nothing from before the book was connected.
    of_n1 = f"late_fee/{office.invoice_id('N-1')}/interest/2026-06"
    assert fees["North", of_n1] == round(120_000 * 0.12 * 30 / 365)
    assert not office.mails_to("West")
    assert {"N-1", "S-1", "E-1"} <= {
        number
        for mail in office.mails
        for number in ("N-1", "S-1", "E-1")
        if number in mail.content.decode()
    }
    before = (office.records, len(office.mails))
    writes = office.sandbox.stats().writes
    again = office.run()
    assert again.total("written") == {}
    assert office.sandbox.stats().writes == writes
    assert (office.records, len(office.mails)) == before
    office.reopen()
    assert office.run().total("written") == {}
    assert (office.records, len(office.mails)) == before


def test_four_days_of_downtime_lose_nothing_and_double_nothing(an_office: Opens) -> None:
    steady = an_office(*a_month(), policy=policy(fee=flat_fee()), today="2026-06-01")
    play(steady, "2026-06-01", "2026-06-19")
    office = an_office(*a_month(), policy=policy(fee=flat_fee()), today="2026-06-01")
    play(office, "2026-06-01", "2026-06-09")
    office.reopen()
    play(office, "2026-06-14", "2026-06-19")
    is_matched(office)
    assert charged(office) == charged(steady)
    assert served(office) == served(steady)
    assert len(served(office)) == 7
    weekdays = {row.send_on.weekday() for row in office.rows("done", kind="reminder")}
    assert weekdays <= {0, 1, 2, 3, 4}


def test_what_is_planned_today_is_not_done_before_its_time(an_office: Opens) -> None:
    """A run on a Sunday plans; the mail waits for Monday's window."""
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-03"),
        policy=policy(),
        today="2026-06-07",
    )
    office.run()
    assert not office.mails
    office.wake(date(2026, 6, 7) + timedelta(days=1))
    office.run()
    assert len(office.mails_to("North")) == 1
    is_matched(office)

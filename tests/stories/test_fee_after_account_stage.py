"""A fee of single invoices that waits for a reminder of the account, on both ledgers."""

from tests.stories.books import company, customer, invoice
from tests.stories.conftest import Opens

POLICY = """
schema = 1
name = "accounts"

[calendar]
send_window = "00:00-23:59"

[do_not_chase]
stale_after = "48h"
paid_lag = "0d"

[[stage]]
id = "account-first"
name = "Account reminder"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"
scope = "customer"

[[fee]]
id = "late"
name = "Late fee"
type = "flat"
amount = "15.00"
grace = "5d"
requires = ["account-first"]
legal_basis = "contract:terms"

[limits]
mails_per_run = 50
fees_per_run = 50
first_apply = 50
"""


def test_the_fee_comes_after_the_reminder_and_only_where_it_asked(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("N-2", "North", "2026-06-05", "500.00"),
        policy=POLICY,
        today="2026-06-04",
    )
    office.run()
    for _ in office.days("2026-06-05", "2026-06-20"):
        office.run()
    charged = [row.action.invoice for row in office.rows("done", kind="late_fee")]
    assert charged == [office.invoice_id("N-1")]

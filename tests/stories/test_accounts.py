"""Currencies, branches and how often a payer hears from us."""

from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import skips_of, text_of

TODAY = "2026-06-04"


def test_an_amount_without_currency_is_the_base_currency_s(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        customer("Paris", currency="EUR"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("P-1", "Paris", "2026-06-01", currency="EUR"),
        policy=policy(fee=flat_fee()),
        today=TODAY,
    )
    plan = office.run().plan
    assert [(fee.customer_book_id, fee.currency) for fee in office.records.fees] == [
        ("North", "GBP")
    ]
    (skip,) = skips_of(plan, "no_amount_for_currency")
    assert skip["invoice"] == office.invoice_id("P-1")
    assert "EUR" in skip["reasons"][0]["text"]
    (mail,) = office.mails_to("Paris")
    assert "€1,000.00" in text_of(mail) and "fee" not in text_of(mail)
    is_matched(office)


def test_each_currency_has_its_own_amount(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        customer("Paris", currency="EUR"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("P-1", "Paris", "2026-06-01", currency="EUR"),
        policy=policy(fee=flat_fee('{ GBP = "25", EUR = "30" }')),
        today=TODAY,
    )
    office.run()
    assert {(f.customer_book_id, f.currency, f.amount) for f in office.records.fees} == {
        ("North", "GBP", 2500),
        ("Paris", "EUR", 3000),
    }
    is_matched(office)


def test_branches_are_one_message_to_the_one_that_pays(an_office: Opens, ledger: str) -> None:
    """Xero knows no parents: there customers.toml says who pays."""
    office = an_office(
        company(),
        customer("North"),
        customer("Leeds", parent="North", email="ap@leeds.example"),
        customer("York", parent="North", email="ap@york.example"),
        invoice("L-1", "Leeds", "2026-06-01", "100.00"),
        invoice("Y-1", "York", "2026-06-01", "200.00"),
        policy=policy(),
        today=TODAY,
    )
    if ledger == "xero":
        payer = office.customer_id("North")
        office.home.customers.write_text(
            "".join(
                f'[customer."{office.customer_id(name)}"]\nparent = "{payer}"\n'
                for name in ("Leeds", "York")
            ),
            encoding="utf-8",
        )
        office.reopen()
    office.run()
    (mail,) = office.mails
    assert mail.recipients == ("ap@north.example",)
    text = text_of(mail)
    assert "L-1" in text and "Y-1" in text and "£300.00" in text
    is_matched(office)


def test_no_more_than_the_budget_whatever_is_due(an_office: Opens) -> None:
    """A new invoice comes due each day; the payer hears from us twice a week, not daily."""
    office = an_office(
        company(),
        customer("North"),
        *(invoice(f"N-{day}", "North", f"2026-06-{day:02}", "50.00") for day in range(1, 13)),
        policy=policy(min_gap="1d"),
        today=TODAY,
    )
    waited = 0
    for _ in office.days(TODAY, "2026-06-17"):
        plan = office.run().plan
        waited += len(skips_of(plan, "contact_budget"))
        assert all(skip["next_on"] for skip in skips_of(plan, "contact_budget"))
    assert waited
    days = sorted(row.send_on for row in office.rows("done", kind="reminder"))
    assert len(days) == len(set(days)) == len(office.mails)
    for first, third in zip(days, days[2:], strict=False):
        assert (third - first).days >= 7
    is_matched(office)


def test_a_fee_waits_for_a_day_on_which_it_can_be_announced(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("N-2", "North", "2026-06-03"),
        policy=policy(fee=flat_fee()),
        today=TODAY,
    )
    office.run()
    assert len(office.records.fees) == 1
    for _ in office.days("2026-06-05", "2026-06-08"):
        office.run()
    assert len(office.records.fees) == len(office.mails) == 1
    office.wake("2026-06-09")
    office.run()
    assert len(office.records.fees) == len(office.mails) == 2
    assert office.records.fees[1].number in text_of(office.mails[1])
    is_matched(office)

"""Lines tell tags and other people's late fees; they never cost an invoice."""

from typing import Any

import pytest

from connectors.xero import parse
from connectors.xero.rows import Context
from rules.model.invoice import Invoice
from tests.connectors.xero import samples
from tests.connectors.xero.samples import raw

CONTEXT = Context(base_currency="NZD", fee_account="270")


def line(words: str, amount: Any = 40, account: str = "200", **more: Any) -> dict[str, Any]:
    return {
        "Description": words, "LineAmount": amount, "TaxAmount": 6.0, "AccountCode": account,
        "Tracking": [], "Quantity": 1,
    } | more  # fmt: skip


def read(*lines: Any, **changes: Any) -> Invoice:
    found = parse.invoice(raw(samples.invoice(LineItems=list(lines), **changes)), CONTEXT)
    assert isinstance(found, Invoice)
    return found


@pytest.mark.parametrize(
    "words",
    [
        "Late fee", "LATE FEES for INV-7", "late-payment charge", "Late payment interest 8%",
        "Interest on overdue invoice INV-7", "Overdue charge", "Statutory interest",
        "Late Payment Compensation", "Debt recovery costs", "Penalty for late payment",
    ],
)  # fmt: skip
def test_lines_that_say_so_are_fees_whatever_their_account(words: str) -> None:
    mixed = read(line("Fish"), line(words, 9.5, TaxAmount=0))
    assert (mixed.fee_lines, mixed.is_fee) == (950, False)
    assert read(line(words)).is_fee


@pytest.mark.parametrize("words", ["Interest", "Penalty", "Overdue account"])
def test_lines_that_may_say_so_are_fees_in_the_account_of_fees(words: str) -> None:
    assert read(line(words, account="270")).is_fee
    assert not read(line(words, account="200")).is_fee


@pytest.mark.parametrize(
    "words",
    ["Chocolate feed", "Plate", "Translated fee schedule", "Consulting", "Late delivery", "",
     "Charge for late delivery"],
)  # fmt: skip
def test_other_lines_are_none_though_they_are_in_the_account_of_fees(words: str) -> None:
    invoice = read(line(words, account="270"))
    assert (invoice.fee_lines, invoice.is_fee) == (0, False)


def test_a_fee_is_counted_with_its_tax() -> None:
    assert read(line("Fish"), line("Late fee", 40)).fee_lines == 4600
    inclusive = read(line("Fish"), line("Late fee", 40), LineAmountTypes="Inclusive")
    assert inclusive.fee_lines == 4000
    untaxed = read(line("Fish"), line("Late fee", 40, TaxAmount=None), LineAmountTypes="NoTax")
    assert untaxed.fee_lines == 4000


def test_a_fee_that_was_taken_off_again_is_none() -> None:
    off = line("Late fee taken off", -9.5, TaxAmount=0)
    assert read(line("Fish"), line("Late fee", 9.5, TaxAmount=0), off).fee_lines == 0
    assert read(line("Fish"), off).fee_lines == 0


def test_lines_of_text_only_do_not_make_a_fee_a_sale() -> None:
    text = {"Description": "With kind regards"}
    assert read(line("Late fee"), text, line("see our terms", 0, TaxAmount=0)).is_fee


def test_our_own_fees_are_known_by_their_tag() -> None:
    ours = read(line("Late fee"), Reference="arb1 inv=abc fee=f through=2026-07-01 key=k")
    assert (ours.is_fee, ours.fee_of, ours.fee_lines) == (True, "abc", 0)


def test_tracking_options_are_tags() -> None:
    def tracked(*options: tuple[str | None, str]) -> dict[str, Any]:
        return line("Fish", Tracking=[{"Name": name, "Option": opt} for name, opt in options])

    invoice = read(
        tracked(("Region", "North"), ("Team", "A")), tracked(("Region", "North"), (None, "Odd"))
    )
    assert invoice.tags == ("Region: North", "Team: A", "Odd")
    assert read(line("Fish")).tags == ()


def test_an_invoice_of_a_template_is_tagged() -> None:
    assert read(RepeatingInvoiceID=samples.OTHER).tags == ("repeating",)


@pytest.mark.parametrize("odd", ["much", {"a": 1}, True])
def test_odd_lines_tell_nothing_and_cost_nothing(odd: Any) -> None:
    invoice = read(line("Late fee", odd), line(odd, AccountCode=odd, TaxAmount=odd))
    assert (invoice.balance, invoice.is_fee) == (4010, False)


def test_items_and_tracking_tell_what_was_sold() -> None:
    region = {"Name": "Region", "Option": "North"}
    invoice = read(
        line("Fish", ItemCode="FISH", Tracking=[region]),
        line("Chips", ItemCode="CHIPS \u00e9"),
        line("More fish", ItemCode="FISH", Tracking=[region]),
        line("Salt", ItemCode=None),
    )
    assert invoice.items == ("FISH", "CHIPS \u00e9")
    assert invoice.tracking == ("Region: North",)
    assert read(line("Salt"), line("Odd", ItemCode=7)).items == ()

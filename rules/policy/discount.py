"""`[discount]`: what may be deducted by a customer who pays early."""

from typing import Literal

from rules.policy.conditions import Conditions
from rules.policy.reading import Day, Exact
from rules.policy.section import Section, key
from rules.policy.stage import ID_PATTERN, Days
from rules.policy.values import Duration, Mode

DISCOUNT_TEMPLATE = "discount_offer"


class Discount(Section):
    """An early payment discount: offered, checked against the payment, and credited once."""

    id: str = key(
        "early-payment",
        "Identity of the discount in everything that we store and write; never change it.",
        pattern=ID_PATTERN,
    )
    name: str = key("Early payment discount", "What the customer reads.", max_length=80)
    percent: Exact = key(..., "Percent that may be deducted.", gt=0, le=50)
    within: Days = key(
        Duration(10, "d"),
        "Time from the day of issue in which the payment has to come; the day of the payment "
        "counts, and the last day is inside.",
    )
    base: Literal["total", "ex_tax"] = key(
        "total",
        "What the percentage is taken of: the invoice with its tax or without; credit notes on "
        "the invoice come off it first.",
    )
    from_: Day | None = key(
        None,
        "Invoices issued from this day on; without it from the day on which the book was "
        "connected.",
        alias="from",
    )
    only: tuple[str, ...] = key((), "Segments that it is for; empty means everybody.")
    skip: tuple[str, ...] = key((), "Segments that it leaves out.")
    when: Conditions | None = key(None, "Has to hold for the invoice.")
    unless: Conditions | None = key(None, "Leaves out invoices for which this holds.")
    offer_after: Days | None = key(
        None,
        "Offer it in a message of its own this long after the day of issue; `0d`: on that day. "
        "Without it only the messages of `offer_in` speak of it.",
    )
    offer_in: tuple[str, ...] = key((), "Stages whose messages mention it while it can be had.")
    to: tuple[str, ...] = key(("billing",), "Roles that the offer goes to.", min_length=1)
    cc: tuple[str, ...] = key((), "Roles that get a copy.")
    template: str = key(DISCOUNT_TEMPLATE, "Name of the message template of the offer.")
    account: str = key(
        "",
        "Account (QuickBooks: product or service) of the credit note; without it that of the "
        "invoice's first line.",
    )
    tax: str = key(
        "",
        "Tax of the credit note; without it that of the invoice, whose lines then have to agree.",
    )
    mode: Mode | None = key(
        None,
        "How far the offer and the credit may go by themselves; the strictest of book, policy "
        "and this wins.",
    )

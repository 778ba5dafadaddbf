"""`[hand_off]`: what has to have happened before invoices go to a collector or a lawyer."""

from decimal import Decimal
from typing import Literal

from rules.policy.person import EMAIL_PATTERN
from rules.policy.reading import Count, Exact
from rules.policy.section import Section, key
from rules.policy.stage import Days
from rules.policy.values import Duration


class Agency(Section):
    """Who gets the claims."""

    name: str = key("", "Name of the agency or of the law firm.", max_length=120)
    email: str = key(
        "",
        "Where the bundle is sent, by a person.",
        max_length=254,
        pattern=rf"^$|{EMAIL_PATTERN}",
    )
    client_no: str = key("", "Your own number there; it stands in every row of the file.")


class HandOffRules(Section):
    """What has to have happened before invoices are handed over; a person may set each of these
    aside with a reason, and approves every hand-off."""

    minimum_balance: Exact = key(
        Decimal(0),
        "Least that is handed over for one customer, all invoices together, in their currency.",
        ge=0,
    )
    contacts: Count = key(1, "Messages about the invoice that the customer had before.", ge=0)
    notice: str = key(
        "", "Stage that gave notice of it, such as your final notice; empty asks for none."
    )
    cool_off: Days = key(
        Duration(1, "d"), "Time after the deadline of the notice before anything is handed over."
    )
    to: Literal["agency", "legal"] = key(
        "agency", "Who gets it: a collection `agency`, or `legal` for a lawyer or the court."
    )
    agency: Agency = key(Agency(), "Name, address and your number there.")

"""`[[test]]`: what the policy has to do with a small book on a day, said inside the policy."""

from typing import Any

from rules.policy.reading import Day, Exact
from rules.policy.section import Section, key


class ExpectedAction(Section):
    """An action that has to be decided; only what is named is compared."""

    kind: str | None = key(None, 'Kind of the action, such as "reminder" or "late_fee".')
    customer: str | None = key(None, "Who it goes to, by id.")
    invoices: tuple[str, ...] | None = key(None, "Invoices it is about, by id, in any order.")
    stage: str | None = key(None, "The stage that it serves.")
    fee: str | None = key(None, "The fee that it charges.")
    amount: Exact | None = key(None, "Its amount.")
    currency: str | None = key(None, "Currency of the amount.")
    through: Day | None = key(None, "Last day that a fee covers.")
    template: str | None = key(None, "Template of the message.")
    formal: bool | None = key(None, "Whether it is a formal message.", strict=True)
    claimed: Exact | None = key(
        None, "What a formal message claims of fees that are never invoiced."
    )
    mode: str | None = key(None, "How far it may go by itself.")


class ExpectedSkip(Section):
    """Something that has to be left undone, with its reason."""

    customer: str | None = key(None, "Whose, by id.")
    invoice: str | None = key(None, "Which invoice, by id.")
    stage: str | None = key(None, "The stage that waits.")
    fee: str | None = key(None, "The fee that waits.")
    code: str | None = key(None, 'The reason, such as "disputed" or "contact_budget".')
    next_on: Day | None = key(None, "When it is looked at again.")
    review_on: Day | None = key(None, "When a person has to look at it.")


class PolicyTest(Section):
    """One test: events of a book, a day, and what has to come of it."""

    name: str = key(..., "What it shows.", min_length=1)
    on: Day = key(..., "The day.")
    events: tuple[dict[str, Any], ...] = key(
        ...,
        'The book, one event a table, as in a book file (`{ t = "invoice", id = "INV-1", ... }`); '
        "without a company event it is kept in GBP and London.",
    )
    actions: tuple[ExpectedAction, ...] | None = key(
        None, "Every action that is decided, and no other; `[]` for none at all."
    )
    skips: tuple[ExpectedSkip, ...] = key((), "What has to be among the things left undone.")
    connected: Day | None = key(
        None, "Day on which the book was connected; without it a book file is meant."
    )
    holidays: tuple[Day, ...] = key((), "Public holidays of the policy's region.")

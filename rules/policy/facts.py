"""The closed vocabulary of conditions: what a policy may ask about an invoice and its customer."""

from typing import Final, Literal, TypeAlias, get_args

import msgspec

from rules.model.customer import EntityType

FactType: TypeAlias = Literal["amount", "number", "text", "tags", "flag"]

About: TypeAlias = Literal[
    "invoice", "customer", "account", "behaviour", "history", "commitments", "cash"
]
"""What a fact speaks of. `invoice`, `history` and `commitments` need an invoice to be asked of."""


class Fact(msgspec.Struct, frozen=True):
    """One fact. `type` decides which values a condition may compare it with.

    Shapes in the facts mapping: amount = int minor units of the invoice's currency, number =
    int, text = str, tags = a sequence of str, flag = bool; None where it is not known.
    """

    name: str
    type: FactType
    sentence: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    about: About = "invoice"

    @property
    def example(self) -> str:
        """A condition with this fact, as it is written."""
        if self.choices:
            return f'{self.name} = "{self.choices[0]}"'
        return f"{self.name} = {_EXAMPLES[self.type]}"


_EXAMPLES: Final[dict[FactType, str]] = {
    "amount": '">= 20"',
    "number": '"10..20"',
    "text": '"..."',
    "tags": '["one", "another"]',
    "flag": "true",
}

_NOMINAL: Final = "major units, nominally in the invoice's currency"
_YEAR: Final = "of invoices paid in the last 365 days, as far as ar-bridge saw them"


def _facts(about: About, *facts: Fact) -> tuple[Fact, ...]:
    return tuple(msgspec.structs.replace(fact, about=about) for fact in facts)


def _amount(name: str, sentence: str) -> Fact:
    return Fact(name, "amount", sentence, _NOMINAL)


def _days(name: str, sentence: str) -> Fact:
    return Fact(name, "number", sentence, "days")


def _number(name: str, sentence: str) -> Fact:
    return Fact(name, "number", sentence)


def _text(name: str, sentence: str, *choices: str) -> Fact:
    return Fact(name, "text", sentence, choices=choices)


def _flag(name: str, sentence: str) -> Fact:
    return Fact(name, "flag", sentence)


def _tags(name: str, sentence: str) -> Fact:
    return Fact(name, "tags", sentence)


_INVOICE: Final = _facts(
    "invoice",
    _amount("invoice_balance", "What is still owed on the invoice, unused credit deducted."),
    _amount("invoice_total", "What the invoice was issued for, tax included."),
    _amount("invoice_tax", "The tax in it."),
    _number("paid_percent", "Share of the invoice that is paid or credited, whole percent."),
    _flag("is_part_paid", "A part of the invoice is paid or credited, and a part is open."),
    _days("days_past_due", "Days since the due date; negative before it."),
    _days("invoice_age_days", "Days since the invoice was issued."),
    _number("due_month_day", "Day of the month on which the invoice is due, 1 to 31."),
    _text("invoice_number", "The number on the invoice."),
    _text("po", "The customer's purchase order number on the invoice; empty for none."),
    _text("reference", "The reference on the invoice; empty for none."),
    _text("currency", "The invoice's currency as three letters."),
    _text(
        "sent",
        "Whether the invoice was sent to the customer, as far as the ledger knows.",
        "yes",
        "no",
        "unknown",
    ),
    _flag("is_viewed", "The customer is known to have opened the invoice."),
    _tags("invoice_tags", "Tags of the invoice."),
    _tags("items", "Products and services on the invoice, as the ledger names them."),
    _tags(
        "tracking",
        "What the ledger sorts the invoice by, with its heading: `Region: North` (tracking in "
        "Xero), `Class: Retail` or `Location: Leeds` (QuickBooks).",
    ),
    _tags("classes", "The same without the heading: `North`, `Retail`, `Leeds`."),
    _flag("has_fees", "Late fees of ours on the invoice are open."),
    _amount("fee_balance", "What is open of our late fees on the invoice."),
    _amount("fees_charged", "Late fees that we charged on the invoice, waived ones included."),
    _days("expected_in_days", "Days until the payment that the ledger expects; negative after."),
)

_CUSTOMER: Final = _facts(
    "customer",
    _text("customer", "The customer's id in the ledger."),
    _text("customer_name", "The customer's name."),
    _tags("tags", "Tags of the customer, and of whoever pays for it."),
    _text("country", "The customer's country as two letters."),
    _text("language", "The customer's language, such as `de`; empty where nobody said."),
    _text("timezone", "The customer's time zone; empty where nobody said."),
    _text(
        "entity_type",
        "What the customer is in law; a guess from the name counts as unknown.",
        *get_args(EntityType),
    ),
    _days("terms_days", "The customer's own payment terms."),
    _flag("has_email", "There is an address to write to."),
    _tags("roles", "Roles of the customer's contacts: `billing`, `owner`, ..."),
    _flag("is_child", "Another customer pays the invoices of this one."),
    _text("payer", "Id of the customer that pays: the parent, or the customer itself."),
    _days("customer_since_days", "Days since the oldest invoice of the customer that we know."),
)

_ACCOUNT: Final = _facts(
    "account",
    _amount("customer_balance", "All that the paying customer owes, in the invoice's currency."),
    _amount(
        "customer_overdue",
        "All that the paying customer owes past its due date, in the invoice's currency.",
    ),
    _amount("overdue_1_30", "What of it is 1 to 30 days past due."),
    _amount("overdue_31_60", "What of it is 31 to 60 days past due."),
    _amount("overdue_61_90", "What of it is 61 to 90 days past due."),
    _amount("overdue_over_90", "What of it is more than 90 days past due."),
    _amount("largest_overdue", "The largest overdue balance of one invoice."),
    _amount("unapplied_credit", "Money and credits that the customer has not used."),
    _amount("customer_fee_balance", "What is open of late fees of the paying customer."),
    _number("open_invoices", "How many invoices the paying customer has open."),
    _number("overdue_invoices", "How many invoices the paying customer has past due."),
    _days("oldest_days_past_due", "Age of the customer's oldest overdue debt."),
    _amount(
        "exposure",
        "Everything open, less unapplied credit, plus estimates as far as `[credit]` counts them.",
    ),
    _amount("credit_limit", "The credit limit kept with the paying customer."),
    _number("credit_used_percent", "The exposure as a share of that limit, whole percent."),
    _flag("is_on_hold", "The customer is on credit hold."),
)

_BEHAVIOUR: Final = _facts(
    "behaviour",
    _number("invoices_paid", "How many invoices the customer paid in the last 365 days."),
    _days("average_days_late", f"Average days late, early payment counted as 0, {_YEAR}."),
    _days("weighted_days_late", "The same, large invoices counting for more."),
    _days("usual_days_late", f"The middle one of the days late, negative for early, {_YEAR}."),
    _number("paid_late_percent", f"Share of invoices paid after their due date, {_YEAR}."),
    _days("last_payment_days_ago", "Days since the newest payment of the customer that we know."),
)

_HISTORY: Final = _facts(
    "history",
    _number("contacts_served", "How many of our contacts about this invoice went out."),
    _number("contacts_30_days", "How many of our contacts reached the customer in 30 days."),
    _days("last_contact_days_ago", "Days since our last contact with the customer."),
    _tags("stages_served", "Stages that this invoice was served."),
    _number("fee_count", "How many late fees we charged on the invoice."),
    _flag("is_bounced", "A message about this invoice did not reach the customer."),
)

_COMMITMENTS: Final = _facts(
    "commitments",
    _number("broken_promises", "Promises to pay that the customer did not keep."),
    _flag("has_promise", "A promise to pay the invoice stands."),
    _days("promise_in_days", "Days until the promised day; negative after it."),
    _flag("is_disputed", "The invoice or a part of it is disputed."),
    _amount("disputed_amount", "What of its balance is disputed."),
    _flag("has_instalments", "A payment plan for the invoice stands."),
    _flag("is_paused", "Somebody asked to wait, and the pause has not ended."),
    _flag("is_stopped", "Everything that the customer could see is stopped."),
    _amount("withheld_amount", "What the customer may hold back for now, such as a retention."),
    _flag("is_handed_over", "The invoice is with a collector or a lawyer."),
)

_CASH: Final = _facts(
    "cash",
    _days(
        "cash_entered_days_ago",
        "Days since the day up to which payments are known to be entered.",
    ),
)

_ALL: Final = (
    *_INVOICE,
    *_CUSTOMER,
    *_ACCOUNT,
    *_BEHAVIOUR,
    *_HISTORY,
    *_COMMITMENTS,
    *_CASH,
)

FACTS: Final[dict[str, Fact]] = {fact.name: fact for fact in _ALL}

REMEMBERED: Final = frozenset({fact.name for fact in _BEHAVIOUR} | {"customer_since_days"})
"""Facts that need invoices which were paid long ago, beside what a book always holds."""

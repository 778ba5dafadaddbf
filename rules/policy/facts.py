"""The closed vocabulary of conditions: what a policy may ask about an invoice and its customer."""

from typing import Final, Literal, TypeAlias, get_args

import msgspec

from rules.model.customer import EntityType

FactType: TypeAlias = Literal["amount", "number", "text", "tags", "flag"]


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


_NOMINAL = "major units, nominally in the invoice's currency"

_ALL: Final = (
    Fact("invoice_balance", "amount", "What is still owed on the invoice.", _NOMINAL),
    Fact("invoice_total", "amount", "What the invoice was issued for, tax included.", _NOMINAL),
    Fact("days_past_due", "number", "Days since the due date; negative before it.", "days"),
    Fact("invoice_number", "text", "The number on the invoice."),
    Fact("po", "text", "The customer's purchase order number on the invoice; empty for none."),
    Fact("reference", "text", "The reference on the invoice; empty for none."),
    Fact(
        "sent",
        "text",
        "Whether the invoice was sent to the customer, as far as the ledger knows.",
        choices=("yes", "no", "unknown"),
    ),
    Fact("invoice_tags", "tags", "Tags of the invoice."),
    Fact("tags", "tags", "Tags of the customer."),
    Fact("customer", "text", "The customer's id in the ledger."),
    Fact("country", "text", "The customer's country as two letters."),
    Fact("currency", "text", "The invoice's currency as three letters."),
    Fact(
        "entity_type",
        "text",
        "What the customer is in law; a guess from the name counts as unknown.",
        choices=get_args(EntityType),
    ),
    Fact("terms_days", "number", "The customer's own payment terms.", "days"),
    Fact(
        "customer_overdue",
        "amount",
        "All that the paying customer owes past its due date, in the invoice's currency.",
        _NOMINAL,
    ),
    Fact(
        "customer_balance",
        "amount",
        "All that the paying customer owes, in the invoice's currency.",
        _NOMINAL,
    ),
    Fact("overdue_invoices", "number", "How many invoices the paying customer has past due."),
    Fact("oldest_days_past_due", "number", "Age of the customer's oldest overdue debt.", "days"),
    Fact("broken_promises", "number", "Promises to pay that the customer did not keep."),
    Fact("contacts_served", "number", "How many of our contacts about this invoice went out."),
    Fact("credit_limit", "amount", "The customer's credit limit.", _NOMINAL),
    Fact("is_on_hold", "flag", "The customer is on credit hold."),
)

FACTS: Final[dict[str, Fact]] = {fact.name: fact for fact in _ALL}

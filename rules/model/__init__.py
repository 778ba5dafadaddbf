"""The receivables book as frozen values."""

from rules.model.book import Account, Book, HolidaySet, Rate
from rules.model.commitment import (
    Commitment,
    CreditExpected,
    Dispute,
    Instalments,
    Part,
    Pause,
    Placement,
    Promise,
    Stop,
    Withheld,
)
from rules.model.company import Company
from rules.model.credit import CreditNote
from rules.model.customer import Contact, Customer
from rules.model.estimate import Estimate
from rules.model.history import FeePosted, Served, Waiver
from rules.model.ids import (
    CreditNoteId,
    CustomerId,
    EstimateId,
    FeeId,
    InvoiceId,
    ItemKey,
    PaymentId,
    StageId,
)
from rules.model.invoice import Invoice
from rules.model.money import (
    AmountError,
    Minor,
    Rounding,
    currency_digits,
    exact_major,
    format_minor,
    parse_minor,
    round_minor,
)
from rules.model.payment import Allocation, Payment

__all__ = [
    "Account",
    "Allocation",
    "AmountError",
    "Book",
    "Commitment",
    "Company",
    "Contact",
    "CreditExpected",
    "CreditNote",
    "CreditNoteId",
    "Customer",
    "CustomerId",
    "Dispute",
    "Estimate",
    "EstimateId",
    "FeeId",
    "FeePosted",
    "HolidaySet",
    "Instalments",
    "Invoice",
    "InvoiceId",
    "ItemKey",
    "Minor",
    "Part",
    "Pause",
    "Payment",
    "PaymentId",
    "Placement",
    "Promise",
    "Rate",
    "Rounding",
    "Served",
    "StageId",
    "Stop",
    "Waiver",
    "Withheld",
    "currency_digits",
    "exact_major",
    "format_minor",
    "parse_minor",
    "round_minor",
]

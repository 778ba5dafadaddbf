"""Identifiers. `id` is always the ledger's own, `number` is what people see on paper."""

from typing import NewType

CustomerId = NewType("CustomerId", str)
InvoiceId = NewType("InvoiceId", str)
PaymentId = NewType("PaymentId", str)
CreditNoteId = NewType("CreditNoteId", str)
EstimateId = NewType("EstimateId", str)
StageId = NewType("StageId", str)
FeeId = NewType("FeeId", str)
ItemKey = NewType("ItemKey", str)
"""Identity of one thing done to one invoice or account, e.g. `reminder/INV-7/first-reminder/1`."""

"""What we ask of QuickBooks Online and what we write there, as text and bytes. Pure.

The query language is the documented subset: one entity, conditions joined by AND, ORDERBY,
STARTPOSITION, MAXRESULTS. Written bodies hold the few keys that matter and nothing else: a
key that is sent blank erases what the ledger has.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from connectors.errors import RefusedError
from rules.actions.effects import (
    AttachFile,
    PostCharge,
    PostCredit,
    PostNote,
    ReverseCharge,
    SetHold,
)
from rules.model.money import Minor, currency_digits

PAGE: Final = 1000
"""Rows that one query may return at most."""

NOTE_LIMIT: Final = 2000
CALLS: Final = {
    "post_credit": 3,  # the invoice, a credit memo of ours that is there, the credit memo
    "reverse_charge": 3,  # the document, a credit memo of ours that is there, the write
}
"""Calls that writing an effect takes where it is more than one."""
RECHECK_CALLS: Final = 6
"""The company, its preferences, the fee's item and tax code, payments, credit memos."""

_NOT_IN_FILE_NAMES: Final = frozenset('<>:"/\\|?*[]')

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def quoted(text: str) -> str:
    """A value in a query: backslashes first, then quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def one_of(values: Iterable[str]) -> str:
    """A list for IN."""
    return "(" + ", ".join(quoted(value) for value in values) + ")"


def iso(at: datetime) -> str:
    """An instant in a parameter."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def moment(at: datetime) -> str:
    """An instant in a query."""
    return quoted(iso(at))


def select(entity: str, where: str = "", *, start: int = 1, rows: int = PAGE) -> str:
    """One page of an entity, in an order that holds from page to page."""
    condition = f" where {where}" if where else ""
    return f"select * from {entity}{condition} ORDERBY Id STARTPOSITION {start} MAXRESULTS {rows}"


def major(amount: Minor, currency: str) -> Decimal:
    """Minor units as a JSON number in the currency's own digits."""
    return Decimal(amount).scaleb(-currency_digits(currency))


def note_body(effect: PostNote) -> bytes:
    """One Attachable for all invoices, or on the customer. Never on a mail to the customer."""
    targets: list[tuple[str, str]] = [("Invoice", invoice) for invoice in effect.invoices]
    targets = targets or [("Customer", effect.customer)]
    return _attachable(effect.text, targets)


def hold_body(effect: SetHold) -> bytes:
    """A credit hold is a note on the customer: QuickBooks has no field for it."""
    what = "Credit hold" if effect.is_on else "Credit hold released"
    text = f"{effect.mark} {what}" + (f": {effect.reason}" if effect.reason else "")
    return _attachable(text, [("Customer", effect.customer)])


def charge_body(
    effect: PostCharge,
    *,
    item: str,
    tax_code: str,
    locked_through: date | None,
    is_us: bool,
) -> bytes:
    """A late fee as an invoice of its own, with one line for each invoice that bears it.

    It is dated after the books were closed. Outside the United States QuickBooks wants to know
    how tax is counted: on top with a tax code, else not at all.
    """
    issued_on = effect.issued_on
    if locked_through is not None and issued_on <= locked_through:
        issued_on = locked_through + timedelta(days=1)
    lines = [(line.amount, line.description) for line in effect.lines]
    body: dict[str, Any] = {
        "DocNumber": effect.number,
        "CustomerRef": {"value": effect.customer},
        "CurrencyRef": {"value": effect.currency},
        "TxnDate": issued_on.isoformat(),
        "DueDate": max(effect.due_on, issued_on).isoformat(),
        "Line": [
            _line(major(amount, effect.currency), text, item=item, tax_code=tax_code)
            for amount, text in lines or [(effect.amount, effect.description)]
        ],
        "PrivateNote": effect.tag,
    }
    if effect.email:
        body["BillEmail"] = {"Address": effect.email}
    if not is_us:
        body["GlobalTaxCalculation"] = "TaxExcluded" if tax_code else "NotApplicable"
    return _encoder.encode(body)


def _line(amount: Decimal, text: str, *, item: str, tax_code: str) -> dict[str, Any]:
    detail: dict[str, Any] = {"ItemRef": {"value": item}, "Qty": 1, "UnitPrice": amount}
    if tax_code:
        detail["TaxCodeRef"] = {"value": tax_code}
    return {
        "DetailType": "SalesItemLineDetail",
        "Amount": amount,
        "Description": text,
        "SalesItemLineDetail": detail,
    }


def void_body(document_id: str, sync_token: str) -> bytes:
    """The whole document is taken back, if it still is as it was read."""
    return _encoder.encode({"Id": document_id, "SyncToken": sync_token})


def credit_number(effect: ReverseCharge) -> str:
    """Number of the credit memo that takes a fee back: `LC-` and 16 base32 characters."""
    digest = hashlib.sha256(f"{effect.document_id}|{effect.key}".encode()).digest()
    return "LC-" + base64.b32encode(digest).decode()[:16]


def credit_tag(effect: ReverseCharge) -> str:
    """Machine tag of that credit memo, in its PrivateNote."""
    return f"arb1 credit={effect.document_id} of={effect.number} key={effect.key}"


def credit_body(
    effect: ReverseCharge, net: Minor, *, on: date, item: str, tax_code: str, is_us: bool
) -> bytes:
    """A credit memo of `net`, tax on top as on the fee itself."""
    amount = major(net, effect.currency)
    detail: dict[str, Any] = {"Qty": 1, "UnitPrice": amount}
    if item:
        detail["ItemRef"] = {"value": item}
    if tax_code:
        detail["TaxCodeRef"] = {"value": tax_code}
    body: dict[str, Any] = {
        "DocNumber": credit_number(effect),
        "CustomerRef": {"value": effect.customer},
        "CurrencyRef": {"value": effect.currency},
        "TxnDate": on.isoformat(),
        "Line": [
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": amount,
                "Description": effect.reason or f"Late fee {effect.number} taken back",
                "SalesItemLineDetail": detail,
            }
        ],
        "PrivateNote": credit_tag(effect),
    }
    if not is_us:
        body["GlobalTaxCalculation"] = "TaxExcluded" if tax_code else "NotApplicable"
    return _encoder.encode(body)


def invoice_credit_body(
    effect: PostCredit, *, on: date, item: str, tax_code: str, tax: Minor, is_us: bool
) -> bytes:
    """A credit memo on an invoice: `tax` of its amount is tax, the rest its one line."""
    amount = major(effect.amount - tax, effect.currency)
    detail: dict[str, Any] = {"Qty": 1, "UnitPrice": amount}
    if item:
        detail["ItemRef"] = {"value": item}
    if tax_code:
        detail["TaxCodeRef"] = {"value": tax_code}
    body: dict[str, Any] = {
        "DocNumber": effect.number,
        "CustomerRef": {"value": effect.customer},
        "CurrencyRef": {"value": effect.currency},
        "TxnDate": on.isoformat(),
        "Line": [
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": amount,
                "Description": effect.description,
                "SalesItemLineDetail": detail,
            }
        ],
        "PrivateNote": effect.tag,
    }
    if not is_us:
        body["GlobalTaxCalculation"] = "TaxExcluded" if tax_code else "NotApplicable"
        if tax_code:
            body["TxnTaxDetail"] = {"TotalTax": major(tax, effect.currency)}
    return _encoder.encode(body)


def application_body(
    *, customer: str, currency: str, on: str, document_id: str, credit_id: str, part: Minor
) -> bytes:
    """A payment of zero that settles a part of a document with a credit memo."""
    amount = major(part, currency)
    return _encoder.encode(
        {
            "CustomerRef": {"value": customer},
            "CurrencyRef": {"value": currency},
            "TxnDate": on,
            "TotalAmt": 0,
            "Line": [
                {"Amount": amount, "LinkedTxn": [{"TxnId": document_id, "TxnType": "Invoice"}]},
                {"Amount": amount, "LinkedTxn": [{"TxnId": credit_id, "TxnType": "CreditMemo"}]},
            ],
        }
    )


def file_name(filename: str) -> str:
    """The name under which a file is kept: without what no address or system takes."""
    kept = (c if c.isprintable() and c not in _NOT_IN_FILE_NAMES else "_" for c in filename)
    return "".join(kept).strip()


def file_record(effect: AttachFile) -> bytes:
    """What QuickBooks is told of a file: on the invoice, never on a mail to the customer.

    Raises RefusedError for a file without name or content.
    """
    name = file_name(effect.filename)
    if not name.strip("_.") or not effect.content:
        raise RefusedError(f"the file {effect.filename!r} has no name or no content")
    record = {
        "AttachableRef": [
            {"IncludeOnSend": False, "EntityRef": {"type": "Invoice", "value": effect.invoice}}
        ],
        "FileName": name,
        "ContentType": _content_type(effect),
    }
    return _encoder.encode(record)


def upload(effect: AttachFile) -> tuple[str, bytes]:
    """Content type and body of an upload: the record, then the file. The same bytes every time."""
    record = file_record(effect)
    # Of the effect alone, so that a second attempt is the same request. Base64 has no dashes.
    boundary = "arb" + hashlib.sha256(effect.key.encode() + effect.content).hexdigest()[:32]
    plain = file_name(effect.filename).encode("ascii", "replace").decode().replace("?", "_")
    parts = (
        ("file_metadata_01", "record.json", "application/json; charset=UTF-8", "8bit", record),
        (
            "file_content_01",
            plain,
            _content_type(effect),
            "base64",
            base64.b64encode(effect.content),
        ),
    )
    body = b""
    for name, filename, content_type, encoding, content in parts:
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
            f"Content-Type: {content_type}\r\n"
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
        )
        body += head.encode() + content + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _content_type(effect: AttachFile) -> str:
    given = effect.content_type
    return (
        given
        if given.isascii() and given.isprintable() and "/" in given
        else ("application/octet-stream")
    )


def _attachable(text: str, targets: Iterable[tuple[str, str]]) -> bytes:
    body: Mapping[str, Any] = {
        "AttachableRef": [
            {"IncludeOnSend": False, "EntityRef": {"type": kind, "value": value}}
            for kind, value in targets
        ],
        "Note": text[:NOTE_LIMIT],
    }
    return _encoder.encode(body)

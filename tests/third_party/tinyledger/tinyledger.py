"""Books in one JSON file, as a connector that ar-bridge finds by its entry point.

    tinyledger                       ours
    invoices[].to_pay, of            balance, total (decimal text, company's currency)
    invoices[].fee_for               fee_of, is_fee
    notes[].invoice, mark, text      what PostNote leaves

The file is the whole ledger: what is written goes into it, and is read back from it.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from connectors.errors import RefusedError, TransientError, UnsupportedError
from connectors.oauth2 import OAuthApp
from connectors.port import (
    Capabilities,
    Clock,
    CompanyCheck,
    Cursor,
    Page,
    Prepared,
    Quarantined,
    Reading,
    Receipt,
    Record,
)
from connectors.table import BookConnection, Consent
from rules.actions.effects import EFFECT_NAMES, LedgerEffect, PostCharge, PostNote
from rules.model import Company, Customer, Invoice
from rules.model.credit import CreditNote
from rules.model.ids import CustomerId, InvoiceId
from rules.model.money import format_minor, parse_minor
from rules.model.payment import Payment

CAPABILITIES = Capabilities(
    ledger="tinyledger", effects=frozenset({"post_note", "post_charge"}), note_limit=500
)


# reading and spelling: pure ----------------------------------------------------------------------


def customer(raw: dict[str, Any], currency: str) -> Customer:
    return Customer(
        id=CustomerId(raw["id"]), name=raw["name"], currency=currency, email=raw.get("email", "")
    )


def invoice(raw: dict[str, Any], currency: str) -> Invoice:
    owed = parse_minor(raw["to_pay"], currency)
    about = raw.get("fee_for", "")
    return Invoice(
        id=InvoiceId(raw["id"]),
        number=raw["id"],
        customer=CustomerId(raw["customer"]),
        currency=currency,
        issued_on=date.fromisoformat(raw["issued"]),
        due_on=date.fromisoformat(raw["due"]),
        total=parse_minor(raw["of"], currency),
        balance=owed,
        status="open" if owed else "paid",
        sent=None,  # this ledger cannot tell
        fee_of=InvoiceId(about) if about else None,
        is_fee=bool(about),
    )


def note_body(effect: PostNote) -> bytes:
    # One note cannot stand on several invoices here: then it stands on the customer.
    about = effect.invoices[0] if len(effect.invoices) == 1 else ""
    row = {"mark": effect.mark, "text": effect.text, "customer": effect.customer, "invoice": about}
    return json.dumps(row).encode()


def charge_body(effect: PostCharge) -> bytes:
    amount = format_minor(effect.amount, effect.currency)
    row = {
        "id": effect.number,
        "customer": effect.customer,
        "issued": effect.issued_on.isoformat(),
        "due": effect.due_on.isoformat(),
        "of": amount,
        "to_pay": amount,
        "fee_for": effect.invoice,
        "tag": effect.tag,
    }
    return json.dumps(row).encode()


# the connector -----------------------------------------------------------------------------------


def open_connector(connection: BookConnection, ledger: str = "tinyledger") -> "TinyLedger":
    """The factory of the entry point. Raises RefusedError where the book names no file."""
    if connection.file is None:
        raise RefusedError("this book has no file: write `file` to its [[book]] section")
    return TinyLedger(connection.file, connection.clock, ledger)


# the same behind a person's consent --------------------------------------------------------------


def open_online(connection: BookConnection) -> "TinyLedger":
    """Raises RefusedError where nobody has let us in."""
    if connection.vault is None or connection.vault.load() is None:
        raise RefusedError("nobody has let us in")
    return open_connector(connection, "tinyonline")


def oauth_app(connection: BookConnection) -> OAuthApp:
    return OAuthApp(
        client_id=connection.client_id,
        client_secret=connection.client_secret,
        authorize_url=connection.authorize_url,
        token_url=connection.token_url,
        revoke_url=connection.revoke_url,
        scopes=("books",),
        has_pkce=True,
    )


def companies(connection: BookConnection) -> dict[str, str]:
    """What a fresh consent covers."""
    company = open_online(connection).check().company
    return {company.id: company.name}


CONSENT = Consent(app=oauth_app, companies=companies, purposes={"books": "nothing can be read"})


class TinyLedger:
    """Implements `connectors.port.Connector` over one file."""

    def __init__(self, path: Path, clock: Clock, ledger: str) -> None:
        self._path = path
        self._clock = clock
        self._ledger = ledger

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def check(self) -> CompanyCheck:
        company = self._load()["company"]
        return CompanyCheck(company=Company(ledger=self._ledger, **company))

    def pull(self, cursor: Cursor | None = None) -> Iterator[Page]:
        at, books = self._clock.now(), self._load()
        yield _page("customers", books, customer)
        yield _page("invoices", books, invoice, cursor=Cursor(at=at))

    def read(self, invoices: Sequence[InvoiceId]) -> Reading:
        page = _page("invoices", self._load(), invoice)
        known = {each.id: each for each in page.records if isinstance(each, Invoice)}
        bad = {each.id: each for each in page.quarantined}
        wanted = list(dict.fromkeys(invoices))
        return Reading(
            invoices=[known[each] for each in wanted if each in known],
            missing=[each for each in wanted if each not in known and each not in bad],
            quarantined=[bad[each] for each in wanted if each in bad],
        )

    def read_credits(
        self, customers: Sequence[CustomerId], since: datetime
    ) -> Sequence[Payment | CreditNote]:
        return ()  # payments only show in what is left to pay

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        name = EFFECT_NAMES[type(effect)]
        if isinstance(effect, PostNote):
            if len(effect.text) > CAPABILITIES.note_limit:
                raise RefusedError(f"the note is longer than {CAPABILITIES.note_limit} characters")
            path, body = "notes", note_body(effect)
        elif isinstance(effect, PostCharge):
            path, body = "invoices", charge_body(effect)
        else:
            raise UnsupportedError(name)
        return Prepared(effect=name, effect_key=effect.key, method="APPEND", path=path, body=body)

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        books, row = self._load(), json.loads(prepared.body)
        rows = books.setdefault(prepared.path, [])
        if all(each.get("key") != vendor_key for each in rows):
            about = row.get("fee_for", row.get("invoice"))
            if about and all(each["id"] != about for each in books["invoices"]):
                raise RefusedError(f"there is no invoice {about}")
            if "id" in row and any(each["id"] == row["id"] for each in rows):
                raise RefusedError(f"a document {row['id']} exists already", code="duplicate")
            rows.append({**row, "key": vendor_key, "at": self._clock.now().isoformat()})
            self._save(books)
        (written,) = (each for each in rows if each.get("key") == vendor_key)
        return _receipt(written, books["company"]["base_currency"])

    def find(self, effect: LedgerEffect) -> Receipt | None:
        books = self._load()
        if isinstance(effect, PostNote):
            rows = [each for each in books.get("notes", ()) if each["mark"] == effect.mark]
        elif isinstance(effect, PostCharge):
            rows = [each for each in books["invoices"] if each["id"] == effect.number]
        else:
            rows = []
        currency = books["company"]["base_currency"]
        return _receipt(rows[0], currency, was_found=True) if rows else None

    def close(self) -> None:
        """Nothing is kept open."""

    def _load(self) -> dict[str, Any]:
        try:
            books: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TransientError(f"{self._path} cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise RefusedError(f"{self._path} is no JSON: {error}") from error
        return books

    def _save(self, books: dict[str, Any]) -> None:
        """The whole file or nothing of it, so that an answer is never lost half-way."""
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(books, indent=1), encoding="utf-8")
        new.replace(self._path)


def _page(
    entity: str,
    books: dict[str, Any],
    parse: Callable[[dict[str, Any], str], Record],
    cursor: Cursor | None = None,
) -> Page:
    """Each record for itself: one that cannot be read is named and hides no other."""
    records: list[Record] = []
    bad: list[Quarantined] = []
    for raw in books[entity]:
        try:
            records.append(parse(raw, books["company"]["base_currency"]))
        except (KeyError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            bad.append(Quarantined(entity=entity, id=str(raw.get("id", "")), reason=reason))
    return Page(entity=entity, records=records, quarantined=bad, cursor=cursor)


def _receipt(row: dict[str, Any], currency: str, *, was_found: bool = False) -> Receipt:
    return Receipt(
        id=row.get("id") or row["mark"],
        number=row.get("id", ""),
        amount=parse_minor(row["of"], currency) if "of" in row else None,
        at=datetime.fromisoformat(row["at"]),
        request_id=row["key"],
        was_found=was_found,
    )

"""Notes (history records) and contact groups: what clients leave beside the documents."""

from typing import Final

from connectors.sandbox.http import Request, Response
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import GroupRow
from connectors.sandbox.xero.answers import (
    NOT_FOUND,
    Refusal,
    elements_of,
    history_record,
    reply,
)
from connectors.sandbox.xero.documents import Documents
from connectors.sandbox.xero.parties import Parties

NOTE_LIMIT: Final = 250


class Notes:
    """History of invoices and contacts. Notes are added, never changed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def invoice_history(self, request: Request, key: str) -> Response:
        self._check("invoices", key)
        return self._history("invoice", key)

    def contact_history(self, request: Request, key: str) -> Response:
        self._check("customers", key)
        return self._history("customer", key)

    def note_on_invoice(self, request: Request, key: str) -> Response:
        self._check("invoices", key)
        return self._note(request, "invoice", key)

    def note_on_contact(self, request: Request, key: str) -> Response:
        self._check("customers", key)
        return self._note(request, "customer", key)

    def _history(self, kind: str, key: str) -> Response:
        notes = [note for note in self._ledger.notes.values() if (kind, key) in note.targets]
        shown = [history_record(note.text, note.created_at) for note in reversed(notes)]
        return reply("HistoryRecords", shown)

    def _note(self, request: Request, kind: str, key: str) -> Response:
        texts = [
            str(asked.get("Details") or "") for asked in elements_of(request, "HistoryRecords")
        ]
        if not texts or not all(texts):
            raise Refusal(400, "The Details field is required")
        if any(len(text) > NOTE_LIMIT for text in texts):
            raise Refusal(400, f"The Details field exceeds the maximum length of {NOTE_LIMIT}")
        notes = [self._ledger.add_note(text, [(kind, key)]) for text in texts]
        return reply(
            "HistoryRecords", [history_record(note.text, note.created_at) for note in notes]
        )

    def _check(self, table: str, key: str) -> None:
        if key not in getattr(self._ledger, table):
            raise Refusal(404, NOT_FOUND)


class Groups:
    """Contact groups and their members."""

    def __init__(self, ledger: Ledger, parties: Parties, documents: Documents) -> None:
        self._ledger = ledger
        self._parties = parties
        self._documents = documents

    def all(self, request: Request) -> Response:
        shown = [
            self._parties.group(key, with_contacts=False) for key in sorted(self._parties.groups())
        ]
        return reply("ContactGroups", shown)

    def one(self, request: Request, key: str) -> Response:
        self._check_group(key)
        return reply("ContactGroups", [self._parties.group(key, with_contacts=True)])

    def create(self, request: Request) -> Response:
        shown = []
        for asked in elements_of(request, "ContactGroups"):
            name = str(asked.get("Name") or "").strip()
            taken = {known.casefold() for known in self._parties.groups().values()}
            if not name:
                raise Refusal(400, "The contact group name is required")
            if name.casefold() in taken:
                raise Refusal(400, f"The contact group name {name} already exists")
            row = GroupRow(name=name, **self._ledger.new_row("group"))
            self._ledger.add("group", row)
            shown.append(self._parties.group(row.id, with_contacts=False))
        return reply("ContactGroups", shown)

    def join(self, request: Request, key: str) -> Response:
        self._check_group(key)
        wanted = [
            str(asked.get("ContactID") or "").lower() for asked in elements_of(request, "Contacts")
        ]
        for customer in wanted:
            if customer not in self._ledger.customers:
                raise Refusal(400, f"Contact not found: {customer or 'no ContactID'}")
        self._parties.put_members(key, {*self._parties.members(key), *wanted})
        return reply("Contacts", [self._documents.contact_ref(customer) for customer in wanted])

    def leave(self, request: Request, key: str, customer: str) -> Response:
        self._check_group(key)
        members = set(self._parties.members(key))
        if customer not in members:
            raise Refusal(404, NOT_FOUND)
        self._parties.put_members(key, members - {customer})
        return Response(status=204)

    def empty(self, request: Request, key: str) -> Response:
        self._check_group(key)
        self._parties.put_members(key, set())
        return Response(status=204)

    def _check_group(self, key: str) -> None:
        if key not in self._parties.groups():
            raise Refusal(404, NOT_FOUND)

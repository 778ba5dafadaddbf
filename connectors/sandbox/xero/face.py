"""Xero's Accounting API over the sandbox's ledger: addresses, refusals, headers."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, cast

import msgspec

from connectors.sandbox.face import Desk
from connectors.sandbox.http import Request, Response, json_response, text_response
from connectors.sandbox.ids import XeroIds, uuid_from
from connectors.sandbox.limits import Throttled, XeroLimits
from connectors.sandbox.rows import InvoiceRow
from connectors.sandbox.xero.answers import (
    NOT_FOUND,
    Refusal,
    echo,
    elements_of,
    problem,
    refused,
    reply,
    validation_exception,
)
from connectors.sandbox.xero.attaching import Files
from connectors.sandbox.xero.crediting import Crediting
from connectors.sandbox.xero.documents import Documents
from connectors.sandbox.xero.invoicing import InvoiceError
from connectors.sandbox.xero.listing import QueryError
from connectors.sandbox.xero.lists import Lists
from connectors.sandbox.xero.markers import Groups, Notes
from connectors.sandbox.xero.parties import Parties
from connectors.sandbox.xero.quotes import Quotes
from connectors.sandbox.xero.settlement import Settlement

Json = dict[str, Any]
Handler = Callable[..., Response]

KEY_LIMIT: Final = 128
KEY_LIFE: Final = timedelta(minutes=10)
"""How long a repeated Idempotency-Key is recognised. Xero does not say; minutes, not days."""

_ID = r"([0-9a-fA-F-]{36})"


class _Kept(msgspec.Struct, frozen=True):
    """An answer to a keyed write, given again when the same write comes again."""

    asked: tuple[str, str, bytes]
    answer: Response
    until: Any


class XeroFace:
    """One organisation behind `/api.xro/2.0`."""

    api_prefix = "/api.xro/2.0"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self.limits = XeroLimits(desk.clock, per_day=desk.setup.calls_a_day)
        ids = cast(XeroIds, desk.ledger.ids)
        settlement = Settlement(desk.ledger, ids)
        self._documents = Documents(desk.ledger, ids, settlement, desk.faults)
        self._parties = Parties(desk.ledger, ids, desk.setup, desk.company_id, desk.faults)
        self._lists = Lists(desk.ledger, settlement, self._documents, self._parties, desk.faults)
        self._quotes = Quotes(desk.ledger, ids, self._documents)
        self._invoicing = Crediting(desk, ids, self._parties)
        self._keys: dict[str, _Kept] = {}
        self._answered = 0
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern.replace("{id}", _ID), re.I), handler)
            for method, pattern, handler in self._table()
        ]

    def _table(self) -> list[tuple[str, str, Handler]]:
        lists, parties = self._lists, self._parties
        notes = Notes(self._ledger)
        groups = Groups(self._ledger, parties, self._documents)
        files = Files(self._ledger)
        return [
            (
                "GET",
                "/Organisation",
                lambda r: reply("Organisations", [parties.organisation()]),
            ),
            ("GET", "/Organisation/Actions", lambda r: reply("Actions", parties.actions())),
            ("GET", "/Accounts", lambda r: reply("Accounts", parties.accounts)),
            ("GET", "/TaxRates", lambda r: reply("TaxRates", parties.tax_rates())),
            (
                "GET",
                "/InvoiceReminders/Settings",
                lambda r: reply(
                    "InvoiceReminders", [{"Enabled": self._desk.setup.sends_reminders}]
                ),
            ),
            ("GET", "/Contacts", lists.contacts),
            ("GET", "/Contacts/{id}", self._contact),
            ("GET", "/Invoices", lists.invoices),
            ("GET", "/Invoices/{id}", self._invoice),
            ("GET", "/Payments", lists.payments),
            ("GET", "/(CreditNotes|Payments|Overpayments|Prepayments)/{id}", lists.one),
            ("GET", "/Quotes", self._quotes.all),
            ("GET", "/Quotes/{id}", self._quotes.one),
            ("GET", "/Quotes/{id}/pdf", self._quotes.pdf),
            ("GET", "/CreditNotes", lists.credit_notes),
            ("PUT", "/CreditNotes", self._create_credit_notes),
            ("PUT", "/CreditNotes/{id}/Allocations", self._allocate),
            ("GET", "/Overpayments", lists.overpayments),
            ("GET", "/Prepayments", lists.prepayments),
            ("GET", "/Invoices/{id}/History", notes.invoice_history),
            ("PUT", "/Invoices/{id}/History", notes.note_on_invoice),
            ("GET", "/Contacts/{id}/History", notes.contact_history),
            ("PUT", "/Contacts/{id}/History", notes.note_on_contact),
            ("GET", "/Invoices/{id}/OnlineInvoice", self._online_invoice),
            ("GET", "/Invoices/{id}/pdf", self._pdf),
            ("POST", "/Invoices/{id}/Email", self._email),
            ("GET", "/Invoices/{id}/Attachments", files.all),
            ("PUT", "/Invoices/{id}/Attachments/(.+)", files.put),
            ("PUT", "/Invoices", self._create_invoices),
            ("POST", "/Invoices", self._save_invoices),
            ("POST", "/Invoices/{id}", self._save_invoices),
            ("GET", "/ContactGroups", groups.all),
            ("PUT", "/ContactGroups", groups.create),
            ("GET", "/ContactGroups/{id}", groups.one),
            ("PUT", "/ContactGroups/{id}/Contacts", groups.join),
            ("DELETE", "/ContactGroups/{id}/Contacts", groups.empty),
            ("DELETE", "/ContactGroups/{id}/Contacts/{id}", groups.leave),
        ]

    # --- what every face provides -------------------------------------------------------------

    def is_write(self, request: Request) -> bool:
        return request.method in ("PUT", "POST", "DELETE")

    def is_batch(self, request: Request) -> bool:
        return False

    def refused(self, request: Request, fault: str) -> Response:
        if fault == "throttle-other-status":
            busy = text_response("Service Unavailable", 503)
            return busy.with_headers({"Retry-After": "3"})
        problems: dict[str, Throttled] = {
            "day-limit": Throttled("day", self.limits.day_resets_in),
            "throttle-concurrent": Throttled("concurrent"),
            "throttle-app": Throttled("appminute", 30),
        }
        if fault in problems:
            answer = self.throttled(request, problems[fault], lower_case=False)
            is_day = fault == "day-limit"
            return answer.with_headers({"X-DayLimit-Remaining": "0"} if is_day else {})
        return problem(403, "Forbidden", "AuthenticationUnsuccessful")

    def answer(self, request: Request) -> Response:
        stranger = self._check_tenant(request)
        if stranger is not None:
            return stranger
        try:
            return self._once(request)
        except Refusal as refusal:
            return refused(refusal)
        except QueryError as error:
            return json_response(
                {"ErrorNumber": 16, "Type": "QueryParseException", "Message": str(error)}, 400
            )

    def unauthorized(self, request: Request) -> Response:
        return problem(401, "Unauthorized", "AuthenticationUnsuccessful")

    def throttled(self, request: Request, why: Throttled, *, lower_case: bool) -> Response:
        headers = {"X-Rate-Limit-Problem": why.problem}
        if why.retry_after is not None:
            headers["Retry-After"] = str(why.retry_after)
        return text_response("", 429).with_headers(headers)

    def broken(self, request: Request) -> Response:
        return problem(500, "An error occurred", "An error occurred in Xero.")

    def dressed(self, request: Request, answer: Response) -> Response:
        self._answered += 1
        said = f"answer|{self._desk.company_id}|{self._answered}"
        own = {**self.limits.headers(), "Xero-Correlation-Id": uuid_from(said)}
        return msgspec.structs.replace(answer, headers={**own, **answer.headers})

    # --- on the way in ------------------------------------------------------------------------

    def _check_tenant(self, request: Request) -> Response | None:
        tenant = request.header("xero-tenant-id")
        if not self._desk.oauth.reaches(self._desk.company_id):
            return problem(403, "Forbidden", "AuthenticationUnsuccessful")
        # A custom connection's token, which has no refresh token, knows its organisation.
        is_custom = "offline_access" not in self._desk.oauth.scope_of(request).split()
        if tenant == self._desk.company_id or (not tenant and is_custom):
            return None
        return problem(403, "Forbidden", "AuthenticationUnsuccessful")

    def _once(self, request: Request) -> Response:
        """A write that comes again under its Idempotency-Key gets its first answer again."""
        key = request.headers.get("idempotency-key")
        if key is None or request.method not in ("PUT", "POST"):
            return self._route(request)
        if not key or len(key) > KEY_LIMIT:
            raise Refusal(400, f"The Idempotency-Key must have 1 to {KEY_LIMIT} characters")
        asked = (request.method, request.path, request.body)
        kept = self._keys.get(key)
        if kept is not None and self._desk.clock.now() < kept.until:
            if kept.asked != asked:
                raise Refusal(400, "The Idempotency-Key was used for a different request")
            if not self._desk.faults.strikes("key-forgotten"):
                return kept.answer
        answer = self._route(request)
        if answer.status < 500:
            self._keys[key] = _Kept(asked, answer, self._desk.clock.now() + KEY_LIFE)
        return answer

    def _route(self, request: Request) -> Response:
        path = request.path.removeprefix(self.api_prefix).rstrip("/")
        is_known = False
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            is_known = True
            if method == request.method:
                return handler(request, *(group.lower() for group in match.groups()))
        if is_known:
            return text_response("", 405)
        raise Refusal(404, NOT_FOUND)

    # --- single records -----------------------------------------------------------------------

    def _of(self, table: str, key: str) -> Any:
        row = getattr(self._ledger, table).get(key)
        if row is None:
            raise Refusal(404, NOT_FOUND)
        return row

    def _contact(self, request: Request, key: str) -> Response:
        row = self._of("customers", key)
        return reply("Contacts", [self._parties.contact(row, self._parties.overdue())])

    def _invoice(self, request: Request, key: str) -> Response:
        row = self._of("invoices", key)
        if "application/pdf" in request.header("accept"):
            return self._pdf(request, key)
        return reply("Invoices", [self._documents.invoice(row, with_lines=True)])

    def _online_invoice(self, request: Request, key: str) -> Response:
        row = self._of("invoices", key)
        if not row.is_live:
            return reply("OnlineInvoices", [])
        url = f"https://invoices.example/{row.id}"
        return reply("OnlineInvoices", [{"OnlineInvoiceUrl": url}])

    def _pdf(self, request: Request, key: str) -> Response:
        row = self._of("invoices", key)
        body = f"%PDF-1.4\n% Invoice {row.number}\ntrailer<</Root<<>>>>\n%%EOF\n".encode()
        return Response(headers={"Content-Type": "application/pdf"}, body=body)

    def _email(self, request: Request, key: str) -> Response:
        row = self._of("invoices", key)
        to = self._ledger.customers[row.customer].email
        if row.status not in ("submitted", "open", "paid"):
            raise Refusal(400, "Invoice must be of type ACCREC and of a valid status to be emailed")
        if not to:
            raise Refusal(400, "The contact has no email address")
        if self._desk.mails_left() <= 0:
            raise Refusal(400, "You've reached the daily email limit of your organisation")
        self._ledger.add_mail(row.id, to)
        self._ledger.change("invoice", row.id, sent=True)
        return Response(status=204)

    # --- invoices -----------------------------------------------------------------------------

    def _create_invoices(self, request: Request) -> Response:
        return self._each_invoice(request, self._invoicing.create)

    def _save_invoices(self, request: Request, key: str = "") -> Response:
        """POST changes the invoice that has the id or the number, else it creates one."""

        def save(asked: Json) -> InvoiceRow:
            wanted = key or str(asked.get("InvoiceID") or "").lower()
            number = asked.get("InvoiceNumber")
            for row in self._ledger.invoices.values():
                if row.id == wanted or (not wanted and number and row.number == number):
                    return self._invoicing.update(row, asked)
            if wanted:
                raise Refusal(404, NOT_FOUND)
            return self._invoicing.create(asked)

        return self._each_invoice(request, save)

    def _each_invoice(self, request: Request, save: Callable[[Json], InvoiceRow]) -> Response:
        def show(asked: Json) -> Json:
            return self._documents.invoice(save(asked), with_lines=True)

        is_inside = self._desk.faults.is_ordered("has-errors")
        return each_element(request, "Invoices", show, has_errors_inside=is_inside)

    # --- credit notes -------------------------------------------------------------------------

    def _create_credit_notes(self, request: Request) -> Response:
        def show(asked: Json) -> Json:
            row = self._invoicing.credit(asked)
            return self._documents.credit_note(row, with_lines=True)

        return each_element(request, "CreditNotes", show)

    def _allocate(self, request: Request, key: str) -> Response:
        row = self._of("credits", key)

        def show(asked: Json) -> Json:
            credit, part = self._invoicing.allocate(row.id, asked)
            return self._documents.allocation(credit, part)

        return each_element(request, "Allocations", show)


def each_element(
    request: Request,
    collection: str,
    save: Callable[[Json], Json],
    *,
    has_errors_inside: bool = False,
) -> Response:
    """With summarizeErrors=false each element says for itself how it went."""
    # Xero's description and its service differ about the default; the stricter one is here.
    is_all_or_none = request.param("summarizeErrors", "true").lower() != "false"
    if has_errors_inside:
        is_all_or_none = False
    shown: list[Json] = []
    failed: list[Json] = []
    for asked in elements_of(request, collection):
        try:
            done = save(asked)
        except InvoiceError as error:
            element = {
                **echo(asked),
                **({"HasErrors": True} if collection != "Allocations" else {}),
                "ValidationErrors": [{"Message": text} for text in error.problems],
            }
            failed.append(element)
            shown.append({**element, "StatusAttributeString": "ERROR"})
            continue
        shown.append({**done, "StatusAttributeString": "OK"} if not is_all_or_none else done)
    if failed and is_all_or_none:
        return validation_exception(failed)
    return reply(collection, shown)

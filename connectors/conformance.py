"""The suite that every connector passes, shipped so that a connector from outside can run it.

    class TestMine(ConformanceSuite):
        @pytest.fixture
        def subject(self) -> Subject:
            return Subject(connector=..., today=..., customer=..., invoice=..., ...)

The connector is wired to something that behaves like the ledger (a sandbox, a test company),
whose book is clean and small. What a connector does not claim in its capabilities is skipped,
with the reason.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from connectors.conformance_subject import Subject
from connectors.errors import ConnectorError, RefusedError, UnsupportedError
from connectors.port import Page
from rules.actions.effects import (
    EFFECT_NAMES,
    ReverseCharge,
    SetHold,
)
from rules.model.credit import CreditNote
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor

__all__ = ["ConformanceSuite", "Subject"]

ENTITIES: Final = ("customers", "invoices", "payments", "credits")


class ConformanceSuite:
    """Subclass it under a name that pytest collects, with a fixture `subject`."""

    def test_capabilities_are_words_of_the_port(self, subject: Subject) -> None:
        capabilities = subject.connector.capabilities
        assert capabilities.ledger
        assert capabilities.effects <= set(EFFECT_NAMES.values()) - {"send_message"}
        assert capabilities.note_limit > 0 and capabilities.read_batch > 0

    def test_the_company_is_known(self, subject: Subject) -> None:
        company = subject.connector.check().company
        assert company.id
        assert len(company.base_currency) == 3
        assert ZoneInfo(company.timezone)

    def test_a_pull_ends_with_a_cursor_and_only_there(self, subject: Subject) -> None:
        pages = list(subject.connector.pull())
        assert pages, "an empty ledger has empty pages, not none"
        assert {page.entity for page in pages} <= set(ENTITIES)
        assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]
        cursor = pages[-1].cursor
        assert cursor is not None and cursor.at.utcoffset() == timedelta(0)

    def test_a_pull_gives_every_record_once(self, subject: Subject) -> None:
        pages = list(subject.connector.pull())
        assert [bad for page in pages for bad in page.quarantined] == []
        for entity in ENTITIES:
            ids = _ids(pages, entity)
            assert len(ids) == len(set(ids)), f"{entity} come twice"
        assert subject.invoice in _ids(pages, "invoices")
        assert subject.customer in _ids(pages, "customers")

    def test_a_pull_can_be_repeated(self, subject: Subject) -> None:
        first, second = list(subject.connector.pull()), list(subject.connector.pull())
        for entity in ENTITIES:
            assert _ids(first, entity) == _ids(second, entity)

    def test_money_is_whole_minor_units(self, subject: Subject) -> None:
        amounts = [
            getattr(record, name)
            for page in subject.connector.pull()
            for record in page.records
            for name in ("total", "balance", "tax", "fee_lines", "amount", "remaining")
            if hasattr(record, name)
        ]
        assert amounts and all(type(amount) is int for amount in amounts)

    def test_a_later_pull_goes_on_from_the_cursor(self, subject: Subject) -> None:
        cursor = list(subject.connector.pull())[-1].cursor
        pages = list(subject.connector.pull(cursor))
        assert pages and pages[-1].cursor is not None and cursor is not None
        assert pages[-1].cursor.at >= cursor.at

    def test_reading_again_gives_what_was_pulled(self, subject: Subject) -> None:
        pulled = _invoice(list(subject.connector.pull()), subject.invoice)
        reading = subject.connector.read([subject.invoice])
        assert list(reading.invoices) == [pulled]
        assert not reading.missing and not reading.quarantined

    def test_reading_again_names_what_is_missing(self, subject: Subject) -> None:
        asked = [subject.missing, subject.invoice, *subject.others, subject.invoice]
        reading = subject.connector.read(asked)
        assert list(reading.missing) == [subject.missing]
        got = [invoice.id for invoice in reading.invoices]
        assert sorted(got) == sorted({subject.invoice, *subject.others})

    def test_reading_nothing_is_nothing(self, subject: Subject) -> None:
        reading = subject.connector.read([])
        assert not reading.invoices and not reading.missing

    def test_credits_are_those_of_the_customers_asked_for(self, subject: Subject) -> None:
        found = subject.connector.read_credits([subject.customer], _long_ago())
        assert {record.customer for record in found} <= {subject.customer}

    def test_preparing_is_pure(self, subject: Subject) -> None:
        for effect in subject.every_effect():
            if isinstance(effect, ReverseCharge):
                continue  # needs a document that is there: below
            if EFFECT_NAMES[type(effect)] not in subject.connector.capabilities.effects:
                continue
            first = subject.connector.prepare(effect, subject.today)
            assert subject.connector.prepare(effect, subject.today) == first
            assert first.effect == EFFECT_NAMES[type(effect)] and first.effect_key == effect.key
            if not isinstance(effect, SetHold):
                assert subject.connector.find(effect) is None

    def test_what_is_not_claimed_is_unsupported(self, subject: Subject) -> None:
        claimed = subject.connector.capabilities.effects
        for effect in subject.every_effect():
            name = EFFECT_NAMES[type(effect)]
            if name in claimed:
                continue
            try:
                subject.connector.prepare(effect, subject.today)
            except UnsupportedError as error:
                assert error.effect == name
            else:
                raise AssertionError(f"{name} is not claimed, yet it was prepared")

    def test_a_note_is_found_again(self, subject: Subject) -> None:
        _needs(subject, "post_note")
        note = subject.note()
        assert subject.connector.find(note) is None
        receipt = subject.written(note)
        found = subject.connector.find(note)
        assert not receipt.was_found
        assert found is not None and found.was_found
        assert subject.connector.find(subject.note("another")) is None

    def test_a_note_may_be_as_long_as_claimed(self, subject: Subject) -> None:
        _needs(subject, "post_note")
        note = subject.note("long", length=subject.connector.capabilities.note_limit)
        subject.written(note)
        assert subject.connector.find(note) is not None

    def test_a_charge_is_found_again_and_pulled_as_a_fee(self, subject: Subject) -> None:
        _needs(subject, "post_charge")
        charge = subject.charge()
        assert subject.connector.find(charge) is None
        receipt = subject.written(charge)
        assert (receipt.number, receipt.amount) == (charge.number, charge.amount)
        found = subject.connector.find(charge)
        assert found is not None and found.was_found
        assert (found.id, found.number, found.amount) == (receipt.id, charge.number, charge.amount)
        fee = _invoice(list(subject.connector.pull()), InvoiceId(receipt.id))
        assert (fee.is_fee, fee.fee_of, fee.number) == (True, subject.invoice, charge.number)
        assert (fee.customer, fee.currency) == (subject.customer, subject.currency)
        assert fee.issued_on >= subject.today and fee.due_on is not None

    def test_the_same_key_writes_once(self, subject: Subject) -> None:
        _needs(subject, "post_charge")
        charge = subject.charge("twice")
        first = subject.written(charge)
        second = subject.written(charge)
        assert first.id == second.id
        numbers = [
            record.number
            for page in subject.connector.pull()
            for record in page.records
            if isinstance(record, Invoice)
        ]
        assert numbers.count(charge.number) == 1

    def test_a_hold_can_be_set_twice(self, subject: Subject) -> None:
        _needs(subject, "set_hold")
        subject.written(subject.hold())
        subject.written(subject.hold())

    def test_a_charge_is_taken_back(self, subject: Subject) -> None:
        _needs(subject, "post_charge", "reverse_charge")
        fee = subject.written(charge := subject.charge("back"))
        reversal = subject.reversal(charge, fee.id)
        assert subject.connector.find(reversal) is None
        prepared = subject.connector.prepare(reversal, subject.today)
        assert subject.connector.prepare(reversal, subject.today) == prepared
        assert not subject.written(reversal).was_found
        found = subject.connector.find(reversal)
        assert found is not None and found.was_found
        assert _status(subject, fee.id) in (("void", 0), ("deleted", 0))
        subject.written(reversal)
        assert _status(subject, fee.id) in (("void", 0), ("deleted", 0))

    def test_a_charge_is_taken_back_in_part_and_then_the_rest(self, subject: Subject) -> None:
        _needs(subject, "post_charge", "reverse_charge")
        fee = subject.written(charge := subject.charge("part"))
        part = subject.reversal(charge, fee.id, 350)
        assert subject.connector.find(part) is None
        subject.written(part)
        assert _status(subject, fee.id) == ("open", 600)
        assert subject.connector.find(part) is not None
        subject.written(part)
        assert _status(subject, fee.id) == ("open", 600), "taken back twice"
        rest = subject.reversal(charge, fee.id)
        assert subject.connector.find(rest) is None
        subject.written(rest)
        assert _status(subject, fee.id)[1] == 0
        assert subject.connector.find(rest) is not None
        subject.written(rest)
        credits = subject.connector.read_credits([subject.customer], _long_ago())
        ours = sorted(row.total for row in credits if isinstance(row, CreditNote))
        assert ours.count(350) == 1 and ours.count(600) == 1

    def test_a_document_that_is_not_the_fee_is_left_alone(self, subject: Subject) -> None:
        _needs(subject, "reverse_charge")
        before = _status(subject, subject.invoice)
        for document in (subject.invoice, subject.missing):
            try:
                subject.written(subject.reversal(subject.charge("other"), document))
            except RefusedError as error:
                assert str(error)
            else:
                raise AssertionError("a document was taken back that is not the fee")
        assert _status(subject, subject.invoice) == before

    def test_no_more_is_taken_back_than_was_charged(self, subject: Subject) -> None:
        _needs(subject, "post_charge", "reverse_charge")
        fee = subject.written(charge := subject.charge("much"))
        try:
            subject.connector.prepare(subject.reversal(charge, fee.id, 951), subject.today)
        except RefusedError as error:
            assert charge.number in str(error)
        else:
            raise AssertionError("more was taken back than was charged")

    def test_an_expected_date_is_found_again(self, subject: Subject) -> None:
        _needs(subject, "set_expected_date")
        assert subject.connector.find(subject.promise()) is None
        before = subject.connector.read([subject.invoice]).invoices[0]
        subject.written(subject.promise())
        found = subject.connector.find(subject.promise())
        assert found is not None and found.was_found
        after = subject.connector.read([subject.invoice]).invoices[0]
        assert after == msgspec.structs.replace(before, expected_on=subject.promise().on)
        assert subject.connector.find(subject.promise(20)) is None

    def test_a_file_is_found_again(self, subject: Subject) -> None:
        _needs(subject, "attach_file")
        assert subject.connector.find(subject.file()) is None
        subject.written(subject.file())
        found = subject.connector.find(subject.file())
        assert found is not None and found.was_found and found.id
        assert subject.connector.find(subject.file("another.pdf")) is None

    def test_the_ledger_mails_its_invoice(self, subject: Subject) -> None:
        _needs(subject, "send_ledger_invoice")
        receipt = subject.written(subject.mailed())
        assert receipt.id == subject.invoice and not receipt.was_found

    def test_trouble_is_one_of_our_errors(self, subject: Subject) -> None:
        _needs(subject, "post_note")
        note = msgspec.structs.replace(subject.note("lost"), invoices=(subject.missing,))
        try:
            subject.written(note)
        except ConnectorError as error:
            assert str(error)
        else:
            raise AssertionError("a note on an invoice that does not exist was accepted")

    def test_closing_twice_is_no_trouble(self, subject: Subject) -> None:
        subject.connector.close()
        subject.connector.close()


def _ids(pages: Sequence[Page], entity: str) -> list[str]:
    return [record.id for page in pages if page.entity == entity for record in page.records]


def _invoice(pages: Sequence[Page], id: InvoiceId) -> Invoice:
    for page in pages:
        for record in page.records:
            if isinstance(record, Invoice) and record.id == id:
                return record
    raise AssertionError(f"invoice {id} was not pulled")


def _status(subject: Subject, id: str) -> tuple[str, Minor]:
    """Status and balance of an invoice as it is now."""
    (invoice,) = subject.connector.read([InvoiceId(id)]).invoices
    return invoice.status, invoice.balance


def _long_ago() -> datetime:
    return datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def _needs(subject: Subject, *effects: str) -> None:
    for effect in effects:
        if effect not in subject.connector.capabilities.effects:
            import pytest

            pytest.skip(f"{subject.connector.capabilities.ledger} does not claim {effect}")

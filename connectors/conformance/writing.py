"""What a connector writes: prepared the same way each time, done once, found again."""

import msgspec

from connectors.conformance.looking import invoice_of, needs
from connectors.conformance.subject import Subject
from connectors.errors import ConnectorError, UnsupportedError
from rules.actions.effects import EFFECT_NAMES, ReverseCharge, SetHold
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice


class Writing:
    """Notes, charges, holds, dates, files, mails."""

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
        needs(subject, "post_note")
        note = subject.note()
        assert subject.connector.find(note) is None
        receipt = subject.written(note)
        found = subject.connector.find(note)
        assert not receipt.was_found
        assert found is not None and found.was_found
        assert subject.connector.find(subject.note("another")) is None

    def test_a_note_may_be_as_long_as_claimed(self, subject: Subject) -> None:
        needs(subject, "post_note")
        note = subject.note("long", length=subject.connector.capabilities.note_limit)
        subject.written(note)
        assert subject.connector.find(note) is not None

    def test_a_charge_is_found_again_and_pulled_as_a_fee(self, subject: Subject) -> None:
        needs(subject, "post_charge")
        charge = subject.charge()
        assert subject.connector.find(charge) is None
        receipt = subject.written(charge)
        assert (receipt.number, receipt.amount) == (charge.number, charge.amount)
        found = subject.connector.find(charge)
        assert found is not None and found.was_found
        assert (found.id, found.number, found.amount) == (receipt.id, charge.number, charge.amount)
        fee = invoice_of(list(subject.connector.pull()), InvoiceId(receipt.id))
        assert (fee.is_fee, fee.fee_of, fee.number) == (True, subject.invoice, charge.number)
        assert (fee.customer, fee.currency) == (subject.customer, subject.currency)
        assert fee.issued_on >= subject.today and fee.due_on is not None

    def test_the_same_key_writes_once(self, subject: Subject) -> None:
        needs(subject, "post_charge")
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
        needs(subject, "set_hold")
        subject.written(subject.hold())
        subject.written(subject.hold())

    def test_an_expected_date_is_found_again(self, subject: Subject) -> None:
        needs(subject, "set_expected_date")
        assert subject.connector.find(subject.promise()) is None
        before = subject.connector.read([subject.invoice]).invoices[0]
        subject.written(subject.promise())
        found = subject.connector.find(subject.promise())
        assert found is not None and found.was_found
        after = subject.connector.read([subject.invoice]).invoices[0]
        # A ledger may show the day among the date fields of the invoice too.
        assert after == msgspec.structs.replace(
            before, expected_on=subject.promise().on, dates=after.dates
        )
        assert subject.connector.find(subject.promise(20)) is None

    def test_a_file_is_found_again(self, subject: Subject) -> None:
        needs(subject, "attach_file")
        assert subject.connector.find(subject.file()) is None
        subject.written(subject.file())
        found = subject.connector.find(subject.file())
        assert found is not None and found.was_found and found.id
        assert subject.connector.find(subject.file("another.pdf")) is None

    def test_the_ledger_mails_its_invoice(self, subject: Subject) -> None:
        needs(subject, "send_ledger_invoice")
        receipt = subject.written(subject.mailed())
        assert receipt.id == subject.invoice and not receipt.was_found

    def test_trouble_is_one_of_our_errors(self, subject: Subject) -> None:
        needs(subject, "post_note")
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

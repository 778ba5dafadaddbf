"""The port's further abilities: going on after a crash, batches, marks, customers, links."""

from collections.abc import Sequence

import msgspec

from connectors.conformance.looking import LONG_AGO, NotClaimedError, able, ids_of, needs
from connectors.conformance.subject import Subject
from connectors.errors import ConnectorError
from connectors.port import (
    FindsMarks,
    Page,
    Prepared,
    ReadsCustomers,
    ReadsMoney,
    Receipt,
    ShowsInvoices,
    WritesBatches,
)
from rules.actions.effects import PostCharge
from rules.actions.keys import vendor_key
from rules.model.customer import Customer
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice


class Abilities:
    """What a connector may leave out; what it offers, it does."""

    def test_a_walk_that_broke_off_goes_on_after_any_page(self, subject: Subject) -> None:
        pages = list(subject.connector.pull())
        places = [(at, page.resume) for at, page in enumerate(pages[:-1]) if page.resume]
        if not places:
            raise NotClaimedError(f"{subject.connector.capabilities.ledger} begins anew")
        for at, resume in places:
            rest = list(subject.connector.pull(None, resume=resume))
            assert rest[-1].cursor is not None
            for entity in {page.entity for page in pages}:
                seen = set(ids_of(pages[: at + 1], entity)) | set(ids_of(rest, entity))
                assert seen == set(ids_of(pages, entity)), f"{entity} after page {at + 1}"

    def test_the_cursor_of_a_resumed_walk_is_no_later_than_its_beginning(
        self, subject: Subject
    ) -> None:
        pages = list(subject.connector.pull())
        resume = next((page.resume for page in pages[:-1] if page.resume), "")
        if not resume:
            raise NotClaimedError(f"{subject.connector.capabilities.ledger} begins anew")
        whole, rest = pages[-1].cursor, list(subject.connector.pull(None, resume=resume))[-1].cursor
        assert whole is not None and rest is not None and rest.at <= whole.at

    def test_customers_are_read_again(self, subject: Subject) -> None:
        able(subject, ReadsCustomers)
        assert isinstance(subject.connector, ReadsCustomers)
        pulled = _customer(list(subject.connector.pull()), subject.customer)
        missing = CustomerId(subject.missing)
        reading = subject.connector.read_customers([subject.customer, missing, subject.customer])
        assert list(reading.customers) == [pulled]
        assert list(reading.missing) == [missing]
        nobody = subject.connector.read_customers([])
        assert not nobody.customers and not nobody.missing

    def test_money_is_read_with_what_cannot_be_read_of_it(self, subject: Subject) -> None:
        able(subject, ReadsMoney)
        assert isinstance(subject.connector, ReadsMoney)
        reading = subject.connector.read_money([subject.customer], LONG_AGO)
        credits = subject.connector.read_credits([subject.customer], LONG_AGO)
        assert list(reading.records) == list(credits)
        assert not reading.quarantined
        nobody = subject.connector.read_money([], LONG_AGO)
        assert not nobody.records and not nobody.quarantined

    def test_marks_are_found_without_knowing_them(self, subject: Subject) -> None:
        able(subject, FindsMarks)
        needs(subject, "post_note")
        assert isinstance(subject.connector, FindsMarks)
        note = subject.note("mark")
        subject.written(note)
        found = subject.connector.find_marks([subject.invoice, *subject.others])
        (mark,) = [each for each in found if each.text.startswith(note.mark)]
        assert mark.text == note.text
        assert subject.invoice in mark.invoices or mark.customer == subject.customer

    def test_an_invoice_can_be_shown(self, subject: Subject) -> None:
        able(subject, ShowsInvoices)
        assert isinstance(subject.connector, ShowsInvoices)
        link = subject.connector.online_link(subject.invoice)
        assert link == "" or link.startswith(("https://", "http://"))
        pdf = subject.connector.pdf(subject.invoice)
        assert pdf == b"" or pdf.startswith(b"%PDF")

    def test_a_batch_of_the_same_writes_has_the_same_bytes(self, subject: Subject) -> None:
        batches, members = _batch(subject, [subject.charge("b1"), subject.charge("b2")])
        first = batches.prepare_batch(members)
        assert batches.prepare_batch(members) == first
        assert batches.prepare_batch(members[:1]).effect_key != first.effect_key

    def test_a_batch_writes_each_of_its_members_once(self, subject: Subject) -> None:
        charges = [subject.charge("b3"), subject.charge("b4")]
        batches, members = _batch(subject, charges)
        first = _sent(batches, members)
        again = _sent(batches, members)
        for charge, receipt, second in zip(charges, first, again, strict=True):
            assert isinstance(receipt, Receipt) and isinstance(second, Receipt)
            assert (receipt.number, receipt.amount) == (charge.number, charge.amount)
            assert second.id == receipt.id
            found = subject.connector.find(charge)
            assert found is not None and found.id == receipt.id
        numbers = [
            record.number
            for page in subject.connector.pull()
            for record in page.records
            if isinstance(record, Invoice)
        ]
        assert [numbers.count(charge.number) for charge in charges] == [1, 1]

    def test_a_refused_member_does_not_stop_the_others(self, subject: Subject) -> None:
        nobody = CustomerId(subject.missing)
        charges = [
            subject.charge("b5"),
            msgspec.structs.replace(subject.charge("b6"), customer=nobody),
            subject.charge("b7"),
        ]
        batches, members = _batch(subject, charges)
        first, refused, last = _sent(batches, members)
        assert isinstance(first, Receipt) and isinstance(last, Receipt)
        assert isinstance(refused, ConnectorError) and str(refused)
        assert subject.connector.find(charges[1]) is None

    def test_a_poll_of_an_unchanged_book_costs_at_most_three_calls(self, subject: Subject) -> None:
        if subject.calls is None:
            raise NotClaimedError("nobody counts the calls")
        cursor = list(subject.connector.pull())[-1].cursor
        before = subject.calls()
        cursor = list(subject.connector.pull(cursor))[-1].cursor
        assert cursor is not None
        spent = subject.calls() - before
        assert spent <= 3, f"{spent} calls"


def _batch(subject: Subject, charges: Sequence[PostCharge]) -> tuple[WritesBatches, list[Prepared]]:
    able(subject, WritesBatches)
    capabilities = subject.connector.capabilities
    if "post_charge" not in capabilities.batch_effects or capabilities.write_batch < 2:
        raise NotClaimedError(f"{capabilities.ledger} does not claim batches of charges")
    assert isinstance(subject.connector, WritesBatches)
    return subject.connector, [
        subject.connector.prepare(charge, subject.today) for charge in charges
    ]


def _sent(
    batches: WritesBatches, members: Sequence[Prepared]
) -> Sequence[Receipt | ConnectorError]:
    batch = batches.prepare_batch(members)
    outcomes = batches.write_batch(batch, vendor_key(batch.effect_key, batch.body), members)
    assert len(outcomes) == len(members)
    return outcomes


def _customer(pages: Sequence[Page], id: CustomerId) -> Customer:
    for page in pages:
        for record in page.records:
            if isinstance(record, Customer) and record.id == id:
                return record
    raise AssertionError(f"customer {id} was not pulled")

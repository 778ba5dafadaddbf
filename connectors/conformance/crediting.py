"""Credit notes on invoices of the company's own: once, applied at once, never too much."""

from connectors.conformance.looking import LONG_AGO, needs, status_of
from connectors.conformance.subject import Subject
from connectors.errors import RefusedError
from rules.model.credit import CreditNote


class Crediting:
    """What a customer need not pay is credited and settles the invoice."""

    def test_a_credit_settles_a_part_of_the_invoice_once(self, subject: Subject) -> None:
        needs(subject, "post_credit")
        status, open_before = status_of(subject, subject.invoice)
        credit = subject.credit(125)
        assert subject.connector.find(credit) is None
        prepared = subject.connector.prepare(credit, subject.today)
        assert subject.connector.prepare(credit, subject.today) == prepared
        made = subject.written(credit)
        assert not made.was_found and made.amount == 125
        assert status_of(subject, subject.invoice) == (status, open_before - 125)
        found = subject.connector.find(credit)
        assert found is not None and found.was_found and found.id == made.id
        assert subject.written(credit).amount == 125
        assert status_of(subject, subject.invoice) == (status, open_before - 125), "credited twice"
        credits = subject.connector.read_credits([subject.customer], LONG_AGO)
        ours = [row for row in credits if isinstance(row, CreditNote) and row.total == 125]
        assert [row.remaining for row in ours] == [0]

    def test_no_more_is_credited_than_is_open(self, subject: Subject) -> None:
        needs(subject, "post_credit")
        before = status_of(subject, subject.invoice)
        for invoice, amount in ((subject.invoice, before[1] + 1), (subject.missing, 100)):
            try:
                subject.written(subject.credit(amount, invoice))
            except RefusedError as error:
                assert str(error)
            else:
                raise AssertionError("more was credited than is open")
        assert status_of(subject, subject.invoice) == before

"""Taking a fee back: the document that was ours, once, and no more than was charged."""

from connectors.conformance.looking import LONG_AGO, needs, status_of
from connectors.conformance.subject import Subject
from connectors.errors import RefusedError
from rules.model.credit import CreditNote


class TakingBack:
    """Voids and credits of our own fee documents."""

    def test_a_charge_is_taken_back(self, subject: Subject) -> None:
        needs(subject, "post_charge", "reverse_charge")
        fee = subject.written(charge := subject.charge("back"))
        reversal = subject.reversal(charge, fee.id)
        assert subject.connector.find(reversal) is None
        prepared = subject.connector.prepare(reversal, subject.today)
        assert subject.connector.prepare(reversal, subject.today) == prepared
        assert not subject.written(reversal).was_found
        found = subject.connector.find(reversal)
        assert found is not None and found.was_found
        assert status_of(subject, fee.id) in (("void", 0), ("deleted", 0))
        subject.written(reversal)
        assert status_of(subject, fee.id) in (("void", 0), ("deleted", 0))

    def test_a_charge_is_taken_back_in_part_and_then_the_rest(self, subject: Subject) -> None:
        needs(subject, "post_charge", "reverse_charge")
        fee = subject.written(charge := subject.charge("part"))
        part = subject.reversal(charge, fee.id, 350)
        assert subject.connector.find(part) is None
        subject.written(part)
        assert status_of(subject, fee.id) == ("open", 600)
        assert subject.connector.find(part) is not None
        subject.written(part)
        assert status_of(subject, fee.id) == ("open", 600), "taken back twice"
        rest = subject.reversal(charge, fee.id)
        assert subject.connector.find(rest) is None
        subject.written(rest)
        assert status_of(subject, fee.id)[1] == 0
        assert subject.connector.find(rest) is not None
        subject.written(rest)
        credits = subject.connector.read_credits([subject.customer], LONG_AGO)
        ours = sorted(row.total for row in credits if isinstance(row, CreditNote))
        assert ours.count(350) == 1 and ours.count(600) == 1

    def test_a_document_that_is_not_the_fee_is_left_alone(self, subject: Subject) -> None:
        needs(subject, "reverse_charge")
        before = status_of(subject, subject.invoice)
        for document in (subject.invoice, subject.missing):
            try:
                subject.written(subject.reversal(subject.charge("other"), document))
            except RefusedError as error:
                assert str(error)
            else:
                raise AssertionError("a document was taken back that is not the fee")
        assert status_of(subject, subject.invoice) == before

    def test_no_more_is_taken_back_than_was_charged(self, subject: Subject) -> None:
        needs(subject, "post_charge", "reverse_charge")
        fee = subject.written(charge := subject.charge("much"))
        try:
            subject.connector.prepare(subject.reversal(charge, fee.id, 951), subject.today)
        except RefusedError as error:
            assert charge.number in str(error)
        else:
            raise AssertionError("more was taken back than was charged")

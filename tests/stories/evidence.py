"""What really happened, told by the ledger and the mail server, against what we say we did."""

from collections import Counter

from ar_bridge import audit
from ar_bridge.audit_gaps import gaps
from ar_bridge.store import outbox
from ar_bridge.store.outbox import EffectRow
from rules.actions.effects import PostCharge, PostNote, SendMessage
from tests.stories.stage import Office

SENT = ("FeeCharged", "ReminderSent", "FeeNoticeSent", "NoteWritten")


def done_effects(office: Office) -> list[EffectRow]:
    """Every effect that we hold to be done, of actions in whatever state."""
    with office.desk.store.read() as conn:
        return [
            effect
            for row in office.rows()
            for effect in outbox.effects_of(conn, row.id)
            if effect.state == "done"
        ]


# QuickBooks keeps attached files among its notes; they have no text.


def is_matched(office: Office) -> None:
    """Each fee, note and mail belongs to exactly one thing we did, and the other way round."""
    done = [effect.effect for effect in done_effects(office)]
    records = office.records
    assert Counter((f.number, f.amount, f.currency, f.tag, f.customer) for f in records.fees) == (
        Counter(
            (each.number, each.amount, each.currency, each.tag, each.customer)
            for each in done
            if isinstance(each, PostCharge)
        )
    )
    assert Counter(note.text for note in records.notes if note.text) == Counter(
        each.text for each in done if isinstance(each, PostNote)
    )
    assert Counter(mail.message_id for mail in office.mails) == Counter(
        each.message_id for each in done if isinstance(each, SendMessage)
    )


def nothing_twice(office: Office) -> None:
    """No document, note or mail exists twice, whatever we believe."""
    records = office.records
    for found in (
        Counter(fee.number for fee in records.fees),
        Counter(fee.tag for fee in records.fees),
        Counter(note.text for note in records.notes if note.text),
        Counter(mail.message_id for mail in office.mails),
    ):
        assert [what for what, count in found.items() if count > 1] == []


def is_well_kept(office: Office) -> None:
    """The audit chain holds, and everything that it says went out has its receipt."""
    with office.desk.store.read() as conn:
        assert audit.verify(conn) == []
        assert gaps(conn, office.desk.book_id) == []
        entries = audit.history(conn, events=SENT)
    for entry in entries:
        if entry.payload is None:
            continue  # erased; `verify` has seen that an entry says so
        receipts = [each for each in entry.payload["receipts"] if each["receipt"]]
        assert receipts or entry.event == "NoteWritten", entry
        if entry.event == "FeeCharged":
            ids = {fee.id: fee for fee in office.records.fees}
            fee = ids[receipts[0]["receipt"]["id"]]
            assert fee.amount == entry.payload["amount"] or fee.status == "void"
        elif entry.event in ("ReminderSent", "FeeNoticeSent"):
            assert receipts[0]["effect"] == "send_message"

"""What the ledger and the mail server have, against what we say we did."""

from collections import Counter

from rules.actions.effects import PostCharge, PostNote, SendMessage
from tests.soak.company import Company


def nothing_twice(company: Company) -> None:
    """No fee, note or mail exists twice, and no customer is told the same twice."""
    records = company.sandbox.records()
    for found in (
        Counter(fee.number for fee in records.fees),
        Counter(fee.tag for fee in records.fees),
        Counter(note.text for note in records.notes if note.text),
        Counter(mail.message_id for mail in company.mailbox.messages),
    ):
        assert [what for what, count in found.items() if count > 1] == []


def nothing_hidden(company: Company) -> None:
    """What we hold to be done is there; what is there and not done is still being looked for, or
    named by `status`."""
    listed = {one["key"] for one in company.done("status", "--json").json["books"][0]["unsettled"]}
    known: set[str] = set()
    for row, effects in company.effects():
        for one in effects:
            if one.state == "done":
                assert company.is_there(one), (row.key, one.name)
            if one.state in ("done", "sending"):
                known.add(name_of(one.effect))
            if one.state == "unknown":
                assert row.key in listed, (row.key, one.name)
                known.add(name_of(one.effect))
    records = company.sandbox.records()
    there = {fee.number for fee in records.fees}
    there |= {note.text for note in records.notes if note.text}
    there |= {mail.message_id for mail in company.mailbox.messages}
    assert there <= known


def everything_once(company: Company, customers: int) -> None:
    """Each customer has one fee and one mail about it, and the ledger a note of that mail."""
    nothing_twice(company)
    nothing_hidden(company)
    records = company.sandbox.records()
    per_customer = Counter(fee.customer for fee in records.fees)
    assert (len(per_customer), set(per_customer.values())) == (customers, {1})
    mails = Counter(address for mail in company.mailbox.messages for address in mail.recipients)
    assert (len(mails), set(mails.values())) == (customers, {1})
    assert len([note for note in records.notes if note.text]) == customers
    states = {row.state for row, _ in company.effects()}
    assert states <= {"done", "withdrawn", "superseded"}, states
    assert "unbroken" in company.done("audit", "verify").out


def name_of(effect: object) -> str:
    """What tells an effect from every other one, on the other side."""
    if isinstance(effect, SendMessage):
        return effect.message_id
    if isinstance(effect, PostCharge):
        return effect.number
    return effect.text if isinstance(effect, PostNote) else ""

"""Messages that are no reminders: statements and offers show figures of their own."""

from datetime import date

import msgspec

from ar_bridge.messages import render
from ar_bridge.messages.recipients import Unreachable
from rules.actions.action import RenderedMessage
from rules.actions.courtesy import OfferPlan, PlannedPart, SendThanks
from rules.actions.messages import SendReminder
from rules.actions.statement import SendStatement, StatementLine, StatementPeriod
from rules.model.ids import CustomerId, ItemKey, StageId
from rules.model.invoice import Invoice
from tests.messages.cases import COMPANY, ON, SENDER, account, invoice


def written(action: SendReminder, *invoices: Invoice) -> RenderedMessage:
    found = render(action, account(*invoices), COMPANY, SENDER, on=ON, included_through=ON)
    assert not isinstance(found, Unreachable)
    return found


def test_a_statement_lists_all_and_tells_what_is_contested() -> None:
    late, later = invoice("INV-1", 120000, 40), invoice("INV-3", 80000, -12)
    period = StatementPeriod(
        since=date(2026, 9, 1),
        through=date(2026, 9, 30),
        opening=150000,
        lines=(StatementLine(on=date(2026, 9, 9), kind="payment", amount=-30000),),
        closing=120000,
        after=80000,
    )
    statement = SendStatement(
        key=ItemKey("msg/C1/x"),
        customer=CustomerId("C1"),
        currency="GBP",
        items=(),
        stage=StageId("monthly"),
        statement="monthly",
        template="statement",
        qualified=(late.id, later.id),
        set_aside=((late.id, 10000),),
        aside_as=((late.id, "disputed", 7000), (late.id, "withheld", 3000)),
        contested=10000,
        total=188000,
        unapplied=2000,
        period=period,
    )
    message = written(statement, late, later)
    assert message.subject == "Statement of account, 27 October 2026: £1,980.00 open"
    for shown in (
        "Opening balance: £1,500.00",
        "Payment received, thank you: -£300.00, balance £1,200.00",
        "Closing balance: £1,200.00",
        "Entered since then: £800.00",
        "Of which disputed: £70.00",
        "Of which held back by agreement: £30.00",
        "disputed £70.00, held back by agreement £30.00. It is shown",
        "31-60 days: £1,100.00",
        "By days past due, without what we do not ask for at present:",
        "of which £1,100.00 is past its due date",
        "{{ pay_link }}",
    ):
        assert shown in message.text
    assert "Total to pay" not in message.text + message.html
    assert "Closing balance" in message.html and "INV-3" in message.html


def stated(*listed: Invoice, total: int, **more: object) -> RenderedMessage:
    statement = SendStatement(
        key=ItemKey("msg/C1/x"),
        customer=CustomerId("C1"),
        currency="GBP",
        items=(),
        stage=StageId("monthly"),
        statement="monthly",
        template="statement",
        qualified=tuple(one.id for one in listed),
        total=total,
    )
    return written(msgspec.structs.replace(statement, **more), *listed)


def test_what_is_withheld_altogether_is_not_past_due_in_a_statement() -> None:
    late = invoice("INV-1", 12000, 40)
    message = stated(
        late,
        total=0,
        contested=12000,
        set_aside=((late.id, 12000),),
        aside_as=((late.id, "withheld", 12000),),
    )
    assert "£120.00 is open." in message.text
    assert "Of which held back by agreement: £120.00" in message.text
    assert "past" not in message.text + message.html


def test_what_is_paid_in_instalments_is_not_past_due_in_a_statement() -> None:
    kept, late = invoice("INV-1", 90000, 40), invoice("INV-2", 10000, 5)
    message = stated(
        kept, late, total=100000, in_instalments=((kept.id, date(2026, 11, 10), 30000),)
    )
    said = "In instalments, next part of the plan £300.00 on 10 November 2026"
    assert said in " ".join(message.text.split()) and said in message.html
    assert "£1,000.00 is open, of which £100.00 is past its due date." in message.text
    assert "Not due: £900.00" in message.text and "1-30 days: £100.00" in message.text
    assert "40 days past due" not in message.text + message.html


def test_an_offer_shows_its_parts_and_thanks_ask_for_nothing() -> None:
    late = invoice("INV-2", 40001, 10)
    offer = OfferPlan(
        key=ItemKey("msg/C1/y"),
        customer=CustomerId("C1"),
        currency="GBP",
        items=(),
        stage=StageId("instalments"),
        template="plan_offer",
        qualified=(late.id,),
        total=40001,
        parts=(
            PlannedPart(due_on=date(2026, 11, 5), amount=20001),
            PlannedPart(due_on=date(2026, 12, 5), amount=20000),
        ),
        answer_by=date(2026, 11, 3),
    )
    message = written(offer, late)
    assert "1. by 5 November 2026: £200.01" in message.text
    assert "In all: £400.01" in message.text and "by 3 November 2026" in message.text
    paid = invoice("INV-1", 120000, 10, balance=0, status="paid")
    thanks = SendThanks(
        key=ItemKey("msg/C1/z"),
        customer=CustomerId("C1"),
        currency="GBP",
        items=(),
        stage=StageId("thank-you"),
        template="thanks",
        qualified=(paid.id,),
        total=0,
        received=120000,
        received_on=date(2026, 10, 20),
    )
    message = written(thanks, paid)
    assert message.subject == "Thank you: £1,200.00 received for invoice INV-1"
    assert "pay_link" not in message.text + message.html
    assert "Total to pay" not in message.text

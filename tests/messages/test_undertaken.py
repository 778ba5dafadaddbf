"""What messages say of promises that were not kept, of instalments, and of the cash entered."""

from datetime import date, timedelta

import msgspec
import pytest

from rules.actions.undertaken import BrokenPromise, PartAsked, ReturnedPayment
from tests.messages.cases import ON, account, interest, invoice, reminder
from tests.messages.test_render import plain, rendered

BROKEN = BrokenPromise(
    promised_on=ON - timedelta(days=20),
    due_on=ON - timedelta(days=7),
    promised=75000,
    paid=30000,
    missing=45000,
)


@pytest.mark.parametrize(
    "template", ["promise_broken", "overdue_1", "overdue_2", "overdue_3", "final_notice"]
)
def test_a_broken_promise_is_told_politely_and_then_firmly(template: str) -> None:
    one = invoice("INV-7")
    action = reminder(one, template=template)
    first = plain(rendered(msgspec.structs.replace(action, broken=BROKEN), account(one)))
    assert "You told us that £750.00 would reach us by 20 October 2026." in first
    assert "£300.00 that we have received; £450.00 of it is still missing" in first
    again = msgspec.structs.replace(BROKEN, nth=2, paid=0, missing=75000)
    second = plain(rendered(msgspec.structs.replace(action, broken=again), account(one)))
    assert "This is not the first date that has passed" in second
    assert "that we received" not in second
    if template != "promise_broken":
        assert "You told us" not in plain(rendered(action, account(one)))


@pytest.mark.parametrize("is_missed", [False, True])
def test_an_instalment_is_asked_for_and_not_the_whole(is_missed: bool) -> None:
    one = invoice("INV-7")
    template = "instalment_missed" if is_missed else "instalment_due"
    part = PartAsked(due_on=ON, amount=40000, paid=10000, position=2, count=3, is_missed=is_missed)
    action = msgspec.structs.replace(reminder(one, aside=90000, template=template), part=part)
    message = rendered(action, account(one))
    assert "Instalment 2 of 3: £300.00" in message.subject
    assert "Total to pay: £300.00" in plain(message)
    assert "left to other instalments £900.00, open £300.00" in plain(message)
    assert "£100.00" in plain(message)
    assert "left to other instalments" in " ".join(message.html.split())


def test_a_message_says_where_nobody_said_what_cash_is_entered() -> None:
    one = invoice("INV-7")
    said = rendered(reminder(one), account(one))
    unsaid = rendered(reminder(one), account(one), is_read_only=True)
    assert "Payments entered in our books up to 27 October 2026" in plain(said)
    assert "This is how our books stood on 27 October 2026." in plain(unsaid)
    for part in (said, unsaid):
        assert "If you have paid since, please disregard this message." in plain(part)


BACK = ReturnedPayment(paid_on=date(2026, 10, 19), amount=120000, returned_on=date(2026, 10, 23))


def test_a_payment_that_came_back_is_told_with_its_days_and_its_fee() -> None:
    one = invoice("INV-7")
    action = reminder(one, template="payment_returned", returned=(BACK,))
    message = rendered(action, account(one))
    assert message.subject == (
        "Payment of £1,200.00 returned on 23 October 2026: invoice INV-7 open"
    )
    said = (
        "The payment of £1,200.00 that we received on 19 October 2026 was returned unpaid on 23 "
        "October 2026. £1,200.00 is therefore open again on invoice INV-7, which was due on "
    )
    assert said in plain(message) and said in " ".join(message.html.split())
    assert "{{ pay_link }}" in message.text and "fee" not in plain(message)
    fee = interest(one)
    noted = rendered(
        msgspec.structs.replace(action, fees=(fee.key,), announced=fee.charge),
        account(one),
        charges=[fee],
    )
    assert "A fee of £18.35 has been added under our terms" in plain(noted)
    assert "Total to pay: £1,218.35" in plain(noted)


def test_a_payment_that_is_only_gone_from_the_books_is_not_said_to_have_bounced() -> None:
    one, two = invoice("INV-7"), invoice("INV-8", 5000)
    gone = msgspec.structs.replace(BACK, is_sure=False)
    text = plain(
        rendered(
            reminder(one, two, template="payment_returned", returned=(BACK, gone)),
            account(one, two),
        )
    )
    assert "that we had entered for 19 October 2026 was taken back on 23 October 2026." in text
    assert "£1,250.00 is now open on the 2 invoices below." in text


@pytest.mark.parametrize("template", ["overdue_1", "overdue_2", "overdue_3", "final_notice"])
def test_a_reminder_for_a_payment_that_came_back_says_so(template: str) -> None:
    one = invoice("INV-7")
    action = reminder(one, template=template)
    assert "returned unpaid" not in plain(rendered(action, account(one)))
    told = rendered(msgspec.structs.replace(action, returned=(BACK,)), account(one))
    assert "was returned unpaid on 23 October 2026" in plain(told)

"""Taking late fees back in Xero, through lost answers and other people's work."""

from datetime import date
from typing import Any

import msgspec
import pytest

from connectors.errors import HalfDoneError, OutcomeUnknownError, RefusedError, StaleError
from connectors.sandbox.faults import FaultOrder
from connectors.sandbox.rows import Allocation, PaymentRow
from rules.actions.effects import PostCharge, ReverseCharge
from rules.actions.keys import vendor_key
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero.sandboxed import Bench
from tests.connectors.xero.test_client import charge
from tests.sandbox.books import small_book
from tests.sandbox.test_xero import Xero
from tests.sandbox.xero_contract import complaints

TODAY = date(2026, 3, 5)


class Fee:
    """A fee of 40.10 in a sandbox, and what becomes of it."""

    def __init__(self, *faults: str, **changes: Any) -> None:
        self.bench = Bench(small_book(), "2026-03-05")
        self.charge: PostCharge = charge(self.bench, **changes)
        prepared = self.bench.connector.prepare(self.charge, TODAY)
        self.id = self.bench.connector.write(prepared, "fee").id
        self.ledger = self.bench.sandbox.ledger
        for fault in faults:
            self.bench.sandbox.faults.order(FaultOrder(name=fault, count=1))

    def reversal(self, amount: int | None = None) -> ReverseCharge:
        return ReverseCharge(
            key=f"fee_waiver/{amount}#0:reverse_charge",
            customer=self.charge.customer,
            number=self.charge.number,
            document_id=self.id,
            currency="USD",
            amount=amount,
        )

    def take_back(self, amount: int | None = None) -> Any:
        effect = self.reversal(amount)
        prepared = self.bench.connector.prepare(effect, TODAY)
        return self.bench.connector.write(prepared, vendor_key(effect.key, prepared.body))

    def pay(self, amount: int) -> None:
        row = PaymentRow(
            customer=self.charge.customer,
            currency="USD",
            on=TODAY,
            amount=amount,
            allocations=(Allocation(self.id, amount, TODAY),),
            **self.ledger.new_row("payment", "person"),
        )
        self.ledger.add("payment", row)

    @property
    def state(self) -> tuple[str, int]:
        row = self.ledger.invoices[self.id]
        return row.status, row.balance

    @property
    def credits(self) -> list[tuple[int, int]]:
        """Total and rest of the credit notes that we made."""
        rows = self.ledger.credits.values()
        return [(row.total, row.remaining) for row in rows if row.by == "client"]


def test_a_fee_on_which_nothing_was_paid_is_voided() -> None:
    fee = Fee()
    receipt = fee.take_back()
    assert (receipt.id, receipt.number, receipt.was_found) == (fee.id, fee.charge.number, False)
    assert fee.state == ("void", 0) and fee.credits == []


def test_a_draft_is_deleted() -> None:
    fee = Fee(is_draft=True)
    fee.take_back()
    assert fee.state == ("deleted", 0)
    assert fee.bench.connector.find(fee.reversal()) is not None


def test_a_part_paid_fee_is_credited_by_what_is_open() -> None:
    fee = Fee()
    fee.pay(1000)
    receipt = fee.take_back()
    assert receipt.amount == 3010 and receipt.number.startswith("LC-")
    assert fee.state == ("paid", 0) and fee.credits == [(3010, 0)]
    fee.take_back()
    assert fee.credits == [(3010, 0)]


def test_a_taxed_fee_is_credited_tax_included() -> None:
    fee = Fee(tax="OUTPUT2")
    fee.take_back(1010)
    assert fee.state == ("open", 3000) and fee.credits == [(1010, 0)]


def test_more_than_is_open_stays_the_customer_s_credit() -> None:
    fee = Fee()
    fee.pay(3510)
    fee.take_back(2000)
    assert fee.state == ("paid", 0) and fee.credits == [(2000, 1500)]
    assert fee.bench.connector.find(fee.reversal(2000)) is not None


def test_a_paid_fee_is_a_person_s_business() -> None:
    fee = Fee()
    fee.pay(4010)
    with pytest.raises(RefusedError, match="refund"):
        fee.take_back()


def test_a_fee_of_a_locked_period_is_credited_after_it() -> None:
    fee = Fee()
    fee.bench.sandbox.faults.order(FaultOrder(name="closed-period", on=date(2026, 3, 31)))
    fee.bench.connector.check()
    fee.take_back()
    (row,) = [row for row in fee.ledger.credits.values() if row.by == "client"]
    assert (row.on, row.total, row.remaining) == (date(2026, 4, 1), 4010, 0)
    assert fee.state == ("paid", 0)


def test_a_payment_between_reading_and_voiding_means_decide_again() -> None:
    fee = Fee()
    effect = fee.reversal()
    prepared = fee.bench.connector.prepare(effect, TODAY)
    fee.pay(1000)
    with pytest.raises(StaleError):
        fee.bench.connector.write(prepared, "k")
    assert fee.state == ("open", 3010)


def test_a_fee_that_a_person_voided_is_found_so() -> None:
    fee = Fee()
    fee.ledger.void_invoice(fee.id)
    assert fee.take_back().was_found
    with pytest.raises(RefusedError, match="VOIDED"):
        fee.take_back(100)


@pytest.mark.parametrize("fault", ["drop-after-commit", "http-500-after-commit"])
@pytest.mark.parametrize("amount", [None, 1010])
def test_a_lost_answer_takes_nothing_back_twice(fault: str, amount: int | None) -> None:
    fee = Fee(fault)
    fee.take_back(amount)
    assert fee.state == (("void", 0) if amount is None else ("open", 3000))
    assert fee.credits == ([] if amount is None else [(1010, 0)])


def test_an_allocation_that_was_not_done_is_made_up_for() -> None:
    fee = Fee()
    effect = fee.reversal(1010)
    prepared = fee.bench.connector.prepare(effect, TODAY)
    # The credit note goes through, its allocation never does.
    fee.bench.sandbox.faults.order(FaultOrder(name="drop-before-commit", count=50, skip=1))
    with pytest.raises(OutcomeUnknownError):
        fee.bench.connector.write(prepared, "k")
    assert fee.credits == [(1010, 1010)]
    with pytest.raises(HalfDoneError, match="but not"):
        fee.bench.connector.find(effect)
    fee.bench.sandbox.faults.lift("drop-before-commit")
    fee.bench.clock.sleep(3600)
    fee.bench.connector.write(prepared, "k")
    assert fee.credits == [(1010, 0)] and fee.state == ("open", 3000)
    assert fee.bench.connector.find(effect) is not None


def test_another_document_s_number_is_left_alone() -> None:
    fee = Fee()
    invoice = InvoiceId(fee.bench.id("invoice", "INV-1"))
    wrong = msgspec.structs.replace(fee.reversal(), document_id=invoice)
    with pytest.raises(RefusedError, match="left alone"):
        fee.bench.connector.prepare(wrong, TODAY)


def test_answers_of_the_sandbox_keep_to_the_contract() -> None:
    xero = Xero(small_book(), "2026-03-05")
    line = {"Description": "Back", "Quantity": 1, "UnitAmount": 5, "AccountCode": "270"}
    note = {"Type": "ACCRECCREDIT", "Status": "AUTHORISED", "LineItems": [line],
            "Contact": {"ContactID": CustomerId(xero.id("customer", "C1"))}}  # fmt: skip
    made = xero.put("/CreditNotes", {"CreditNotes": [note]})
    assert made.status_code == 200 and complaints("CreditNotes", made.content) == []
    part = {"Amount": 5, "Date": "2026-03-05",
            "Invoice": {"InvoiceID": xero.id("invoice", "INV-1")}}  # fmt: skip
    path = f"/CreditNotes/{made.json()['CreditNotes'][0]['CreditNoteID']}/Allocations"
    for params in ({}, {"summarizeErrors": "false"}):
        answer = xero.put(path, {"Allocations": [{**part, "Amount": 2}]}, params=params)
        assert answer.status_code == 200 and complaints("Allocations", answer.content) == []
    refused = xero.put(path, {"Allocations": [part]}, params={"summarizeErrors": "false"})
    assert "remaining credit" in refused.text and complaints("Allocations", refused.content) == []
    assert xero.put(path, {"Allocations": [part]}).status_code == 400
    files = f"/Invoices/{xero.id('invoice', 'INV-1')}/Attachments"
    answer = xero.http.put(f"{files}/Letter%201.pdf", content=b"%PDF")
    assert answer.status_code == 200 and complaints("Attachments", answer.content) == []
    assert xero.get(files)["Attachments"][0]["FileName"] == "Letter 1.pdf"
    assert xero.http.put(f"{files}/a.pdf", content=b"").status_code == 400

"""What cannot be read wrongs nobody: its customer waits until it can be read, then all goes on."""

import json
from datetime import timedelta
from typing import Any

import httpx

from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import Office

TODAY = "2026-06-04"
NAMES = ("North", "South")
AMOUNTS = {"Amount", "Total", "TotalAmt", "UnappliedAmt"}


class Spoiling(httpx.BaseTransport):
    """The wire to a ledger whose payments carry amounts that nobody can read."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.is_on = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        content = answer.read()
        if not self.is_on or b"payment" not in content.lower():
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)
        body = json.loads(content)
        found = list(_payments(body))
        for row in found:
            row.update(dict.fromkeys(AMOUNTS & row.keys(), "abc"))
        headers = {k: v for k, v in answer.headers.items() if k.lower() != "content-length"}
        return httpx.Response(
            answer.status_code, headers=headers, content=json.dumps(body).encode()
        )


def _payments(value: Any) -> Any:
    """The rows of every list of payments in an answer."""
    if isinstance(value, list):
        for each in value:
            yield from _payments(each)
    elif isinstance(value, dict):
        for name in ("Payment", "Payments", "Overpayments"):
            for row in value.get(name) or ():
                if isinstance(row, dict) and AMOUNTS & row.keys():
                    yield row
        for name in ("QueryResponse", "CDCResponse"):
            yield from _payments(value.get(name))


def two_invoices_each() -> list[dict[str, Any]]:
    return [
        company(),
        *(customer(name) for name in NAMES),
        *(
            invoice(f"{name[0]}-{number}", name, "2026-06-01")
            for name in NAMES
            for number in (1, 2)
        ),
    ]


def charged(office: Office) -> list[str]:
    return sorted({fee.customer_book_id for fee in office.records.fees})


def spoilt(office: Office) -> Spoiling:
    """From now on no payment can be read."""
    assert office._inner is not None
    wire = Spoiling(office._inner)
    office._inner = wire
    office.reopen()
    return wire


def test_a_customer_whose_invoice_was_never_readable_is_neither_charged_nor_chased(
    an_office: Opens,
) -> None:
    office = an_office(*two_invoices_each(), policy=policy(fee=flat_fee()), today=TODAY)
    office.sandbox.order("malformed-row=1")
    report = office.run()
    (bad,) = report.synced.quarantined
    hurt = next(name for name in NAMES if office.customer_id(name) == bad.customer)
    (fine,) = set(NAMES) - {hurt}
    assert bad.waits == "its customer waits"
    assert not office.mails_to(hurt) and len(office.mails_to(fine)) == 1
    assert charged(office) == [fine]
    waiting = [s for s in report.plan.view["skips"] if s["code"] == "paused"]
    assert waiting and {s["customer"] for s in waiting} == {bad.customer}
    assert all("cannot be read" in s["reasons"][0]["text"] for s in waiting)
    office.sandbox.faults.lift("malformed-row")
    office.wake("2026-06-05")
    assert not office.run().synced.quarantined
    assert len(office.mails_to(hurt)) == 1
    assert charged(office) == list(NAMES)
    is_matched(office)


def test_a_customer_whose_payment_was_never_readable_waits(an_office: Opens) -> None:
    office = an_office(*two_invoices_each(), policy=policy(fee=flat_fee()), today=TODAY)
    office.pay("North", 40_000, "N-1", on="2026-06-02")
    wire = spoilt(office)
    report = office.run()
    (bad,) = report.synced.quarantined
    assert (bad.entity, bad.customer) == ("payments", office.customer_id("North"))
    assert not office.mails_to("North") and len(office.mails_to("South")) == 1
    assert charged(office) == ["South"]
    wire.is_on = False
    office.wake("2026-06-08")
    assert not office.run().synced.quarantined
    assert len(office.mails_to("North")) == 1 and charged(office) == list(NAMES)
    is_matched(office)


def test_a_payment_that_comes_unreadable_just_before_acting_withdraws_the_action(
    an_office: Opens,
) -> None:
    office = an_office(
        *two_invoices_each(), policy=policy(fee=flat_fee()), today=TODAY, mode="approve"
    )
    office.run()
    office.approve_all()
    office.clock.advance(timedelta(minutes=5))
    office.pay("North", 40_000)  # on account: no invoice changes
    spoilt(office)
    office.apply()
    assert not office.mails_to("North") and len(office.mails_to("South")) == 1
    assert charged(office) == ["South"]
    withdrawn = [row for row in office.rows() if row.ended_reason and row.state != "done"]
    assert withdrawn and {row.customer for row in withdrawn} == {office.customer_id("North")}
    assert any("cannot be read" in (row.ended_reason or "") for row in withdrawn)

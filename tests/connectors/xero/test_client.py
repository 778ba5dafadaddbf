"""The connector over the sandbox: what a company's ledger holds is what we read, day by day."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from connectors.errors import AuthorizationError, OutcomeUnknownError, RefusedError
from connectors.sandbox.face import Setup
from connectors.table import BookConnection, company_choices
from connectors.tokens import MemoryVault
from connectors.xero.opening import connected_tenants, oauth_app, open_connector
from rules.actions.effects import PostCharge, PostNote, SetHold
from rules.actions.keys import vendor_key
from rules.model.events import EventLog
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero.sandboxed import Bench, of
from tests.sandbox.books import grocers, small_book

DAY = "2026-03-05"


@pytest.fixture
def bench() -> Bench:
    return Bench(small_book(), DAY)


def charge(bench: Bench, **changes: Any) -> PostCharge:
    invoice = bench.id("invoice", "INV-1")
    fields: dict[str, Any] = {
        "key": "late_fee/1#0:post_charge",
        "customer": CustomerId(bench.id("customer", "C1")),
        "number": "LF-ABCDEFGHIJKLMNOP",
        "currency": "USD",
        "amount": 4010,
        "issued_on": date(2026, 3, 5),
        "due_on": date(2026, 3, 19),
        "invoice": InvoiceId(invoice),
        "invoice_number": "INV-1",
        "description": "Late fee on INV-1",
        "tag": f"arb1 inv={invoice} fee=late through=2026-03-05 key=late_fee/1",
        "account": "270",
        "tax": "NONE",
    }
    return PostCharge(**{**fields, **changes})


def note(bench: Bench, *invoices: str) -> PostNote:
    return PostNote(
        key=f"note/{len(invoices)}#0:post_note",
        customer=CustomerId(bench.id("customer", "C1")),
        mark="[arb:ABCDEFGHIJKL]",
        text="[arb:ABCDEFGHIJKL] reminder sent",
        invoices=tuple(InvoiceId(bench.id("invoice", name)) for name in invoices),
    )


def hold(bench: Bench, is_on: bool) -> SetHold:
    customer = CustomerId(bench.id("customer", "C1"))
    return SetHold(key=f"hold/{is_on}#0", customer=customer, is_on=is_on, mark="m")


def write(bench: Bench, effect: Any) -> Any:
    prepared = bench.connector.prepare(effect, date(2026, 3, 5))
    return bench.connector.write(prepared, vendor_key(effect.key, prepared.body))


def test_real_receivables_are_read_as_the_book_has_them() -> None:
    bench = Bench(grocers(), "2019-06-03")
    book = EventLog(grocers()).as_of(date(2019, 6, 3)).book
    pages = bench.pull()
    assert [bad for page in pages for bad in page.quarantined] == []
    open_ones = {bench.id("invoice", row.id): row for row in book.invoices if row.balance > 0}
    read = of(pages, "invoices")
    assert set(read) == set(open_ones)
    for key, row in open_ones.items():
        assert (read[key].balance, read[key].total) == (row.balance, row.total)
        assert (read[key].issued_on, read[key].due_on) == (row.issued_on, row.due_on)
        assert read[key].customer == bench.id("customer", row.customer)
    paid = sum(payment.amount for payment in of(pages, "payments").values())
    over = sum(
        credit.total for credit in of(pages, "credits").values() if credit.kind == "overpayment"
    )
    assert paid + over == sum(payment.amount for payment in book.payments)


def test_a_full_pull_takes_the_fewest_calls_that_there_are() -> None:
    bench = Bench(grocers(), "2019-10-31")
    pages = bench.pull()
    needed = sum(-(-max(1, len(of(pages, e))) // 1000) for e in ("customers", "invoices"))
    needed += -(-len(of(pages, "payments")) // 1000) + 3
    # Beside them: the organisation, and our own fees that are no longer open.
    assert bench.sandbox.stats().reads <= needed + 2
    assert bench.sandbox.stats().throttled == 0


def test_following_the_changes_is_the_same_as_reading_everything_again() -> None:
    bench = Bench(grocers(), "2019-06-03")
    pages = bench.pull()
    known = {entity: of(pages, entity) for entity in ("customers", "invoices", "payments")}
    for _ in range(10):
        bench.clock.advance(timedelta(days=6))
        pages = bench.pull(pages[-1].cursor)
        for entity, rows in known.items():
            rows.update(of(pages, entity))
    fresh = bench.pull()
    for entity, rows in known.items():
        for key, record in of(fresh, entity).items():
            assert rows[key] == record
    still_open = {key for key, row in known["invoices"].items() if row.status == "open"}
    assert still_open == set(of(fresh, "invoices"))


def test_a_payment_that_was_taken_back_is_heard_of() -> None:
    bench = Bench(small_book(), "2026-02-05")
    pages = bench.pull()
    (payment,) = of(pages, "payments").values()
    assert payment.amount == 40000 and payment.reversed_on is None
    (over,) = [row for row in of(pages, "credits").values() if row.kind == "overpayment"]
    assert (over.total, over.remaining) == (10000, 10000)
    bench.clock.advance(timedelta(days=7))
    pages = bench.pull(pages[-1].cursor)
    assert of(pages, "payments")[payment.id].reversed_on == date(2026, 2, 10)
    assert of(pages, "credits")[over.id].remaining == 0
    invoice = of(pages, "invoices")[bench.id("invoice", "INV-1")]
    assert (invoice.balance, invoice.status) == (120000, "open")


def test_a_void_invoice_is_heard_of_and_can_be_read_again() -> None:
    bench = Bench(small_book(), "2026-02-05")
    pages = bench.pull()
    gone = bench.id("invoice", "INV-3")
    assert of(pages, "invoices")[gone].status == "open"
    bench.clock.advance(timedelta(days=20))
    assert of(bench.pull(pages[-1].cursor), "invoices")[gone].status == "void"
    (read,) = bench.connector.read([InvoiceId(gone)]).invoices
    assert read.status == "void"


def test_sent_and_unknown(bench: Bench) -> None:
    invoices = of(bench.pull(), "invoices")
    assert invoices[bench.id("invoice", "INV-1")].sent is True
    assert invoices[bench.id("invoice", "INV-2")].sent is None


def test_credits_of_a_customer_since_a_day(bench: Bench) -> None:
    customer = CustomerId(bench.id("customer", "C2"))
    since = bench.clock.now() - timedelta(days=60)
    (credit,) = bench.connector.read_credits([customer], since)
    assert (credit.total, credit.remaining) == (3000, 1000)
    assert bench.connector.read_credits([customer], bench.clock.now()) == []


def test_a_good_set_up(bench: Bench) -> None:
    check = bench.connector.check()
    assert (check.company.name, check.company.timezone) == ("Acme Ltd", "America/New_York")
    assert check.company.id == bench.sandbox.company_id
    assert {finding.level for finding in check.findings} == {"ok"}


def test_a_set_up_without_the_account_says_which_there_are() -> None:
    bench = Bench(small_book(), DAY, setup=Setup(fee_account_code=""), fee_tax="OUTPUT9")
    errors = {f.subject: f for f in bench.connector.check().findings if f.level == "error"}
    assert set(errors) == {"fee account", "fee tax"}
    assert "200 Sales" in errors["fee account"].remedy


def test_notes_on_an_invoice_and_on_the_customer(bench: Bench) -> None:
    for effect, kind in ((note(bench, "INV-1"), "invoice"), (note(bench), "customer")):
        write(bench, effect)
        found = bench.connector.find(effect)
        assert found is not None and found.was_found
        assert bench.sandbox.records().notes[-1].targets[0][0] == kind
    assert len(bench.sandbox.records().notes) == 2


def test_a_late_fee_is_written_once_whatever_happens_to_the_answer() -> None:
    bench = Bench(small_book(), DAY, faults=("drop-after-commit=1",))
    receipt = write(bench, charge(bench))
    (fee,) = bench.sandbox.records().fees
    assert (fee.number, fee.amount, fee.tag) == (receipt.number, 4010, charge(bench).tag)


def test_a_late_fee_whose_answer_stays_lost_is_found_by_its_number() -> None:
    bench = Bench(small_book(), DAY, faults=("http-500-after-commit=99",))
    with pytest.raises(OutcomeUnknownError):
        write(bench, charge(bench))
    found = bench.connector.find(charge(bench))
    assert found is not None and found.was_found and found.amount == 4010
    assert len(bench.sandbox.records().fees) == 1


def test_long_after_the_key_is_forgotten_the_number_still_protects(bench: Bench) -> None:
    first = write(bench, charge(bench))
    bench.clock.advance(timedelta(days=3))
    again = write(bench, charge(bench))
    assert again.was_found and again.id == first.id
    assert len(bench.sandbox.records().fees) == 1


def test_a_number_that_a_person_took_is_a_refusal() -> None:
    bench = Bench(small_book(), DAY, faults=("duplicate-number=1",))
    with pytest.raises(RefusedError) as refused:
        write(bench, charge(bench))
    assert "not ours" in str(refused.value)
    assert bench.sandbox.records().fees == ()


def test_a_fee_in_a_closed_period_is_dated_after_it() -> None:
    bench = Bench(small_book(), DAY, faults=("closed-period=2026-03-31",))
    assert bench.connector.check().company.locked_through == date(2026, 3, 31)
    write(bench, charge(bench))
    (fee,) = bench.sandbox.records().fees
    assert fee.issued_on == date(2026, 4, 1)


def test_refusals_name_all_that_is_wrong(bench: Bench) -> None:
    with pytest.raises(RefusedError) as refused:
        write(bench, charge(bench, account="999", tax="OUTPUT9", currency="JPY"))
    assert len(refused.value.problems) == 3


def test_a_taxed_fee_has_the_amount_that_was_shown(bench: Bench) -> None:
    receipt = write(bench, charge(bench, tax="OUTPUT2"))
    assert receipt.amount == 4010
    (fee,) = bench.connector.read([InvoiceId(receipt.id)]).invoices
    assert (fee.total, fee.tax, fee.is_fee) == (4010, 668, True)


def test_a_draft_fee_is_read_as_a_draft(bench: Bench) -> None:
    receipt = write(bench, charge(bench, is_draft=True))
    (fee,) = bench.connector.read([InvoiceId(receipt.id)]).invoices
    assert fee.status == "draft"


def test_a_fresh_database_learns_of_fees_that_are_no_longer_open(bench: Bench) -> None:
    draft = write(bench, charge(bench, is_draft=True))
    void = write(bench, charge(bench, number="LF-VOID", key="late_fee/2#0:post_charge"))
    bench.sandbox.ledger.void_invoice(void.id)
    fees = {row.id: row for row in of(bench.pull(), "invoices").values() if row.is_fee}
    assert {key: row.status for key, row in fees.items()} == {draft.id: "draft", void.id: "void"}


def test_credit_hold_goes_on_and_off(bench: Bench) -> None:
    assert bench.connector.find(hold(bench, True)) is None
    assert bench.connector.find(hold(bench, False)) is not None
    for _ in range(2):
        write(bench, hold(bench, True))
    assert bench.connector.find(hold(bench, True)) is not None
    assert bench.connector.find(hold(bench, False)) is None
    customer = bench.id("customer", "C1")
    assert of(bench.pull(), "customers")[customer].is_on_hold
    for _ in range(2):
        write(bench, hold(bench, False))
    held = of(bench.pull(), "customers")[customer]
    assert not held.is_on_hold and held.tags == ("vip",)
    (group,) = bench.sandbox.records().groups
    assert (group.name, group.members) == ("Credit hold", ())


def test_faulty_rows_are_named_and_cost_no_other() -> None:
    bench = Bench(
        small_book(), DAY, faults=("malformed-row=1", "null-due-date=1", "unknown-enum=1@2")
    )
    pages = bench.pull()
    assert len([bad for page in pages for bad in page.quarantined]) == 2
    assert len(of(pages, "invoices")) == 1


def test_a_refused_token_is_renewed_on_the_way() -> None:
    bench = Bench(small_book(), DAY, faults=("unauthorized=1",))
    assert of(bench.pull(), "invoices")
    assert bench.sandbox.stats().tokens == 1


def test_months_of_polling_never_meet_a_429() -> None:
    bench = Bench(small_book(), DAY)
    cursor = bench.pull()[-1].cursor
    for _ in range(200):
        cursor = bench.pull(cursor)[-1].cursor
    assert bench.sandbox.stats().throttled == 0
    assert bench.sandbox.stats().reads <= 8 + 200 * 3


def test_the_organisations_of_a_token(bench: Bench) -> None:
    (tenant,) = connected_tenants(bench.connection)
    assert (tenant.id, tenant.name) == (bench.sandbox.company_id, "Acme Ltd")
    assert company_choices("xero", bench.connection) == {tenant.id: tenant.name}


def test_another_organisation_is_not_let_in(bench: Bench) -> None:
    other = msgspec.structs.replace(bench.connection, company_id="somebody-else")
    with pytest.raises(AuthorizationError):
        list(open_connector(other).pull())


def test_a_custom_connection_needs_nobody_s_consent() -> None:
    bench = Bench(small_book(), DAY)
    own = msgspec.structs.replace(
        bench.connection, company_id="", vault=MemoryVault(), grant="client_credentials"
    )
    assert of(list(open_connector(own).pull()), "invoices")
    # Later its organisation is known; the token, which has no refresh token, is asked for anew.
    bench.clock.advance(timedelta(hours=2))
    known = msgspec.structs.replace(own, company_id=bench.sandbox.company_id)
    assert of(list(open_connector(known).pull()), "invoices")


def test_a_book_that_was_never_connected_says_so(bench: Bench) -> None:
    with pytest.raises(AuthorizationError):
        open_connector(BookConnection(clock=bench.clock))


def test_only_granular_permissions_are_asked_for(bench: Bench) -> None:
    scopes = oauth_app(bench.connection).scopes
    assert "offline_access" in scopes and "accounting.transactions" not in scopes


def test_over_a_real_socket() -> None:
    bench = Bench(small_book(), DAY)
    running = bench.sandbox.serve()
    try:
        served = msgspec.structs.replace(
            bench.connection, api_url=running.api_url, token_url=running.token_url, inner=None
        )
        connector = open_connector(served)
        pages = list(connector.pull())
        cursor = pages[-1].cursor
        assert of(pages, "invoices") and cursor is not None
        assert cursor.at <= bench.clock.now()
        prepared = connector.prepare(charge(bench), date(2026, 3, 5))
        assert connector.write(prepared, "k" * 32).number == charge(bench).number
        connector.close()
    finally:
        running.close()
    assert len(bench.sandbox.records().fees) == 1

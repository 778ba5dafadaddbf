"""The record of what was done, checked from outside: kept heads, exported files, gaps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import Connection, text

from ar_bridge import audit, audit_heads
from ar_bridge.audit_erasing import erase_customer
from ar_bridge.audit_exporting import Form, check_file, export
from ar_bridge.audit_gaps import gaps
from ar_bridge.brief.sending import send_brief
from ar_bridge.daemon.orders import Order
from ar_bridge.daemon.stopping import Stop
from ar_bridge.daemon.work import Bench, audit_head
from ar_bridge.holding import holds
from ar_bridge.inbound.polling import take_in
from ar_bridge.settings import Settings
from ar_bridge.settings.brief import BriefSettings
from ar_bridge.store import inbound, tables
from ar_bridge.store.engine import Store
from tests.inbound.mails import reply, report
from tests.store.tampering import unguarded
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import PERSON, LedgerName, Office

BOOK = [
    company(),
    customer("North"),
    customer("South"),
    invoice("N-1", "North", "2026-06-01"),
    invoice("S-1", "South", "2026-06-01"),
]


@pytest.fixture
def ledger() -> LedgerName:
    """What the record says of itself does not depend on the ledger."""
    return "xero"


@pytest.fixture
def office(an_office: Opens) -> Office:
    """Two customers, charged and written to."""
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.run()
    return office


def heads(office: Office) -> list[audit_heads.KeptHead]:
    return audit_heads.kept(office.home.audit_heads)


def test_a_head_is_kept_once_a_day_outside_of_the_database(office: Office) -> None:
    assert len(heads(office)) == 1
    office.run()
    assert len(heads(office)) == 1
    office.wake("2026-06-05")
    office.run()
    assert len(heads(office)) == 2
    with office.desk.store.read() as conn:
        assert audit_heads.problems(conn, heads(office)) == []
        seq, digest = audit.head(conn)
        assert audit_heads.problems(conn, [audit_heads.given(f"{seq}:{digest[:12]}")]) == []


class Interrupted(Store):
    """A store beside which somebody works as soon as the first snapshot was taken."""

    def __init__(self, store: Store, work: Callable[[], object]) -> None:
        self._store = store
        self._work: Callable[[], object] | None = work

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._store.read() as conn:
            audit.head(conn)
            work, self._work = self._work, None
            if work is not None:
                work()
            yield conn


class InterruptedBench(Bench):
    """A bench of the daemon on a store that a test opened."""

    opened: ClassVar[Store]

    @contextmanager
    def store(self) -> Iterator[Store]:
        yield self.opened


def test_a_head_that_is_kept_during_a_check_is_no_alarm(office: Office) -> None:
    def run_by_hand() -> None:
        office.wake("2026-06-05")
        office.run()
        assert len(heads(office)) == 2

    InterruptedBench.opened = Interrupted(office.desk.store, run_by_hand)
    bench = InterruptedBench(
        order=Order(run=1, book_id=0, book="", job="audit_head", slot=""),
        settings=Settings(),
        home=office.home,
        clock=office.clock,
        stop=Stop(),
    )
    did = audit_head(bench)
    assert not did.has_problems, did.reason
    assert did.note["seq"] < heads(office)[-1].seq


def test_a_record_that_was_cut_off_shows_against_a_kept_head(office: Office) -> None:
    (kept,) = heads(office)
    with office.desk.store.write() as conn:
        transaction = conn.begin_nested()
        unguarded(conn)
        for table in ("audit_payloads", "audit"):
            conn.execute(text(f"DELETE FROM {table} WHERE seq > {kept.seq - 3}"))
        assert audit.verify(conn) == []
        (problem,) = audit_heads.problems(conn, [kept])
        assert "its end was cut off" in str(problem)
        # What was done without an entry shows by itself.
        assert gaps(conn, office.desk.book_id) != []
        told = audit_heads.accept(
            conn,
            [kept],
            book_id=office.desk.book_id,
            at=office.clock.now(),
            actor=PERSON,
            reason="a backup was put back",
        )
        assert told == [kept]
        assert audit_heads.problems(conn, [kept]) == []
        transaction.rollback()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_exported_file_proves_itself(office: Office, tmp_path: Path, form: Form) -> None:
    file = tmp_path / f"audit.{form}"
    with office.desk.store.write() as conn:
        (entry,) = audit.history(conn, events=["ActionApproved"], limit=1)
        audit.erase(
            conn,
            [entry.seq],
            book_id=office.desk.book_id,
            at=office.clock.now(),
            actor=PERSON,
            reason="asked to",
            subject="customer/North",
        )
        seq, digest = audit.head(conn)
        with file.open("w", encoding="utf-8", newline="") as out:
            assert export(audit.entries(conn), out, form, book_id=office.desk.book_id) == seq
    head = audit_heads.given(f"{seq}:{digest}")
    checked = check_file(file, heads=[head])
    assert (checked.entries, checked.head, checked.problems) == (seq, digest, ())
    text_of_it = file.read_text(encoding="utf-8")
    lines = text_of_it.splitlines(keepends=True)
    for changed in (
        text_of_it.replace("FeeCharged", "FeeChanged", 1),
        text_of_it.replace("rule", "ruse", 1),
        "".join(lines[:4] + lines[5:]),
        "".join(lines[:-1]),
        "".join(lines[:-3] + lines[-1:]),
        "".join([*lines[:3], lines[4], lines[3], *lines[5:]]),
    ):
        file.write_text(changed, encoding="utf-8")
        assert check_file(file).problems != ()


def test_of_other_books_only_their_place_is_shown(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    with office.desk.store.write() as conn:
        audit.append(
            conn,
            book_id=99,
            at=office.clock.now(),
            actor="somebody",
            event="PlanMade",
            subject="of another book",
            payload={},
        )
        with file.open("w", encoding="utf-8", newline="") as out:
            export(audit.entries(conn), out, "jsonl", book_id=office.desk.book_id)
    assert check_file(file).problems == ()
    assert "another book" not in file.read_text(encoding="utf-8")


def test_what_was_done_without_an_entry_is_a_gap(office: Office) -> None:
    with office.desk.store.write() as conn:
        transaction = conn.begin_nested()
        conn.execute(
            tables.actions.update()
            .where(tables.actions.c.kind == "late_fee")
            .values(state="withdrawn")
        )
        found = gaps(conn, office.desk.book_id)
        assert {gap.kind for gap in found} == {"state"}
        assert "the audit last says done" in str(found[0])
        transaction.rollback()
    with office.desk.store.write() as conn:
        transaction = conn.begin_nested()
        conn.execute(tables.effects.update().values(receipt='{"id":"X-9","number":"LF-9"}'))
        assert {gap.kind for gap in gaps(conn, office.desk.book_id)} == {"effect"}
        transaction.rollback()
    with office.desk.store.write() as conn:
        transaction = conn.begin_nested()
        conn.execute(tables.plans.update().values(digest="0" * 64))
        assert {gap.kind for gap in gaps(conn, office.desk.book_id)} == {"plan"}
        transaction.rollback()


def words_kept(office: Office, *words: str) -> list[str]:
    """Tables of ours in which any of these words stands; what was read from the ledger is the
    ledger's."""
    read = {"customers", "invoices", "payments", "credits", "estimates", "pull_pages"}
    found = []
    with office.desk.store.read() as conn:
        for name, table in tables.metadata.tables.items():
            if name in read:
                continue
            for row in conn.execute(table.select()):
                told = " ".join(
                    one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
                    for one in row
                )
                found += [f"{name}: {told}" for word in words if word in told]
    return found


def test_a_customer_is_erased_and_everything_holds(office: Office) -> None:
    with office.desk.store.write() as conn:
        trial = erase_customer(
            conn,
            office.desk,
            office.customer_id("North"),
            actor=PERSON,
            reason="asked to",
            is_trial=True,
        )
    assert words_kept(office, "ap@north.example") != []
    with office.desk.store.write() as conn:
        erased = erase_customer(
            conn,
            office.desk,
            office.customer_id("North"),
            actor=PERSON,
            reason="asked to",
            is_trial=False,
        )
    assert erased == trial
    assert erased.entries > 0
    assert words_kept(office, "ap@north.example", "N-1 (GBP") == []
    assert words_kept(office, "ap@south.example") != []
    fees, notes = len(office.records.fees), len(office.records.notes)
    with office.desk.store.read() as conn:
        assert audit.verify(conn) == []
        assert gaps(conn, office.desk.book_id) == []
        (entry,) = audit.history(conn, events=["PersonalDataErased"])
    assert entry.actor == PERSON
    for _ in office.days("2026-06-05", "2026-06-08"):
        office.run()
    assert (len(office.records.fees), len(office.records.notes)) == (fees, notes)


def test_mail_that_came_in_and_briefs_that_name_them_are_erased(office: Office) -> None:
    sent = {name: office.mails_to(name)[-1].parsed()["Message-ID"] for name in ("North", "South")}
    for mail in (
        reply(sent["North"], text="Ask Mrs North about the tiles"),
        report(sent["North"], to="ap@north.example", said="Mrs North left"),
        reply(sent["South"], sender="ap@south.example", text="South will pay", number="2"),
    ):
        take_in(office.settings, office.home, office.clock, BytesIO(mail))
    desk = replace(office.desk, brief=BriefSettings.model_validate({"to": ["owner@story.example"]}))
    assert send_brief(desk).outcome == "sent"
    with office.desk.store.write() as conn:
        erased = erase_customer(
            conn,
            office.desk,
            office.customer_id("North"),
            actor=PERSON,
            reason="asked to",
            is_trial=False,
        )
    rows = {name: erased.rows[name] for name in ("inbound_mails", "briefs", "bad_addresses")}
    assert rows == {"inbound_mails": 2, "briefs": 1, "bad_addresses": 1}
    assert words_kept(office, "North Ltd", "Mrs North", "the tiles") == []
    assert len(words_kept(office, "ap@north.example")) == 1
    assert words_kept(office, "South will pay") != []
    # The reply still holds, the address still rests, and no second brief goes out.
    with office.desk.store.read() as conn:
        assert [hold.kind for hold in holds(conn, office.desk)].count("reply") == 2
        assert "ap@north.example" in inbound.bad(conn, office.desk.book_id)
    assert send_brief(desk).outcome == "already"

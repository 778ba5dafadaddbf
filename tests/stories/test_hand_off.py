"""Invoices go to an agency: by an approved plan or by a person's word; nothing goes to the
customer about them from then on, whatever is lost, until they are recalled."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ar_bridge import audit
from ar_bridge.errors import UsageError
from ar_bridge.hand_off import giving
from ar_bridge.hand_off.bundle import BUNDLED, bundle, is_bundled
from ar_bridge.hand_off.manifest import verify
from ar_bridge.hand_off.pending import bundle_pending
from ar_bridge.store import commitments
from rules.actions.notes import read_note
from rules.model import Dispute, Placement
from tests.stories.books import company, customer, invoice
from tests.stories.conftest import Opens
from tests.stories.stage import PERSON, Office, skips_of

POLICY = """
schema = 1
name = "story"
legal_basis = "contract:terms"

[contact]
min_gap = "1d"

[limits]
first_apply = 50

[hand_off]
contacts = 2
notice = "final"
to = "agency"
agency = { name = "Fair Claims Ltd", email = "in@claims.example", client_no = "=K-7" }

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "final"
name = "Final notice"
at = "due + 10d"
do = ["remind"]
template = "final_notice"
formal = true
deadline = "7d"
requires = ["first"]

[[stage]]
id = "out"
at = "deadline(final) + 1d"
do = ["hand_off"]

[[fee]]
id = "late"
name = "Late interest"
type = "interest"
annual_rate = 18
post = { every = "month", on = 15 }
"""

BOOK: list[dict[str, Any]] = [
    company(),
    customer("North", entity_type="company"),
    invoice("N-1", "North", "2026-06-01"),
    invoice("N-2", "North", "2026-08-20", "300.00"),
]
CUSTOMERS = """
schema = 1

[defaults]
entity_type = "company"
"""


@pytest.fixture
def office(an_office: Opens) -> Office:
    """The day on which the final notice has run out."""
    office = an_office(*BOOK, policy=POLICY, today="2026-06-04", customers=CUSTOMERS)
    for _ in office.days("2026-06-04", "2026-06-22"):
        office.run()
    return office


def placements(office: Office) -> list[Placement]:
    with office.desk.store.read() as conn:
        return giving.placements(conn, office.desk)


def hand_over(office: Office, *overrides: str, invoices: tuple[str, ...] = ()) -> Placement:
    desk = office.desk
    with desk.store.write() as conn:
        ready = giving.ready(conn, desk, office.customer_id("North"), invoices, overrides)
        placement, _ = giving.hand_over(conn, desk, ready, actor=PERSON, reason="no answer")
    return placement


def recall(office: Office) -> None:
    with office.desk.store.write() as conn:
        giving.recall(
            conn,
            office.desk,
            office.customer_id("North"),
            (),
            actor=PERSON,
            reason="they pay after all",
        )


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_an_approved_hand_off_is_a_placement_with_its_bundle(
    office: Office, tmp_path: Path
) -> None:
    office.run(approve=office.approve_all)
    (placement,) = placements(office)
    assert placement.invoices == (office.invoice_id("N-1"),)
    assert (placement.name, placement.actor) == ("Fair Claims Ltd", PERSON)
    notes = [read for note in office.records.notes if (read := read_note(note.text))]
    assert [read.facts.because for read in notes if read.facts.kind == "placement"] == ["agency"]
    mails = len(office.mails)
    made, problems = bundle_pending(office.desk, tmp_path / "out")
    assert not problems
    (one,) = made
    content = {path.name: path.read_bytes() for path in one.folder.rglob("*") if path.is_file()}
    (row,) = rows(content["placement.csv"])
    assert row["client_no"] == "'=K-7" and row["debtor_name"] == "North Ltd"
    assert (row["invoice_no"], row["principal"]) == ("N-1", "1000.00")
    assert float(row["interest"]) > 0 and row["fees"] == "0.00"
    assert row["total_claimed"] == str(one.totals[0]["total"])
    log = rows(content["correspondence.csv"])
    assert [entry["stage"] for entry in log if entry["kind"] == "reminder"] == ["first", "final"]
    assert all(entry["message_id"] and "accepted" in entry["result"] for entry in log)
    assert b"N-1" in content["letter-before-action.txt"]
    assert not verify(one.folder).problems and not verify(one.zipped).problems
    with office.desk.store.read() as conn:
        assert is_bundled(conn, office.desk.book_id, placement.id, one.digest)
    assert bundle_pending(office.desk, tmp_path / "out") == ([], [])
    # Nothing goes to the customer any more, and nothing is handed over twice.
    for _ in office.days("2026-06-23", "2026-07-31"):
        office.run(approve=office.approve_all)
    assert len(office.mails) == mails
    assert len(placements(office)) == 1
    assert skips_of(office.plan(), "handed_off")


def test_the_same_input_gives_the_same_bytes(office: Office, tmp_path: Path) -> None:
    placement = hand_over(office)
    first = bundle(office.desk, placement, tmp_path / "a" / "claim", actor=PERSON)
    second = bundle(office.desk, placement, tmp_path / "b" / "claim", actor=PERSON)
    assert first.zipped.read_bytes() == second.zipped.read_bytes()
    assert first.digest == second.digest
    with office.desk.store.read() as conn:
        made = audit.history(conn, subject=placement.id, events=[BUNDLED])
    assert [(one.payload or {})["digest"] for one in made] == [first.digest] * 2
    with pytest.raises(UsageError, match="there already"):
        bundle(office.desk, placement, tmp_path / "a" / "claim", actor=PERSON)


def test_every_change_of_a_bundle_shows(office: Office, tmp_path: Path) -> None:
    made = bundle(office.desk, hand_over(office), tmp_path / "claim", actor=PERSON)
    (made.folder / "totals.txt").write_text("another sum")
    (made.folder / "fees.txt").unlink()
    (made.folder / "extra.txt").write_text("new")
    problems = verify(made.folder).problems
    assert [one.partition(":")[0] for one in problems] == ["fees.txt", "totals.txt", "extra.txt"]
    assert not verify(made.zipped).problems
    with zipfile.ZipFile(made.zipped, "a") as archive:
        archive.writestr("claim/more.txt", "new")
    assert verify(made.zipped).problems == ("more.txt: added, the manifest does not name it",)


def test_a_placement_is_found_again_after_the_database_is_lost(office: Office) -> None:
    hand_over(office)
    office.run()
    mails = len(office.mails)
    office.lose_the_database()
    for _ in office.days("2026-06-23", "2026-07-10"):
        office.run(approve=office.approve_all)
    (placement,) = placements(office)
    assert placement.invoices == (office.invoice_id("N-1"),)
    assert len(office.mails) == mails


def test_an_approved_hand_off_is_found_again_too(office: Office) -> None:
    office.run(approve=office.approve_all)
    (before,) = placements(office)
    mails = len(office.mails)
    office.lose_the_database()
    for _ in office.days("2026-06-23", "2026-07-10"):
        office.run(approve=office.approve_all)
    (after,) = placements(office)
    assert (after.id, after.invoices) == (before.id, before.invoices)
    assert len(office.mails) == mails


def test_recalled_invoices_go_on_and_payments_meanwhile_are_told(office: Office) -> None:
    hand_over(office)
    office.run()
    office.wake("2026-06-25")
    office.pay("North", 25_000, "N-1", on="2026-06-25")
    office.run()
    with office.desk.store.read() as conn:
        (paid,) = giving.paid_since(conn, office.desk)
    assert (paid.kind, paid.amount, paid.invoice.number) == ("payment", 25_000, "N-1")
    (row,) = rows(giving.payments_csv([paid], "K-7"))
    assert (row["amount"], row["principal_left"]) == ("250.00", "750.00")
    fees = len(office.records.fees)
    recall(office)
    assert not placements(office)
    for _ in office.days("2026-06-26", "2026-07-16"):
        office.run(approve=office.approve_all)
    kinds = [read.facts.kind for note in office.records.notes if (read := read_note(note.text))]
    assert kinds.count("recall") == 1
    assert len(office.records.fees) > fees
    assert not placements(office)


def test_what_stands_in_the_way_is_told_all_at_once_and_set_aside_by_name(
    an_office: Opens,
) -> None:
    office = an_office(*BOOK, policy=POLICY, today="2026-06-05", customers=CUSTOMERS)
    office.run()
    north = office.customer_id("North")
    with office.desk.store.write() as conn:
        commitments.add(
            conn,
            office.desk.book_id,
            Dispute(
                id=f"dispute/{north}/x",
                customer=north,
                invoices=(office.invoice_id("N-1"),),
                on=office.desk.today(),
                amount=10_000,
                reason="short delivery",
            ),
        )
    with pytest.raises(UsageError) as refused:
        hand_over(office)
    told = " ".join(refused.value.problems)
    assert all(f"({name})" in told for name in ("dispute", "contacts", "notice"))
    assert "--override contacts --override dispute --override notice" in refused.value.remedy
    placement = hand_over(office, "contacts", "dispute", "notice")
    assert placement.overridden == ("contacts", "dispute", "notice")
    with office.desk.store.read() as conn:
        (entry,) = audit.history(conn, subject=placement.id, events=["PlacementRecorded"])
    assert (entry.payload or {})["overridden"] == ["contacts", "dispute", "notice"]
    with pytest.raises(UsageError, match="overdue"):
        hand_over(office)
    with pytest.raises(UsageError, match="not ready") as again:
        hand_over(office, "handed_off", invoices=("N-1",))
    assert "is with Fair Claims Ltd since" in " ".join(again.value.problems)

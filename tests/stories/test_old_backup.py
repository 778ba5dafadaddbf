"""An older copy of the database is put back: what was done since is in the ledger, and nothing of
it is done again."""

import shutil
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from ar_bridge import audit, rebuilding
from ar_bridge.store import books
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import nothing_twice
from tests.stories.stage import PERSON, Office

BOOK = [
    company(),
    *(customer(name) for name in ("North", "South")),
    invoice("N-1", "North", "2026-06-01"),
    invoice("S-1", "South", "2026-06-08"),
]
NOTED = """
[[stage]]
id = "noted"
at = "due + 4d"
do = ["note"]
"""


def closed(office: Office) -> None:
    office._process.close()
    office._process = ExitStack()


def saved(office: Office, to: Path) -> Path:
    """A copy of the database as it stands, and of the whole home beside it."""
    closed(office)
    shutil.copytree(office.home.root, to)
    office.desk = office._open()
    return to


def put_back(office: Office, copy: Path, *, whole_home: bool) -> None:
    closed(office)
    name = office.home.database.name
    for file in office.home.root.glob(f"{name}*"):
        file.unlink()
    for file in copy.glob(f"{name}*"):
        shutil.copy2(file, office.home.root / file.name)
    for file in (office.home.audit_heads, office.home.handed_over):
        if whole_home:
            file.unlink(missing_ok=True)
            if (copy / file.name).exists():
                shutil.copy2(copy / file.name, file)
    # The copy holds tokens of its own day, which have ended since.
    office._connect()
    office.desk = office._open()


def state(office: Office) -> str:
    with office.desk.store.read() as conn:
        return books.get(conn, office.desk.book_id).state


def seen(office: Office) -> dict[str, object]:
    records = office.records
    return {
        "fees": sorted((fee.number, fee.amount) for fee in records.fees),
        "notes": sorted(note.text for note in records.notes if note.text),
        "mails": sorted(mail.message_id for mail in office.mails),
    }


@pytest.mark.parametrize("whole_home", [False, True], ids=["database", "home"])
@pytest.mark.parametrize("fees", [True, False], ids=["fees", "notes"])
def test_nothing_is_repeated_from_an_older_copy(
    an_office: Opens, tmp_path: Path, *, whole_home: bool, fees: bool
) -> None:
    fee = flat_fee() if fees else ""
    office = an_office(*BOOK, policy=policy(fee=fee + NOTED), today="2026-06-03")
    office.run()
    copy = saved(office, tmp_path / "copy")
    for _ in office.days("2026-06-04", "2026-06-12"):
        office.run()
    before = seen(office)
    assert all(before[what] for what in ("notes", "mails"))
    put_back(office, copy, whole_home=whole_home)

    for _ in office.days("2026-06-13", "2026-06-14"):
        office.run(approve=office.approve_all)
    assert state(office) == "rebuilt"
    assert seen(office) == before
    nothing_twice(office)
    assert {row.mode for row in office.rows("planned", "approved")} <= {"approve"}

    with office.desk.store.write() as conn:
        rebuilding.trust(conn, office.desk, actor=PERSON, reason="an old backup was put back")
    for _ in office.days("2026-06-15", "2026-06-19"):
        office.run()
    assert state(office) == "normal"
    nothing_twice(office)


@pytest.mark.parametrize("when", ["planned", "approved"])
def test_what_stood_approved_in_the_copy_is_not_done_again(
    an_office: Opens, tmp_path: Path, when: str
) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04", mode="approve")
    office.run()
    if when == "approved":
        office.approve_all()
    copy = saved(office, tmp_path / "copy")
    if when == "planned":
        office.approve_all()
    office.apply()
    office.run()
    before = seen(office)
    assert before["mails"]
    put_back(office, copy, whole_home=False)
    office.run(approve=office.approve_all)
    assert seen(office) == before
    nothing_twice(office)


def test_a_copy_in_which_nothing_is_missing_is_no_older_one(
    an_office: Opens, tmp_path: Path
) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.run()
    copy = saved(office, tmp_path / "copy")
    put_back(office, copy, whole_home=False)
    office.wake("2026-06-12")
    office.run()
    office.run()
    assert state(office) == "normal"
    with office.desk.store.read() as conn:
        assert audit.history(conn, events=["RecordsOutdated", "StrangeFeesFound"]) == []


def test_a_mail_of_which_only_its_id_is_known_waits_for_a_person(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(), today="2026-06-04")
    # The process ends when the mail is out and nothing else is: no mark is in the ledger.
    office.crash("mail", 1, when="after")
    office.run_to_crash()
    assert (len(office.mails), office.records.notes) == (1, ())
    office.lose_the_database()
    office.run(approve=office.approve_all)
    assert len(office.mails) == 1
    assert [row.kind for row in office.rows("unknown")] == ["reminder"]


def test_a_mail_that_the_copy_knows_as_put_off_does_not_go_a_second_time(
    an_office: Opens, tmp_path: Path
) -> None:
    office = an_office(*BOOK, policy=policy(), today="2026-06-04")
    office.mailbox.faults.answer_data = "451 4.3.0 try again later"
    office.run()
    assert not office.mails
    copy = saved(office, tmp_path / "copy")
    office.clock.advance(timedelta(hours=2))
    # It goes, and the process ends before anything else is written down.
    office.crash("mail", 1, when="after")
    office.run_to_crash()
    assert (len(office.mails), office.records.notes) == (1, ())
    put_back(office, copy, whole_home=False)
    office.run(approve=office.approve_all)
    office.clock.advance(timedelta(hours=2))
    office.run(approve=office.approve_all)
    assert len(office.mails) == 1

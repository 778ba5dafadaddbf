"""Commands by which a person has something written into the ledger at once, or with the next
apply."""

from collections import Counter
from pathlib import Path

from rules.actions.notes import read_note
from tests.cli.newcomer import Newcomer


def noted(person: Newcomer) -> Counter[str]:
    """Kinds of our notes in the ledger."""
    texts = [note.text for note in person.sandbox.records().notes]
    return Counter(found.facts.kind for text in texts if (found := read_note(text)))


def charged(newcomer: Newcomer) -> str:
    """A book with one late fee; its number."""
    newcomer.settle(mode="auto")
    newcomer.tomorrow(3)
    newcomer.done("run")
    (fee,) = newcomer.sandbox.records().fees
    return fee.number


def test_a_fee_is_shown_and_then_waived(newcomer: Newcomer) -> None:
    number = charged(newcomer)
    looked = newcomer.done("waive", "INV-7", "--reason", "first time", "--look")
    assert f"{number}, late on invoice INV-7: GBP 25.00 is waived and voided" in looked.out
    assert [fee.status for fee in newcomer.sandbox.records().fees] == ["open"]
    done = newcomer.done("waive", "INV-7", "--reason", "first time")
    assert "done: 1 fee waiver" in done.out
    (fee,) = newcomer.sandbox.records().fees
    assert fee.status == "void"
    again = newcomer("waive", number, "--reason", "once more")
    assert again.code == 2 and "waived" in again.err
    events = Counter(e["event"] for e in newcomer.done("audit", "show", "--json").json["entries"])
    assert events["WaiverRecorded"] == events["FeeWaived"] == 1
    newcomer.tomorrow()
    newcomer.done("run")
    assert len(newcomer.sandbox.records().fees) == 1


def test_a_part_of_a_fee_is_waived(newcomer: Newcomer) -> None:
    number = charged(newcomer)
    said = newcomer.done("waive", number, "--amount", "5", "--reason", "half of it was our fault")
    assert "GBP 5.00 of 25.00 is waived and credited" in said.out
    too_much = newcomer("waive", number, "--amount", "20.01", "--reason", "x")
    assert too_much.code == 2 and "20.00" in too_much.err


def test_a_waiver_is_undone_and_the_fee_comes_again(newcomer: Newcomer) -> None:
    number = charged(newcomer)
    nothing = newcomer("reinstate", number, "--reason", "x")
    assert nothing.code == 2 and "nothing to reinstate" in nothing.err
    newcomer.done("waive", number, "--reason", "first time")
    which = newcomer("reinstate", "--reason", "x")
    assert which.code == 2 and "--invoice" in which.err
    looked = newcomer.done("reinstate", number, "--reason", "it was the third time", "--look")
    assert "GBP 25.00 may be charged again" in looked.out and not noted(newcomer)["reinstated"]
    newcomer.done("reinstate", "--invoice", "INV-7", "--fee", "late", "--reason", "third time")
    assert noted(newcomer)["reinstated"] == 1
    newcomer.tomorrow(7)
    newcomer.done("run")
    assert sorted(fee.status for fee in newcomer.sandbox.records().fees) == ["open", "void"]


def test_what_we_charged_wrongly_may_be_charged_again(newcomer: Newcomer) -> None:
    number = charged(newcomer)
    said = newcomer.done("waive", number, "--ours", "--reason", "the wrong amount")
    assert "is corrected and voided" in said.out
    events = Counter(e["event"] for e in newcomer.done("audit", "show", "--json").json["entries"])
    assert events["CorrectionOrdered"] == 1 and not events["WaiverRecorded"]
    newcomer.tomorrow(7)
    newcomer.done("run")
    assert sorted(fee.status for fee in newcomer.sandbox.records().fees) == ["open", "void"]


def test_a_bill_is_passed_on_with_its_evidence(newcomer: Newcomer, tmp_path: Path) -> None:
    newcomer.settle()
    bill = tmp_path / "court bill.pdf"
    bill.write_bytes(b"%PDF-1.4 fee")
    what = ("--amount", "50", "--kind", "court", "--evidence", str(bill), "--reason", "claim")
    order = ("charge", "North Ltd", "--invoice", "INV-1", *what)
    looked = newcomer.done(*order, "--dry-run")
    assert "Court costs of GBP 50.00 about invoice INV-1; legal basis: contract" in looked.out
    assert not newcomer.sandbox.records().fees
    assert "1 late fee" in newcomer.done(*order).out
    (fee,) = newcomer.sandbox.records().fees
    assert fee.amount == 5000
    kept = [file for each in newcomer.sandbox.ledger.files.values() for file in each.values()]
    assert [file.content for file in kept] == [b"%PDF-1.4 fee"]
    twice = newcomer(*order)
    assert twice.code == 2 and "ordered before" in twice.err
    wrong = newcomer("charge", "North Ltd", "--invoice", "INV-1", *what[:3], "dinner", *what[4:])
    assert wrong.code == 2 and "court, agency, bank, other" in wrong.err


def test_an_invoice_is_mailed_and_a_file_attached(newcomer: Newcomer, tmp_path: Path) -> None:
    newcomer.settle()
    assert "1 mailed invoice" in newcomer.done("send-invoice", "INV-2").out
    (mail,) = newcomer.sandbox.records().mails
    assert mail.to == "ap@north.example"
    twice = newcomer("send-invoice", "INV-2")
    assert twice.code == 2 and "ordered before" in twice.err
    letter = tmp_path / "delivery note.pdf"
    letter.write_bytes(b"signed")
    done = newcomer.done("attach", "INV-1", str(letter), "--reason", "proof")
    assert "1 attachment" in done.out
    kept = [file for each in newcomer.sandbox.ledger.files.values() for file in each.values()]
    assert [file.content for file in kept] == [b"signed"]
    assert noted(newcomer) == {"send_invoice": 1, "attachment": 1}


def test_what_people_say_is_noted_with_the_next_apply(newcomer: Newcomer) -> None:
    call = newcomer.settle().done
    said = call("promise", "--invoice", "INV-1", "--on", "2026-03-20", "--reason", "by telephone")
    assert "next apply" in said.out
    call("dispute", "--invoice", "INV-3", "--amount", "100", "--reason", "short delivery")
    call("pause", "--customer", "East Ltd", "--until", "2026-03-13")
    call("stop-customer", "West Ltd", "--because", "insolvency")
    assert not noted(newcomer)
    assert call("apply", "--json").json["applied"] == {"note": 4}
    assert noted(newcomer) == {"promise": 1, "dispute": 1, "pause": 1, "stop": 1}
    call("dispute", "--invoice", "INV-3", "--won-by", "us")
    call("resume", "West Ltd")
    call("apply")
    assert noted(newcomer)["dispute_end"] == noted(newcomer)["resume"] == 1


def test_a_ledger_that_is_away_gets_the_order_later(newcomer: Newcomer) -> None:
    number = charged(newcomer)
    newcomer.configure(mode="auto", api_url="http://127.0.0.1:9/")
    late = newcomer("waive", number, "--reason", "first time")
    assert late.code == 1
    newcomer.configure(mode="auto")
    newcomer.tomorrow()
    newcomer.done("run")
    (fee,) = newcomer.sandbox.records().fees
    assert fee.status == "void"


def test_an_observing_book_writes_nothing_and_says_so(settled: Newcomer, tmp_path: Path) -> None:
    settled.configure(mode="observe")
    file = tmp_path / "a.pdf"
    file.write_bytes(b"x")
    for command in (
        ("send-invoice", "INV-1"),
        ("attach", "INV-1", str(file), "--reason", "proof"),
    ):
        ended = settled(*command)
        assert ended.code == 2 and "observes" in ended.err, command
    said = settled.done("promise", "--invoice", "INV-1", "--on", "2026-03-20")
    assert "observes" in said.out
    settled.done("run")
    assert settled.left_in_ledger == (0, 0)

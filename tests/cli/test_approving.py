"""plan --check, approve a part, edit and apply, as a person and as a script call them."""

from pathlib import Path

import pytest

from tests.cli.newcomer import Newcomer


def test_a_check_tells_a_script_whether_there_is_something_to_do(
    settled: Newcomer, tmp_path: Path
) -> None:
    full = settled("plan", "--check", "--json")
    assert full.code == 2 and full.json["actions"] and full.json["calls"]["total"] > 0
    assert settled("plan", "--check").code == 2
    settled.done("approve", full.json["plan"])
    # Nothing is new, and yet something is to be done.
    again = settled("plan", "--check", "--json")
    assert again.code == 2 and again.json["approved"] > 0
    empty = tmp_path / "book.jsonl"
    empty.write_text(
        '{"t":"company","id":"acme","base_currency":"GBP","timezone":"Europe/London"}\n'
        '{"t":"customer","id":"C1","date":"2026-01-05","name":"North Ltd","currency":"GBP"}\n'
    )
    nothing = settled(
        "plan",
        "--check",
        "--json",
        "--book-file",
        str(empty),
        "--policy",
        "gentle",
        "--on",
        "2026-03-10",
    )
    assert nothing.code == 0 and nothing.json["actions"] == []
    assert nothing.json["calls"] is None


def test_a_part_is_approved_by_what_it_is(settled: Newcomer) -> None:
    plan = settled("plan", "--json").json
    assert settled("approve").code == 2
    wrong = settled("approve", "--kind", "remind", "--below", "much")
    assert wrong.code == 2 and "--below" in wrong.err
    nothing = settled("approve", "--above", "100", "--below", "50")
    assert nothing.code == 2 and "above 100 and below 50" in nothing.err
    nearly = settled("approve", "--customer", "Nrth Ltd")
    assert nearly.code == 2 and "did you mean North Ltd?" in nearly.err
    unknown = settled("approve", plan["plan"], "--kind", "remind", "--segment", "vip")
    assert unknown.code == 2 and "remind" in unknown.err and "vip" in unknown.err
    looked = settled(
        "approve", plan["plan"], "--kind", "reminder", "--below", "100000", "--dry-run", "--json"
    ).json
    assert looked["dry_run"] and looked["approved"] == [] and looked["selected"]
    assert {one["kind"] for one in looked["selected"]} == {"reminder"}
    none = settled.done("approve", "--kind", "reminder", "--above", "100000")
    assert "nothing fits" in none.out and "left msg/" in none.out
    name = plan["actions"][0]["customer_name"]
    one = settled.done("approve", "--customer", name, "--by", "Kim", "--reason", "known to us")
    assert "approved " in one.out and "another customer" in one.out
    shown = settled.done("audit", "show", "--json").json
    entries = shown["entries"] if "entries" in shown else shown["audit"]
    approved = [entry for entry in entries if entry["event"] == "ActionApproved"]
    assert approved and all(entry["actor"].startswith("Kim, told by ") for entry in approved)


def test_a_message_is_edited_and_goes_as_it_was_edited(
    settled: Newcomer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = settled("plan", "--json").json
    entry = next(one for one in plan["actions"] if one["message"] is not None)
    key, text = entry["key"], entry["message"]["text"]
    assert settled("edit", key).code == 2
    bare = tmp_path / "bare.txt"
    bare.write_text("Please pay.\n")
    refused = settled("edit", key, "--text-file", str(bare), "--reason", "short")
    assert refused.code == 2 and "--anyway" in refused.err and "invoice number" in refused.err
    missing = settled("edit", key, "--text-file", str(tmp_path / "no.txt"))
    assert missing.code == 2 and "cannot be read" in missing.err
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\nsed -i '1s/$/ (reworded)/' \"$1\"\necho 'Bye for now.' >> \"$1\"\n"
    )
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    done = settled.done("edit", key, "--editor", "--by", "Kim", "--reason", "kinder", "--json").json
    assert done["revision"] == 2 and done["edited_by"].startswith("Kim") and not done["left_out"]
    monkeypatch.setenv("VISUAL", "false")
    assert settled("edit", done["key"], "--editor").code == 2
    again = settled("plan", "--json").json
    edited = next(one for one in again["actions"] if one["edited_by"])
    assert edited["message"]["subject"] == entry["message"]["subject"] + " (reworded)"
    assert edited["message"]["text"] == text + "Bye for now.\n"
    assert "wording is that of Kim" in settled.done("explain", entry["customer_name"]).out
    assert "has waited since" in settled.done("status").out
    settled.done("approve", done["plan"])
    report = settled.done("apply", done["plan"], "--json").json
    assert {one["became"] for one in report["actions"]} == {"done"}
    assert report["plan"] == done["plan"]
    # The plan that was shown before says what became of what it listed.
    old = settled.done("apply", plan["plan"], "--json").json
    became = {one["key"]: one for one in old["actions"]}
    assert became[done["key"]]["became"] == "superseded"
    assert "edited by Kim" in became[done["key"]]["reason"]
    assert "waiting" in {one["became"] for one in old["actions"]}
    assert "of this plan not done" in settled.done("apply", plan["plan"]).out

"""What waits for people: listed, ticked off, told by mail."""

from pathlib import Path

from rules.actions.notes import read_note
from tests.cli.newcomer import POLICY, Newcomer
from tests.cli.running import Program

PEOPLE = """
[[person]]
id = "ann"
name = "Ann Lee"
email = "ann@elm.example"
roles = ["collector"]

[[stage]]
id = "ring"
name = "Ring"
at = "due + 4d"
do = ["call", "notify"]
owner = "collector"
due_in = "1d"
script = "Ask {customer} when {total} comes."
"""

BOOK = """
{"t":"company","id":"acme","base_currency":"GBP","timezone":"Europe/London","country":"GB"}
{"t":"customer","id":"C1","date":"2026-01-05","name":"North Ltd","currency":"GBP"}
{"t":"invoice","id":"INV-7","date":"2026-09-01","due":"2026-10-01","customer":"C1","total":"12.00"}
"""


def ready(newcomer: Newcomer) -> None:
    newcomer.settle(mode="auto")
    newcomer.policy.write_text(POLICY.replace("[[stage]]", PEOPLE + "\n[[stage]]", 1))


def test_calls_are_listed_made_and_ticked_off(newcomer: Newcomer) -> None:
    ready(newcomer)
    newcomer.done("run")
    for _ in range(8):
        newcomer.tomorrow()
        newcomer.done("run")
    listed = newcomer.done("worklist", "--owner", "Ann Lee", "--json").json
    assert listed["book"] == "elm"
    calls = [item for item in listed["items"] if item["kind"] == "call"]
    assert calls, listed
    first = calls[0]
    assert first["owner"] == "ann" and first["owner_name"] == "Ann Lee"
    assert first["state"] == "open" and first["due_on"] is not None
    assert f"Ask {first['customer_name']} when GBP" in first["text"]
    text = newcomer.done("worklist").out
    assert first["key"] in text and "Ann Lee" in text
    said = newcomer.done("call", first["key"], "--result", "no-answer", "--note", "engaged")
    assert "stays on the worklist" in said.out
    assert "no answer on" in newcomer.done("worklist").out
    far = newcomer("call", first["key"], "--result", "promised", "--on", "2027-06-30")
    assert far.code == 2 and "--consent" in far.err
    day = newcomer.clock.now().date().replace(day=28).isoformat()
    high = newcomer("call", first["key"], "--result", "promised", "--on", day, "--amount", "9" * 9)
    assert high.code == 2 and "leave --amount out" in high.err
    said = newcomer.done("call", first["key"], "--result", "promised", "--on", day)
    assert f"payment is promised for {day}" in said.out
    again = newcomer("call", first["key"], "--result", "reached")
    assert again.code == 2 and "was finished on" in again.err
    told = [item for item in listed["items"] if item["kind"] == "notify"]
    wrong = newcomer("call", told[0]["key"], "--result", "reached")
    assert wrong.code == 2 and "ar-bridge done" in wrong.err
    newcomer.done("done", told[0]["key"], "--note", "looked at it")
    left = {item["key"] for item in newcomer.done("worklist", "--json").json["items"]}
    assert not left & {first["key"], told[0]["key"]}
    newcomer.done("apply")
    notes = [read_note(note.text) for note in newcomer.sandbox.records().notes if note.text]
    calls_told = [
        found.facts for found in notes if found is not None and found.facts.kind == "call"
    ]
    assert {(facts.channel, facts.stages[0].name) for facts in calls_told} == {("call", "ring")}
    shown = newcomer.done("audit", "show", "--limit", "200", "--json").json["entries"]
    events = [entry["event"] for entry in shown]
    for event in ("CallNotAnswered", "CallMade", "TaskDone", "PromiseRecorded", "NoticeMailed"):
        assert event in events
    assert any("Ring" in subject for subject in newcomer.mails)


def test_who_is_nobody_is_said(newcomer: Newcomer) -> None:
    ready(newcomer)
    newcomer.done("run")
    nobody = newcomer("worklist", "--owner", "bob")
    assert nobody.code == 2 and "bob" in nobody.err and "ann" in nobody.err
    unknown = newcomer("done", "task/none/1")
    assert unknown.code == 2 and "neither a plan nor an action" in unknown.err
    promised = newcomer("call", "call/none/1", "--result", "promised")
    assert promised.code == 2 and "--on" in promised.err


def test_a_book_file_needs_no_set_up(program: Program, tmp_path: Path) -> None:
    book, policy = tmp_path / "book.jsonl", tmp_path / "policy.toml"
    book.write_text(BOOK.strip())
    policy.write_text(f'schema = 1\nname = "x"\nmode = "auto"\n{PEOPLE}')
    where = ("--book-file", str(book), "--policy", str(policy), "--on", "2026-10-05")
    listed = program("worklist", *where, "--json").json
    assert [(item["kind"], item["due_on"]) for item in listed["items"]] == [
        ("call", "2026-10-06"),
        ("notify", "2026-10-06"),
    ]
    early = program("worklist", *where[:-1], "2026-10-04")
    assert early.code == 0 and "Nothing waits for anybody." in early.out

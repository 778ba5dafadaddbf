"""Wrong input and bad days: one clear message each, the right exit code, nothing half done."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.evidence import rows_of
from tests.cli.newcomer import POLICY, Newcomer, Person, book_of
from tests.cli.running import Ended, Program, with_permissions

TRIED = ('INSERT INTO "runs"', 'INSERT INTO "sqlite_sequence"')


@contextmanager
def nothing_changes(person: Newcomer) -> Iterator[None]:
    """The database, the ledger and the mail server are afterwards what they were before, but for
    the record that something was tried."""

    def all_of_it() -> tuple[object, ...]:
        database = person.home / "ar-bridge.sqlite3"
        rows = (
            [row for row in rows_of(database) if not row.startswith(TRIED)]
            if database.exists()
            else None
        )
        return rows, person.sandbox.records(), len(person.mailbox.messages)

    before = all_of_it()
    yield
    assert all_of_it() == before


def is_kind(ended: Ended, code: int, *said: str) -> None:
    """The exit code, and one message with what is said and what to do next."""
    assert ended.code == code, ended.err
    assert ended.err.count("ar-bridge: ") == 1, ended.err
    assert "\n  -> " in ended.err, ended.err
    for each in said:
        assert each in ended.err, ended.err


SETTINGS = {
    "broken TOML": ('name = "elm"', 'name = "elm', ["config.toml:2: "]),
    "unknown keys": (
        "fee_account",
        "fee_acount",
        ["config.toml:", "fee_acount: there is no such key (did you mean `fee_account`?)"],
    ),
    "unknown mode": ('"approve"', '"aprove"', ["config.toml:4: [[book]] elm mode"]),
    "plain http to elsewhere": (
        "http://127.0.0.1",
        "http://books.example",
        ["api_url", "use https, or http on this machine only"],
    ),
    "no such policy file": ("policies/standard", "policies/none", ["there is no file"]),
    "no such preset": ("policies/standard.toml", "standrd", ['did you mean "standard"?']),
    "not connected": ('"elm"', '"oak"', ["oak is not connected yet", "ar-bridge connect oak"]),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_wrong_settings(settled: Newcomer, case: str) -> None:
    right, wrong, said = SETTINGS[case]
    text = settled.config.read_text()
    assert right in text
    settled.config.write_text(text.replace(right, wrong))
    with nothing_changes(settled):
        for command in ("plan", "run"):
            is_kind(settled(command), 3, *said)


def test_all_wrong_settings_come_at_once(settled: Newcomer) -> None:
    text = settled.config.read_text()
    settled.config.write_text(
        text.replace("policy =", "polcy =")
        .replace("fee_account", "fee_acount")
        .replace("http://127.0.0.1", "http://books.example")
    )
    ended = settled("plan")
    is_kind(ended, 3, "did you mean `policy`?", "did you mean `fee_account`?")
    # Two keys and the four addresses of a Xero book, each with its line.
    assert ended.err.count("  - config.toml:") == 6


WRONG_POLICIES = {
    "broken TOML": ('name = "own"', 'name = "own', [":2: this is not TOML"]),
    "unknown key": ("template", "templat", ["14", 'did you mean "template"?']),
    "unknown fact": (
        'at = "due + 3d"',
        'at = "due + 3d"\nwhen = { custmer = "vip" }',
        ['unknown fact "custmer"', 'did you mean "customer"?'],
    ),
    "negative grace": ('"2d"\npost', '"-2d"\npost', ['grace: "-2d"', "cannot be negative"]),
}


@pytest.mark.parametrize("case", WRONG_POLICIES)
def test_wrong_policies(settled: Newcomer, case: str) -> None:
    right, wrong, said = WRONG_POLICIES[case]
    assert right in POLICY
    settled.policy.write_text(POLICY.replace(right, wrong, 1))
    with nothing_changes(settled):
        for command in ("plan", "run", "apply"):
            is_kind(settled(command), 3, str(settled.policy), *said)
    checked = settled("policy", "check", str(settled.policy))
    is_kind(checked, 3, *said)


def test_all_mistakes_of_a_policy_come_at_once(settled: Newcomer) -> None:
    text = POLICY
    for right, wrong, _ in list(WRONG_POLICIES.values())[1:]:
        text = text.replace(right, wrong, 1)
    settled.policy.write_text(text)
    ended = settled("plan")
    is_kind(ended, 3, "templat", "custmer", "-2d")
    assert ended.err.count(f"  - {settled.policy}:") >= 3


# which book -----------------------------------------------------------------------------------


def test_two_books_and_none_named(settled: Newcomer) -> None:
    settled.config.write_text(settled.book_section() + settled.book_section("oak"))
    with nothing_changes(settled):
        for command in (("plan",), ("sync",), ("run",), ("apply",), ("quote", "INV-1")):
            is_kind(settled(*command), 2, "--book NAME (elm, oak)")
        is_kind(settled("plan", "--book", "ash"), 2, 'no book "ash"', "elm, oak")
    assert settled("plan", "--book", "elm").code == 0


# the ledger -----------------------------------------------------------------------------------


def test_a_connection_that_has_ended(settled: Newcomer) -> None:
    settled.tomorrow(100)
    for command in ("sync", "run"):
        is_kind(settled(command), 4, "connect elm")
    assert settled("doctor").code == 3
    settled.connect()
    assert settled.done("run").code == 0


def test_a_consent_that_was_withdrawn(settled: Newcomer) -> None:
    settled.sandbox.order("unauthorized=50")
    ended = settled("sync")
    is_kind(ended, 4, "ar-bridge connect elm")


@pytest.mark.parametrize("fault", ["http-500=99", "down=99", "unreachable=99"])
def test_a_ledger_that_is_down_loses_nothing(settled: Newcomer, fault: str) -> None:
    plan = settled.done("plan", "--json").json["plan"]
    settled.done("approve", plan)
    settled.sandbox.order(fault)
    with nothing_changes(settled):
        is_kind(settled("sync"), 1, "nothing is lost")
        is_kind(settled("apply"), 1, "nothing is lost")
    is_kind(settled("run"), 1, "nothing is lost")
    assert settled("doctor").code == 3
    assert settled.left_in_ledger == (0, 0)
    settled.sandbox.faults.lift(fault.partition("=")[0])
    done = settled.done("apply", "--json").json
    assert done["applied"] == {"reminder": 4}
    assert (len(settled.mails), settled.left_in_ledger) == (4, (4, 0))


def test_nobody_listens(settled: Newcomer) -> None:
    settled.running.close()
    with nothing_changes(settled):
        is_kind(settled("sync"), 1, "127.0.0.1", "nothing is lost")


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "address"),
        ("http://localhost:8477/callback?error=access_denied&state=x", "connect"),
        ("http://localhost:8477/callback?code=abc&state=wrong", "connect"),
        ("what am I to paste?", "address"),
    ],
)
def test_a_pasted_address_that_is_not_the_right_one(
    newcomer: Newcomer, pasted: str, said: str
) -> None:
    newcomer.done("init")
    newcomer.configure()
    ended = newcomer("connect", "--paste", stdin=Person(newcomer, pastes=pasted))
    assert ended.code in (2, 4), ended
    assert said in ended.err
    assert "not connected yet" in newcomer.done("status").out


# the mail server ------------------------------------------------------------------------------


def test_a_mail_server_that_is_down(settled: Newcomer) -> None:
    settled.tomorrow(2)
    settled.done("sync")
    plan = settled.done("plan", "--json").json
    assert {action["kind"] for action in plan["actions"]} == {"late_fee", "reminder"}
    settled.done("approve", plan["plan"])
    _, port = settled.mailbox.address
    settled.mailbox.stop()
    ended = settled("apply")
    assert ended.code == 1
    assert f"127.0.0.1:{port} could not be used, nothing was sent" in ended.err
    assert "nothing was done" in ended.out
    assert "6 approved actions still to be done" in ended.out
    assert (settled.mails, settled.left_in_ledger) == ([], (0, 0))
    told = settled("apply", "--json")
    assert told.code == 1
    assert {problem["outcome"] for problem in told.json["problems"]} == {"later"}
    assert "check host, port, security" in settled("doctor").out

    settled.mailbox.start(port)
    settled.done("apply")
    assert len(settled.mails) == 5
    assert settled.left_in_ledger == (5, 1)


def test_no_mail_server_no_fee(settled: Newcomer) -> None:
    """A fee is never posted without the message that announces it."""
    settled.tomorrow(2)
    settled.done("sync")
    settled.done("approve", settled.done("plan", "--json").json["plan"])
    settled.config.write_text(settled.book_section())
    ended = settled("apply")
    assert ended.code == 1
    assert "[mail]" in ended.err
    assert settled.left_in_ledger == (0, 0)
    assert settled.mails == []


# plans and keys -------------------------------------------------------------------------------


def test_what_cannot_be_approved(settled: Newcomer) -> None:
    plan = settled.done("plan", "--json").json
    with nothing_changes(settled):
        is_kind(settled("approve", "nope"), 2, "nope is neither a plan nor an action of elm")
        is_kind(settled("reject", "nope"), 2, "nope is neither a plan nor an action of elm")
        is_kind(settled("approve", plan["actions"][0]["key"], "nope"), 2, "Nothing was changed")
        is_kind(settled("apply", "nope"), 2, "There is no plan nope of elm")
    settled.tomorrow()
    with nothing_changes(settled):
        is_kind(settled("approve", plan["plan"]), 2, "was written for 2026-03-10", "ar-bridge plan")


def test_what_was_approved_yesterday_goes_back_to_the_person(settled: Newcomer) -> None:
    settled.done("approve", settled.done("plan", "--json").json["plan"])
    settled.tomorrow()
    ended = settled.done("apply")
    assert "withdrawn, it was written for 2026-03-10" in ended.err
    assert "ar-bridge plan" in ended.out
    assert settled.mails == []
    again = settled.done("plan", "--json").json["actions"]
    assert [(action["revision"], action["needs_approval"]) for action in again] == [(2, True)] * 4


@pytest.mark.parametrize("who", ["book", "policy"])
def test_a_book_that_observes_cannot_be_approved(settled: Newcomer, who: str) -> None:
    if who == "book":
        settled.configure(mode="observe")
    else:
        settled.configure(policy=POLICY.replace("schema = 1", 'schema = 1\nmode = "observe"'))
    plan = settled.done("plan", "--json").json
    assert len(plan["actions"]) == 4
    with nothing_changes(settled):
        is_kind(settled("approve", plan["plan"]), 2, "observes", 'mode = "approve"')
        assert settled.done("apply").out == "nothing was due\n"
    settled.done("run")
    assert (settled.mails, settled.left_in_ledger) == ([], (0, 0))


USAGE = [
    (("quote", "INV-1", "--on", "31.12.2026"), "--on"),
    (("explain", "INV-1", "--on", "soon"), "--on"),
    (("plan", "--on", "soon"), "--on only works with --book-file"),
    (("plan", "--policy", "standard"), "--policy only works with --book-file"),
    (("quote", "INV-99"), "no invoice INV-99"),
    (("explain", "Nobody Ltd"), 'called "Nobody Ltd"'),
    (("promise", "--customer", "North Ltd", "--on", "soon"), "--on"),
    (("promise", "--customer", "North Ltd", "--on", "2026-01-01"), "has passed"),
    (("promise", "--customer", "Nort", "--on", "2026-04-01"), "no customer Nort"),
    (("promise", "--on", "2026-04-01"), "Who is it about?"),
    (("promise", "--invoice", "INV-1", "--on", "2026-04-01", "--amount", "lots"), "--amount"),
    (("promise", "--invoice", "INV-1", "--invoice", "INV-3", "--on", "2026-04-01"), "INV-3"),
    (("pause", "--customer", "North Ltd", "--until", "2026-03-09"), "has passed"),
    (("dispute", "--customer", "North Ltd"), "Which invoice"),
    (("dispute", "--invoice", "INV-99"), "no invoice INV-99"),
    (("dispute", "--invoice", "INV-1", "--won-by", "us"), "No dispute"),
    (("dispute", "--invoice", "INV-1", "--won-by", "me"), "neither customer nor us"),
    (("stop-customer", "North Ltd", "--because", "insolvensy"), "Did you mean insolvency?"),
    (("resume", "Nobody Ltd"), "no customer Nobody Ltd"),
    (("waive", "INV-1", "--reason", "x"), "no fee under INV-1"),
    (("waive", "INV-1", "--reason", " "), "Why is it waived?"),
    (("waive", "LF-ABC", "--reason", "x"), "no invoice LF-ABC"),
    (("send-invoice", "INV-99"), "no invoice INV-99"),
    (("attach", "INV-1", "nowhere.pdf", "--reason", "x"), "nowhere.pdf cannot be read"),
    (("attach", "INV-1", ".", "--reason", "x"), "cannot be read"),
]


def test_commands_that_make_no_sense(settled: Newcomer) -> None:
    with nothing_changes(settled):
        for command, said in USAGE:
            is_kind(settled(*command), 2, said)


# files of our own -----------------------------------------------------------------------------


def test_a_key_that_others_can_read(settled: Newcomer) -> None:
    key = settled.home / "key"
    key.chmod(0o644)
    with nothing_changes(settled):
        is_kind(settled("sync"), 3, "can be read by others", f"chmod 600 {key}")
    key.chmod(0o600)
    settled.done("sync")


def test_a_key_that_is_none_or_another_one(settled: Newcomer) -> None:
    key = settled.home / "key"
    right = key.read_bytes()
    with nothing_changes(settled):
        key.write_bytes(b"rubbish\n")
        is_kind(settled("sync"), 3, "not a key", "backup")
        key.unlink()
        missing = settled("sync")
        assert missing.code in (3, 4)
        assert "\n  -> " in missing.err
    key.write_bytes(right)
    settled.done("sync")


def test_a_database_that_is_none(program: Program) -> None:
    program("init", "--book", "elm")
    database = program.home / "ar-bridge.sqlite3"
    for wrong in (b"this is no database " * 100, b"SQLite format 3\x00" + b"\xff" * 5000):
        for extra in program.home.glob("ar-bridge.sqlite3*"):
            extra.unlink()
        database.write_bytes(wrong)
        for command in ("status", "plan", "run"):
            is_kind(program(command), 3, str(database))
        assert database.read_bytes() == wrong


@with_permissions
def test_a_home_that_nobody_may_write(program: Program) -> None:
    program("init", "--book", "elm")
    program.home.chmod(0o500)
    try:
        is_kind(program("connect", "elm"), 3, str(program.home))
        is_kind(program("demo"), 3, str(program.home))
    finally:
        program.home.chmod(0o700)


def test_a_home_that_cannot_be(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    program.home = tmp_path / "file" / "home"
    for command in (("init",), ("demo", "--ledger", "xero")):
        is_kind(program(*command), 3, "cannot be made", "--home")


# book files -----------------------------------------------------------------------------------


@pytest.fixture
def preview(program: Program, tmp_path: Path) -> "Preview":
    return Preview(program, tmp_path)


class Preview:
    """`ar-bridge plan --book-file ... --json` on a file that is written for the purpose."""

    def __init__(self, program: Program, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.policy = folder / "policy.toml"
        self.policy.write_text(POLICY)

    def __call__(self, name: str, text: str) -> Ended:
        file = self._folder / name
        file.write_text(text)
        return self._program(
            *("plan", "--json", "--book-file", str(file)),
            *("--policy", str(self.policy), "--on", "2026-03-10"),
        )


def lines_of(*more: str) -> list[str]:
    return [*map(json.dumps, book_of()), *more]


def test_a_line_that_is_not_json_is_named_and_the_others_count(preview: Preview) -> None:
    lines = lines_of()
    lines.insert(4, "{not json")
    ended = preview("book.jsonl", "\n".join(lines))
    assert ended.code == 0
    assert ended.err.startswith("book.jsonl:5: this line is not JSON")
    assert len(ended.err.splitlines()) == 1
    sound = preview("book.jsonl", "\n".join(lines_of()))
    assert ended.json["actions"] == sound.json["actions"]


def test_a_reference_into_nothing_is_named(preview: Preview) -> None:
    stray = (
        '{"t":"invoice","id":"X1","number":"X1","date":"2026-01-01","due":"2026-02-01",'
        '"customer":"NOBODY","currency":"GBP","total":"5.00"}'
    )
    lost = (
        '{"t":"payment","id":"P9","date":"2026-03-01","customer":"North","currency":"GBP",'
        '"amount":"3.00","alloc":[{"invoice":"NONE","amount":"3.00"}]}'
    )
    ended = preview("book.jsonl", "\n".join(lines_of(stray, lost)))
    assert ended.code == 0
    first, second = ended.err.splitlines()
    count = len(lines_of())
    assert first.startswith(f"book.jsonl:{count + 1}: invoice X1: customer NOBODY is not")
    assert second.startswith(f"book.jsonl:{count + 2}: payment P9: invoice NONE is not")


def test_a_csv_without_its_columns(preview: Preview) -> None:
    ended = preview("open.csv", "Customer,Invoice,Amount\nNorth,1,5\n")
    is_kind(ended, 3, "open.csv:1:", "due date", "open balance", "Customer")


def test_a_csv_with_bad_dates(preview: Preview) -> None:
    ended = preview(
        "open.csv",
        "Customer,Num,Date,Due Date,Amount,Open Balance,Currency\n"
        "North,1,2026-01-01,2026-02-01,5.00,5.00,GBP\n"
        "South,2,soon,2026-02-31,5.00,5.00,GBP\n",
    )
    assert ended.code == 0
    assert ended.err.startswith("open.csv:3: date: 'soon' is not a date")
    assert "'2026-02-31' is not a date" in ended.err
    assert {skip["invoice_number"] for skip in ended.json["skips"]} == {"1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("not json\n", "book.jsonl:1"),
        ('{"t":"nothing"}\n', "book.jsonl"),
    ],
)
def test_a_file_with_nothing_in_it(preview: Preview, text: str, said: str) -> None:
    ended = preview("book.jsonl", text)
    assert ended.code in (2, 3)
    assert said in ended.err
    assert ended.out == ""


def test_book_files_that_are_not_there(program: Program, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    book = tmp_path / "book.jsonl"
    book.write_text("\n".join(lines_of()))
    none = str(tmp_path / "none.jsonl")
    with_policy = ("--policy", str(policy))
    for command in (("plan",), ("explain", "INV-1"), ("quote", "INV-1")):
        is_kind(program(*command, "--book-file", none, *with_policy), 3, "none.jsonl")
        is_kind(program(*command, "--book-file", str(tmp_path), *with_policy), 3, "cannot be read")
        is_kind(program(*command, "--book-file", str(book)), 2, "--policy standard")
        is_kind(program(*command, "--book-file", str(book), "--policy", "standrd"), 3, "standard")
        is_kind(
            program(*command, "--book-file", str(book), *with_policy, "--on", "32.1."), 2, "--on"
        )


# demo -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--ledger", "sage"), 2, "quickbooks, xero or both"),
        (("--from", "2026-08-05", "--to", "2026-08-01"), 2, "is before --from"),
        (("--from", "soon"), 2, "--from"),
        (("--book-file", "none.jsonl"), 3, "none.jsonl"),
        (("--policy", "standrd"), 3, "standard"),
    ],
)
def test_a_demo_that_cannot_be_played(
    program: Program, arguments: tuple[str, ...], code: int, said: str
) -> None:
    for json_too in ((), ("--json",)):
        ended = program("demo", *arguments, *json_too)
        is_kind(ended, code, said)
        assert ended.out == ""
    assert not (program.home / "demo").exists()


def test_a_callback_port_that_is_taken(settled: Newcomer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settled.configure(redirect_uri=f"http://localhost:{port}/callback")
        with nothing_changes(settled):
            is_kind(settled("connect", "--no-browser"), 3, str(port), "--paste")

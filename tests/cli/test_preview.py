"""A book file looked at with nothing set up: nothing is asked for, nothing is left behind."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.cli.contract import is_plan, is_quote
from tests.cli.evidence import files_under
from tests.cli.newcomer import POLICY, book_of
from tests.cli.running import Program

CASES = {
    "plan": ("plan",),
    "explain": ("explain", "INV-1"),
    "quote": ("quote", "INV-1"),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a book and a policy, and nothing else."""
    folder = tmp_path / "place"
    folder.mkdir()
    lines = [json.dumps(event) for event in book_of()]
    (folder / "book.jsonl").write_text("\n".join(lines))
    (folder / "policy.toml").write_text(POLICY)
    return folder


def options(place: Path, on: str = "2026-03-10") -> tuple[str, ...]:
    return (
        *("--book-file", str(place / "book.jsonl")),
        *("--policy", str(place / "policy.toml"), "--on", on),
    )


@pytest.mark.parametrize("case", CASES)
def test_it_needs_no_home_and_leaves_none(program: Program, place: Path, case: str) -> None:
    before = files_under(place)
    for more in ((), ("--json",)):
        ended = program(*CASES[case], *options(place), *more)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out
    assert files_under(place) == before
    assert not program.home.exists()


@pytest.mark.parametrize("case", CASES)
def test_as_a_program_of_its_own(
    tmp_path: Path, place: Path, compiled: dict[str, str], case: str
) -> None:
    """In an environment with an empty home directory, as on a new machine."""
    empty = tmp_path / "empty"
    empty.mkdir()
    before = files_under(place)
    ended = subprocess.run(
        [sys.executable, "-m", "ar_bridge", *CASES[case], *options(place), "--json"],
        cwd=empty,
        env={"HOME": str(empty), "PATH": "", **compiled},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["schema"] == 1
    assert list(empty.iterdir()) == []
    assert files_under(place) == before


def test_the_plan_is_the_one_of_that_day(program: Program, place: Path) -> None:
    plan = program("plan", "--json", *options(place)).json
    is_plan(plan)
    assert plan["on"] == plan["book_as_of"] == "2026-03-10"
    assert {action["customer_name"] for action in plan["actions"]} == {
        "North Ltd",
        "South Ltd",
        "East Ltd",
        "West Ltd",
    }
    earlier = program("plan", "--json", *options(place, "2026-02-01")).json
    is_plan(earlier)
    assert earlier["actions"] == []
    assert program("plan", "--check", *options(place)).code == 2
    assert program("plan", "--check", *options(place, "2026-02-01")).code == 0


def test_the_same_question_has_the_same_answer(program: Program, place: Path) -> None:
    for case in CASES.values():
        first = program(*case, "--json", *options(place)).out
        assert program(*case, "--json", *options(place)).out == first


def test_the_quote_adds_up(program: Program, place: Path) -> None:
    policy = place / "policy.toml"
    policy.write_text(
        POLICY.replace('type = "flat"\namount = "25.00"', 'type = "interest"\nannual_rate = 12')
    )
    quote = program("quote", "INV-1", "--json", *options(place, "2026-04-30")).json
    is_quote(quote)
    (fee,) = quote["fees"]
    (row,) = fee["derivation"]
    days = (date(2026, 4, 30) - date(2026, 3, 5)).days
    assert (row["base"], row["days"]) == ("1200.00", days)
    # 1200.00 at 12 % for 56 days of 365: 22.0931..., capped at 25.00 per invoice.
    assert (fee["accrued"], fee["to_post"], quote["total_due"]) == ("22.09", "22.09", "1222.09")
    text = program("quote", "INV-1", *options(place, "2026-04-30")).out
    assert "Total due: 1222.09 GBP" in text


def test_presets_and_zipped_books_and_csv(program: Program, place: Path) -> None:
    import gzip

    zipped = place / "book.jsonl.gz"
    zipped.write_bytes(gzip.compress((place / "book.jsonl").read_bytes()))
    for preset in ("standard", "gentle"):
        ended = program(
            *("plan", "--json", "--book-file", str(zipped)),
            *("--policy", preset, "--on", "2026-03-10"),
        )
        assert ended.code == 0
        is_plan(ended.json)
        assert ended.json["actions"]
    table = place / "open.csv"
    table.write_text(
        "Customer,Email,Num,Date,Due Date,Amount,Open Balance,Currency\n"
        "North,ap@north.example,1,2026-01-01,2026-02-01,5.00,5.00,GBP\n"
        "South,ap@south.example,2,2026-01-05,2026-02-05,1200.00,700.50,GBP\n"
    )
    ended = program(
        *("plan", "--json", "--book-file", str(table)),
        *("--policy", "standard", "--on", "2026-03-10"),
    )
    assert ended.code == 0, ended.err
    is_plan(ended.json)
    assert {skip["invoice_number"] for skip in ended.json["skips"]} | {
        item["invoice_number"] for action in ended.json["actions"] for item in action["items"]
    } == {"1", "2"}

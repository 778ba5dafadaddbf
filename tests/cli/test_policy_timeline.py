"""`ar-bridge policy timeline`: an invoice's life as a table and a picture."""

import xml.etree.ElementTree as ET
from pathlib import Path

from tests.cli.running import Program

SVG = "{http://www.w3.org/2000/svg}"


def test_everything_that_happens_in_its_order(program: Program, tmp_path: Path) -> None:
    picture = tmp_path / "life.svg"
    told = program(
        *("policy", "timeline", "uk-statutory", "--due", "2025-08-29", "--svg", str(picture)),
        "--json",
    ).json
    steps = told["steps"]
    assert [step["on"] for step in steps] == sorted(step["on"] for step in steps)
    kinds = [step["kind"] for step in steps]
    assert kinds[0] == "reminder" and "late_fee" in kinds and "hand_off" in kinds
    fees = [step["amount"] for step in steps if step["kind"] == "late_fee"]
    assert fees[0] == "80.74 GBP"  # 1,000 at 12.25 % for 32 days, and 70.00
    drawn = ET.fromstring(picture.read_text(encoding="utf-8"))
    assert len(drawn.findall(f"{SVG}circle")) == len(steps)


def test_the_table_names_the_days(program: Program) -> None:
    ended = program("policy", "timeline", "gentle", "--amount", "99.50", "--currency", "usd")
    assert ended.code == 0 and "99.50 USD" in ended.out
    assert "+7" in ended.out and "First reminder" in ended.out


def test_words_in_a_policy_cannot_break_the_picture(program: Program, tmp_path: Path) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text(
        'name = "<script>&"\n[[stage]]\nid = "a"\nname = "<b>&\\"x\\""\nat = "due + 3d"\n'
        'do = ["remind"]\ntemplate = "overdue_1"\n'
    )
    picture = tmp_path / "life.svg"
    assert program("policy", "timeline", str(policy), "--svg", str(picture)).code == 0
    drawn = ET.fromstring(picture.read_text(encoding="utf-8"))
    assert "<script>&" in (drawn.findtext(f"{SVG}title") or "")


def test_a_sum_that_is_none_is_a_usage_error(program: Program) -> None:
    ended = program("policy", "timeline", "gentle", "--amount", "1,000.0.0")
    assert ended.code == 2 and "--amount" in ended.err

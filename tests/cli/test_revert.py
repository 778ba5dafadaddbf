"""Undoing what was done, and looking at the record of it, from the command line."""

from collections import Counter
from pathlib import Path

from tests.cli.newcomer import Newcomer


def test_a_run_is_undone_and_the_record_proves_itself(newcomer: Newcomer, tmp_path: Path) -> None:
    newcomer.settle(mode="auto")
    newcomer.tomorrow(3)
    newcomer.done("run")
    (run,) = newcomer.done("runs", "--json").json["runs"]
    did = newcomer.done("runs", str(run["run"]), "--json").json["actions"]
    assert "late_fee" in {one["kind"] for one in did}
    unsaid = newcomer("revert", str(run["run"]))
    assert unsaid.code == 2 and "Why is it undone?" in unsaid.err

    looked = newcomer.done("revert", str(run["run"]), "--reason", "wrong terms", "--dry-run")
    assert "Nothing was stored" in looked.out
    made = newcomer.done("revert", str(run["run"]), "--reason", "wrong terms", "--json").json
    assert "fee_waiver" in {one["kind"] for one in made["actions"]}
    assert all(one["needs_approval"] for one in made["actions"])
    assert {line["verdict"] for line in made["lines"]} <= {"undone", "apologised", "left"}
    newcomer.done("approve", made["plan"])
    newcomer.done("apply", made["plan"])
    (fee,) = newcomer.sandbox.records().fees
    assert fee.status == "void"
    again = newcomer.done("revert", str(run["run"]), "--reason", "wrong terms")
    assert "There is nothing to undo." in again.out
    unknown = newcomer("revert", "LF-NONE", "--reason", "x")
    assert unknown.code == 2 and "ar-bridge runs" in unknown.err

    head = newcomer.done("audit", "head").out.strip()
    assert "unbroken" in newcomer.done("audit", "verify", "--head", head).out
    wrong = newcomer("audit", "verify", "--head", f"{head.partition(':')[0]}:{'0' * 64}")
    assert wrong.code == 1 and "written anew" in wrong.err
    garbled = newcomer("audit", "verify", "--head", "yesterday")
    assert garbled.code == 2 and "no head of an audit" in garbled.err
    for form in ("jsonl", "csv"):
        file = tmp_path / f"audit.{form}"
        options = ["--csv"] if form == "csv" else []
        newcomer.done("audit", "export", "--out", str(file), *options)
        assert file.stat().st_mode & 0o077 == 0
        checked = newcomer.done("audit", "verify", "--file", str(file), "--head", head)
        assert "unbroken" in checked.out
        words = file.read_text(encoding="utf-8").replace("wrong terms", "right terms")
        file.write_text(words, encoding="utf-8")
        assert newcomer("audit", "verify", "--file", str(file)).code == 1

    customer = did[0]["customer"]
    would = newcomer.done("audit", "erase", "--customer", customer, "--reason", "x", "--dry-run")
    assert "would be erased" in would.out
    newcomer.done("audit", "erase", "--customer", customer, "--reason", "asked to")
    verified = newcomer.done("audit", "verify", "--json").json
    assert (verified["problems"], verified["gaps"]) == ([], [])
    events = Counter(e["event"] for e in newcomer.done("audit", "show", "--json").json["entries"])
    assert events["PersonalDataErased"] == 1


def test_what_a_person_applied_has_a_number_to_revert(settled: Newcomer) -> None:
    plan = settled.done("plan", "--json").json["plan"]
    settled.done("approve", plan)
    settled.done("apply", plan)
    (run,) = settled.done("runs", "--json").json["runs"]
    assert (run["kind"], run["counts"]["applied"]) == ("apply", {"reminder": 4})
    made = settled.done("revert", str(run["run"]), "--reason", "wrong terms", "--dry-run")
    assert "8 actions would be proposed" in made.out

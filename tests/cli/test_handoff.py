"""Handing over by command: refused with everything that lacks, overridden by name, verified."""

from pathlib import Path

import pytest

from tests.cli.newcomer import POLICY, Newcomer

HAND_OFF = """
[hand_off]
contacts = 1
minimum_balance = "100.00"
agency = { name = "Fair Claims Ltd", client_no = "K-7" }
"""


@pytest.fixture
def settled(newcomer: Newcomer) -> Newcomer:
    newcomer.settle()
    newcomer.configure(policy=POLICY + HAND_OFF)
    return newcomer


def test_what_lacks_is_listed_and_set_aside_by_name(settled: Newcomer, tmp_path: Path) -> None:
    out = tmp_path / "claim"
    refused = settled("handoff", "North Ltd", "--reason", "no answer", "--out", str(out))
    assert refused.code == 2 and "--override contacts" in refused.err
    assert settled("handoff", "North Ltd").code == 2  # no reason
    looked = settled.done("handoff", "North Ltd", "--look", "--override", "contacts")
    assert "INV-1 can be handed over" in looked.out and not out.exists()
    order = ("handoff", "North Ltd", "--reason", "no answer", "--override", "contacts")
    done = settled.done(*order, "--out", str(out))
    assert "INV-1 handed over to Fair Claims Ltd" in done.out and "GBP 1200.00" in done.out
    assert "INV-2" not in (out / "placement.csv").read_text()
    assert "the audit holds the same digest" in settled.done("handoff", "verify", str(out)).out
    zipped = out.with_name("claim.zip")
    assert settled.done("handoff", "verify", str(zipped), "--json").json["audited"] is True
    (out / "placement.csv").write_text("nothing")
    broken = settled("handoff", "verify", str(out))
    assert broken.code == 1 and "placement.csv: altered" in broken.err
    assert settled("handoff", "verify", str(tmp_path)).code == 2
    twice = settled(*order, "--invoice", "INV-1", "--out", str(tmp_path / "again"))
    assert twice.code == 2 and "is with Fair Claims Ltd" in twice.err
    assert "handed over" in settled.done("explain", "INV-1").out
    listed = settled.done("handoff", "list", "--json").json["placements"]
    assert [one["with"] for one in listed] == ["Fair Claims Ltd"]
    assert "Nothing came in" in settled.done("handoff", "payments").out
    assert "recalled" in settled.done("handoff", "recall", "North Ltd", "--reason", "paying").out
    assert settled("handoff", "recall", "North Ltd", "--reason", "again").code == 2


def test_a_bundle_of_somebody_else_is_verified_without_any_set_up(
    settled: Newcomer, tmp_path: Path
) -> None:
    out = tmp_path / "claim"
    settled.done(
        "handoff", "North Ltd", "--reason", "x", "--override", "contacts", "--out", str(out)
    )
    settled.config.unlink()
    assert "the audit was not asked" in settled.done("handoff", "verify", str(out)).out


def test_small_sums_are_not_handed_over(settled: Newcomer) -> None:
    ended = settled("handoff", "East Ltd", "--reason", "x")
    assert ended.code == 2
    assert "(balance)" in ended.err and "(contacts)" in ended.err


def test_other_bytes_of_the_same_manifest_and_broken_zip_files_are_told(
    settled: Newcomer, tmp_path: Path
) -> None:
    out = tmp_path / "claim"
    settled.done(
        "handoff", "North Ltd", "--reason", "x", "--override", "contacts", "--out", str(out)
    )
    manifest = out / "manifest.json"
    told = manifest.read_text()
    manifest.write_text(told.replace("{", '{ "reason": "forged",', 1))
    ended = settled("handoff", "verify", str(out))
    assert ended.code == 1 and "manifest.json: altered" in ended.err
    zipped = out.with_name("claim.zip")
    whole = zipped.read_bytes()
    for at in range(60, len(whole) // 2, 97):
        zipped.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        assert "unexpected" not in settled("handoff", "verify", str(zipped)).err, at

"""Presets and policy files, as the application reads them."""

from pathlib import Path

import pytest

from ar_bridge.errors import SetupError
from ar_bridge.policies import preset_names, preset_text, read_policy
from rules.policy.check import check
from rules.policy.load import load_policy


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_loads_and_has_no_finding_of_its_own(name: str) -> None:
    policy = read_policy(f"preset:{name}")
    assert policy.name == name
    codes = {finding.code for finding in check(policy)}
    # The reader has to put the clause of the own terms in.
    assert codes <= {"annual_rate", "placeholder_legal_basis", "person_without_mail"}
    assert preset_text(name).startswith("#")


def test_no_preset_lets_a_formal_stage_go_out_without_a_person() -> None:
    for name in preset_names():
        policy = read_policy(name)
        assert policy.mode == "auto"
        assert all(stage.mode == "approve" for stage in policy.stage if stage.formal)


def test_the_standard_preset() -> None:
    policy = read_policy("standard")
    assert [stage.id for stage in policy.stage] == [
        "first-reminder",
        "second-reminder",
        "firm-reminder",
        "final-notice",
        "credit-hold",
    ]
    (interest,) = policy.fee
    assert (str(interest.annual_rate), interest.grace.count) == ("12", 5)
    assert read_policy("gentle").fee == ()


def test_a_file_wins_over_a_preset_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "standard").write_text('name = "mine"\n')
    assert read_policy("standard").name == "mine"
    assert read_policy("preset:standard").name == "standard"


def test_mistakes_in_a_file_come_together_and_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('modee = "auto"\n[contact]\nmin_gap = "5 days"\n')
    with pytest.raises(SetupError) as caught:
        read_policy(path)
    assert len(caught.value.problems) == 2
    assert caught.value.problems[0].startswith(f"{path}:1: ")
    assert caught.value.exit_code == 3


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no policy file") as caught:
        read_policy("standrad.toml")
    assert '"standard"' in caught.value.remedy
    with pytest.raises(SetupError, match="no preset"):
        read_policy("preset:harsh")
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"\n')
    with pytest.raises(SetupError, match="UTF-8"):
        read_policy(tmp_path / "latin.toml")
    with pytest.raises(SetupError, match="cannot be read"):
        read_policy(tmp_path)


def test_a_preset_is_a_text_to_copy_and_change() -> None:
    text = preset_text("standard").replace("= 12\n", "= 8\n")
    assert load_policy(text).hash != read_policy("preset:standard").hash

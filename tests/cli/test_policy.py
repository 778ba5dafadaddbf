"""policy check, presets and new."""

from pathlib import Path

from tests.cli.running import Program


def test_presets_are_listed_and_every_one_can_be_used(program: Program) -> None:
    names = [row["name"] for row in program("policy", "presets", "--json").json["presets"]]
    assert "standard" in names
    for name in names:
        ended = program("policy", "check", name, "--json")
        assert ended.code == 0, ended.out
        assert ended.json["problems"] == []
        assert len(ended.json["hash"]) == 64


def test_every_mistake_is_named_with_its_line(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('schema = 1\nname = "own"\nmod = "auto"\n\n[contact]\nmin_gap = "soon"\n')
    ended = program("policy", "check", str(file))
    assert ended.code == 3
    assert f"{file}:3:" in ended.err
    assert f"{file}:6:" in ended.err
    counted = program("policy", "check", str(file), "--json")
    assert (counted.code, len(counted.json["problems"])) == (3, 2)


def test_a_copy_of_a_preset_is_never_laid_over_a_file(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    assert program("policy", "new", str(file), "--preset", "gentle").code == 0
    assert program("policy", "check", str(file)).code == 0
    again = program("policy", "new", str(file))
    assert again.code == 2
    assert 'name = "gentle"' in file.read_text()

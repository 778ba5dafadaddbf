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


WORDS_AND_DAYS = """\
[calendar]
region = "GB-EGN"

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdu_1"
"""


def test_templates_and_holidays_that_are_nowhere_are_mistakes(
    program: Program, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(WORDS_AND_DAYS)
    ended = program("policy", "check", str(file))
    assert ended.code == 3
    assert f'{file}:8: there is no message template "overdu_1"' in ended.out
    assert 'did you mean "overdue_1"?' in ended.out
    assert f"{file}:2: there is no holiday calendar" in ended.out
    assert "has 2 errors" in ended.out
    rows = program("policy", "check", str(file), "--json").json["remarks"]
    assert {row["line"] for row in rows} == {2, 8}


def test_they_are_told_with_every_other_mistake(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(WORDS_AND_DAYS + 'mod = "approve"\n')
    ended = program("policy", "check", str(file))
    assert ended.code == 3
    assert [n for n in (2, 8, 9) if f"{file}:{n}: " in ended.err] == [2, 8, 9]
    assert "has 3 mistakes" in ended.err


WRONG_TEST = """
[[test]]
name = "disputed"
on = 2026-10-05
events = [{ t = "custmer", id = "C1", name = "North" }]
actions = [{ kind = "remider" }]
skips = [{ code = "disputd", stage = "frist" }]
"""


def test_what_a_test_names_and_there_never_is(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    sound = WORDS_AND_DAYS.replace("GB-EGN", "GB-ENG").replace("overdu_1", "overdue_1")
    file.write_text(sound + WRONG_TEST)
    ended = program("policy", "check", str(file))
    assert ended.code == 3
    for line, meant in ((13, "customer"), (14, "reminder"), (15, "disputed"), (15, "first")):
        assert any(
            row.startswith(f"error: {file}:{line}: ") and f'did you mean "{meant}"?' in row
            for row in ended.out.splitlines()
        ), ended.out
    file.write_text(sound.replace("first", "First one") + WRONG_TEST)
    beside = program("policy", "check", str(file)).err
    assert [n for n in (5, 13, 14, 15) if f"{file}:{n}: " in beside] == [5, 13, 14, 15]
    assert "frist" not in beside, "the stage that was meant cannot be read"


def test_the_own_templates_are_looked_at_too(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(WORDS_AND_DAYS.replace("GB-EGN", "GB-ENG"))
    words = program.home / "templates" / "en" / "overdu_1.j2"
    words.parent.mkdir(parents=True)
    words.write_text("{% block subject %}{{ nmbers }}{% endblock %}")
    ended = program("policy", "check", str(file))
    assert ended.code == 0
    assert f"{words}:1: " in ended.out


def test_each_version_of_a_policy_is_looked_at(program: Program, tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text(WORDS_AND_DAYS.replace("GB-EGN", "GB-ENG"))
    (tmp_path / "new.toml").write_text('name = "new"\n')
    file = tmp_path / "terms.toml"
    file.write_text(
        'policies = [{ from = 2025-01-01, file = "old.toml" }, '
        '{ from = 2026-01-01, file = "new.toml" }]\n'
    )
    ended = program("policy", "check", str(file))
    assert ended.code == 3
    assert 'from 2025-01-01: there is no message template "overdu_1"' in ended.out

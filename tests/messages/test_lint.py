"""What the lint says of templates: the shipped ones are clean, broken ones are named by line."""

from pathlib import Path

import pytest

from ar_bridge.messages.lint import lint
from ar_bridge.messages.templates import SHIPPED

GOOD = (
    "{% block subject %}Invoice {{ words.listed(numbers) }}{% endblock %}\n"
    "{% block opening %}Hello {{ greeting_name }}{% endblock %}\n"
    "{% block closing %}Bye{% endblock %}\n"
)


def put(directory: Path, name: str, text: str) -> Path:
    path = directory / "en" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_shipped_templates_are_clean() -> None:
    assert lint([SHIPPED]) == ()


def test_a_good_template_of_ones_own_is_clean(tmp_path: Path) -> None:
    put(tmp_path, "overdue_1.j2", GOOD)
    assert lint([tmp_path]) == ()


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        (
            "overdue_1.j2",
            GOOD.replace("greeting_name", "greting_name"),
            2,
            "greting_name is nothing that a message can show (did you mean greeting_name?)",
        ),
        ("overdue_1.j2", GOOD.replace("listed", "lised"), 1, "did you mean listed?"),
        (
            "overdue_1.j2",
            GOOD.replace("Bye", "{% for row in invoices %}{{ row.numer }}{% endfor %}"),
            3,
            "row.numer is nothing that a message can show (did you mean number?)",
        ),
        ("overdue_1.j2", GOOD.replace("closing", "clsing"), 1, "block closing is missing"),
        ("overdue_1.j2", GOOD.replace("Bye", "{% if %}"), 3, "Expected an expression"),
        ("overdue_2.j2", GOOD.replace("Bye", "We will go to court."), 3, "'court' speaks of the"),
        ("before_due.j2", GOOD.replace("Bye", "It is overdue."), 3, "'overdue' speaks of lateness"),
        ("overdue_1.j2", GOOD.replace("Invoice", "URGENT invoice"), 1, "the subject shouts"),
        ("own.html", "<p>{{ subject }}</p>", 1, "has HTML and no plain text (add en/own.j2"),
        ("layout.html", "<p>\n{{ company_name|safe }}</p>", 2, "switches escaping off"),
        ("layout.html", "\n<img src='https://x.example/p.gif'>", 2, "loads something from outside"),
    ],
)
def test_problems_are_named_with_file_and_line(
    tmp_path: Path, name: str, text: str, line: int, said: str
) -> None:
    path = put(tmp_path, name, text)
    problems = lint([tmp_path])
    assert len(problems) == 1, problems
    assert str(problems[0]).startswith(f"{path}:{line}: ")
    assert said in str(problems[0])


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    put(tmp_path, "overdue_1.j2", GOOD.replace("numbers", "nmbers"))
    put(tmp_path, "overdue_2.j2", GOOD.replace("greeting_name", "name"))
    assert len(lint([tmp_path, tmp_path / "absent"])) == 3


def test_a_formal_stage_may_name_the_court(tmp_path: Path) -> None:
    put(tmp_path, "letter.j2", GOOD.replace("Bye", "We will go to court."))
    assert lint([tmp_path], formal=["letter"]) == ()
    assert len(lint([tmp_path])) == 1

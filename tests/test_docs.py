"""What the documents show has to work: settings, policies, links and commands."""

import re
import tomllib
from pathlib import Path

import pytest

from ar_bridge.cli import COMMANDS
from ar_bridge.settings import load_settings
from rules.policy.load import load_policy

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "connectors" / "README.md"]
)


def blocks(language: str) -> list[tuple[str, str]]:
    """(place, text) of every fenced block of a language."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S):
            line = text.count("\n", 0, match.start()) + 1
            found.append((f"{document.relative_to(ROOT)}:{line}", match[1]))
    return found


@pytest.mark.parametrize(("place", "text"), blocks("toml"))
def test_every_toml_block_is_what_its_first_line_says(
    place: str, text: str, tmp_path: Path
) -> None:
    first = text.partition("\n")[0]
    if first.startswith("# config.toml"):
        for name in re.findall(r'"(policies/[\w-]+\.toml|[\w-]+\.jsonl)"', text):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("")
        (tmp_path / "config.toml").write_text(text)
        load_settings(tmp_path / "config.toml")
    elif first.startswith("# policy"):
        load_policy(text, source=place)
    else:
        assert first.startswith("# "), f"{place}: say in the first line what this is"
        tomllib.loads(text)


@pytest.mark.parametrize(("place", "text"), blocks("(?:console|sh|bash|text)"))
def test_every_command_that_is_shown_exists(place: str, text: str) -> None:
    for line in text.splitlines():
        shown = re.match(r"(?:\$ )?ar-bridge ([a-z][a-z-]*)", line)
        assert shown is None or shown[1] in COMMANDS, f"{place}: ar-bridge {shown and shown[1]}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [
        target.partition("#")[0]
        for target in re.findall(r"\]\(([^)\s]+)\)", text)
        if not re.match(r"[a-z]+:|#", target)
    ]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`((?:ar_bridge|connectors|rules|tests|benchmarks|docs)/[\w./-]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_names_every_command() -> None:
    (listed,) = re.findall(
        r"^## The commands\n(.*?)^## ", (ROOT / "README.md").read_text("utf-8"), re.M | re.S
    )
    named = [name for name in re.findall(r"`([a-z-]+)`", listed) if name != "--json"]
    assert sorted(named) == sorted(COMMANDS)


def test_the_readme_leads_to_every_document() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert [
        path.name
        for path in sorted((ROOT / "docs").glob("*.md"))
        if f"docs/{path.name}" not in text
    ] == []

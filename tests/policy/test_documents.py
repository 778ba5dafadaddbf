"""What the documents say about policies is what the code reads."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rules.policy
from ar_bridge.policy_reference import PARTS, policy_reference
from rules.policy.load import load_policy
from rules.policy.section import Section
from rules.policy.wording import key_fields

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```toml[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def policy_blocks() -> list[tuple[str, str]]:
    """Blocks that begin with `# policy`, or that state the version of the policy language."""
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = []
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            body = block[1]
            if body.lstrip().startswith("# policy") or re.search(r"^schema = 1\b", body, re.M):
                line = text[: block.start()].count("\n") + 1
                found.append((f"{document.relative_to(ROOT)}:{line}", body))
    return found


def test_the_reference_is_the_one_that_the_classes_give() -> None:
    written = (ROOT / "docs" / "policy-reference.md").read_text(encoding="utf-8")
    assert written == policy_reference(), (
        "write it again: python -m ar_bridge.policy_reference > docs/policy-reference.md"
    )


def sections(kind: type[Section] = Section) -> Iterator[type[Section]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("rules.policy."):
            yield one
            yield from sections(one)


def test_the_reference_has_every_table_of_the_language() -> None:
    for module in pkgutil.iter_modules(rules.policy.__path__):
        importlib.import_module(f"rules.policy.{module.name}")
    assert set(sections()) == {section for _, section in PARTS}


def test_there_are_policies_in_the_documents() -> None:
    assert policy_blocks()


@pytest.mark.parametrize(("place", "text"), policy_blocks())
def test_every_policy_in_the_documents_loads(place: str, text: str) -> None:
    load_policy(text, source=place)


@pytest.mark.parametrize(("title", "section"), PARTS)
def test_every_key_has_a_sentence(title: str, section: type[Section]) -> None:
    assert f"## {title}\n" in policy_reference()
    for name, field in key_fields(section).items():
        assert (field.description or "").endswith("."), name

"""What the import linter cannot say: which names of a module may be used where."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

SEEN_BY_CONNECTORS = ("rules.model", "rules.actions.effects")
"""A connector translates: it never sees a decision."""

SEEN_BY_THEIR_SUITE = "rules.actions.keys"
"""The conformance suite hands connectors effects with the marks and numbers of real ones."""

SQL_OUTSIDE_THE_STORE = {"Connection"}
"""A transaction may be handed on; nobody but the store makes statements."""

STORE_BESIDE_THE_STORE = {
    "ar_bridge/audit.py": "the chain is appended to under a lock that only the database can give",
    "ar_bridge/book_loader.py": "reads hundreds of thousands of bodies straight into a Book",
    "ar_bridge/vault.py": "takes the database's lock while a token is refreshed",
}
"""Modules outside `ar_bridge.store` that speak SQL all the same, each with its reason."""


def imports(source: str) -> Iterator[tuple[str, str]]:
    """(module, name) of every import in a Python text; the name is empty for `import module`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def rules_seen(source: str) -> list[str]:
    """Modules of the rules that a connector's text imports and must not."""
    found = [
        module if not name or module.startswith("rules.") else f"{module}.{name}"
        for module, name in imports(source)
        if module.split(".")[0] == "rules"
    ]
    return [
        module
        for module in found
        if not any(module == seen or module.startswith(f"{seen}.") for seen in SEEN_BY_CONNECTORS)
    ]


def sql_spoken(source: str) -> list[str]:
    """What a text outside the store takes from SQLAlchemy and must not."""
    return [
        f"{module}.{name}"
        for module, name in imports(source)
        if module.split(".")[0] in ("sqlalchemy", "sqlite3", "alembic")
        and name not in SQL_OUTSIDE_THE_STORE
    ]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from rules.decide import decide", ["rules.decide"]),
        ("from rules import decision", ["rules.decision"]),
        ("import rules", ["rules"]),
        ("from rules.actions.keys import fee_number", ["rules.actions.keys"]),
        ("from rules.model.money import Minor\nfrom rules.actions.effects import Effect", []),
    ],
)
def test_the_look_at_connectors_sees_what_it_should(source: str, found: list[str]) -> None:
    assert rules_seen(source) == found


def test_connectors_see_the_model_and_the_effects_only() -> None:
    broken = {
        str(path.relative_to(ROOT)): seen
        for path in sorted((ROOT / "connectors").rglob("*.py"))
        if (seen := set(rules_seen(path.read_text())))
    }
    for suite in ("abilities", "subject"):
        assert broken.pop(f"connectors/conformance/{suite}.py", set()) <= {SEEN_BY_THEIR_SUITE}
    assert broken == {}


def test_the_look_for_sql_sees_a_statement() -> None:
    assert sql_spoken("from sqlalchemy import Connection, select") == ["sqlalchemy.select"]


def test_nobody_but_the_store_makes_statements() -> None:
    store = ROOT / "ar_bridge" / "store"
    speaking = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ar_bridge").rglob("*.py")
        if not path.is_relative_to(store) and sql_spoken(path.read_text())
    }
    assert speaking == set(STORE_BESIDE_THE_STORE)

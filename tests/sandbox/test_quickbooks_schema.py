"""Everything that the QuickBooks face serves is in Intuit's published schema."""

import importlib.util
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.quickbooks.fields import PROPERTIES, QUERYABLE
from tests.sandbox.books import COMPANY, grocers, small_book, wide_book
from tests.sandbox.qbo import Caller, caller, fee
from tests.shared_material import shared

Validate = Callable[[str, dict[str, Any]], list[str]]


@pytest.fixture(scope="module")
def validator() -> Any:
    pytest.importorskip("xmlschema")
    path = shared("tools/qbo_validate.py")
    spec = importlib.util.spec_from_file_location("qbo_validate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.V(str(shared("specs/quickbooks")))


def _problems(validator: Any, entity: str, rows: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    for row in rows:
        errors, _ = validator.validate(entity, row, "response")
        found.extend(errors)
    return found


def _rows(books: Caller, entity: str) -> list[dict[str, Any]]:
    text = books.query(f"select * from {entity} maxresults 1000").text
    rows = json.loads(text, parse_float=Decimal)["QueryResponse"].get(entity, [])
    return list(rows)


def _late(day: str) -> Caller:
    books = caller(day)
    made = books.post("invoice", fee("1", BillEmail={"Address": "a@b.example"})).json()["Invoice"]
    books.client.post(books.path(f"invoice/{made['Id']}/send"))
    refs = [{"IncludeOnSend": False, "EntityRef": {"type": "Invoice", "value": made["Id"]}}]
    books.post("attachable", {"Note": "n", "AttachableRef": refs})
    return books


@pytest.mark.parametrize("entity", sorted(QUERYABLE))
def test_every_entity_is_in_the_schema(validator: Any, entity: str) -> None:
    british = [{**e, "country": "GB"} if e["t"] == "company" else e for e in small_book()]
    filled = (
        _late("2026-02-05"),
        _late("2026-02-12"),
        caller(events=british),
        caller(events=wide_book()),
    )
    bare = (caller(events=[COMPANY]), caller(faults=["closed-period=2026-01-01"]))
    seen = 0
    for books in (*filled, *bare):
        rows = _rows(books, entity)
        seen += len(rows)
        assert _problems(validator, entity, rows) == []
    assert seen > 0


def test_real_receivables_are_in_the_schema(validator: Any) -> None:
    books = caller("2019-08-30", grocers())
    for entity in ("Customer", "Invoice", "Payment", "CreditMemo"):
        rows = _rows(books, entity)
        assert rows
        assert _problems(validator, entity, rows[:: max(1, len(rows) // 60)]) == []


def test_what_is_accepted_is_what_the_schema_has(validator: Any) -> None:
    for entity in ("Invoice", "Payment", "CreditMemo", "Customer", "Attachable"):
        fields, _, _, _ = validator.model(validator.s.elements[entity].type)
        assert set(PROPERTIES[entity]) - {"domain", "sparse", "status"} == set(fields)

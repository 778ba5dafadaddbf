"""Whether an answer of the sandbox's Xero has nothing that the published contract lacks."""

import json
from collections.abc import Iterator
from typing import Any

from tests.vendor_schemas import check_xero, xero_document

UNDOCUMENTED = {"DateString", "DueDateString"}
"""Served by the live service and shown in the contract's examples, but in none of its schemas."""


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = xero_document()["components"]["schemas"]
    return schemas


def unknown_fields(schema: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """Paths of fields that no schema names."""
    if "$ref" in schema:
        schema = _schemas()[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for item in value:
            yield from unknown_fields(schema.get("items", {}), item, path)
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        for name, inner in value.items():
            if name in known:
                yield from unknown_fields(known[name], inner, f"{path}/{name}")
            elif name not in UNDOCUMENTED:
                yield f"{path}/{name}"


def complaints(schema: str, body: bytes) -> list[str]:
    """Everything about an answer that the contract does not have."""
    value = json.loads(body)
    return check_xero(schema, value) + list(unknown_fields(_schemas()[schema], value))

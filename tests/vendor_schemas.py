"""Whether a body that we send, or that the sandbox serves, is one that the vendor's own schema
accepts. Each function returns the complaints; none is what a test wants to see.
"""

import importlib.util
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from types import ModuleType
from typing import Any

from tests.shared_material import shared


def check_quickbooks(entity: str, body: bytes | dict[str, Any], op: str = "create") -> list[str]:
    """Against Intuit's XSD and the documented REST rules. `op`: create, sparse, update, delete
    or response."""
    value = json.loads(body, parse_float=Decimal) if isinstance(body, bytes) else body
    errors, _ = _quickbooks().validate(entity, value, op)
    return list(errors)


def check_xero(schema: str, body: bytes | dict[str, Any] | list[Any]) -> list[str]:
    """Against one schema of Xero's OpenAPI document, such as `Invoices` or `HistoryRecords`."""
    value = json.loads(body) if isinstance(body, bytes) else body
    return [f"{'/'.join(map(str, e.path))}: {e.message}" for e in _xero_errors(schema, value)]


@cache
def _quickbooks() -> Any:
    validator = _module("qbo_validate", "tools/qbo_validate.py")
    return validator.V(str(shared("specs/quickbooks")))


def _module(name: str, path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, shared(path))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _xero_errors(schema: str, value: Any) -> Iterator[Any]:
    validator = _xero_validator(schema)
    yield from sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))


@cache
def xero_document() -> dict[str, Any]:
    """The schemas that we need of Xero's document; quotes are cut out of the whole of it."""
    import yaml

    document: dict[str, Any] = json.loads(
        shared("specs/xero/xero_schemas_trimmed.json").read_text()
    )
    whole = shared("specs/xero/xero_accounting.yaml").read_text()
    quotes = whole[whole.index("\n    Quotes:\n") : whole.index("\n    Receipts:\n")]
    document["components"]["schemas"].update(yaml.safe_load(quotes))
    return document


@cache
def _xero_validator(schema: str) -> Any:
    from jsonschema import Draft4Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    document = xero_document()
    if schema not in document["components"]["schemas"]:
        raise LookupError(f"Xero's document has no schema {schema!r}")
    registry: Any = Registry().with_resource(
        "urn:xero", Resource.from_contents(document, default_specification=DRAFT4)
    )
    return Draft4Validator(
        {"$ref": f"urn:xero#/components/schemas/{schema}"},
        registry=registry,
        format_checker=Draft4Validator.FORMAT_CHECKER,
    )

"""The policy language as a JSON Schema, generated from the classes that read it.

Editors use it to complete keys and to show their sentences. It knows shapes and words; what two
parts of a policy say about each other only `policy check` can tell.
"""

from typing import Any

from rules.policy.conditions import CONDITIONS_MARK
from rules.policy.facts import FACTS, Fact
from rules.policy.schema import Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema() -> dict[str, Any]:
    """The schema as JSON terms."""
    found = _referring(Policy.model_json_schema(by_alias=True, mode="validation"))
    found["$defs"].update(_conditions())
    return {"$schema": DIALECT, "title": "ar-bridge policy"} | found


def _referring(node: Any) -> Any:
    """The schema with a reference wherever a condition may stand: the vocabulary is long."""
    if isinstance(node, dict):
        kept = {key: _referring(part) for key, part in node.items() if key != CONDITIONS_MARK}
        return {**kept, "$ref": "#/$defs/Conditions"} if CONDITIONS_MARK in node else kept
    return [_referring(part) for part in node] if isinstance(node, list) else node


def _conditions() -> dict[str, Any]:
    table = {"$ref": "#/$defs/Facts"}
    return {
        "Conditions": {
            "description": "A table of facts that all have to hold, or a list of tables of which "
            "one has to.",
            "anyOf": [table, {"type": "array", "minItems": 1, "items": table}],
        },
        "Facts": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {name: _fact(fact) for name, fact in FACTS.items()},
        },
    }


def _fact(fact: Fact) -> dict[str, Any]:
    """How one fact may be written."""
    described = {"description": f"{fact.sentence} {fact.example}"}
    if fact.type == "flag":
        return {**described, "type": "boolean"}
    one: dict[str, Any] = {"type": "string"}
    if fact.choices:
        one["enum"] = list(fact.choices)
    elif fact.type in ("amount", "number"):
        one = {"type": ["string", "number"]}
    return {**described, "anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}

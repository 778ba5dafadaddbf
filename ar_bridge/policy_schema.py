"""The policy language as a JSON Schema, generated from the classes that read it.

Editors use it to complete keys and to show their sentences. It knows shapes and words; what two
parts of a policy say about each other only `policy check` can tell.
"""

from typing import Any

from rules.policy.schema import Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema() -> dict[str, Any]:
    """The schema as JSON terms."""
    found = Policy.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, "title": "ar-bridge policy"} | found

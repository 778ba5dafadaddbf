"""The JSON Schema of the policy language: what editors go by."""

import tomllib
from datetime import date
from typing import Any

import jsonschema
import pytest

from ar_bridge.policies import preset_names, preset_text
from ar_bridge.policy_schema import policy_schema
from rules.policy.facts import FACTS

VALIDATOR = jsonschema.Draft202012Validator(policy_schema())


def as_json(value: Any) -> Any:
    """TOML dates as editors hand them to a schema: text."""
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_json(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(policy_schema())


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_fits(name: str) -> None:
    VALIDATOR.validate(as_json(tomllib.loads(preset_text(name))))


@pytest.mark.parametrize(
    "wrong",
    (
        '[[segment]]\nname = "s"\nwhen = { tagz = "vip" }',
        '[[segment]]\nname = "s"\nwhen = { is_disputed = "yes" }',
        '[[segment]]\nname = "s"\nwhen = [{ sent = "maybe" }]',
        'modee = "auto"',
        'mode = "autoo"',
        '[[fee]]\nid = "f"\ntype = "flatt"',
        "[calendar]\nx = 1",
    ),
)
def test_a_wrong_key_or_word_is_seen(wrong: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(as_json(tomllib.loads(wrong)))


def test_editors_know_every_fact_with_its_sentence() -> None:
    known = policy_schema()["$defs"]
    assert {"$ref": "#/$defs/Conditions"} in known["Segment"]["properties"]["when"]["anyOf"]
    facts = known["Facts"]["properties"]
    assert facts.keys() == FACTS.keys()
    assert FACTS["items"].sentence in facts["items"]["description"]

"""Every preset can be used as it is, and does what its own tests say."""

import pytest

from ar_bridge.holiday_sets import holiday_set
from ar_bridge.policies import PRESETS, preset_text
from rules.policy.check import check
from rules.policy.load import load_policy
from rules.policy_tests import run_tests

WITHOUT_TESTS = {"gentle", "standard"}
"""These two are shown by the scenarios and the demo."""


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_sound_and_says_what_has_to_be_made_one_s_own(name: str) -> None:
    policy = load_policy(preset_text(name))
    assert policy.name == name
    assert [str(one) for one in check(policy) if one.severity == "error"] == []
    if policy.legal_basis == "contract:payment-terms":
        assert "EDIT" in preset_text(name)
    if policy.calendar.region:
        assert holiday_set(policy.calendar.region, range(2026, 2027)).dates


@pytest.mark.parametrize("name", [name for name in PRESETS if name not in WITHOUT_TESTS])
def test_its_own_tests_pass(name: str) -> None:
    results = run_tests(load_policy(preset_text(name)))
    assert len(results) >= 3
    assert [(one.name, one.differences) for one in results if not one.passed] == []

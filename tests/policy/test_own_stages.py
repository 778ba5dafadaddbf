"""Names that messages and tasks of no stage have are no ids of stages."""

import pytest

from rules.model.own_stages import OWN_STAGES
from rules.policy.load import load_policy
from rules.policy.problems import PolicyError

STAGE = '[[stage]]\nid = "{id}"\nat = "due + 3d"\ndo = ["remind"]\ntemplate = "overdue_1"\n'


@pytest.mark.parametrize("name", sorted(OWN_STAGES))
def test_no_stage_takes_such_a_name(name: str) -> None:
    with pytest.raises(PolicyError) as raised:
        load_policy(STAGE.format(id=name))
    assert "messages and tasks of no stage" in str(raised.value)


def test_names_that_only_look_alike_are_free() -> None:
    assert load_policy(STAGE.format(id="reviewed")).stage[0].id == "reviewed"

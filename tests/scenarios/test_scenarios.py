"""One file, one case: policy, book and day in, decisions out."""

from pathlib import Path

import pytest

from tests.scenarios.runner import FOLDER, differences, read

FILES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    scenario = read(path)
    assert not differences(scenario), f"{scenario.title}\n" + "\n".join(differences(scenario))


def test_there_are_scenarios() -> None:
    assert len(FILES) > 25

"""The start-up guard: are `connectors` and `rules` ours?

Those two names exist elsewhere. If another package of that name is found first, ar-bridge would
run with foreign code, so it refuses to start. Nothing is imported before its place is checked.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ar_bridge.errors import SetupError

OURS: Final = ("connectors", "rules")


def check_packages() -> None:
    """Raise SetupError unless all three packages lie side by side and are ours."""
    home = Path(__file__).resolve().parent.parent
    problems = foreign_packages({name: _place_of(name) for name in OURS}, home)
    problems += [
        f"`{name}` lies in the right place but is not part of ar-bridge"
        for name in OURS
        if not problems and getattr(import_module(name), "__ar_bridge__", None) != name
    ]
    if problems:
        raise SetupError(
            f"Another Python package stands where a part of ar-bridge ({home}) should be.",
            problems=problems,
            remedy="install ar-bridge in an environment of its own: pipx install ar-bridge",
        )


def foreign_packages(places: Mapping[str, Path | None], home: Path) -> list[str]:
    """A sentence for every package that is missing or does not lie in `home`."""
    problems = []
    for name, place in places.items():
        if place is None:
            problems.append(f"`{name}` is missing")
        elif place.parent != home:
            problems.append(f"`{name}` was found at {place}")
    return problems


def _place_of(name: str) -> Path | None:
    spec = find_spec(name)
    if spec is None:
        return None
    if spec.origin is not None:
        return Path(spec.origin).resolve().parent
    # A folder without __init__.py, such as a checkout of something else in the current directory.
    locations = list(spec.submodule_search_locations or ())
    return Path(locations[0]).resolve() if locations else None

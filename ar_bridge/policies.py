"""Where policies come from: a file of the user, or a preset that comes with ar-bridge."""

import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

from ar_bridge.errors import SetupError
from rules.policy.load import PolicyError, load_policy
from rules.policy.reading import nearest
from rules.policy.schema import Policy, versioned
from rules.policy.versions import DatedPolicy

PRESET_PREFIX: Final = "preset:"

PRESETS: Final[Mapping[str, str]] = {
    "gentle": "friendly reminders only, no fee",
    "standard": "reminders that grow firmer, a final notice, late interest, a credit hold",
    "firm": "three quick reminders, a credit hold, a final notice, a fixed fee and interest",
    "uk-statutory": "UK B2B: interest and compensation by the 1998 Act, letter before action",
    "eu-statutory": "EU B2B: interest and EUR 40 by Directive 2011/7/EU",
    "de": "Germany B2B: Verzugszinsen and EUR 40 by BGB 288",
    "us-contract": "US: 1.5 % a month, as agreed in the contract",
    "au-contract": "Australia: 1.25 % a month, as agreed in the contract",
    "nz-contract": "New Zealand: 1.5 % a month, as agreed in the contract",
    "ca-contract": "Canada: 18 % a year, as agreed in the contract",
    "uk-letter-before-action": "UK B2B: no fees on the way, interest claimed before action",
    "us-contractor": "US contractor: 1.5 % a month or a minimum, notices from the work date",
    "agency-retainer": "agency: monthly retainers, deposits of new customers, statements",
    "alarm-monitoring": "small recurring invoices: autopay, returned payments, suspension",
    "rent": "rent: a late fee, then so much a day up to a limit",
    "public-sector": "public bodies: portals, order numbers, patience, no fees",
}
"""Names of the presets and what each is for."""


def preset_names() -> tuple[str, ...]:
    """The presets there are, in the order of the alphabet."""
    return tuple(PRESETS)


def preset_text(name: str) -> str:
    """The TOML text of a preset, comments included. Raises SetupError for an unknown name."""
    if name not in PRESETS:
        close = nearest(name, PRESETS)
        raise SetupError(
            f'There is no preset "{name}".',
            remedy=f'did you mean "{close}"?' if close else f"there are: {', '.join(PRESETS)}",
        )
    return (files("rules") / "presets" / f"{name}.toml").read_text(encoding="utf-8")


def preset_texts() -> dict[str, str]:
    """Every preset by name."""
    return {name: preset_text(name) for name in PRESETS}


def read_policy(where: str | Path) -> Policy:
    """The policy of a file, or of a preset: `preset:standard`, or `standard` with no such file.

    A file that holds nothing but `policies = [{ from = 2026-01-01, file = "terms.toml" }, ...]`
    names the versions of a policy, as a book does; the last of them is given, which knows the
    others. Raises SetupError with every problem, each with its file and line.
    """
    text, source = policy_text(where)
    named = version_files(text, Path(source))
    if named is None:
        return _read_one(text, source)
    found = {first: _read_one(*policy_text(file)) for first, file in named.items()}
    return versioned((DatedPolicy(day, policy) for day, policy in found.items()), date.max)


def _read_one(text: str, source: str) -> Policy:
    try:
        return load_policy(text, source=source, presets=PRESETS)
    except PolicyError as error:
        count = len(error.problems)
        raise SetupError(
            f"The policy {source} has {count} {'mistake' if count == 1 else 'mistakes'}.",
            remedy="correct it and look again with: ar-bridge policy check " + source,
            problems=[str(problem) for problem in error.problems],
        ) from error


def _dated(text: str) -> list[object] | None:
    """The versions that a file names; None where it is a policy itself."""
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        return None
    versions = data.get("policies")
    return versions if set(data) == {"policies"} and isinstance(versions, list) else None


def version_files(text: str, source: Path) -> dict[date, str | Path] | None:
    """Files of the versions that the text of a file names, by their first day: they lie beside it,
    or are names of presets. None where it is a policy itself. Raises SetupError."""
    dated = _dated(text)
    if dated is None:
        return None
    found: dict[date, str | Path] = {}
    for one in dated:
        first = one.get("from") if isinstance(one, dict) else None
        file = one.get("file") if isinstance(one, dict) else None
        if not isinstance(first, date) or not isinstance(file, str) or first in found:
            raise SetupError(
                f"{source} names a version that cannot be used: {one}.",
                remedy='write { from = 2026-01-01, file = "terms.toml" }, each with a day of its '
                "own",
            )
        beside = source.parent / file
        found[first] = file if file in PRESETS and not beside.exists() else beside
    if not found:
        raise SetupError(
            f"{source} names no version of a policy.",
            remedy='write policies = [{ from = 2026-01-01, file = "terms.toml" }]',
        )
    return found


def policy_text(where: str | Path) -> tuple[str, str]:
    """The text of a policy and the name that problems call it by. Raises SetupError."""
    named = str(where)
    if named.startswith(PRESET_PREFIX):
        return preset_text(named.removeprefix(PRESET_PREFIX)), named
    path = Path(where)
    if named in PRESETS and not path.exists():
        return preset_text(named), PRESET_PREFIX + named
    try:
        return path.read_text(encoding="utf-8"), named
    except FileNotFoundError:
        close = nearest(named.removesuffix(".toml"), PRESETS)
        raise SetupError(
            f"There is no policy file {named}.",
            remedy=(
                f'did you mean "{close}"?'
                if close
                else f"name a file, or a preset: {', '.join(PRESETS)}"
            ),
        ) from None
    except UnicodeDecodeError as error:
        raise SetupError(
            f"The policy {named} is not UTF-8 text (byte {error.start}).",
            remedy="save it as UTF-8 in your editor",
        ) from None
    except OSError as error:
        raise SetupError(
            f"The policy {named} cannot be read: {error.strerror}.",
            remedy="check the path and who may read it",
        ) from None

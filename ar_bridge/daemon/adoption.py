"""Which policy a book works by: the one on disk once it checks clean, till then the one before.

Whoever edits a policy saves it half-way. A changed file is taken up with the next plan, and only
where it has no error; until then the copy of the last one that was clean is worked by. All files
of a policy are taken up together: its versions, and the file that names them.
"""

import hashlib
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.policies import PRESETS, policy_text, version_files
from ar_bridge.policy_remarks import remarks
from ar_bridge.settings import BookSettings
from ar_bridge.wiring import policy_of, templates_of

FOLDER: Final = "policies-in-force"


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """A book with the policy that it works by."""

    book: BookSettings
    problem: str = ""
    """Why the policy on disk is not the one; empty where it is."""


def adopted(book: BookSettings, home: Home, on: date, *, renew: bool) -> Adopted:
    """The book by its adopted policy. `renew` looks at the files anew, as before a plan.

    Raises SetupError where the policy has errors and none was adopted before.
    """
    kept = _kept(book, home)
    if not renew and kept is not None:
        return Adopted(book=kept)
    try:
        texts = _texts(book)
        _require_clean(book, home, on)
        is_still = _texts(book) == texts
    except SetupError as error:
        if kept is None:
            raise
        return Adopted(book=kept, problem=_said(error))
    if texts and is_still:
        _keep(texts, _folder(book, home), home)
    return Adopted(book=_kept(book, home) or book)


def problem_on_disk(book: BookSettings, home: Home, on: date) -> str:
    """What the next plan would say of the policy's files; empty where it would take them up."""
    if not _sources(book):
        return ""
    try:
        _texts(book)
        _require_clean(book, home, on)
    except SetupError as error:
        return _said(error)
    return ""


def _said(error: SetupError) -> str:
    count = len(error.problems) or 1
    return (
        f"the policy on disk has {count} {'mistake' if count == 1 else 'mistakes'}: "
        "the one before is worked by; ar-bridge policy check FILE"
    )


def _require_clean(book: BookSettings, home: Home, on: date) -> None:
    policy = policy_of(book, on)
    found = [one for one in remarks(policy, templates_of(home)) if one.severity == "error"]
    if found:
        raise SetupError(
            f"The policy of book {book.name} has errors.",
            problems=[one.message for one in found],
            remedy="ar-bridge policy check FILE says what to mend",
        )


def _sources(book: BookSettings) -> list[str]:
    """The policy files of a book; presets come with the release and are not copied."""
    named = [str(book.policy)] if book.policy is not None else []
    named += [str(version.file) for version in book.policies]
    return [one for one in named if not (one in PRESETS and not Path(one).exists())]


def _folder(book: BookSettings, home: Home) -> Path:
    # Other files in the settings are another policy: their copies lie elsewhere.
    digest = hashlib.sha256("\n".join([book.name, *_sources(book)]).encode()).hexdigest()
    return home.root / FOLDER / digest[:16]


def _copy_of(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:16] + ".toml"


def _texts(book: BookSettings) -> dict[str, str]:
    """Each file of the policy with its text; where it names versions, with the names of their
    copies. Raises SetupError."""
    texts: dict[str, str] = {}
    for source in _sources(book):
        texts[source] = policy_text(source)[0]
        versions = version_files(texts[source], Path(source))
        if versions is None:
            continue
        lines: list[str] = []
        for first, file in versions.items():
            name = file
            if isinstance(file, Path):
                texts[str(file)] = policy_text(file)[0]
                name = _copy_of(str(file))
            lines.append(f'  {{ from = {first.isoformat()}, file = "{name}" }},')
        texts[source] = "\n".join(["policies = [", *lines, "]", ""])
    return texts


def _keep(texts: Mapping[str, str], folder: Path, home: Home) -> None:
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    home.folder(fresh)
    for source, text in texts.items():
        (fresh / _copy_of(source)).write_text(text, encoding="utf-8")
    # Read by a worker at any moment, so never half there.
    old = folder.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _kept(book: BookSettings, home: Home) -> BookSettings | None:
    """The book with the copies for its files; None where not all of them were kept."""
    folder = _folder(book, home)
    sources = _sources(book)
    copies = {source: folder / _copy_of(source) for source in sources}
    if not sources or not all(copy.is_file() for copy in copies.values()):
        return None

    def of(source: object) -> str:
        return str(copies.get(str(source), source))

    changes: dict[str, object] = {}
    if book.policy is not None:
        changes["policy"] = of(book.policy)
    if book.policies:
        changes["policies"] = tuple(
            version.model_copy(update={"file": of(version.file)}) for version in book.policies
        )
    return book.model_copy(update=changes)

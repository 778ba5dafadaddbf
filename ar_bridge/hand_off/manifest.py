"""The manifest of a bundle: what every file has to be, so that a later change of any of them shows.

    manifest.json   book, placement, who, why, policy, totals, and path, size, SHA-256 of each file
    digest          sha256 of all that as canonical JSON; it is in the audit chain too

A bundle is a folder, and a zip file with the same content: the same input gives the same bytes.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from ar_bridge.errors import ArBridgeError, UsageError

NAME: Final = "manifest.json"
MOST_BYTES: Final = 500_000_000
"""What a zip file may unfold to: a bundle that claims more is not read."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a bundle found."""

    digest: str
    """As the manifest states it."""
    placement: str
    files: int
    problems: tuple[str, ...]
    """Every file that was altered, is missing or was added; empty where all is as it was."""


class NoBundleError(ArBridgeError):
    """There is no readable manifest."""

    exit_code = 2


def sealed(facts: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest of these files, with its digest."""
    listed = [
        {"path": path, "bytes": len(content), "sha256": _sha256(content)}
        for path, content in sorted(files.items())
    ]
    told: dict[str, Any] = {"schema": 1, **facts, "files": listed}
    return {**told, "digest": digest_of(told)}


def digest_of(manifest: Mapping[str, Any]) -> str:
    """sha256 of the manifest without its digest, as JSON with sorted keys."""
    plain = {name: value for name, value in manifest.items() if name != "digest"}
    return _sha256(msgspec.json.encode(plain, order="sorted"))


def write(folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any], on: date) -> Path:
    """Make the folder and the zip file beside it; returns the zip file. All or nothing: a
    bundle that is interrupted leaves no folder of that name.

    Raises UsageError where something else is there already.
    """
    zipped = folder.with_name(f"{folder.name}.zip")
    everything = {**files, NAME: _pretty(manifest)}
    for place in (folder, zipped):
        if place.exists():
            raise UsageError(
                f"{place} is there already and stays as it is.",
                remedy="name another folder with --out, or move that one away",
            )
    part = folder.with_name(f".{folder.name}.part")
    try:
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, content in everything.items():
            target = part / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o600)
        zipped.write_bytes(zip_bytes(folder.name, everything, on))
        zipped.chmod(0o600)
        part.rename(folder)
    except OSError as error:
        raise UsageError(
            f"The bundle cannot be written to {folder}: {error.strerror}.",
            remedy="name another folder with --out",
        ) from error
    return zipped


def zip_bytes(name: str, files: Mapping[str, bytes], on: date) -> bytes:
    """A zip file of a folder, dated with the day of the placement whenever it is made."""
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}/{path}", (on.year, on.month, on.day, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100600 << 16
            archive.writestr(entry, content)
    return told.getvalue()


def verify(place: Path) -> Checked:
    """Compute everything again. Raises NoBundleError where there is nothing to compare with."""
    files = _unzipped(place) if place.is_file() else _read(place)
    stored = files.pop(NAME, None)
    if stored is None:
        raise NoBundleError(f"{place} holds no {NAME}.", remedy="name the folder or the zip file")
    try:
        manifest = msgspec.json.decode(stored, type=dict[str, Any])
        listed = {str(one["path"]): one for one in manifest["files"]}
        digest, placement = str(manifest["digest"]), str(manifest["placement"]["id"])
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise NoBundleError(
            f"{NAME} of {place} cannot be read: {error}.", remedy="take the bundle anew"
        ) from error
    problems: list[str] = []
    if digest_of(manifest) != digest:
        problems.append(f"{NAME}: altered, its digest does not fit what it says")
    elif stored != _pretty(manifest):
        # The same facts in other bytes: of a name that stands twice people read the first.
        problems.append(f"{NAME}: altered, it is not written as it was made")
    for path, one in sorted(listed.items()):
        content = files.pop(path, None)
        if content is None:
            problems.append(f"{path}: missing")
        elif len(content) != one.get("bytes") or _sha256(content) != one.get("sha256"):
            problems.append(f"{path}: altered")
    problems += [f"{path}: added, the manifest does not name it" for path in sorted(files)]
    return Checked(digest=digest, placement=placement, files=len(listed), problems=tuple(problems))


def _read(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise NoBundleError(f"{folder} is not there.", remedy="name the folder or the zip file")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _unzipped(file: Path) -> dict[str, bytes]:
    """The files of a zip file, without the folder that they all lie in."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise NoBundleError(f"{file} unfolds to too much.", remedy="take the bundle anew")
            found: dict[str, bytes] = {}
            for entry in entries:
                path = "/".join(PurePosixPath(entry.filename).parts[1:]) or entry.filename
                if path in found:
                    path = f"{path} (a second time)"
                found[path] = archive.read(entry)
            return found
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        raise NoBundleError(
            f"{file} cannot be read: {error}.", remedy="take the bundle anew"
        ) from error


def _pretty(manifest: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

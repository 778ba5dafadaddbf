"""Editing `customers.toml` by command: comments and layout stay, and nothing half-done is left.

    read -> edit one customer -> validate the whole file -> check that nothing else changed
         -> write beside it, fsync, rename

A file that is wrong already is not edited; neither is one that the edit would make wrong.
"""

import os
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError

from ar_bridge.errors import ArBridgeError, SetupError, UsageError
from ar_bridge.facts_file import parse_facts

_NEW: Final = """\
# What the ledger does not hold about customers. Edited by hand or by `ar-bridge customer`.
schema = 1
"""


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit did to one key of one customer: the evidence for the audit."""

    customer: str
    key: str
    before: Any
    """None where the file said nothing."""
    after: Any
    """None where it says nothing any more."""

    @property
    def is_change(self) -> bool:
        """Whether the file says something else now."""
        return bool(self.before != self.after)

    def evidence(self) -> dict[str, Any]:
        """As the audit keeps it."""
        return {
            "key": self.key,
            "before": msgspec.to_builtins(self.before),
            "after": msgspec.to_builtins(self.after),
        }


def set_fact(path: Path, customer: str, key: str, value: Any) -> Edited:
    """Say something about a customer: `value` as TOML has it (text, number, truth, date, list,
    table). See `edit_facts` for what is raised."""
    (edited,) = edit_facts(path, customer, {key: value})
    return edited


def unset_fact(path: Path, customer: str, key: str) -> Edited:
    """Say no more about it. See `edit_facts` for what is raised."""
    (edited,) = edit_facts(path, customer, {key: None})
    return edited


def said_of(path: Path, customer: str) -> dict[str, Any]:
    """What the file says of one customer, as plain values. Raises SetupError where the file is
    wrong."""
    text = _read(path)
    parse_facts(text, source=path.name)
    return _entry(tomllib.loads(text), customer)


def edit_facts(path: Path, customer: str, changes: Mapping[str, Any]) -> list[Edited]:
    """Change several keys of one customer in one go; None takes a key out.

    Raises SetupError where the file is wrong already or cannot be written, UsageError with every
    problem where a new value is no such value: the file is as it was then.
    """
    path = path.resolve()
    text = _read(path)
    parse_facts(text, source=path.name)
    data = tomllib.loads(text)
    before = _entry(data, customer)
    edited = [
        Edited(customer=customer, key=key, before=before.get(key), after=value)
        for key, value in changes.items()
    ]
    if not any(each.is_change for each in edited):
        return edited
    wanted = _expected(data, customer, changes)
    changed = _changed(text, customer, changes)
    try:
        parse_facts(changed, source=path.name)
    except SetupError as wrong:
        raise UsageError(
            f"customer {customer} was not changed", problems=wrong.problems, remedy="correct it"
        ) from None
    if tomllib.loads(changed) != wanted:
        raise ArBridgeError(
            f"{path.name} cannot be edited without changing something else in it",
            remedy=f"edit [customer.{customer}] in {path} by hand",
        )
    _write(path, changed)
    return edited


def _entry(data: Mapping[str, Any], customer: str) -> dict[str, Any]:
    return dict(data.get("customer", {}).get(customer, {}))


def _expected(data: dict[str, Any], customer: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    wanted = deepcopy(data)
    entry = wanted.setdefault("customer", {}).setdefault(customer, {})
    for key, value in changes.items():
        if value is None:
            entry.pop(key, None)
        else:
            entry[key] = value
    return wanted


def _changed(text: str, customer: str, changes: Mapping[str, Any]) -> str:
    if customer not in tomllib.loads(text).get("customer", {}):
        name = tomlkit.key(customer).as_string()
        text = f"{text.rstrip()}\n\n[customer.{name}]\n"
    try:
        document: Any = tomlkit.parse(text)
        entry = document["customer"][customer]
        for key, value in changes.items():
            if value is None:
                if key in entry:
                    entry.remove(key)
            else:
                entry[key] = _item(value)
        return tomlkit.dumps(document)
    except TOMLKitError as trouble:
        raise ArBridgeError(
            f"the file cannot be edited: {trouble}", remedy="edit it by hand"
        ) from trouble


def _item(value: Any) -> Any:
    """A table inside a customer is written in one line."""
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, part in value.items():
            table.append(key, _item(part))
        return table
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        for part in value:
            array.append(_item(part))
        if value and isinstance(value[0], Mapping):
            array.multiline(True)
        return array
    return tomlkit.item(value)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _NEW
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            f"{path} cannot be read ({error})", remedy="check its permissions; it is UTF-8 text"
        ) from error


def _write(path: Path, text: str) -> None:
    """Complete or not at all, with the permissions that the file had."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "w", encoding="utf-8", opener=_private) as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _settle(path.parent)
    except OSError as trouble:
        raise SetupError(
            f"{path} cannot be written ({trouble})", remedy="check the permissions of its folder"
        ) from trouble


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _settle(folder: Path) -> None:
    """The rename itself lasts once the folder is on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""`config.example.toml`, written from the classes that read it.

python -m ar_bridge.settings.example > config.example.toml
"""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ar_bridge.settings.schema import BookSettings, Settings

_HEAD = """\
# Every key of config.toml, with its default and a sentence. Keys behind a # have no default; the
# value shown is an example. Environment variables come over the file: AR_BRIDGE_MAIL__HOST is
# `host` in [mail], AR_BRIDGE_BOOK__ACME__CLIENT_SECRET is `client_secret` of the book "acme".
# Files in the folder `secrets` of the home directory, named like `mail__password`, come over both.
# Relative paths start where config.toml lies.
"""


def example() -> str:
    """The whole example."""
    parts = [_HEAD, *_section("[[book]]", BookSettings)]
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if name != "book" and isinstance(model, type) and issubclass(model, BaseModel):
            parts += _section(f"[{name}]", model)
    return "\n".join(parts) + "\n"


def _section(header: str, model: type[BaseModel]) -> Iterator[str]:
    purpose = (model.__doc__ or "").strip().splitlines()[0]
    yield from ("", f"# {purpose}", header)
    nested = []
    for name, field in model.model_fields.items():
        if _is_section(field):
            nested.append((name, field))
            continue
        yield from _comment(field.description or "")
        key = field.alias or name
        if field.default is None or field.default is PydanticUndefined:
            value = _toml(field.examples[0]) if field.examples else '""'
            # Without a name and a ledger a book cannot be read, so these two stand as they are.
            yield f"{'' if field.is_required() or key == 'policy' else '# '}{key} = {value}"
        else:
            yield f"{key} = {_toml(field.default)}"
    for name, field in nested:
        yield ""
        yield from _comment(f"{field.description} The keys are those of [{name}].")
        yield f"# [{header.strip('[]')}.{name}]"


def _is_section(field: FieldInfo) -> bool:
    if field.default == ():
        return False
    parts = getattr(field.annotation, "__args__", (field.annotation,))
    return any(isinstance(part, type) and issubclass(part, BaseModel) for part in parts)


def _comment(sentence: str) -> Iterator[str]:
    yield from textwrap.wrap(
        sentence, 98, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, Path):
        return json.dumps(value.as_posix())
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    print(example(), end="")

"""Looking a template over before it is used: unknown names, missing text, tone, escaping.

Run when templates are loaded and by `policy check`. Every problem of every file comes at once.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args, get_origin, get_type_hints

import jinja2
import msgspec
from jinja2 import meta, nodes

from ar_bridge.messages.templates import (
    BLOCKS,
    DEFAULT_LANGUAGE,
    SHIPPED,
    TEMPLATE_SUFFIX,
    WORDS,
    environment,
)
from ar_bridge.messages.view import LAYOUT_FIELDS, MessageView

FORMAL: Final = frozenset({"final_notice"})
"""Templates that may speak of courts; a policy adds those of its `formal` stages."""


def _inside(struct: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct], bool]]:
    """Every table and every part within a view, by name; True for a table of rows."""
    for name, hint in get_type_hints(struct).items():
        for one in get_args(hint):
            if isinstance(one, type) and issubclass(one, msgspec.Struct):
                yield name, one, get_origin(hint) is tuple
                yield from _inside(one)


_ROWS: Final[Mapping[str, type[msgspec.Struct]]] = {
    name: row for name, row, is_table in _inside(MessageView) if is_table
}
_PARTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    name: part for name, part, is_table in _inside(MessageView) if not is_table
}
"""What only some kinds of messages have, under one name each."""
_FIELDS_OF: Final = {name: row.__struct_fields__ for name, row in _ROWS.items()}
_ANY_ROW: Final = frozenset(field for fields in _FIELDS_OF.values() for field in fields)
_GIVEN: Final = (*MessageView.__struct_fields__, "words", "language", "formal")

_FORMAL_WORDS: Final = re.compile(
    r"\b(courts?|legal(?:ly)?|lawyers?|solicitors?|attorneys?|bailiffs?|lawsuit|sue|judge?ment|"
    r"proceedings|debt collect(?:ors?|ion)|collection agency|letter before (?:action|claim)|"
    r"enforcement|bankruptcy|credit bureau)\b",
    re.IGNORECASE,
)
_BEFORE_DUE_WORDS: Final = re.compile(
    r"\b(overdue|past due|late fees?|penalt(?:y|ies)|unpaid)\b", re.IGNORECASE
)
_FETCHED: Final = re.compile(
    r"<(?:img|script|link|iframe|object|embed)\b|@import|\burl\(", re.IGNORECASE
)
_UNESCAPED: Final = re.compile(r"\|\s*safe\b|autoescape\s+false", re.IGNORECASE)
_SHOUTING: Final = re.compile(r"!|\b(?!LF\b|PO\b|VAT\b|GST\b)[A-Z]{4,}\b")


class TemplateProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong in one template: where, what, and what to do."""

    file: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        tail = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {self.message}{tail}"


def lint(directories: Sequence[Path], *, formal: Iterable[str] = ()) -> tuple[TemplateProblem, ...]:
    """Everything wrong with the templates in these directories, by file and line.

    `formal` names the templates that formal stages use, besides the shipped final notice.
    A directory that does not exist is one problem.
    """
    allowed = FORMAL | set(formal)
    sandbox = environment(directories, is_layout=False)
    found: list[TemplateProblem] = []
    for directory in directories:
        if not directory.is_dir():
            found.append(
                TemplateProblem(
                    file=str(directory),
                    line=1,
                    message="there is no such directory of templates",
                    hint="create it, or leave the setting out to use the shipped templates",
                )
            )
            continue
        for path in sorted(directory.glob("*/*")):
            if path.suffix in (TEMPLATE_SUFFIX, ".txt", ".html"):
                found.extend(_file(sandbox, directory, path, allowed))
    return tuple(sorted(found, key=lambda each: (each.file, each.line, each.message)))


def _file(
    sandbox: jinja2.Environment, directory: Path, path: Path, formal: Iterable[str]
) -> Iterator[TemplateProblem]:
    source = path.read_text(encoding="utf-8")
    try:
        tree = sandbox.parse(source, name=path.name, filename=str(path))
        sandbox.compile(source, name=path.name, filename=str(path))
    except jinja2.TemplateSyntaxError as wrong:
        yield TemplateProblem(
            file=str(path), line=wrong.lineno, message=str(wrong.message or "cannot be read")
        )
        return
    is_words = path.suffix == TEMPLATE_SUFFIX
    macros = _macros(sandbox, path.parent.name)
    known = _GIVEN if is_words else (*_GIVEN, *LAYOUT_FIELDS)
    if path.name != WORDS:
        yield from _names(tree, path, known, macros)
    if path.suffix == ".html":
        yield from _matching(source, path, _UNESCAPED, "switches escaping off", "remove it")
        yield from _matching(
            source,
            path,
            _FETCHED,
            "loads something from outside or when opened",
            "use text and inline styles: no images, pixels, scripts or fonts",
        )
        yield from _has_text(directory, path)
    if is_words and path.name != WORDS:
        yield from _words(tree, source, path, formal)


def _macros(sandbox: jinja2.Environment, language: str) -> tuple[str, ...]:
    found = sandbox.select_template([f"{language}/{WORDS}", f"{DEFAULT_LANGUAGE}/{WORDS}"])
    return tuple(name for name in vars(found.module) if not name.startswith("_"))


def _names(
    tree: nodes.Template, path: Path, known: Sequence[str], macros: Sequence[str]
) -> Iterator[TemplateProblem]:
    undeclared = meta.find_undeclared_variables(tree) - set(known) - _imported(tree)
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in undeclared:
            yield _unknown(path, name.lineno, name.name, known)
    # One name may loop over several tables of a file, or be handed to a macro: it may then show
    # what any of them has.
    rows: dict[str, set[str]] = {name: set(part.__struct_fields__) for name, part in _PARTS.items()}
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.target, nodes.Name):
            fields = _FIELDS_OF.get(_last_name(loop.iter), _ANY_ROW)
            rows.setdefault(loop.target.name, set()).update(fields)
    for macro in tree.find_all(nodes.Macro):
        for argument in macro.args:
            rows.setdefault(argument.name, set()).update(_ANY_ROW)
    for access in tree.find_all(nodes.Getattr):
        owner = access.node.name if isinstance(access.node, nodes.Name) else ""
        if owner == "words" and access.attr not in macros:
            yield _unknown(path, access.lineno, f"words.{access.attr}", macros)
        elif owner in rows and access.attr not in rows[owner]:
            yield _unknown(path, access.lineno, f"{owner}.{access.attr}", sorted(rows[owner]))


def _imported(tree: nodes.Template) -> set[str]:
    """Names that come from another file: inside blocks they count as undeclared otherwise."""
    named = (name for found in tree.find_all(nodes.FromImport) for name in found.names)
    return {name if isinstance(name, str) else name[1] for name in named}


def _last_name(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.name if isinstance(node, nodes.Name) else ""


def _unknown(path: Path, line: int, name: str, known: Sequence[str]) -> TemplateProblem:
    near = difflib.get_close_matches(name.split(".")[-1], known, 1)
    return TemplateProblem(
        file=str(path),
        line=line,
        message=f"{name} is nothing that a message can show",
        hint=f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known))}",
    )


def _has_text(directory: Path, path: Path) -> Iterator[TemplateProblem]:
    name = path.name.removesuffix(".html") + TEMPLATE_SUFFIX
    if path.name == "layout.html" or path.name.startswith("_"):
        return
    if not any((root / path.parent.name / name).exists() for root in (directory, SHIPPED)):
        yield TemplateProblem(
            file=str(path),
            line=1,
            message="this message has HTML and no plain text",
            hint=f"add {path.parent.name}/{name} with the blocks {', '.join(BLOCKS)}",
        )


def _words(
    tree: nodes.Template, source: str, path: Path, formal: Iterable[str]
) -> Iterator[TemplateProblem]:
    blocks = {block.name: block for block in tree.find_all(nodes.Block)}
    for name in BLOCKS:
        if name not in blocks:
            yield TemplateProblem(
                file=str(path),
                line=1,
                message=f"block {name} is missing",
                hint=f"add {{% block {name} %}}...{{% endblock %}}",
            )
    template = path.name.removesuffix(TEMPLATE_SUFFIX)
    if template not in formal:
        yield from _matching(
            source,
            path,
            _FORMAL_WORDS,
            "speaks of the law before the formal stage",
            "leave it for a stage with formal = true",
        )
    if template.startswith(("before_due", "due_today")):
        yield from _matching(
            source,
            path,
            _BEFORE_DUE_WORDS,
            "speaks of lateness before anything is late",
            "ask for confirmation instead",
        )
    if "subject" in blocks:
        spoken = "".join(data.data for data in blocks["subject"].find_all(nodes.TemplateData))
        if _SHOUTING.search(spoken):
            yield TemplateProblem(
                file=str(path),
                line=blocks["subject"].lineno,
                message="the subject shouts",
                hint="no exclamation marks and no words in capitals",
            )


def _matching(
    source: str, path: Path, pattern: re.Pattern[str], message: str, hint: str
) -> Iterator[TemplateProblem]:
    for number, line in enumerate(source.splitlines(), start=1):
        for match in pattern.finditer(line):
            yield TemplateProblem(
                file=str(path), line=number, message=f"{match.group(0)!r} {message}", hint=hint
            )

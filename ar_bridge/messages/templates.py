"""Where the words come from: the operator's own directory first, then the shipped one.

A directory holds one folder per language. `<template>.j2` has the words as three blocks,
`subject`, `opening` and `closing`; `layout.txt` and `layout.html` put the figures around them,
those of a kind (`statement.txt`, `statement.html`) put other figures there, in the layout's block
`figures`, and `<template>.html` may replace the HTML layout for one template. `_words.j2` holds
the macros that every template reaches as `words.<name>(...)`. Any of these files may be replaced
alone.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import jinja2

from ar_bridge.messages.sandbox import TemplateSandbox

SHIPPED: Final = Path(__file__).parent / "templates"
DEFAULT_LANGUAGE: Final = "en"
BLOCKS: Final = ("subject", "opening", "closing")
TEMPLATE_SUFFIX: Final = ".j2"
WORDS: Final = "_words.j2"


class UnknownTemplateError(LookupError):
    """No directory holds a template of that name."""


def environment(directories: Sequence[Path], *, is_layout: bool) -> jinja2.Environment:
    """The sandbox that templates run in: strict about names, escaping in `.html`.

    In a layout a line with nothing but a tag leaves no line behind; in words, which are cut
    into paragraphs at blank lines, every line counts as written.
    """
    return TemplateSandbox(
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(each) for each in (*directories, SHIPPED)]
        ),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=is_layout,
        lstrip_blocks=is_layout,
        keep_trailing_newline=True,
        auto_reload=False,
    )


class Templates:
    """The templates of one book. Files are read once; make a new one to see an edit."""

    def __init__(self, directories: Sequence[Path] = ()) -> None:
        self.directories = tuple(directories)
        self.environment = environment(self.directories, is_layout=False)
        self.layouts = environment(self.directories, is_layout=True)
        self.globals: dict[str, object] = dict(self.layouts.globals)
        """What templates can name besides the facts, of words and layouts alike."""
        self._known: dict[str, bool] = {}
        self._words: dict[tuple[str, str], jinja2.Template] = {}
        self._layouts: dict[tuple[str, str, str, str], jinja2.Template] = {}
        self._macros: dict[str, jinja2.environment.TemplateModule] = {}

    def language_for(self, name: str, wanted: str) -> str:
        """The language that this template exists in: the one wanted, its base, or English.

        Raises UnknownTemplateError, naming the templates there are.
        """
        for language in (wanted, wanted.split("-")[0].split("_")[0], DEFAULT_LANGUAGE):
            if language and self._has(f"{language}/{name}{TEMPLATE_SUFFIX}"):
                return language
        known = ", ".join(self.names()) or "none"
        raise UnknownTemplateError(f"there is no message template {name!r}; there are: {known}")

    def words_of(self, name: str, language: str) -> jinja2.Template:
        """The template with the three blocks."""
        found = self._words.get((name, language))
        if found is None:
            found = self.environment.get_template(f"{language}/{name}{TEMPLATE_SUFFIX}")
            self._words[name, language] = found
        return found

    def layout(self, name: str, language: str, suffix: str, kind: str = "") -> jinja2.Template:
        """What stands around the words: a template's own HTML before that of its kind of
        message (a statement), and that before the common `layout.txt` or `layout.html`."""
        asked = (name, language, suffix, kind)
        found = self._layouts.get(asked)
        if found is None:
            candidates = [f"{language}/{name}{suffix}"] if suffix == ".html" else []
            if kind:
                candidates += [f"{language}/{kind}{suffix}", f"{DEFAULT_LANGUAGE}/{kind}{suffix}"]
            candidates += [f"{language}/layout{suffix}", f"{DEFAULT_LANGUAGE}/layout{suffix}"]
            found = self._layouts[asked] = self.layouts.select_template(candidates)
        return found

    def macros(self, language: str) -> jinja2.environment.TemplateModule:
        """The macros of `_words.j2`."""
        found = self._macros.get(language)
        if found is None:
            found = self._macros[language] = self.environment.select_template(
                [f"{language}/{WORDS}", f"{DEFAULT_LANGUAGE}/{WORDS}"]
            ).module
        return found

    def names(self) -> list[str]:
        """Every template of every language, without its suffix."""
        return sorted(
            {
                name.split("/", 1)[1].removesuffix(TEMPLATE_SUFFIX)
                for name in self.environment.list_templates(extensions=["j2"])
                if "/" in name and not name.endswith("/" + WORDS)
            }
        )

    def digest(self) -> str:
        """sha256 over every file's name and content: words are a part of the policy's hash."""
        total = hashlib.sha256()
        for name in sorted(self.environment.list_templates(extensions=["j2", "txt", "html"])):
            assert self.environment.loader is not None
            source, _, _ = self.environment.loader.get_source(self.environment, name)
            total.update(f"{name}\0{len(source)}\0{source}".encode())
        return total.hexdigest()

    def _has(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            assert self.environment.loader is not None
            try:
                self.environment.loader.get_source(self.environment, name)
                known = True
            except jinja2.TemplateNotFound:
                known = False
            self._known[name] = known
        return known

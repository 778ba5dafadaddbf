"""The sandbox that templates run in: strict about names, closed to everything but the view.

Jinja's own sandbox looks into the type of every value at every access and every call. Nearly all
of them are fields of the view and macros of a template, which are known to be harmless, so those
go straight; whatever else a template reaches for is looked into as before.
"""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

_KEPT: Final = 4096
"""How many texts and sayings are remembered: those of some hundred messages."""

_PLAIN: Final = frozenset({str, int, bool})

_is_special: Final = re.compile("[&<>\"']").search


@lru_cache(maxsize=_KEPT)
def _escaped(text: str) -> str:
    # Most texts hold nothing to escape, and to be joined with others they need be no markup.
    return escape(text) if _is_special(text) else text


def in_html(value: object) -> str:
    """A value as it stands in HTML: escaped, unless it is markup. What a plan writes says much
    the same over and over."""
    # Markup is a text too, and equal to the text that it looks like: the type tells them apart.
    return _escaped(value) if type(value) is str else escape(value)


class _Generator(CodeGenerator):
    """Generates code that escapes by `in_html`."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile:
            self.write(f"environment.in_html({finalize.src or ''}")
        else:
            super()._output_child_pre(node, frame, finalize)


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """An environment whose templates see the view, macros and Jinja's own filters."""

    code_generator_class = _Generator
    in_html = staticmethod(in_html)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._fields: dict[type, frozenset[str]] = {}
        self._said: dict[Any, str] = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of a part of the view or a macro at once; else as Jinja's sandbox does."""
        fields = self._fields.get(type(obj))
        if fields is None:
            fields = self._fields[type(obj)] = frozenset(
                obj.__struct_fields__ if isinstance(obj, msgspec.Struct) else ()
            )
        if attribute in fields:
            return getattr(obj, attribute)
        if type(obj) is TemplateModule:
            found = getattr(obj, attribute, None)
            if type(found) is Macro:
                return found
        return super().getattr(obj, attribute)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro at once; else as Jinja's sandbox does.

        What a macro of other templates than these says is text, which HTML escapes as any other.
        """
        if type(obj) is not Macro:
            return super().call(context, obj, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        if obj._environment is not self:
            return self._words(obj, args, kwargs)
        if (
            kwargs
            or len(args) != len(obj.arguments)
            or obj.caller
            or obj.catch_kwargs
            or obj.catch_varargs
        ):
            return obj(context.eval_ctx, *args, **kwargs)
        # Nothing is left to fill in.
        said = obj._func(*args)
        return Markup(said) if context.eval_ctx.autoescape else said

    def _words(self, macro: Macro, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """What a macro of the words says. It sees what it is given and nothing else, and plain
        text and HTML ask for the same."""
        given = (*args, *kwargs.values())
        types = tuple(map(type, given))
        if not all(one in _PLAIN or issubclass(one, msgspec.Struct) for one in types):
            return macro(*args, **kwargs)
        asked = (macro, given, types, tuple(kwargs))
        said = self._said.get(asked)
        if said is None:
            if len(self._said) >= _KEPT:
                self._said.clear()
            said = self._said[asked] = macro(*args, **kwargs)
        return said

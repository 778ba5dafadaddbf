"""The sandbox that templates run in: strict about names, closed to everything but the view.

Jinja's own sandbox looks into the type of every value at every access and every call. Nearly all
of them are fields of the view and macros of a template, which are known to be harmless, so those
go straight; whatever else a template reaches for is looked into as before.
"""

from typing import Any

import msgspec
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """An environment whose templates see the view, macros and Jinja's own filters."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of a part of the view or a macro at once; else as Jinja's sandbox does."""
        if isinstance(obj, msgspec.Struct):
            if attribute in obj.__struct_fields__:
                return getattr(obj, attribute)
        elif type(obj) is TemplateModule:
            found = getattr(obj, attribute, None)
            if type(found) is Macro:
                return found
        return super().getattr(obj, attribute)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro at once; else as Jinja's sandbox does."""
        if type(obj) is not Macro:
            return super().call(context, obj, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return obj(context.eval_ctx, *args, **kwargs)

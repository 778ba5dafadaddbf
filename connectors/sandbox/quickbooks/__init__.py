"""QuickBooks Online as the sandbox speaks it."""

from connectors.sandbox.quickbooks.face import QuickBooksFace

__all__ = ["QuickBooksFace"]

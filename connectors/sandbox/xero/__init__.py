"""The sandbox's Xero: Accounting API 2.0 as its published contract describes it."""

from connectors.sandbox.xero.face import XeroFace

__all__ = ["XeroFace"]

"""Xero, through its Accounting API 2.0."""

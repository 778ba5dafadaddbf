"""Pieces of TOML that `policy new` puts a policy together from, and what they hang on."""

from collections.abc import Mapping
from typing import Final

from rules.policy.fee_tables import EU_MEMBERS

LAWS: Final[Mapping[str, str]] = {
    "GB": "uk",
    "DE": "de",
    "IE": "ie",
    "NL": "nl",
    "IN": "in:msmed",
    **{country: f"eu:{country}" for country in EU_MEMBERS if country not in ("DE", "IE", "NL")},
}
"""Countries whose law of late payment between businesses is known, and the scheme of it."""

CURRENCIES: Final[Mapping[str, str]] = {
    **{"GB": "GBP", "US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "IN": "INR"},
    **dict.fromkeys(EU_MEMBERS, "EUR"),
}
"""Currency that a made-up invoice of the policy's own test has."""


CONTRACT: Final = """\
[[fee]]
id = "late-charge"
name = "Late payment charge"
type = "percent"
percent = "{percent}"
per = "month"
month_count = "elapsed"
requires = ["first-reminder"]
cap = {{ percent_of_original = 25 }}
legal_basis = "contract:{clause}"
"""

LAW: Final = """\
[[fee]]
id = "statutory"
name = "Statutory interest and compensation"
type = "statutory"
scheme = "{scheme}"
compensation = true
requires = ["first-reminder"]
grace = "7d"
post = {{ every = "month", on = "last_business_day" }}
cap = {{ percent_of_original = 50 }}
legal_basis = "statute:{scheme}"
"""


TESTS: Final = """\
[[test]]
name = "the first reminder goes {first} days after the due date"
on = {on}
events = [
  {{ t = "company", id = "own", base_currency = "{currency}" }},
  {customer},
  {invoice},
]
actions = [{{ kind = "reminder", invoices = ["INV-1"], stage = "first-reminder" }}]

[[test]]
name = "a disputed invoice waits"
on = {on}
events = [
  {{ t = "company", id = "own", base_currency = "{currency}" }},
  {customer},
  {invoice},
  {dispute},
]
actions = []
skips = [{{ invoice = "INV-1", code = "disputed" }}]
"""


CUSTOMER: Final = (
    '{ t = "customer", id = "C1", date = 2026-01-05, name = "North", '
    'email = "ap@north.example", entity_type = "company" }'
)

INVOICE: Final = (
    '{{ t = "invoice", id = "INV-1", date = 2026-08-01, due = {due}, '
    'customer = "C1", total = "1200.00" }}'
)

DISPUTE: Final = (
    '{ t = "dispute", date = 2026-09-02, customer = "C1", invoice = "INV-1", '
    'reason = "short delivery" }'
)

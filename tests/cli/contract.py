"""The JSON that other programs rely on, key by key."""

import re
from datetime import date, datetime
from fractions import Fraction
from typing import Any

PLAN = {"schema", "plan", "book", "book_as_of", "on", "policy", "actions", "skips"}
ACTION = {
    "key",
    "revision",
    "kind",
    "customer",
    "customer_name",
    "invoices",
    "items",
    "stage",
    "fee",
    "number",
    "amount",
    "currency",
    "channel",
    "send_at",
    "effects",
    "reasons",
    "needs_approval",
    "message",
}
ITEM = {"invoice", "invoice_number", "stage", "fee", "key"}
SKIP = {"customer", "invoice", "stage", "code", "reasons", "next_on", "review_on"}
QUOTE = {
    "schema",
    "invoice",
    "invoice_number",
    "on",
    "currency",
    "original",
    "outstanding",
    "fees",
    "total_due",
}
FEE = {"fee", "type", "accrued", "posted", "to_post", "capped_by", "derivation", "steps", "text"}
DERIVATION = {"kind", "from", "to", "days", "base", "annual_rate", "exact"}
DEMO = {
    "from",
    "to",
    "customers",
    "invoices",
    "planned",
    "applied",
    "withdrawn",
    "skipped",
    "written",
    "found_in_ledger",
    "mails_received",
    "calls",
    "throttled",
    "second_run_writes",
    "quarantined",
}
KINDS = {"reminder", "note", "late_fee", "task", "call", "notify", "credit_hold"}


def is_plan(plan: dict[str, Any]) -> None:
    """Every key of a plan with the kind of value that belongs there."""
    assert set(plan) >= PLAN
    assert plan["schema"] == 1
    assert set(plan["policy"]) == {"name", "hash"}
    date.fromisoformat(plan["on"])
    for action in plan["actions"]:
        is_action(action)
    for skip in plan["skips"]:
        assert set(skip) >= SKIP
        assert skip["code"]
        are_reasons(skip["reasons"])
        for day in (skip["next_on"], skip["review_on"]):
            assert day is None or date.fromisoformat(day)


def is_action(action: dict[str, Any]) -> None:
    assert set(action) >= ACTION
    assert action["kind"] in KINDS
    if action["amount"] is not None:
        is_amount(action["amount"])
        assert re.fullmatch("[A-Z]{3}", action["currency"])
    assert datetime.fromisoformat(action["send_at"]).tzinfo is not None
    assert action["reasons"], action["key"]
    are_reasons(action["reasons"])
    assert isinstance(action["needs_approval"], bool)
    for item in action["items"]:
        assert set(item) == ITEM
    if action["message"] is not None:
        assert set(action["message"]) == {"to", "cc", "subject", "text"}


def is_quote(quote: dict[str, Any]) -> None:
    """Every key of a quote; what is derived sums exactly to what is to be posted."""
    assert set(quote) >= QUOTE
    assert quote["schema"] == 1
    for amount in ("original", "outstanding", "total_due"):
        is_amount(quote[amount])
    for fee in quote["fees"]:
        assert set(fee) >= FEE
        for amount in ("accrued", "posted", "to_post"):
            is_amount(fee[amount])
        for row in fee["derivation"]:
            assert set(row) >= DERIVATION
            assert "/" in row["exact"]
        for step in fee["steps"]:
            assert set(step) >= {"step", "amount"}
        exact = sum(Fraction(row["exact"]) for row in fee["derivation"])
        steps = sum(Fraction(step["amount"]) for step in fee["steps"])
        assert exact + steps == Fraction(fee["to_post"]), fee


def are_reasons(reasons: list[dict[str, str]]) -> None:
    for reason in reasons:
        assert set(reason) == {"code", "text"}
        assert reason["text"].endswith("."), reason


def is_amount(text: object) -> None:
    """A decimal string in the digits of pounds and euros, never a float."""
    assert isinstance(text, str)
    assert re.fullmatch(r"-?\d+\.\d\d", text), text

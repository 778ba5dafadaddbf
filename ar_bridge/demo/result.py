"""What a demo run came to: the JSON of `demo --json` (contract)."""

from datetime import date
from typing import Any

import msgspec


class LedgerResult(msgspec.Struct, kw_only=True):
    """One ledger's share of the demo. Counts only; amounts stay in the plans."""

    from_: date = msgspec.field(name="from")
    to: date
    customers: int = 0
    invoices: int = 0
    """Invoices in the ledger on the last day, open and closed."""
    planned: int = 0
    applied: int = 0
    withdrawn: int = 0
    skipped: int = 0
    """Grounds for not acting on an overdue invoice, counted each time one appeared or changed."""
    written: dict[str, int] = msgspec.field(
        default_factory=lambda: {"notes": 0, "fees": 0, "mails": 0}
    )
    found_in_ledger: dict[str, int] = msgspec.field(default_factory=lambda: {"notes": 0, "fees": 0})
    """Counted from the sandbox's own records, not from our store."""
    mails_received: int = 0
    """Counted by the mail server."""
    calls: dict[str, int] = msgspec.field(default_factory=lambda: {"read": 0, "write": 0})
    throttled: int = 0
    second_run_writes: int = 0
    quarantined: int = 0
    applied_by_kind: dict[str, int] = msgspec.field(default_factory=dict)
    skipped_by_code: dict[str, int] = msgspec.field(default_factory=dict)
    problems: list[str] = msgspec.field(default_factory=list)
    home: str = ""


class Story(msgspec.Struct, kw_only=True):
    """What the printed account shows besides the counts: a few things to look at."""

    plan: dict[str, Any] | None = None
    """The last plan with the most kinds of actions in it."""
    grounds: dict[tuple[str | None, ...], tuple[str | None, ...]] = msgspec.field(
        default_factory=dict
    )
    """What is waited for, as of the last plan: by customer, invoice, stage and fee."""
    examples: dict[str, str] = msgspec.field(default_factory=dict)
    """Reason code to one sentence, as it was said."""
    mail: str = ""
    """The text of one mail as it arrived; one that announces a late fee, where there is one."""

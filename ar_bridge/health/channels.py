"""Ways by which a policy writes to customers, against what is set up and what is known of them."""

from collections.abc import Iterator
from typing import Final

from ar_bridge.health.book import ExaminedBook
from ar_bridge.messages.ways import ALWAYS
from connectors.port import Finding

NAMED: Final = 5
"""Customers that a finding names; the others are counted."""


def of_channels(examined: ExaminedBook) -> Iterator[Finding]:
    """Is every way there that the policy names, and are there addresses for letters?"""
    desk = examined.desk
    stages = desk.policy.stage
    general = desk.policy.contact.fallback
    used = {name for stage in stages for name in (*stage.channels, *stage.fallback)} | {*general}
    for name in sorted(used - ALWAYS - desk.channels.keys()):
        named = [f"stage {s.id}" for s in stages if name in (*s.channels, *s.fallback)]
        asking = ", ".join([*named, *(["[contact] fallback"] if name in general else [])])
        yield Finding(
            level="warning",
            subject=examined.subject("channels"),
            text=f"the policy writes by {name} ({asking}), but no {name} channel is set up: "
            "nobody is reached that way",
            remedy="name the service that takes such messages in [gateway]"
            + (", and say sms = true" if name == "sms" else ""),
        )
    book = examined.loaded
    if "letter" not in used or book is None:
        return
    payers = {book.payer_of(one.customer) for one in book.invoices if one.status == "open"}
    bare = sorted(
        book.customers[one].name
        for one in payers
        if one in book.customers and not book.customers[one].address
    )
    if bare:
        more = f" and {len(bare) - NAMED} more" if len(bare) > NAMED else ""
        yield Finding(
            level="warning",
            subject=examined.subject("channels"),
            text=f"{len(bare)} of {len(payers)} customers who owe something have no postal "
            f"address: no letter reaches {', '.join(bare[:NAMED])}{more}",
            remedy="fill it in in the ledger, or with ar-bridge customer set NAME address=...",
        )

"""Faults in what QuickBooks serves: rows with values that nobody expects."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.sandbox.faults import FaultPlan

Shown = dict[str, Any]

STRUCK: Final[Mapping[str, tuple[str, ...]]] = {
    "Invoice": (
        "null-due-date",
        "null-string",
        "unknown-enum",
        "missing-keys",
        "malformed-row",
        "old-synctoken-in-list",
    ),
    "Customer": ("long-name",),
}
"""Faults that may strike a row of an entity."""

_NULLED: Final = ("PrivateNote", "DocNumber", "BillEmail")
_DROPPED: Final = (
    "MetaData",
    "EmailStatus",
    "DocNumber",
    "TxnTaxDetail",
    "PrintStatus",
    "domain",
    "sparse",
)

LONG_NAME: Final = 300


def struck(shown: Shown, entity: str, faults: FaultPlan, *, is_list: bool) -> Shown:
    """A row with the faults that are ordered for it; once struck, a row stays so."""
    key = f"{entity}/{shown['Id']}"
    wanted = STRUCK[entity]

    def hits(name: str) -> bool:
        return name in wanted and faults.strikes_row(name, key)

    if hits("null-due-date"):
        shown.pop("DueDate", None)
    if hits("unknown-enum"):
        shown["EmailStatus"] = "PendingReview"
    if hits("null-string"):
        shown.update(dict.fromkeys(_NULLED))
    if hits("long-name"):
        shown["DisplayName"] = str(shown["DisplayName"]).ljust(LONG_NAME, "x")
    if hits("malformed-row"):
        shown["Balance"] = "n/a"
        shown["TxnDate"] = "31/02/2019"
    if hits("missing-keys"):
        for name in _DROPPED:
            shown.pop(name, None)
        if "CustomerRef" in shown:
            shown["CustomerRef"] = {"value": shown["CustomerRef"]["value"]}
    if is_list and hits("old-synctoken-in-list"):
        shown["SyncToken"] = str(max(0, int(shown["SyncToken"]) - 1))
    return shown

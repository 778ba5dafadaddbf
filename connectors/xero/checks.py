"""What stands in the way of working with an organisation: findings with remedies. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from connectors.port import Finding
from connectors.xero import wire
from connectors.xero.faults import calls_a_day
from connectors.xero.parse import lock_date
from connectors.xero.timezones import iana_zone

_FEW_INVOICES: Final = frozenset({"STARTER", "EARLY", "IGNITE"})
_MONTHLY: Final = 20
"""Sales invoices that those plans let be approved in a month, by invoice date."""
_NEEDED_ACTIONS: Final = {
    "CreateApprovedInvoice": "post late fees",
    "CreateDraftInvoice": "prepare late fees as drafts",
    "AttachFilesIntoInvoice": "attach letters to invoices",
}
_REVENUE_TYPES: Final = frozenset({"REVENUE", "SALES", "OTHERINCOME"})


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """What was read about an organisation. None: Xero did not let us read it."""

    organisation: wire.XeroOrganisation
    reminders: Sequence[wire.XeroReminders] | None = None
    actions: Sequence[wire.XeroAction] | None = None
    accounts: Sequence[wire.XeroAccount] | None = None
    tax_rates: Sequence[wire.XeroTaxRate] | None = None
    fee_account: str = ""
    fee_tax: str = ""
    invoices_this_month: int | None = None
    """Approved sales invoices of the current month, counted where the plan limits them."""
    calls_left: int | None = None
    """Calls that Xero says are left today."""


def is_small_plan(org: wire.XeroOrganisation) -> bool:
    """Whether the plan limits the number of sales invoices a month."""
    return (org.plan or "").upper() in _FEW_INVOICES


def findings(setup: SetUp) -> list[Finding]:
    """All observations, in the order in which a person would want to read them."""
    return [
        *_organisation(setup.organisation),
        *_plan(setup),
        *_reminders(setup.reminders),
        *_actions(setup.actions),
        *_account(setup),
        *_tax(setup),
        *_calls(setup.calls_left),
    ]


def _organisation(org: wire.XeroOrganisation) -> Iterator[Finding]:
    yield Finding(
        level="ok", subject="organisation", text=f"{org.name or 'unnamed'} in {org.base_currency}"
    )
    if not iana_zone(org.timezone or ""):
        yield Finding(
            level="warning",
            subject="time zone",
            text=f"Xero's time zone {org.timezone!r} is not known here: dates are taken in UTC",
            remedy="set timezone of the book, such as Europe/London, or set it in Xero",
        )
    locked = lock_date(org)
    if locked is not None:
        yield Finding(
            level="ok",
            subject="lock date",
            text=f"documents up to {locked.isoformat()} are locked; fees are dated after it",
        )
    if org.is_demo_company:
        yield Finding(
            level="warning",
            subject="organisation",
            text="this is Xero's demo company: Xero resets it from time to time",
            remedy="connect the real organisation when you are ready",
        )


def _plan(setup: SetUp) -> Iterator[Finding]:
    if not is_small_plan(setup.organisation):
        return
    text = (
        f"the Xero plan {setup.organisation.plan} allows {_MONTHLY} approved sales invoices a "
        "month; every late fee is one of them"
    )
    if setup.invoices_this_month is not None:
        left = max(0, _MONTHLY - setup.invoices_this_month)
        text += f"; {left} are left this month"
    yield Finding(
        level="warning",
        subject="plan",
        text=text,
        remedy="post fees once a month, use the mode draft, or take a larger plan",
    )


def _calls(left: int | None) -> Iterator[Finding]:
    if left is None:
        return
    is_short = left < calls_a_day(left) / 3
    yield Finding(
        level="warning" if is_short else "ok",
        subject="calls",
        text=f"{left} calls to Xero are left today",
        remedy="read less often, or see which other program uses this connection"
        if is_short
        else "",
    )


def _reminders(settings: Sequence[wire.XeroReminders] | None) -> Iterator[Finding]:
    if settings is None:
        yield _unread("invoice reminders", "see in Xero whether its own reminders are off")
    elif any(setting.enabled for setting in settings):
        yield Finding(
            level="warning",
            subject="invoice reminders",
            text="Xero sends reminders of its own: customers would be reminded twice",
            remedy="switch them off in Xero under Business, Invoices, Invoice reminders",
        )


def _actions(actions: Sequence[wire.XeroAction] | None) -> Iterator[Finding]:
    allowed = {action.name: action.status == "ALLOWED" for action in actions or ()}
    if actions is None:
        yield _unread("permissions", "allow reading of settings when you connect the book")
    for name, what in _NEEDED_ACTIONS.items():
        if allowed.get(name) is False:
            yield Finding(
                level="warning",
                subject="permissions",
                text=f"the person who connected this book may not {what} in Xero ({name})",
                remedy="connect the book again as a user who may approve invoices",
            )


def _account(setup: SetUp) -> Iterator[Finding]:
    code = setup.fee_account
    if not code:
        yield Finding(
            level="warning",
            subject="fee account",
            text="no account for late fees is set: fees are planned and not posted",
            remedy="set fee_account of the book to an account code, such as one of type revenue",
        )
        return
    if setup.accounts is None:
        yield _unread("fee account", "allow reading of settings when you connect the book")
        return
    account = next((found for found in setup.accounts if found.code == code), None)
    if account is None:
        revenue = sorted(
            f"{found.code} {found.name}"
            for found in setup.accounts
            if found.code and found.account_class == "REVENUE" and found.status != "ARCHIVED"
        )
        yield Finding(
            level="error",
            subject="fee account",
            text=f"Xero has no account with the code {code}",
            remedy=f"revenue accounts are: {', '.join(revenue[:8]) or 'none'}",
        )
    elif account.status not in (None, "ACTIVE"):
        yield Finding(
            level="error",
            subject="fee account",
            text=f"the account {code} is {account.status} in Xero",
            remedy="restore it in Xero, or set fee_account of the book to another code",
        )
    elif account.account_class not in (None, "REVENUE") or account.type not in (
        None,
        *_REVENUE_TYPES,
    ):
        yield Finding(
            level="warning",
            subject="fee account",
            text=f"the account {code} {account.name or ''} is of type "
            f"{account.type or account.account_class} in Xero and not of revenue",
            remedy="set fee_account of the book to a revenue account, unless you mean this one",
        )
    else:
        yield Finding(
            level="ok", subject="fee account", text=f"{code} {account.name or ''}".strip()
        )


def _tax(setup: SetUp) -> Iterator[Finding]:
    wanted = setup.fee_tax
    if not wanted:
        yield Finding(
            level="warning",
            subject="fee tax",
            text="no tax type for late fees is set: fees are planned and not posted",
            remedy="set fee_tax of the book, NONE for no tax",
        )
        return
    if setup.tax_rates is None:
        yield _unread("fee tax", "allow reading of settings when you connect the book")
        return
    rate = next((found for found in setup.tax_rates if found.tax_type == wanted), None)
    if rate is None and wanted == "NONE":
        yield Finding(level="ok", subject="fee tax", text="NONE")
    elif rate is None:
        known = sorted(found.tax_type for found in setup.tax_rates if found.tax_type)
        yield Finding(
            level="error",
            subject="fee tax",
            text=f"Xero has no tax type {wanted}",
            remedy=f"tax types are: {', '.join(known[:12]) or 'none'}",
        )
    elif rate.status not in (None, "ACTIVE") or rate.can_apply_to_revenue is False:
        yield Finding(
            level="error",
            subject="fee tax",
            text=f"the tax type {wanted} cannot be used on sales in Xero",
            remedy="set fee_tax of the book to a tax type for revenue",
        )
    else:
        yield Finding(level="ok", subject="fee tax", text=f"{wanted} {rate.name or ''}".strip())


def account_trouble(code: str, accounts: Sequence[wire.XeroAccount] | None) -> str:
    """Why no line can be booked to the account; empty where it can, or where nobody knows."""
    if accounts is None:
        return ""
    found = next((one for one in accounts if one.code == code), None)
    if found is None:
        near = [one for one in accounts if (one.name or "").casefold() == code.casefold()]
        meant = f": the account {near[0].name} has the code {near[0].code}" if near else ""
        return f"Xero has no account with the code {code}{meant}"
    if found.status not in (None, "ACTIVE"):
        return f"the account {code} is {found.status} in Xero"
    if found.type == "BANK":
        return f"the account {code} {found.name or ''} is a bank account, which no line goes to"
    return ""


def tax_trouble(wanted: str, rates: Sequence[wire.XeroTaxRate] | None) -> str:
    """Why the tax type cannot be used; empty where it can, or where nobody knows."""
    if rates is None or wanted == "NONE":
        return ""
    found = next((one for one in rates if one.tax_type == wanted), None)
    if found is None:
        known = sorted(one.tax_type for one in rates if one.tax_type)
        return f"Xero has no tax type {wanted}; there are: {', '.join(known[:12]) or 'none'}"
    return "" if found.status in (None, "ACTIVE") else f"the tax type {wanted} is {found.status}"


def _unread(subject: str, remedy: str) -> Finding:
    return Finding(
        level="warning", subject=subject, text="Xero did not let us read this", remedy=remedy
    )

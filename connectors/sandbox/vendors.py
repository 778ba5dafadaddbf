"""What differs from vendor to vendor outside its face."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec

from connectors.sandbox.face import Desk, Face
from connectors.sandbox.ids import QuickBooksIds, VendorIds, XeroIds, realm_from, uuid_from
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.oauth import QUICKBOOKS_TERMS, XERO_TERMS, OAuthTerms
from connectors.sandbox.webhooks import Hook, Wording

LedgerName: TypeAlias = Literal["quickbooks", "xero"]


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two accounting systems."""

    company_id: Callable[[str], str]
    ids: Callable[[str], VendorIds]
    number_limit: int
    keeps_deleted: bool
    terms: OAuthTerms
    face: Callable[[Desk], Face]
    api_path: str
    wording: Callable[[Hook, str, Ledger], Wording]


def _quickbooks_face(desk: Desk) -> Face:
    from connectors.sandbox.quickbooks import QuickBooksFace

    return QuickBooksFace(desk)


def _xero_face(desk: Desk) -> Face:
    from connectors.sandbox.xero import XeroFace

    return XeroFace(desk)


def _quickbooks_wording(hook: Hook, company_id: str, ledger: Ledger) -> Wording:
    from connectors.sandbox.quickbooks.telling import QuickBooksWording

    return QuickBooksWording(company_id, is_legacy=hook.shape == "legacy")


def _xero_wording(hook: Hook, company_id: str, ledger: Ledger) -> Wording:
    from connectors.sandbox.xero.telling import XeroWording

    return XeroWording(company_id, ledger)


VENDORS: Mapping[str, Vendor] = {
    "quickbooks": Vendor(
        company_id=realm_from,
        ids=lambda company: QuickBooksIds(),
        number_limit=21,
        keeps_deleted=False,
        terms=QUICKBOOKS_TERMS,
        face=_quickbooks_face,
        api_path="",
        wording=_quickbooks_wording,
    ),
    "xero": Vendor(
        company_id=lambda company: uuid_from(f"tenant|{company}"),
        ids=XeroIds,
        number_limit=255,
        keeps_deleted=True,
        terms=XERO_TERMS,
        face=_xero_face,
        api_path="/api.xro/2.0",
        wording=_xero_wording,
    ),
}

"""Which permission a path of Xero takes, and what a refusal says of it."""

import httpx
import pytest

from connectors.dialect import Answer
from connectors.xero.faults import lacking
from connectors.xero.permissions import NEEDED, PURPOSES, SCOPES, permission_for

BASE = "/api.xro/2.0"


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("Invoices", "accounting.invoices"),
        ("Invoices/1/History", "accounting.invoices"),
        ("Invoices/1/Attachments/letter.pdf", "accounting.attachments"),
        ("CreditNotes/1/Allocations", "accounting.invoices"),
        ("Payments", "accounting.payments.read"),
        ("Contacts/1/History", "accounting.contacts"),
        ("ContactGroups/1/Contacts", "accounting.contacts"),
        ("Organisation/Actions", "accounting.settings.read"),
        ("TaxRates", "accounting.settings.read"),
        ("connections", ""),
    ],
)
def test_a_path_takes_a_permission(path: str, permission: str) -> None:
    assert permission_for(f"{BASE}/{path}") == permission


def test_every_permission_has_its_purpose_and_what_is_needed_is_asked_for() -> None:
    assert set(PURPOSES) == {*SCOPES, "offline_access"} > NEEDED


def _refusal(detail: str, **headers: str) -> Answer:
    content = b'{"Title":"Unauthorized","Status":401,"Detail":"%s"}' % detail.encode()
    return Answer(status=401, headers=httpx.Headers(headers), content=content)


def test_only_a_permission_that_lacks_is_one() -> None:
    path = f"{BASE}/Payments"
    assert lacking(_refusal("AuthorizationUnsuccessful"), path) == "accounting.payments.read"
    header = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
    assert lacking(_refusal("", **header), path) == "accounting.payments.read"
    assert lacking(_refusal("AuthenticationUnsuccessful"), path) == ""
    assert lacking(_refusal("TokenExpired"), path) == ""

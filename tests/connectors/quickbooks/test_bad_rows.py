"""What a row that cannot be read still tells: whose it is, and which invoices it settles."""

from typing import Any

import msgspec
import pytest

from connectors.quickbooks.answers import customer_of, invoices_of
from rules.model.ids import CustomerId
from tests.connectors.quickbooks.canned import START, CannedCompany, an_invoice, connected

MONEY = {"CustomerRef": {"value": "7", "name": "North"}, "TxnDate": "2026-03-01"}
LINKED = [{"Amount": "x", "LinkedTxn": [{"TxnId": "55", "TxnType": "Invoice"}]}]


def bad_rows() -> dict[str, list[Any]]:
    return {
        "Customer": [{"Id": "7", "ParentRef": 5}],
        "Invoice": [{**an_invoice(3), "CustomerRef": {"value": "7"}, "Balance": "abc"}],
        "Payment": [
            {"Id": "4", **MONEY, "TotalAmt": "abc"},
            {"Id": "5", "TxnDate": "2026-03-01", "TotalAmt": 5, "Line": LINKED},
        ],
        "CreditMemo": [{"Id": "6", **MONEY, "TotalAmt": None}],
    }


def test_every_kind_of_record_tells_whose_it_is() -> None:
    company = CannedCompany(**bad_rows())
    bad = [row for page in connected(company).pull() for row in page.quarantined]
    assert {(row.entity, row.id): (row.customer, row.invoices) for row in bad} == {
        ("customers", "7"): ("7", ()),
        ("invoices", "3"): ("7", ()),
        ("payments", "4"): ("7", ()),
        ("payments", "5"): ("", ("55",)),
        ("credits", "6"): ("7", ()),
    }


def test_money_that_cannot_be_read_just_before_acting_is_named() -> None:
    rows = bad_rows()
    rows["Payment"].append({"Id": "8", **MONEY, "TotalAmt": 5})
    connector = connected(CannedCompany(Payment=rows["Payment"], CreditMemo=rows["CreditMemo"]))
    found = connector.read_money([CustomerId("7")], START)
    assert [row.id for row in found.records] == ["8"]
    assert {(row.entity, row.id, row.customer) for row in found.quarantined} == {
        ("payments", "4", "7"),
        ("payments", "5", ""),
        ("credits", "6", "7"),
    }


def test_rows_without_an_id_are_named_for_each_customer() -> None:
    rows = [{**an_invoice(1), "CustomerRef": {"value": name}} for name in ("7", "8")]
    for row in rows:
        del row["Id"]
    bad = [r for page in connected(CannedCompany(Invoice=rows)).pull() for r in page.quarantined]
    assert sorted(row.customer for row in bad) == ["7", "8"]


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "null",
        "[]",
        "{",
        '{"CustomerRef": null, "Line": null}',
        '{"CustomerRef": [7], "Line": [1, {"LinkedTxn": 3}]}',
        '{"CustomerRef": {"value": {}}, "Line": [{"LinkedTxn": {"TxnType": "Invoice"}}]}',
        '{"CustomerRef": {"value": "a\\u0000b"}}',
        '{"CustomerRef": {"value": "%s"}}' % ("9" * 81),
        '{"CustomerRef": {"value": true}}',
        "[" * 5000 + "]" * 5000,
    ],
)
def test_looking_at_a_bad_row_never_fails(text: str) -> None:
    raw = msgspec.Raw(text.encode())
    assert (customer_of("invoices", raw), invoices_of(raw)) == ("", ())


def test_an_id_may_be_a_number() -> None:
    assert customer_of("payments", msgspec.Raw(b'{"CustomerRef": {"value": 7}}')) == "7"

"""Exports of open invoices: what is read, and that nothing is dropped in silence."""

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.bookfile import BookFileError, Events, read_events
from connectors.bookfile.csv_cells import CellError, has_decimal_comma, read_amount, read_day
from rules.model.book import Book
from rules.model.events import fold
from tests.shared_material import shared

AS_OF = date(2026, 10, 27)


def read(tmp_path: Path, text: str, name: str = "open.csv") -> Events:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return read_events(path)


def book_of(found: Events) -> Book:
    folded = fold(found.events, AS_OF)
    assert folded.problems == ()
    return folded.book


def said(found: Events) -> list[str]:
    return [str(problem) for problem in found.problems]


QUICKBOOKS_REPORT = """\
Harbour Lane Supplies Ltd
Open Invoices
"As of October 27, 2026"

,Date,Transaction Type,Num,Terms,Due Date,Amount,Open Balance
North Ltd,,,,,,,
,10/13/2026,Invoice,1007,Net 30,11/12/2026,"1,200.00","800.00"
,09/01/2026,Invoice,1001,Net 30,10/01/2026,50.00,50.00
,10/20/2026,Credit Memo,CM-3,,,"(25.00)","(25.00)"
Total for North Ltd,,,,,,"$1,225.00","$825.00"
South & Sons,,,,,,,
,10/02/2026,Payment,,,,-40.00,-40.00
,09/05/2026,Invoice,1002,,,10.00,10.00
Total for South & Sons,,,,,,-$30.00,-$30.00
TOTAL,,,,,,"$1,195.00","$795.00"

"Tuesday, October 27, 2026 03:12 PM GMT+01:00"
"""


def test_a_quickbooks_report_grouped_by_customer(tmp_path: Path) -> None:
    found = read(tmp_path, QUICKBOOKS_REPORT)
    assert said(found) == [
        "open.csv:1: no currency is named anywhere: amounts are read as USD "
        "(add a column Currency with codes such as GBP)"
    ]
    book = book_of(found)
    assert {each.id: each.name for each in book.customers.values()} == {
        "north-ltd": "North Ltd",
        "south-sons": "South & Sons",
    }
    rows = {each.number: each for each in book.invoices}
    assert (rows["1007"].issued_on, rows["1007"].due_on) == (date(2026, 10, 13), date(2026, 11, 12))
    assert (rows["1007"].total, rows["1007"].balance) == (120000, 80000)
    assert rows["1001"].balance == 5000
    assert rows["1002"].due_on is None
    assert [(each.number, each.remaining) for each in book.credits] == [("CM-3", 2500)]
    assert [each.unapplied for each in book.payments if not each.allocations] == [4000]


def test_a_quickbooks_list(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "\ufeffDate,Transaction type,Num,Customer full name,Due date,Amount,Open balance,Currency\n"
        "27/10/2026,Invoice,1007,North Ltd,26/11/2026,£1200.00,£800.00,GBP\n",
    )
    assert said(found) == []
    (invoice,) = book_of(found).invoices
    assert (invoice.currency, invoice.total, invoice.balance) == ("GBP", 120000, 80000)
    assert invoice.sent is True


def test_a_xero_export_has_one_row_per_line_of_an_invoice(tmp_path: Path) -> None:
    header = (
        "ContactName,EmailAddress,InvoiceNumber,Reference,InvoiceDate,DueDate,Total,TaxTotal,"
        "InvoiceAmountPaid,InvoiceAmountDue,Currency,Type,Sent,Status\n"
    )
    line = (
        "North Ltd,ap@north.example,INV-7,PO 9,01 Oct 2026,31 Oct 2026,120.00,20.00,20.00,100.00,"
        "GBP,Sales invoice,{},Awaiting Payment\n"
    )
    found = read(tmp_path, header + line.format("Sent") * 2 + line.replace("7", "8").format(""))
    assert said(found) == []
    book = book_of(found)
    assert [(each.number, each.balance, each.sent) for each in book.invoices] == [
        ("INV-7", 10000, True),
        ("INV-8", 10000, None),
    ]
    assert book.invoices[0].tax == 2000
    assert book.invoices[0].reference == "PO 9"
    assert book.customers[book.invoices[0].customer].email == "ap@north.example"


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "Customer;Invoice number;Date;Due date;Total;Amount due;Currency\r\n"
        "Nord GmbH;R-1;13.10.2026;12.11.2026;1.234,50 €;1.234,50 €;EUR\r\n"
        "Nord GmbH;R-2;03.10.2026;02.11.2026;1.000;(12,00);EUR\r\n",
    )
    assert said(found) == []
    book = book_of(found)
    assert [(each.number, each.balance) for each in book.invoices] == [("R-1", 123450)]
    assert book.invoices[0].due_on == date(2026, 11, 12)
    assert [(each.number, each.remaining) for each in book.credits] == [("R-2", 1200)]


def test_missing_columns_are_all_named_with_the_nearest(tmp_path: Path) -> None:
    found = read(tmp_path, "Customer,Numbr,Date,Amount\nNorth Ltd,1,2026-10-01,5\n")
    assert found.events == []
    seen = "found: 'Customer', 'Numbr', 'Date', 'Amount')"
    assert said(found) == [
        "open.csv:1: column number ('num' or 'invoicenumber' or 'invoice number') is missing "
        f"(is it 'Numbr'? Call it 'num'; {seen}",
        f"open.csv:1: column due ('due date' or 'duedate' or 'due') is missing ({seen}",
        "open.csv:1: column open ('open balance' or 'invoiceamountdue' or 'amountdue') is missing "
        f"({seen}",
    ]


def test_no_header_at_all(tmp_path: Path) -> None:
    assert "no row of headers" in said(read(tmp_path, "a,b\n1,2\n"))[0]


HEAD = "Customer,Num,Date,Due date,Amount,Open balance,Currency\n"


def test_every_bad_row_is_named_and_the_good_ones_are_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        HEAD
        + "North,1,2026-10-01,2026-10-31,5,5,GBP\n"
        + "North,2,2026-13-01,soon,five,5.005,GBP\n"
        + ",3,2026-10-01,2026-10-31,5,5,GBP\n"
        + "\n"
        + "North,,,2026-10-31,5,,GBP\n"
        + "North,4,2026-10-01,2026-10-31,5,5,GBP\n"
        + "North,4,2026-10-01,2026-10-31,6,6,GBP\n"
        + "Total,,,,10,10,\n",
    )
    messages = said(found)
    assert [text.split(": ", 1)[0] for text in messages] == [
        "open.csv:3",
        "open.csv:4",
        "open.csv:6",
        "open.csv:8",
    ]
    for part in ("date: '2026-13-01'", "due date: 'soon'", "total: 'five'", "5.005 has more"):
        assert part in messages[0]
    assert "the customer is missing" in messages[1]
    assert "number is missing; the date is missing; the open balance is missing" in messages[2]
    assert "4 is also in line 7, with other figures" in messages[3]
    assert [each.number for each in book_of(found).invoices] == ["1", "4"]


def test_two_customers_may_share_a_number(tmp_path: Path) -> None:
    row = "{},1,2026-10-01,2026-10-31,5,5,GBP\n"
    found = read(tmp_path, HEAD + row.format("North") + row.format("South"))
    assert said(found) == []
    assert [each.id for each in book_of(found).invoices] == ["1", "1/south"]


def test_other_kinds_of_documents_are_reported(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        HEAD.replace("Num", "Num,Type") + "North,1,Journal Entry,2026-10-01,,5,5,GBP\n",
    )
    assert "'Journal Entry' is no invoice, credit or payment" in said(found)[0]


def test_day_and_month_are_decided_by_the_whole_column(tmp_path: Path) -> None:
    rows = "North,1,03/04/2026,03/05/2026,5,5,GBP\nNorth,2,{},,5,5,GBP\n"
    british = book_of(read(tmp_path, HEAD + rows.format("13/04/2026")))
    assert british.invoices[0].issued_on == date(2026, 4, 3)
    american = book_of(read(tmp_path, HEAD + rows.format("04/13/2026")))
    assert american.invoices[0].issued_on == date(2026, 3, 4)


def test_dates_that_nothing_decides_are_not_guessed_at(tmp_path: Path) -> None:
    rows = (
        "North,1,03/04/2026,03/05/2026,5,5,GBP\n"
        "North,2,04/04/2026,04/05/2026,5,5,GBP\n"
        "North,3,04/04/2026,05/05/2026,5,5,GBP\n"
    )
    found = read(tmp_path, HEAD + rows)
    (problem,) = said(found)
    assert problem.startswith("open.csv:2: '03/04/2026' can be read with the day or the month")
    assert "so are lines 3" in problem
    assert [each.number for each in book_of(found).invoices] == ["3"]
    stated = read(tmp_path, HEAD.replace("Date", "Date (DD/MM/YYYY)", 1) + rows)
    assert said(stated) == []
    assert book_of(stated).invoices[0].issued_on == date(2026, 4, 3)


def test_columns_written_both_ways(tmp_path: Path) -> None:
    rows = "North,1,13/04/2026,,5,5,GBP\nNorth,2,04/14/2026,,5,5,GBP\nNorth,3,03/04/2026,,5,5,GBP\n"
    found = read(tmp_path, HEAD + rows)
    assert "other rows are written both ways" in said(found)[0]
    assert [each.number for each in book_of(found).invoices] == ["1", "2"]


def test_a_customer_may_be_called_total(tmp_path: Path) -> None:
    grouped = read(tmp_path, QUICKBOOKS_REPORT.replace("South & Sons", "Total Catering Ltd"))
    rows = {each.number: each.customer for each in book_of(grouped).invoices}
    assert rows == {"1007": "north-ltd", "1001": "north-ltd", "1002": "total-catering-ltd"}
    listed = read(tmp_path, HEAD + "Total Catering,1,2026-10-01,,5,5,GBP\n")
    assert len(book_of(listed).invoices) == 1


def test_a_heading_without_invoices_is_reported(tmp_path: Path) -> None:
    found = read(tmp_path, QUICKBOOKS_REPORT.replace("TOTAL,", "Lost row,\nTOTAL,"))
    assert any("'Lost row' stands alone" in text for text in said(found))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1,234.56", "1234.56"),
        ("$1,234", "1234"),
        ("(1,234.50)", "-1234.50"),
        ("-£5.00", "-5.00"),
        ("5.00-", "-5.00"),
        ("\u22125", "-5"),
        ("GBP 12", "12"),
        ("1 234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("12,34,567.00", "1234567.00"),
        (".5", "0.5"),
    ],
)
def test_amounts(cell: str, value: str) -> None:
    assert read_amount(cell, decimal_comma=False) == Decimal(value)


@pytest.mark.parametrize("cell", ["", "abc", "1,23", "1.2.3", "--5", "1,2345"])
def test_no_amounts(cell: str) -> None:
    with pytest.raises(CellError):
        read_amount(cell, decimal_comma=False)


def test_the_column_decides_about_commas() -> None:
    assert has_decimal_comma(["1.234,50", "3"])
    assert not has_decimal_comma(["1,234", "3.50"])
    assert not has_decimal_comma(["1,234"])
    assert read_amount("1.234", decimal_comma=True) == 1234


@pytest.mark.parametrize(
    "cell",
    ["2026-10-05", "2026-10-05T00:00:00", "5 Oct 2026", "05-Oct-26", "Oct 5, 2026", "5 Sept 2026"],
)
def test_dates(cell: str) -> None:
    assert read_day(cell, "unclear") == date(2026, 9 if "Sept" in cell else 10, 5)


def test_json_lines_plain_and_packed(tmp_path: Path) -> None:
    lines = (
        '\ufeff{"t":"company","id":"a","base_currency":"GBP"}\n\nnot json\n[1]\n'
        '{"t":"customer","id":"C1","date":"2026-01-01","name":"One\u2028Line"}\n'
    )
    plain = read(tmp_path, lines, "book.jsonl")
    packed = tmp_path / "book.jsonl.gz"
    packed.write_bytes(gzip.compress(lines.encode()))
    assert read_events(packed).events == plain.events
    assert [event["_line"] for event in plain.events] == [1, 5]
    assert [text.split(": ")[0] for text in said(plain)] == ["book.jsonl:3", "book.jsonl:4"]


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(BookFileError, match="there is no book file"):
        read_events(tmp_path / "absent.jsonl")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"x" * 5000)[:-9])
    with pytest.raises(BookFileError, match="cannot be read"):
        read_events(tmp_path / "cut.jsonl.gz")
    assert said(read(tmp_path, " \n", "empty.jsonl")) == [
        "empty.jsonl:1: the file is empty "
        "(a book file has one event a line, or is a CSV of open invoices)"
    ]


def test_real_receivables_are_read_whole() -> None:
    found = read_events(shared("data/book_grocers_small.jsonl.gz"))
    assert found.problems == ()
    assert sum(event["t"] == "invoice" for event in found.events) == 1042

"""Where to pay, and copies of invoices: filled in as the mail leaves, left out where they cannot
be had."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from ar_bridge import audit, enclosing
from connectors.errors import AuthorizationError, ConnectorError, TransientError
from connectors.port import Connector
from rules.model import InvoiceId
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import Office, text_of

TODAY = "2026-06-04"
ONE = [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]
TWO = [*ONE, invoice("N/2", "North", "2026-05-31")]
WITH_COPY = policy(stage='attach = ["invoice"]')


class Counter:
    """A ledger whose links and copies are counted, and may fail."""

    def __init__(
        self, real: Any, *, problem: ConnectorError | None = None, copy: bytes | None = None
    ) -> None:
        self._real = real
        self._problem = problem
        self._copy = copy
        self.asked: list[InvoiceId] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def online_link(self, invoice: InvoiceId) -> str:
        self.asked.append(invoice)
        if self._problem is not None:
            raise self._problem
        link: str = self._real.online_link(invoice)
        return link

    def pdf(self, invoice: InvoiceId) -> bytes:
        if self._problem is not None:
            raise self._problem
        found: bytes = self._real.pdf(invoice) if self._copy is None else self._copy
        return found


def watched(office: Office, **how: Any) -> Counter:
    counter = Counter(office.desk.connector, **how)
    office.desk = replace(office.desk, connector=cast("Connector", counter))
    return counter


def copies(office: Office) -> list[tuple[str, bytes]]:
    (mail,) = office.mails
    return [
        (str(part.get_filename()), part.get_content())
        for part in mail.parsed().iter_attachments()
        if part.get_content_type() == "application/pdf"
    ]


def remarks(office: Office) -> Sequence[str]:
    with office.desk.store.read() as conn:
        (entry,) = audit.history(conn, events=("ReminderSent",))
    assert entry.payload is not None
    return [one["note"] for one in entry.payload["receipts"] if one["note"]]


def test_the_mail_says_where_to_pay(an_office: Opens) -> None:
    office = an_office(*ONE, policy=policy(), today=TODAY)
    office.run()
    (mail,) = office.mails
    link = cast("Any", office.desk.connector).online_link(office.invoice_id("N-1"))
    assert link.startswith("http")
    assert f"Pay online: {link}" in text_of(mail)
    html = mail.parsed().get_body(("html",))
    assert html is not None and f'href="{link}"' in html.get_content()
    assert copies(office) == [] and remarks(office) == []


def test_each_of_several_invoices_has_its_link_and_its_copy(an_office: Opens) -> None:
    office = an_office(*TWO, policy=WITH_COPY, today=TODAY)
    office.run()
    (mail,) = office.mails
    lines = text_of(mail).replace("\r\n", "\n").split("\n")
    at = lines.index("Pay online:")
    assert [line.split()[0] for line in lines[at + 1 : at + 3]] == ["N/2", "N-1"]
    assert len({line.split()[1] for line in lines[at + 1 : at + 3]}) == 2
    assert [name for name, _ in copies(office)] == ["N-2.pdf", "N-1.pdf"]
    assert all(content.startswith(b"%PDF") for _, content in copies(office))


def test_a_late_fee_has_a_link_of_its_own(an_office: Opens) -> None:
    office = an_office(*ONE, policy=policy(fee=flat_fee()), today=TODAY)
    office.run()
    (mail,), (fee,) = office.mails, office.records.fees
    text = text_of(mail)
    link = cast("Any", office.desk.connector).online_link(fee.id)
    if link:
        assert [line.split() for line in text.splitlines() if link in line] == [[fee.number, link]]
        assert "Pay online:" in text.splitlines()
    else:
        # QuickBooks has one for a document with an address only: then the invoice's stands alone.
        assert office.ledger == "quickbooks"
        assert len([line for line in text.splitlines() if line.startswith("Pay online: ")]) == 1


@pytest.mark.parametrize(
    "problem", [TransientError("the ledger is busy"), AuthorizationError("not for us")]
)
def test_a_mail_never_waits_for_them(an_office: Opens, problem: ConnectorError) -> None:
    office = an_office(*ONE, policy=WITH_COPY, today=TODAY)
    watched(office, problem=problem)
    office.run()
    (mail,) = office.mails
    assert "Pay online" not in text_of(mail) and "pay_link" not in text_of(mail)
    assert copies(office) == []
    (remark,) = remarks(office)
    assert "link to pay N-1 online" in remark and "copy of N-1" in remark
    assert problem.message in remark


def test_they_are_asked_for_only_when_a_mail_goes_out(an_office: Opens) -> None:
    office = an_office(*ONE, policy=policy(), today=TODAY, mode="approve")
    counter = watched(office)
    office.run()
    assert counter.asked == []
    office.approve_all()
    office.apply()
    office.run()
    assert counter.asked == [office.invoice_id("N-1")]


def test_copies_that_are_too_large_together_stay_behind(an_office: Opens) -> None:
    office = an_office(*TWO, policy=WITH_COPY, today=TODAY)
    watched(office, copy=b"%PDF" + b"x" * (enclosing.MOST_BYTES * 2 // 3))
    office.run()
    assert [name for name, _ in copies(office)] == ["N-2.pdf"]
    (remark,) = remarks(office)
    assert remark == "left out: the copy of N-1: the mail would be too large"


def test_a_book_without_links_keeps_the_mail_as_it_was(an_office: Opens) -> None:
    office = an_office(*ONE, policy=WITH_COPY, today=TODAY)
    watched(office, copy=b"")
    office.run()
    assert copies(office) == []
    assert remarks(office) == ["left out: the copy of N-1: the ledger prints none"]

"""What every connector has to read, and how."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from connectors.conformance.looking import ENTITIES, LONG_AGO, ids_of, invoice_of
from connectors.conformance.subject import Subject
from rules.actions.effects import EFFECT_NAMES


class Reading:
    """The company, the pull, reading again."""

    def test_capabilities_are_words_of_the_port(self, subject: Subject) -> None:
        capabilities = subject.connector.capabilities
        assert capabilities.ledger
        assert capabilities.effects <= set(EFFECT_NAMES.values()) - {"send_message"}
        assert capabilities.note_limit > 0 and capabilities.read_batch > 0

    def test_the_company_is_known(self, subject: Subject) -> None:
        company = subject.connector.check().company
        assert company.id
        assert len(company.base_currency) == 3
        assert ZoneInfo(company.timezone)

    def test_a_pull_ends_with_a_cursor_and_only_there(self, subject: Subject) -> None:
        pages = list(subject.connector.pull())
        assert pages, "an empty ledger has empty pages, not none"
        assert {page.entity for page in pages} <= set(ENTITIES)
        assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]
        cursor = pages[-1].cursor
        assert cursor is not None and cursor.at.utcoffset() == timedelta(0)

    def test_a_pull_gives_every_record_once(self, subject: Subject) -> None:
        pages = list(subject.connector.pull())
        assert [bad for page in pages for bad in page.quarantined] == []
        for entity in ENTITIES:
            ids = ids_of(pages, entity)
            assert len(ids) == len(set(ids)), f"{entity} come twice"
        assert subject.invoice in ids_of(pages, "invoices")
        assert subject.customer in ids_of(pages, "customers")

    def test_a_pull_can_be_repeated(self, subject: Subject) -> None:
        first, second = list(subject.connector.pull()), list(subject.connector.pull())
        for entity in ENTITIES:
            assert ids_of(first, entity) == ids_of(second, entity)

    def test_money_is_whole_minor_units(self, subject: Subject) -> None:
        amounts = [
            getattr(record, name)
            for page in subject.connector.pull()
            for record in page.records
            for name in ("total", "balance", "tax", "fee_lines", "amount", "remaining")
            if hasattr(record, name)
        ]
        assert amounts and all(type(amount) is int for amount in amounts)

    def test_a_later_pull_goes_on_from_the_cursor(self, subject: Subject) -> None:
        cursor = list(subject.connector.pull())[-1].cursor
        pages = list(subject.connector.pull(cursor))
        assert pages and pages[-1].cursor is not None and cursor is not None
        assert pages[-1].cursor.at >= cursor.at

    def test_reading_again_gives_what_was_pulled(self, subject: Subject) -> None:
        pulled = invoice_of(list(subject.connector.pull()), subject.invoice)
        reading = subject.connector.read([subject.invoice])
        assert list(reading.invoices) == [pulled]
        assert not reading.missing and not reading.quarantined

    def test_reading_again_names_what_is_missing(self, subject: Subject) -> None:
        asked = [subject.missing, subject.invoice, *subject.others, subject.invoice]
        reading = subject.connector.read(asked)
        assert list(reading.missing) == [subject.missing]
        got = [invoice.id for invoice in reading.invoices]
        assert sorted(got) == sorted({subject.invoice, *subject.others})

    def test_reading_nothing_is_nothing(self, subject: Subject) -> None:
        reading = subject.connector.read([])
        assert not reading.invoices and not reading.missing

    def test_credits_are_those_of_the_customers_asked_for(self, subject: Subject) -> None:
        found = subject.connector.read_credits([subject.customer], LONG_AGO)
        assert {record.customer for record in found} <= {subject.customer}

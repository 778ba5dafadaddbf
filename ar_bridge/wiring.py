"""The composition root: from settings to an open book with everything that works on it."""

import hashlib
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from email.utils import parseaddr
from typing import TypeAlias

import httpx
import msgspec
from pydantic import BaseModel
from sqlalchemy import Connection

from ar_bridge import kill_switch
from ar_bridge.agenda import basis_of
from ar_bridge.book_loader import closed_remembered, load_book
from ar_bridge.channels.eml import EmlDrafts
from ar_bridge.channels.letter import LetterFiles
from ar_bridge.channels.mime import MailFrom
from ar_bridge.channels.port import Channel
from ar_bridge.channels.smtp import SmtpChannel, SmtpServer
from ar_bridge.channels.webhook import Gateway, WebhookChannel
from ar_bridge.connected import database_url as database_url
from ar_bridge.connected import stored_book
from ar_bridge.context import BookContext, localized
from ar_bridge.drafts import SendAt
from ar_bridge.errors import SetupError
from ar_bridge.facts_file import load_facts
from ar_bridge.found_notes import with_found
from ar_bridge.handed_log import HandedLog
from ar_bridge.holiday_sets import holiday_set
from ar_bridge.home import Home
from ar_bridge.messages.reaching import Render
from ar_bridge.messages.recipients import Unreachable
from ar_bridge.messages.render import render, shipped_templates
from ar_bridge.messages.sender import Sender
from ar_bridge.messages.templates import Templates
from ar_bridge.policies import read_policy
from ar_bridge.settings import BookSettings, GatewaySettings, MailSettings, Settings
from ar_bridge.shared_budget import SharedBudget, shared_budget
from ar_bridge.store import books
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store, open_store
from ar_bridge.token_alarm import alarms, warn_before_the_end
from ar_bridge.vault import StoreVault
from ar_bridge.vault_keys import VaultKeys
from connectors.port import Clock, Connector, Finding, TellsMore, Told
from connectors.table import BookConnection, consent_of, open_connector
from rules.actions.action import Action, RenderedMessage
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.calendar import BusinessCalendar, local_date, send_instant
from rules.model import Account, Book, Company, HolidaySet
from rules.policy.asked import asks_how_customers_pay
from rules.policy.schema import Policy, versioned
from rules.policy.versions import DatedPolicy

Holidays: TypeAlias = Mapping[str, HolidaySet]


def policy_of(settings: BookSettings, on: date) -> Policy:
    """The policy in force on a day, which knows its other versions.

    Raises SetupError for a version that cannot be read, and where none is in force.
    """
    if settings.policy is not None:
        return read_policy(str(settings.policy)).on(on)
    if not any(version.from_ <= on for version in settings.policies):
        raise SetupError(
            f"book {settings.name} has no policy in force on {on}",
            remedy="give one of its policies an earlier `from`",
        )
    versions = [
        DatedPolicy(version.from_, read_policy(str(version.file))) for version in settings.policies
    ]
    return versioned(versions, on)


def connection_of(
    settings: BookSettings,
    store: Store,
    home: Home,
    clock: Clock,
    *,
    company_id: str,
    base_currency: str = "",
    inner: httpx.BaseTransport | None = None,
    on_call: Callable[[str], None] = lambda sort: None,
) -> BookConnection:
    """What a connector needs to reach this book."""
    return BookConnection(
        company_id=company_id,
        clock=clock,
        vault=vault_of(store, home, clock, settings.ledger, company_id),
        client_id=settings.client_id,
        client_secret=settings.secret,
        grant=settings.grant,
        api_url=settings.api_url or "",
        authorize_url=settings.authorize_url or "",
        token_url=settings.token_url or "",
        connections_url=settings.connections_url or "",
        revoke_url=settings.revoke_url or "",
        fee_account=settings.fee_account,
        fee_tax=settings.fee_tax,
        base_currency=base_currency,
        file=settings.file,
        inner=inner,
        on_call=on_call,
        budget=budget_of(settings, home, company_id),
    )


def budget_of(settings: BookSettings, home: Home, company_id: str) -> SharedBudget | None:
    """Where the calls of a book are counted, for every process; None where nobody counts."""
    if consent_of(settings.ledger) is None:
        return None
    root = home.create().root
    return shared_budget(root, settings.ledger, company_id, settings.api_url or "")


def with_told(book: Book, told: Told) -> Book:
    """The book with what its own source knows besides: our own records come first."""
    ours = {item.key for item in book.served}
    charged = {fee.document for fee in book.fees}
    return msgspec.structs.replace(
        book,
        commitments=[*book.commitments, *told.commitments],
        served=[*book.served, *(item for item in told.served if item.key not in ours)],
        fees=[*book.fees, *(fee for fee in told.fees if fee.document not in charged)],
        waivers=[*book.waivers, *told.waivers],
    )


def vault_of(store: Store, home: Home, clock: Clock, ledger: str, company_id: str) -> StoreVault:
    """Where the tokens of a connection are kept, encrypted."""
    keys = VaultKeys(home.create().key)
    return StoreVault(store, keys, clock, home=home.root, ledger=ledger, company_id=company_id)


def connected_row(store: Store, settings: BookSettings) -> BookRow:
    """The stored book of this configuration. Raises SetupError where it was never connected."""
    return localized(stored_book(store, settings), settings.timezone)


@contextmanager
def open_book(
    settings: Settings,
    book: BookSettings,
    home: Home,
    clock: Clock,
    *,
    inner: httpx.BaseTransport | None = None,
    worker: str = "ar-bridge",
    on_call: Callable[[str], None] = lambda sort: None,
) -> Iterator[BookContext]:
    """Open a connected book for work; closes sockets and files at the end.

    Raises SetupError, PolicyError or AuthorizationError.
    """
    with ExitStack() as stack:
        store = open_store(database_url(settings, home))
        stack.callback(store.close)
        row = connected_row(store, book)
        today = local_date(clock.now(), row.company.timezone)
        policy = policy_of(book, today)
        connection = connection_of(
            book,
            store,
            home,
            clock,
            company_id=row.company_id,
            base_currency=row.company.base_currency,
            inner=inner,
            on_call=on_call,
        )
        if connection.vault is not None and consent_of(book.ledger) is not None:
            warn_before_the_end(connection.vault, clock, book=book.name)
        connector = open_connector(book.ledger, connection)
        stack.callback(connector.close)
        yield desk(settings, book, home, clock, store, row, policy, connector, worker=worker)


def desk(
    settings: Settings,
    book: BookSettings,
    home: Home,
    clock: Clock,
    store: Store,
    row: BookRow,
    policy: Policy,
    connector: Connector,
    *,
    worker: str = "ar-bridge",
) -> BookContext:
    """Put the parts of an open book together."""
    facts = load_facts(book.customers)
    with_settled = asks_how_customers_pay(policy)
    account_stages = frozenset(
        name
        for stage in policy.stage
        if stage.scope == "customer"
        for name in (stage.id, *stage.was)
    )
    holidays = holidays_for(policy, row.company, clock.now())
    mail = book.mail or settings.mail
    templates = templates_of(home)
    channels = channels_of(mail, home, clock, book.gateway or settings.gateway)
    sender = sender_of(settings, book, row.company)

    def load(
        conn: Connection, on: date, customers: Collection[str] | None, without: Collection[int]
    ) -> Book:
        loaded = load_book(
            conn,
            localized(books.get(conn, row.id), book.timezone),
            as_of=on,
            now=clock.now(),
            holidays=holidays,
            facts=facts,
            customers=customers,
            without=without,
            closed_within=closed_remembered(policy),
            with_settled=with_settled,
            account_stages=account_stages,
        )
        loaded = with_found(conn, row.id, loaded, policy, on)
        return with_told(loaded, connector.told(on)) if isinstance(connector, TellsMore) else loaded

    return BookContext(
        store=store,
        clock=clock,
        book_id=row.id,
        name=book.name,
        company=row.company,
        policy=policy,
        policy_hash=_hash(policy, templates),
        mode=book.mode,
        connector=connector,
        channels=channels,
        load=load,
        render=renderer(sender, templates, frozenset(channels)),
        send_at=sending_times(policy, holidays, clock),
        mode_of=lambda customer: facts.mode(
            customer, local_date(clock.now(), row.company.timezone)
        ),
        fee_account=book.fee_account,
        fee_tax=book.fee_tax,
        bad_debt_account=book.bad_debt_account,
        bad_debt_tax=book.bad_debt_tax,
        templates=templates,
        message_domain=mail.domain or "ar-bridge.invalid",
        worker=worker,
        timezone=book.timezone or "",
        facts=facts,
        basis=basis_of(facts, sender, holidays, sorted(channels), *map(_plain, (book, mail))),
        reconcile_every=book.reconciles_after,
        heads=home.audit_heads,
        handed=HandedLog(home.handed_over),
        brief=book.brief or settings.brief,
        alarms=lambda: _alarms(book, store, home, clock, row.company_id),
        on_unknown=mail.on_unknown,
        stopped=kill_switch.watch(home, book.name),
    )


def _alarms(
    book: BookSettings, store: Store, home: Home, clock: Clock, company_id: str
) -> list[Finding]:
    """When the connection ends, where that is soon; a vault without its key is said elsewhere."""
    if consent_of(book.ledger) is None:
        return []
    tokens = vault_of(store, home, clock, book.ledger, company_id).load()
    return alarms(tokens, clock.now(), book=shlex.quote(book.name)) if tokens is not None else []


def _plain(settings: BaseModel) -> object:
    return settings.model_dump(mode="json")  # secrets are masked


def channels_of(
    mail: MailSettings, home: Home, clock: Clock, gateway: GatewaySettings | None = None
) -> dict[str, Channel]:
    """The channels that are set up; drafts and letters always are."""
    name, address = parseaddr(str(mail.from_ or ""))
    sender = MailFrom(
        address=address,
        name=name,
        reply_to=parseaddr(str(mail.reply_to or ""))[1],
        bcc=tuple(parseaddr(str(copy))[1] for copy in mail.bcc),
    )
    channels: dict[str, Channel] = {
        "eml": EmlDrafts(home.drafts, sender, clock),
        "letter": LetterFiles(home.letters, clock),
    }
    if gateway is not None and gateway.url:
        taken = Gateway(url=gateway.url, secret=gateway.key)
        channels["webhook"] = WebhookChannel(taken, clock)
        if gateway.sms:
            channels["sms"] = WebhookChannel(taken, clock, name="sms")
    if mail.is_set_up:
        server = SmtpServer(
            host=mail.host,
            port=mail.server_port,
            tls=mail.security,
            username=mail.username,
            password=mail.secret,
        )
        channels["email"] = SmtpChannel(server, sender, clock)
    return channels


def holidays_for(policy: Policy, company: Company, now: datetime) -> Holidays:
    """The holiday set of the policy's region, frozen for the years that matter now."""
    region = policy.calendar.region
    if not region:
        return {}
    year = now.year
    return {region: holiday_set(region, range(year - 2, year + 2))}


def sender_of(settings: Settings, book: BookSettings, company: Company) -> Sender:
    """Who stands under the messages of this book."""
    identity = book.sender or settings.sender
    mail = book.mail or settings.mail
    return Sender(
        name=identity.name or company.name,
        reply_to=str(mail.reply_to or mail.from_ or ""),
        postal_address=identity.address,
        phone=identity.phone,
        registration=identity.registration,
        bank_details=identity.bank_details,
        terms=identity.terms,
        fee_tax_note=identity.fee_tax_note,
        signed_by=identity.signed_by,
    )


def templates_of(home: Home) -> Templates:
    """The operator's own templates first, then those that come along."""
    return Templates([home.templates]) if home.templates.is_dir() else shipped_templates()


def _hash(policy: Policy, templates: Templates) -> str:
    return hashlib.sha256(f"{policy.hash}|{templates.digest()}".encode()).hexdigest()


def renderer(sender: Sender, templates: Templates, set_up: frozenset[str] = frozenset()) -> Render:
    """Messages in the name of the sender."""
    latest: list[tuple[Book, dict[str, Account]]] = []

    def write(
        action: SendReminder, book: Book, charges: Sequence[ChargeLateFee], on: date
    ) -> RenderedMessage | Unreachable:
        if not latest or latest[0][0] is not book:
            latest[:] = [(book, {account.payer.id: account for account in book.accounts()})]
        return render(
            action,
            latest[0][1][action.customer],
            book.company,
            sender,
            on=on,
            included_through=book.entered_through or book.read_on or book.as_of,
            is_read_only=book.entered_through is None,
            charges=charges,
            templates=templates,
            set_up=set_up,
        )

    return write


def sending_times(policy: Policy, holidays: Holidays, clock: Clock) -> SendAt:
    """Inside the send window of the customer's zone, on a day on which messages go out."""
    rules = policy.calendar
    calendar = BusinessCalendar(
        holidays.get(rules.region, HolidaySet(region="")), tuple(rules.closures)
    )

    def at(book: Book, action: Action, on: date) -> datetime:
        if not action.is_customer_facing:
            return clock.now()
        customer = book.customers.get(action.customer)
        zone = (customer.timezone if customer else "") or book.company.timezone
        return send_instant(
            clock.now(),
            rules.send_window,
            zone,
            calendar,
            rules.send_days,
            rules.send_month_days,
        )

    return at

"""Choosing planned actions by what they are: kind, segment, customer, amount.

A late fee and the message that announces it stay together. They are chosen when a member that is
of the kinds asked for fits, but a fee never goes along unnamed: where kinds are given and
`late_fee` is not among them, the whole group is left, and the answer says so.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.store.actions import ActionRow
from ar_bridge.words import the_customer
from rules.asking import segments_of
from rules.frame import Frame
from rules.model import format_minor
from rules.policy.approval import KINDS
from rules.policy.reading import did_you_mean, plain_decimal


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions are meant; empty: all of them. Amounts compare nominally, in each action's
    own currency, and leave what has no amount."""

    kinds: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    """All invoices of the action belong to one of these."""
    customers: tuple[str, ...] = ()
    """Names or ids."""
    below: Decimal | None = None
    above: Decimal | None = None

    @property
    def is_everything(self) -> bool:
        return self == Choice()


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What was selected, and the rest with the reason why not."""

    rows: tuple[ActionRow, ...]
    left: tuple[tuple[ActionRow, str], ...]


def choose(
    conn: Connection, desk: BookContext, rows: Sequence[ActionRow], choice: Choice
) -> Chosen:
    """Divide the rows into those that fit the choice and those that do not.

    Raises UsageError with every kind, segment and customer that is not known.
    """
    customers = _checked(conn, desk, choice)
    belongs = _segments(conn, desk, rows, choice.segments)
    taken: list[ActionRow] = []
    left: list[tuple[ActionRow, str]] = []
    for group in groups(rows):
        asked = [row for row in group if not choice.kinds or row.kind in choice.kinds]
        why = "" if asked else f"kind {group[0].kind}"
        unnamed = [row.key for row in group if row.kind == "late_fee" and row not in asked]
        if asked and unnamed:
            why = "announces a late fee: name --kind late_fee too"
        for row in asked:
            why = why or _against(row, choice, customers, belongs)
        if why:
            left += [(row, why) for row in group]
        else:
            taken += group
    return Chosen(rows=tuple(sorted(taken, key=lambda row: row.id)), left=tuple(left))


def groups(rows: Sequence[ActionRow]) -> list[list[ActionRow]]:
    """Late fees with the message that announces them; everything else by itself."""
    notice_of = {key: row.key for row in rows for key in row.waits_for}
    found: dict[str, list[ActionRow]] = {}
    for row in rows:
        found.setdefault(notice_of.get(row.key, row.key), []).append(row)
    return list(found.values())


def _against(
    row: ActionRow,
    choice: Choice,
    customers: frozenset[str],
    belongs: Mapping[int, frozenset[str]],
) -> str:
    """Why the row does not fit; empty where it does."""
    if customers and row.customer not in customers:
        return "another customer"
    if choice.segments and not belongs.get(row.id):
        return f"not in {' or '.join(choice.segments)}"
    if choice.below is None and choice.above is None:
        return ""
    if row.amount is None:
        return "no amount"
    text = format_minor(row.amount, row.currency)
    amount = Decimal(text)
    if choice.below is not None and amount >= choice.below:
        return f"{text} {row.currency} is not below {plain_decimal(choice.below)}"
    if choice.above is not None and amount <= choice.above:
        return f"{text} {row.currency} is not above {plain_decimal(choice.above)}"
    return ""


def _checked(conn: Connection, desk: BookContext, choice: Choice) -> frozenset[str]:
    problems = [
        f'--kind "{kind}" is no kind of action: {did_you_mean(kind, KINDS)}'
        for kind in choice.kinds
        if kind not in KINDS
    ]
    names = [segment.name for segment in desk.policy.on(desk.today()).segment]
    problems += [
        f'--segment "{name}" is not in the policy: '
        + (did_you_mean(name, names) or "it has no segments")
        for name in choice.segments
        if name not in names
    ]
    found: set[str] = set()
    for name in choice.customers:
        try:
            found.add(the_customer(conn, desk.book_id, name).id)
        except UsageError as error:
            problems.append(error.message)
    if problems:
        raise UsageError(
            "Nothing was changed.", problems=problems, remedy="ar-bridge plan shows what there is"
        )
    return frozenset(found)


def _segments(
    conn: Connection, desk: BookContext, rows: Sequence[ActionRow], names: Sequence[str]
) -> dict[int, frozenset[str]]:
    """Of each row, the segments that all of it belongs to, as the book stands now."""
    if not names or not rows:
        return {}
    today = desk.today()
    book = desk.load(conn, today, {row.customer for row in rows}, ())
    frame = Frame(book, desk.policy, today)
    accounts = {account.payer.id: account for account in book.accounts()}
    found: dict[int, frozenset[str]] = {}
    for row in rows:
        account = accounts.get(row.action.customer)
        if account is None:
            continue
        about = set(row.action.about)
        invoices = [one for one in account.invoices if one.id in about]
        found[row.id] = segments_of(frame, account, invoices, names)
    return found

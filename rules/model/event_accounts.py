"""A book's events parted by account: who pays for whom never crosses from one part to another.

Playing a policy over a year asks each account only on the days on which something of it changed
or is due; a part knows the days of its changes and gives its own book of any day.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from rules.model.book import Book
from rules.model.events import EventLog

_FOR_ALL = frozenset({"company", "rate"})


class AccountLog:
    """The events of one account, or of a few that are bound to each other."""

    __slots__ = ("_book", "_days", "_log", "_seen")

    def __init__(self, events: list[Mapping[str, object]], source: str) -> None:
        self._log = EventLog(events, source=source)
        self._days = sorted({day for event in events for day in _days(event)})
        self._seen = -1
        self._book: Book | None = None

    def changes_on(self, day: date) -> bool:
        """Whether the books know more on that day than they did when last asked for a book."""
        return bisect_right(self._days, day) != self._seen

    def book(self, day: date) -> Book:
        """The book of that day; the one before it where nothing has changed since."""
        seen = bisect_right(self._days, day)
        if self._book is None or seen != self._seen:
            self._book, self._seen = self._log.as_of(day).book, seen
        return self._book


def account_logs(log: EventLog) -> list[AccountLog]:
    """The log parted into accounts, in a fixed order. Together they hold what it holds."""
    groups = _Groups()
    invoices: dict[str, str] = {}
    others: dict[str, str] = {}
    for event in log.events:
        kind, name = event.get("t"), str(event.get("id", ""))
        if kind == "customer":
            groups.join(name, str(event.get("parent") or name))
        owner = event.get("customer")
        if owner is None:
            continue
        groups.of(str(owner))
        if kind == "invoice":
            if name in invoices:
                groups.join(invoices[name], str(owner))
            invoices[name] = str(owner)
        elif kind in ("payment", "fee"):
            others[str(event.get("document") or name)] = str(owner)
    for event in log.events:
        named = list(_named(event, invoices, others))
        for one in named[1:]:
            groups.join(named[0], one)
    parts: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    shared = [event for event in log.events if event.get("t") in _FOR_ALL]
    for event in log.events:
        first = next(iter(_named(event, invoices, others)), None)
        if first is not None and event.get("t") not in _FOR_ALL:
            parts[groups.of(first)].append(event)
    return [AccountLog([*shared, *parts[head]], log.source) for head in sorted(parts)]


def _named(
    event: Mapping[str, object], invoices: Mapping[str, str], others: Mapping[str, str]
) -> Iterator[str]:
    """The customers that an event is about, directly or by what it names."""
    if event.get("t") == "customer":
        yield str(event.get("id", ""))
    if event.get("customer") is not None:
        yield str(event["customer"])
    for key in ("invoice", "fee_of"):
        if event.get(key) in invoices:
            yield invoices[str(event[key])]
    for key in ("payment", "document"):
        if event.get(key) in others:
            yield others[str(event[key])]
    for name in _listed(event.get("invoices")):
        if name in invoices:
            yield invoices[str(name)]
    for part in _listed(event.get("alloc")):
        if isinstance(part, Mapping) and part.get("invoice") in invoices:
            yield invoices[str(part["invoice"])]


def _days(event: Mapping[str, object]) -> Iterator[date]:
    told = [event.get("known"), event.get("date")]
    for part in _listed(event.get("alloc")):
        if isinstance(part, Mapping):
            told += [part.get("date"), part.get("on")]
    for text in told:
        if isinstance(text, str):
            try:
                yield date.fromisoformat(text)
            except ValueError:
                continue  # said by the log itself


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


class _Groups:
    """Which names belong together (union-find)."""

    def __init__(self) -> None:
        self._head: dict[str, str] = {}

    def of(self, name: str) -> str:
        found = self._head.setdefault(name, name)
        while found != self._head[found]:
            self._head[found] = self._head[self._head[found]]
            found = self._head[found]
        self._head[name] = found
        return found

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._head[second] = first

"""The grammar of the notes that we leave in the ledger: what we did, and what people told us.

    [arb:ABCDEFGHIJKL] 2026-06-04 reminder by email ... [arb1 reminder on=2026-06-04 by=email ...]
    mark               for people                       for ourselves

A note begins with its mark and ends with a short machine part, from which it can be read back
after our own records were lost. Whatever the text, the whole fits the ledger's limit (250
characters on Xero): the text is cut first, then the list of invoices, with a count of those that
are left out (`more`). Where no invoice is named, the note speaks of where it is: of the invoice
it is on, or of the whole account of the customer.

Keys of the machine part; values hold no blank, other characters than letters, digits and `._-`
are written as in web addresses:

    on     day of doing, or of hearing     by     channel           n      2 for the second one of
    at     stage/slot:invoices;...         fees   fee/slot:invoices;...    that kind and day
    inv    invoices it is about            more   invoices left out        (left out for the first)
    for    promised day                    until  last day          sum    minor units of `cur`
    doc    fee document                    why    ground of a stop  won    customer or us
    ends   kind:day/n,... what is over     parts  day:sum*count/apart,...
    own    who looks after it              rev    day on which they look at it
    ok     1: a person agreed to wait longer than usual

Of numbers alike only what differs is written: `INV-0041,~43` is INV-0041 and INV-0043.
Pure: nothing is read or sent here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from rules.actions.part_runs import PartSaid, read_parts, spelt_parts
from rules.model.money import Minor

__all__ = [
    "TEXT_AT_LEAST",
    "Ended",
    "NoteFacts",
    "NoteRead",
    "PartSaid",
    "Serving",
    "machine_part",
    "note_text",
    "read_note",
]

TEXT_AT_LEAST: Final = 60
"""Characters that the text for people keeps, however many invoices there are to name."""

_CUT: Final = "\u2026"
_NOTE: Final = re.compile(
    r"(?P<mark>\[arb:[A-Z2-7]{12}\]) ?(?P<text>.*?) ?"
    r"\[arb1 (?P<kind>[a-z_]+)(?P<facts>(?: [a-z]+=[^\s\[\]=]*)*)\]\s*",
    re.DOTALL,
)


class Serving(msgspec.Struct, frozen=True):
    """A stage, or the notice of a fee, as invoices were served it."""

    name: str
    """Id of the stage or of the fee."""
    slot: str
    """Last part of the item key."""
    invoices: tuple[str, ...] = ()
    """Numbers as people see them; none: the invoice that the note is on."""


class Ended(msgspec.Struct, frozen=True):
    """A commitment that no longer stands."""

    kind: str
    on: date
    """Day on which it was made."""
    ordinal: int = 1


class NoteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine part says. `kind` is that of an action (reminder, fee_notice, note,
    send_invoice, credit_hold, credit_release, fee_waiver, attachment) or of a commitment
    (promise, dispute, pause, stop, instalments, withheld, credit_expected, placement),
    `dispute_end`, `resume` or `recall`."""

    kind: str
    on: date
    channel: str = ""
    stages: tuple[Serving, ...] = ()
    fees: tuple[Serving, ...] = ()
    """Late fees that a message announced, by fee and slot."""
    invoices: tuple[str, ...] = ()
    omitted: int = 0
    """Invoices for whose numbers there was no room. What binds some invoices (a dispute, a
    pause) is safe to be taken for the whole account then."""
    ordinal: int = 1
    """The second promise of one customer on one day has 2: ids of commitments count so."""
    due_on: date | None = None
    until: date | None = None
    amount: Minor | None = None
    currency: str = ""
    document: str = ""
    because: str = ""
    won_by: str = ""
    ends: tuple[Ended, ...] = ()
    owner: str = ""
    review_on: date | None = None
    consented: bool = False
    parts: tuple[PartSaid, ...] = ()
    """The first instalments, as many as there is room for; `until` and `amount` hold the last
    day and the sum of all."""


class NoteRead(msgspec.Struct, frozen=True, kw_only=True):
    """A note of ours, read back."""

    mark: str
    text: str
    """What it says to people, perhaps cut."""
    facts: NoteFacts


def note_text(mark: str, text: str, facts: NoteFacts, limit: int) -> str:
    """The whole note: mark, text, machine part, in at most `limit` characters.

    Raises ValueError where the machine part alone has no room, which ids of the permitted length
    never need in 250 characters.
    """
    plain = " ".join(text.split())
    room = limit - len(mark) - 2
    tail = _fitting(facts, room - min(len(plain), TEXT_AT_LEAST), room)
    left = room - len(tail)
    if len(plain) > left:
        plain = plain[: left - 1].rstrip() + _CUT if left > 1 else ""
    return " ".join(part for part in (mark, plain, tail) if part)


def machine_part(facts: NoteFacts) -> str:
    """The end of a note, with nothing left out."""
    return _spelt(facts)


def read_note(text: str) -> NoteRead | None:
    """What a note of ours says; None for a text that is none, or that somebody has edited.

    The machine part counts only at the very end: words of a customer that look like one do not.
    """
    found = _NOTE.fullmatch(text.strip())
    if found is None:
        return None
    # The text for people may hold something that looks like an end: ours is the last one.
    said = dict(pair.split("=", 1) for pair in found["facts"].split())
    try:
        facts = _facts(found["kind"], said)
    except (KeyError, ValueError):
        return None
    return NoteRead(mark=found["mark"], text=found["text"], facts=facts)


def _fitting(facts: NoteFacts, wanted: int, most: int) -> str:
    """The machine part in `wanted` characters with as many invoices as possible; without any
    invoice, `most` is allowed."""
    whole = _spelt(facts)
    if len(whole) <= wanted:
        return whole
    count = sum(len(group.invoices) for group in (*facts.stages, *facts.fees))
    count += len(facts.invoices)
    fewest, enough = 0, count
    while fewest < enough:
        middle = (fewest + enough + 1) // 2
        if len(_spelt(_keeping(facts, middle, count))) <= wanted:
            fewest = middle
        else:
            enough = middle - 1
    kept = _keeping(facts, fewest, count) if count else facts
    cut = _spelt(kept)
    while len(cut) > most and kept.parts:
        kept = msgspec.structs.replace(kept, parts=kept.parts[:-1])
        cut = _spelt(kept)
    if len(cut) > most:
        raise ValueError(f"the machine part has {len(cut)} characters, there is room for {most}")
    return cut


def _keeping(facts: NoteFacts, kept: int, count: int) -> NoteFacts:
    """Only the first invoices named. A group that is left without any goes as a whole."""
    left = kept

    def first(names: tuple[str, ...]) -> tuple[str, ...]:
        nonlocal left
        some = names[:left]
        left -= len(some)
        return some

    def groups(all_of_them: tuple[Serving, ...]) -> tuple[Serving, ...]:
        cut = (
            Serving(group.name, group.slot, first(group.invoices)) if group.invoices else group
            for group in all_of_them
        )
        return tuple(
            new for new, old in zip(cut, all_of_them, strict=True) if new.invoices or new == old
        )

    stages, fees, invoices = groups(facts.stages), groups(facts.fees), first(facts.invoices)
    return msgspec.structs.replace(
        facts,
        stages=stages,
        fees=fees,
        invoices=invoices,
        omitted=facts.omitted + count - kept,
    )


def _spelt(facts: NoteFacts) -> str:
    pairs: list[tuple[str, str]] = [
        ("on", facts.on.isoformat()),
        ("n", str(facts.ordinal) if facts.ordinal != 1 else ""),
        ("by", _escaped(facts.channel)),
        ("at", _servings(facts.stages)),
        ("fees", _servings(facts.fees)),
        ("inv", _names(facts.invoices)),
        ("more", str(facts.omitted or "")),
        ("for", facts.due_on.isoformat() if facts.due_on else ""),
        ("until", facts.until.isoformat() if facts.until else ""),
        ("sum", "" if facts.amount is None else str(facts.amount)),
        ("cur", facts.currency),
        ("doc", _escaped(facts.document)),
        ("why", _escaped(facts.because)),
        ("won", facts.won_by),
        ("ends", ",".join(f"{one.kind}:{one.on.isoformat()}/{one.ordinal}" for one in facts.ends)),
        ("own", _escaped(facts.owner)),
        ("rev", facts.review_on.isoformat() if facts.review_on else ""),
        ("ok", "1" if facts.consented else ""),
        ("parts", ",".join(spelt_parts(facts.parts))),
    ]
    spelt = "".join(f" {name}={value}" for name, value in pairs if value)
    return f"[arb1 {facts.kind}{spelt}]"


def _servings(groups: Iterable[Serving]) -> str:
    return ";".join(
        f"{_escaped(group.name)}/{_escaped(group.slot)}"
        + (f":{_names(group.invoices)}" if group.invoices else "")
        for group in groups
    )


def _names(names: Sequence[str]) -> str:
    """Numbers after one another; of one that is like the one before it only the end."""
    spelt: list[str] = []
    before = ""
    for name in names:
        same = 0
        if len(name) == len(before):
            while same < len(name) and name[same] == before[same]:
                same += 1
        spelt.append(f"~{_escaped(name[same:])}" if 1 < same < len(name) else _escaped(name))
        before = name
    return ",".join(spelt)


def _escaped(text: str) -> str:
    # Nothing but letters, digits and ._- stays as it is: all else has a meaning in the grammar.
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else _in_bytes(c) for c in text)


def _in_bytes(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


def _plain(text: str) -> str:
    """What `_escaped` made, undone. Raises ValueError."""
    head, *rest = text.split("%")
    found = bytearray(head.encode())
    for part in rest:
        found += bytes.fromhex(part[:2]) + part[2:].encode()
    return found.decode()


def _facts(kind: str, said: Mapping[str, str]) -> NoteFacts:
    return NoteFacts(
        kind=kind,
        on=date.fromisoformat(said["on"]),
        ordinal=int(said.get("n", "1")),
        channel=_plain(said.get("by", "")),
        stages=_read_servings(said.get("at", "")),
        fees=_read_servings(said.get("fees", "")),
        invoices=_read_names(said.get("inv", "")),
        omitted=int(said.get("more", "0")),
        due_on=_day(said.get("for")),
        until=_day(said.get("until")),
        amount=int(said["sum"]) if "sum" in said else None,
        currency=said.get("cur", ""),
        document=_plain(said.get("doc", "")),
        because=_plain(said.get("why", "")),
        won_by=said.get("won", ""),
        ends=tuple(_read_end(one) for one in _listed(said.get("ends", ""))),
        owner=_plain(said.get("own", "")),
        review_on=_day(said.get("rev")),
        consented=said.get("ok") == "1",
        parts=read_parts(_listed(said.get("parts", ""))),
    )


def _listed(text: str, by: str = ",") -> list[str]:
    return text.split(by) if text else []


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _read_servings(text: str) -> tuple[Serving, ...]:
    found: list[Serving] = []
    for group in _listed(text, ";"):
        what, _, names = group.partition(":")
        name, slash, slot = what.partition("/")
        if not slash:
            raise ValueError(group)
        found.append(Serving(_plain(name), _plain(slot), _read_names(names)))
    return tuple(found)


def _read_names(text: str) -> tuple[str, ...]:
    names: list[str] = []
    for spelt in _listed(text):
        name = _plain(spelt.removeprefix("~"))
        if spelt.startswith("~"):
            if not names or len(name) >= len(names[-1]):
                raise ValueError(spelt)
            name = names[-1][: -len(name)] + name
        names.append(name)
    return tuple(names)


def _read_end(text: str) -> Ended:
    kind, _, rest = text.partition(":")
    day, _, ordinal = rest.partition("/")
    return Ended(kind, date.fromisoformat(day), int(ordinal))

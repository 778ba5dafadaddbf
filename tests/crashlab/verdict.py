"""What is there against what must be, and what our own records say of it."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from ar_bridge import audit, audit_gaps
from ar_bridge.context import BookContext
from ar_bridge.leased import EVENTS, is_settled
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.tables import ACTION_STATES


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a case came to."""

    duplicates: tuple[str, ...] = ()
    """What is there more often than it must be."""
    lost: tuple[str, ...] = ()
    """What must be there and is not."""
    gaps: tuple[str, ...] = ()
    """What was done and the audit does not tell, and where the chain is broken."""
    trouble: tuple[str, ...] = ()
    """What else went wrong: nothing ever does."""

    @property
    def is_clean(self) -> bool:
        return not (self.duplicates or self.lost or self.gaps or self.trouble)


def compared(found: Counter[str], must_be: Counter[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(duplicates, lost)."""
    return tuple(sorted((found - must_be).elements())), tuple(sorted((must_be - found).elements()))


def retold(facts: Counter[str], told: Callable[[str], str]) -> Counter[str]:
    """Facts in other words."""
    found: Counter[str] = Counter()
    for fact, times in facts.items():
        found[told(fact)] += times
    return found


def undated(fact: str) -> str:
    """A fact whatever the day, and without the digest of what names the day."""
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "DAY", re.sub(r" [0-9a-f]{12}$", "", fact))


def files_of(home: Path) -> Counter[str]:
    """Drafts and letters that lie in our home, by their names. What is half written has another
    name; what is filled in at sending, such as a link to pay, may differ."""
    found: Counter[str] = Counter()
    for folder in ("drafts", "letters"):
        for file in sorted((home / folder).rglob("*")):
            if file.is_file() and not file.name.endswith(".part"):
                is_whole = file.suffix != ".html" or file.read_bytes().endswith(b"</html>\n")
                state = "whole" if is_whole and file.stat().st_size else "cut off"
                found[f"{folder} {file.relative_to(home / folder)} {state}"] += 1
    return found


def untold(desk: BookContext) -> list[str]:
    """Everything that was done and of which the audit does not tell exactly once, and every place
    where its chain does not hold."""
    with desk.store.read() as conn:
        gaps = [str(problem) for problem in audit.verify(conn)]
        gaps += [str(gap) for gap in audit_gaps.gaps(conn, desk.book_id)]
        entries = audit.history(conn, book_id=desk.book_id)
        rows = action_store.actions_in(conn, desk.book_id, tuple(ACTION_STATES))
        effects = outbox.effects_by_action(conn, [row.id for row in rows])
    told: dict[str, list[audit.AuditEntry]] = {}
    for entry in entries:
        told.setdefault(entry.subject, []).append(entry)
    for row in rows:
        here = [
            one
            for one in told.get(row.key, ())
            if one.payload is not None and one.payload.get("revision") == row.revision
        ]
        names = [one.event for one in here]
        done = EVENTS.get(row.kind, "ActionDone")
        if row.state == "done" and names.count(done) != 1:
            gaps.append(f"{row.key}: done, and told {names.count(done)} times")
        if row.state != "done" and done in names:
            gaps.append(f"{row.key}: told as done, and {row.state}")
        if row.state in ("done", "approved", "leased", "unknown") and "ActionApproved" not in names:
            gaps.append(f"{row.key}: nobody approved it")
        receipts = {
            each["key"] for one in here if one.event == done for each in one.payload["receipts"]
        }
        for effect in effects.get(row.id, ()):
            if row.state == "done" and not is_settled(effect):
                gaps.append(f"{effect.key}: {effect.state} in an action that is done")
            if row.state == "done" and effect.state == "done" and effect.key not in receipts:
                gaps.append(f"{effect.key}: done, and in no entry")
            is_settled_by_hand = "OutcomeSettled" in names
            if effect.state == "done" and effect.receipt is None and not is_settled_by_hand:
                gaps.append(f"{effect.key}: done without a receipt or a person's word")
    return gaps

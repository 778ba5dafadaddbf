"""Several writes in one call: POST /batch, each item judged by itself.

Items run one after the other and cannot see each other; one refused item does not undo the
rest. An item is named by its place ("1" to "30"), for names and `requestid` together may not be
longer than 50 characters.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from connectors.errors import (
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    TransientError,
    UnsupportedError,
)
from connectors.port import Prepared, Receipt
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.writeback import ENTITIES, WriteBack
from connectors.transport import Answer

MOST_ITEMS: Final = 30
PATH: Final = "batch"

EFFECTS: Final = frozenset({"post_charge", "post_note", "set_hold"})
"""What may travel. A reversal may be two writes, of which the second needs the first's answer."""

_VOID: Final = (("operation", "void"),)


class _Items(msgspec.Struct):
    items: list[msgspec.Raw] = msgspec.field(name="BatchItemResponse")


class _Name(msgspec.Struct):
    name: str = msgspec.field(name="bId", default="")


def prepare_batch(members: Sequence[Prepared]) -> Prepared:
    """One request made of several. Raises UnsupportedError for a member that cannot travel."""
    if not 0 < len(members) <= MOST_ITEMS:
        raise UnsupportedError(PATH, f"a batch of QuickBooks holds 1 to {MOST_ITEMS} writes")
    keys = "\n".join(member.effect_key for member in members)
    items = [_item(place, member) for place, member in enumerate(members, 1)]
    return Prepared(
        effect=PATH,
        effect_key=f"batch/{hashlib.sha256(keys.encode()).hexdigest()[:32]}",
        method="POST",
        path=PATH,
        body=msgspec.json.encode({"BatchItemRequest": items}),
    )


def write_batch(
    api: MountedQuickBooks,
    writes: WriteBack,
    batch: Prepared,
    vendor_key: str,
    members: Sequence[Prepared],
) -> list[Receipt | ConnectorError]:
    """Send it once; one outcome for each member. Raises OutcomeUnknownError.

    Where the answer was lost and some members are found, it is not sent again: those are done,
    and of the others it is not known.
    """
    answer, found = writes.unless_there(
        members,
        vendor_key,
        lambda look: api.send(batch.path, batch.body, vendor_key=vendor_key, before_repeat=look),
    )
    if answer is None:
        return [found.get(place) or _not_found() for place in range(len(members))]
    parts = _parts(answer)
    return [
        _outcome(writes, member, parts.get(str(place)), answer)
        for place, member in enumerate(members, 1)
    ]


def _not_found() -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "the answer of QuickBooks to several writes was lost; others of them are there, this one "
        "is not, or not yet"
    )


def _item(place: int, member: Prepared) -> dict[str, Any]:
    entity = ENTITIES.get(member.path, "")
    if not entity or tuple(map(tuple, member.params)) not in ((), _VOID):
        raise UnsupportedError(member.effect, f"{member.effect} cannot travel in a batch")
    operation = "void" if member.params else "create"
    return {"bId": str(place), "operation": operation, entity: msgspec.Raw(member.body)}


def _parts(answer: Answer) -> dict[str, msgspec.Raw]:
    try:
        items = msgspec.json.decode(answer.content, type=_Items).items
        return {msgspec.json.decode(item, type=_Name, strict=False).name: item for item in items}
    except msgspec.DecodeError as error:
        raise OutcomeUnknownError(
            f"an answer of QuickBooks to several writes cannot be read ({error})",
            request_id=answer.request_id,
        ) from None


def _outcome(
    writes: WriteBack, member: Prepared, part: msgspec.Raw | None, answer: Answer
) -> Receipt | ConnectorError:
    if part is None:
        return OutcomeUnknownError(
            "QuickBooks answered several writes and left this one out: it may or may not have "
            "been done",
            request_id=answer.request_id,
        )
    try:
        return writes.outcome(member, msgspec.structs.replace(answer, content=bytes(part)))
    except RateLimitedError as error:
        return error
    except TransientError as error:
        # The write itself, or looking up what took its number: either way it is not known.
        return OutcomeUnknownError(error.message, request_id=error.request_id)
    except ConnectorError as error:
        return error

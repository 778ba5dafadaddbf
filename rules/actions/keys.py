"""Identity of what we do. These strings are contract: they outlive every release.

An item key names one thing done to one invoice or account. Its last part comes from the
schedule (a slot), never from a count, so that deciding again gives the same key.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

import msgspec

from rules.model.ids import CustomerId, FeeId, InvoiceId, ItemKey, StageId


def stage_item(kind: str, invoice: InvoiceId, stage: StageId, slot: int) -> ItemKey:
    """One stage served to one invoice: `reminder/INV-7/first-reminder/1`."""
    return ItemKey(f"{kind}/{invoice}/{stage}/{slot}")


def account_item(kind: str, customer: CustomerId, stage: StageId, slot: int | str) -> ItemKey:
    """One stage served to a whole account: `credit_hold/C1/on-hold/1`."""
    return ItemKey(f"{kind}/{customer}/{stage}/{slot}")


def account_slot(currency: str, first: date, turn: int) -> str:
    """Slot of a stage of the account's ladder, one ladder for each currency: `GBP-20260302-1` is
    the first turn of the stage that fell due on that day."""
    return f"{currency}-{first:%Y%m%d}-{turn}"


def statement_item(customer: CustomerId, statement: str, slot: str) -> ItemKey:
    """One turn of a statement of account: `statement/C1/monthly/2026-10`; in a currency other
    than the company's own `statement/C1/monthly/2026-10-EUR`."""
    return ItemKey(f"statement/{customer}/{statement}/{slot}")


def account_fee_item(customer: CustomerId, fee: FeeId, slot: str) -> ItemKey:
    """One charge of one fee of a whole account: `late_fee/C1/late-interest/2026-10-GBP`."""
    return ItemKey(f"late_fee/{customer}/{fee}/{slot}")


def fee_part_item(invoice: InvoiceId, fee: FeeId, slot: str) -> ItemKey:
    """What one invoice bears of such a charge: `late_fee_part/INV-7/late-interest/2026-10-GBP`.
    Ledgers number customers and invoices each from one, so the two begin differently."""
    return ItemKey(f"late_fee_part/{invoice}/{fee}/{slot}")


def fee_item(invoice: InvoiceId, fee: FeeId, slot: str) -> ItemKey:
    """One charge of one fee for one period slot: `late_fee/INV-7/late-interest/2026-10`."""
    return ItemKey(f"late_fee/{invoice}/{fee}/{slot}")


def fee_notice_item(fee_key: ItemKey) -> ItemKey:
    """The notice that tells the customer of one charge."""
    return ItemKey(f"fee_notice/{fee_key.removeprefix('late_fee/')}")


def message_key(customer: CustomerId, items: Iterable[ItemKey]) -> ItemKey:
    """A message carries several items and has a key of its own, whatever their order."""
    digest = hashlib.sha256("\n".join(sorted(items)).encode()).hexdigest()
    return ItemKey(f"msg/{customer}/{digest[:16]}")


def credit_number(prefix: str, company_id: str, key: ItemKey) -> str:
    """Number of a credit note of ours: the prefix and 16 base32 characters."""
    return prefix + _base32(f"{company_id}|{key}", 16)


def credit_tag(invoice: InvoiceId, key: ItemKey) -> str:
    """Machine tag of a credit note of ours; it is no charge and never read as one."""
    return f"arb1c inv={invoice} key={key}"


def notice_item(key: ItemKey) -> ItemKey:
    """The mail to a colleague about one notification."""
    return ItemKey(f"notice/{key}")


_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""RFC 4648, section 6."""
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Two characters for each value of ten bits."""


def _base32(text: str, length: int) -> str:
    """The first of the 16 characters that the first 80 bits of a digest come to in base32."""
    bits = int.from_bytes(hashlib.sha256(text.encode()).digest()[:10], "big")
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(70, -1, -10)])[:length]


@lru_cache(maxsize=8192)
def fee_number(company_id: str, key: ItemKey) -> str:
    """Number of a fee document: `LF-` and 16 base32 characters (19; QuickBooks allows 21)."""
    return "LF-" + _base32(f"{company_id}|{key}", 16)


def note_mark(company_id: str, effect_key: str) -> str:
    """The mark that a note begins with, so that it can be found again: `[arb:ABCDEFGHIJKL]`."""
    return f"[arb:{_base32(f'{company_id}|{effect_key}', 12)}]"


def charge_tag(invoice: InvoiceId, fee: FeeId, through: date, key: ItemKey) -> str:
    """Machine tag of a fee document (QuickBooks PrivateNote, Xero Reference).

    It holds the whole item key: with our database lost, the tag alone says what was charged.
    """
    return f"arb1 inv={invoice} fee={fee} through={through.isoformat()} key={key}"


class ChargeTag(msgspec.Struct, frozen=True):
    """What the machine tag of a fee document says."""

    invoice: InvoiceId
    fee: FeeId
    through: date
    key: ItemKey


_TAG: Final = re.compile(r"\barb1 inv=(\S+) fee=(\S+) through=(\d{4}-\d\d-\d\d) key=(\S+)")


def read_charge_tag(text: str) -> ChargeTag | None:
    """The tag within a private field or a reference; None where there is none of ours."""
    found = _TAG.search(text)
    if found is None:
        return None
    invoice, fee, through, key = found.groups()
    try:
        day = date.fromisoformat(through)
    except ValueError:
        return None
    return ChargeTag(InvoiceId(invoice), FeeId(fee), day, ItemKey(key))


def effect_key(action_key: ItemKey, position: int, effect: str) -> str:
    """Identity of one effect within an action: `<action key>#<position>:<effect>`."""
    return f"{action_key}#{position}:{effect}"


def vendor_key(effect: str, body: bytes) -> str:
    """Idempotency key sent to the ledger: same effect and same bytes give the same key, always."""
    return hashlib.sha256(effect.encode() + b"|" + body).hexdigest()[:32]


def message_id(effect: str, domain: str, sent_in_vain: int = 0) -> str:
    """Deterministic Message-ID of a mail, so that a second copy can be recognised. One that came
    back and goes out again, perhaps elsewhere, is no copy: it has another."""
    if sent_in_vain:
        effect = f"{effect}|{sent_in_vain + 1}"
    digest = hashlib.sha256(effect.encode()).hexdigest()[:32]
    return f"<arb.{digest}@{domain}>"

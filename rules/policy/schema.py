"""The policy: what a bookkeeper decided about chasing, as frozen values.

Attribute names are the keys of the TOML file (`from` is `from_`, `schema` is `schema_`, `for`
is `for_`). `rules.policy.load` makes one from text and reports every problem at once.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PrivateAttr,
    WithJsonSchema,
)

from rules.policy.approval import ApprovalRules
from rules.policy.commitments import CommitmentRules
from rules.policy.conditions import CONDITIONS_MARK, Conditions
from rules.policy.credit import CreditRules
from rules.policy.discount import Discount
from rules.policy.fee import Fee
from rules.policy.fee_tables import AppliesTo, Cap, CapGroup, DatedRate
from rules.policy.hand_off import HandOffRules
from rules.policy.limits import Limits
from rules.policy.person import Person
from rules.policy.reading import Count, Exact, Misread, did_you_mean, shown, whole_number
from rules.policy.section import Section, key
from rules.policy.stage import Channel, Days, Segment, Stage
from rules.policy.statement import Statement
from rules.policy.testing import PolicyTest
from rules.policy.values import Above, ClosedDays, Duration, LocalWindow, Mode
from rules.policy.versions import DatedPolicy, in_force
from rules.policy.write_off import WriteOffRules

__all__ = [
    "AppliesTo",
    "ApprovalRules",
    "CalendarRules",
    "Cap",
    "CapGroup",
    "CatchUpRules",
    "CommitmentRules",
    "ContactRules",
    "DatedRate",
    "DoNotChase",
    "Fee",
    "Limits",
    "Policy",
    "Segment",
    "Stage",
    "Wait",
]

WEEKDAYS: Final[tuple[str, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _weekday(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 6:
        return value
    if value not in WEEKDAYS:
        short = value[:3].casefold() if isinstance(value, str) else ""
        raise Misread(f"{shown(value)} is not a day of the week", did_you_mean(short, WEEKDAYS))
    return WEEKDAYS.index(str(value))


Weekday: TypeAlias = Annotated[
    int,
    BeforeValidator(_weekday),
    PlainSerializer(lambda day: WEEKDAYS[day], when_used="json"),
    WithJsonSchema({"enum": [*WEEKDAYS]}),
]
"""0 is Monday; written `"mon"` in the file."""


def _month_day(value: object) -> int:
    day = whole_number(value)
    if not 1 <= day <= 31:
        raise Misread(f"{day} is not a day of the month", "write 1 to 31")
    return day


def _consolidate(value: object) -> object:
    if isinstance(value, Above) or value in ("per_customer", "never"):
        return value
    if isinstance(value, dict):
        return Above.parse(value)
    hint = did_you_mean(value, ("per_customer", "never"))
    raise Misread(f"{shown(value)} is not a way to consolidate", f"{hint}; or {{ above = 3 }}")


Consolidate: TypeAlias = Annotated[
    Literal["per_customer", "never"] | Above, BeforeValidator(_consolidate)
]


def _treat_as_sent(value: object) -> object:
    if isinstance(value, dict):
        if set(value) == {"when"}:
            return Conditions.parse(value["when"])
        raise Misread(
            "this needs a `when` and nothing else", 'write { when = { invoice_tags = "edi" } }'
        )
    return value


def _hours_or_days(value: Duration) -> Duration:
    if value.unit not in ("h", "d"):
        raise Misread(f'"{value}" is neither hours nor days', 'write "26h" or "2d"')
    return value


Age: TypeAlias = Annotated[Duration, AfterValidator(_hours_or_days)]
"""How old data may be."""

TreatAsSent: TypeAlias = Annotated[
    Conditions,
    BeforeValidator(_treat_as_sent),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"when": {CONDITIONS_MARK: True}},
            "required": ["when"],
            "additionalProperties": False,
        }
    ),
]


def _unquoted(value: object) -> object:
    """Numbers may stand in quotes, the version too."""
    return 1 if value == "1" else value


class CalendarRules(Section):
    """When messages may go out."""

    region: str = key(
        "",
        "Whose public holidays are kept, such as GB-ENG, US-NY or DE-BY; empty keeps none.",
        pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,5})?)?$",
    )
    send_window: LocalWindow = key(
        LocalWindow.parse("09:00-16:30"),
        "Hours of the customer's day in which messages go out; the end is outside.",
    )
    send_days: tuple[Weekday, ...] = key(
        (0, 1, 2, 3, 4), "Days of the week on which messages go out.", min_length=1
    )
    closures: tuple[ClosedDays, ...] = key(
        (), "Days on which you are closed: `2026-12-24..2027-01-01` or one day."
    )
    send_month_days: tuple[Annotated[int, BeforeValidator(_month_day)], ...] = key(
        (),
        "Only these days of the month; a day that a closed day takes moves to the next open one.",
    )


class ContactRules(Section):
    """How often a customer hears from you, whatever the number of invoices."""

    per_customer_per_day: Count = key(1, "Most messages in a day.", ge=1, le=50)
    per_customer_per_week: Count = key(2, "Most messages in seven days.", ge=1, le=100)
    min_gap: Days = key(Duration(5, "d"), "Least time between two messages.")
    consolidate: Consolidate = key(
        "per_customer",
        "`per_customer`: one message for all invoices that are due a reminder; `never`: one each; "
        "`{ above = 3 }`: one message when there are more than three.",
    )
    unit: Literal["payer", "customer"] = key(
        "payer", "Whether a parent that pays for its children counts as one customer."
    )
    net_unapplied_credit: bool = key(
        True, "Deduct credit that the customer has not used from what is asked for.", strict=True
    )
    fallback: tuple[Channel, ...] = key(
        (),
        'Ways that are tried when a message cannot go by its own, such as `["letter"]`: for fee '
        "notices, statements, offers, deposit requests, and stages without a `fallback` of their "
        "own.",
    )


class CatchUpRules(Section):
    """What happens to invoices that were overdue before we looked."""

    after_downtime: Literal["latest", "none"] = key(
        "latest", "After days without a run: serve the highest stage missed, or none of them."
    )
    first_sync: Literal["gentle", "from_today", "none"] = key(
        "gentle",
        "For a newly connected book: begin with the earliest reminder, or only with what falls "
        "due from that day on, or leave old invoices alone.",
    )


class Wait(Section):
    """How long something holds, and what comes after it."""

    for_: Days = key(..., "How long it holds.", alias="for")
    then: Literal["task"] = key("task", "What comes after it: a task for a person.")


class DoNotChase(Section):
    """Grounds to wait. They bind everything that the customer could see, and fees."""

    stale_after: Age = key(Duration(26, "h"), "Nothing is sent on data that are older than this.")
    paid_lag: Days = key(
        Duration(2, "d"), "Wait this long after a payment of the customer that is not yet applied."
    )
    unsent_invoice: Literal["hold", "strict", "ignore"] = key(
        "hold",
        "`hold`: never chase an invoice that is known not to be sent; `strict`: nor one of which "
        "that is unknown; `ignore`: chase all.",
    )
    treat_as_sent: TreatAsSent | None = key(
        None, 'Invoices that count as sent, such as `{ when = { invoice_tags = "edi" } }`.'
    )
    balance_below: Exact = key(
        Decimal("5.00"), "Balances below this are left alone, in the invoice's currency.", ge=0
    )
    dispute: Literal["hold", "ignore"] = key(
        "hold", "Whether a disputed invoice waits until the dispute ends."
    )
    promise_grace: Days = key(
        Duration(3, "bd"), "Time after a promised day before the promise counts as broken."
    )
    reply: Wait = key(
        Wait(for_=Duration(5, "bd")),
        "How long a reply of the customer holds further messages until it is a task; while nobody "
        "has dealt with it, they wait as long again.",
    )
    bounce: Wait = key(
        Wait(for_=Duration(2, "bd")), "How long a message that did not arrive holds further ones."
    )
    cash_older_than: Age | None = key(
        None, "Wait until payments are known to be entered through this recently."
    )


class Policy(Section):
    """A whole policy."""

    schema_: Annotated[Literal[1], BeforeValidator(_unquoted)] = key(
        1, "Version of the policy language.", alias="schema"
    )
    name: str = key("policy", "Name of the policy.", min_length=1, max_length=80)
    mode: Mode = key(
        Mode.AUTO,
        "`observe` (plan only), `draft`, `approve` (a person) or `auto` (within limits); the "
        "strictest of the book's, this and the stage's or fee's wins.",
    )
    legal_basis: str | None = key(
        None,
        "What entitles you to late fees, such as a clause of your terms; a fee may have its own.",
    )
    native_late_fees: Literal["refuse", "off-confirmed"] = key(
        "refuse",
        "Where the ledger charges late fees by itself, or an invoice carries lines of such: "
        "`refuse` charges none of yours on top; `off-confirmed` says that you looked, and that "
        "yours are meant.",
    )
    calendar: CalendarRules = key(CalendarRules(), "When messages may go out.")
    contact: ContactRules = key(ContactRules(), "How often a customer hears from you.")
    catch_up: CatchUpRules = key(CatchUpRules(), "Invoices that were overdue before we looked.")
    do_not_chase: DoNotChase = key(DoNotChase(), "Grounds to wait.")
    segment: tuple[Segment, ...] = key((), "Groups of customers.")
    stage: tuple[Stage, ...] = key((), "Steps of the procedure, softest first.")
    fee: tuple[Fee, ...] = key((), "Late fees.")
    cap_group: tuple[CapGroup, ...] = key((), "Limits that several fees share.")
    limits: Limits = key(Limits(), "Most that may leave a book.")
    approval: ApprovalRules = key(
        ApprovalRules(), "What a person looks at before it goes, and how long that may take."
    )
    hand_off: HandOffRules = key(
        HandOffRules(), "What comes before a hand-off to a collector or a lawyer."
    )
    commitments: CommitmentRules = key(
        CommitmentRules(), "Promises that were not kept, instalments, and who looks after them."
    )

    discount: Discount | None = key(None, "A discount for early payment.")
    credit: CreditRules | None = key(None, "Credit limits, holds and deposits.")
    write_off: WriteOffRules | None = key(None, "Small balances proposed for writing off.")
    statement: tuple[Statement, ...] = key(
        (), "Statements of account that go out on a rhythm of their own."
    )
    person: tuple[Person, ...] = key((), "Colleagues by name, for tasks and notifications.")
    test: tuple[PolicyTest, ...] = key(
        (), "Tests of the policy inside the policy, run by `policy test`."
    )

    _versions: tuple[DatedPolicy, ...] = PrivateAttr(default=())

    @property
    def versions(self) -> tuple[DatedPolicy, ...]:
        """All versions of the policy in order of their day, this one included; empty where there
        is one for all times."""
        return self._versions

    def on(self, day: date) -> "Policy":
        """The version in force on a day, which knows the others."""
        if not self._versions:
            return self
        found = in_force(self._versions, day).policy.model_copy()
        found._versions = self._versions
        return found

    @cached_property
    def terms_hash(self) -> str:
        """sha256 of the canonical JSON of this version alone, without its tests."""
        plain = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"test"})
        canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def hash(self) -> str:
        """sha256 of the canonical JSON of the resolved policy without its tests, 64 hex digits;
        of all versions where there are several."""
        if not self._versions:
            return self.terms_hash
        named = [f"{one.from_.isoformat()} {one.policy.terms_hash}" for one in self._versions]
        return hashlib.sha256("\n".join((self.terms_hash, *named)).encode()).hexdigest()


def versioned(versions: Iterable[DatedPolicy], day: date) -> Policy:
    """The version in force on a day, which knows the others. `versions` are not empty."""
    ordered = tuple(sorted(versions, key=lambda one: one.from_))
    any_of_them = ordered[0].policy.model_copy()
    any_of_them._versions = ordered
    return any_of_them.on(day)

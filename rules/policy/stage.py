"""`[[segment]]` and `[[stage]]`: the dunning procedure, step by step."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from rules.policy.conditions import Conditions
from rules.policy.reading import Count, Exact, Misread, did_you_mean, shown
from rules.policy.script import BLANKS, Script
from rules.policy.section import Section, key
from rules.policy.values import At, Duration, Mode, Repeat

ID_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,39}$"

VERBS: Final[tuple[str, ...]] = (
    "remind",
    "statement",
    "note",
    "task",
    "call",
    "notify",
    "send_invoice",
    "hold_credit",
    "release_credit",
    "offer_plan",
    "propose_write_off",
    "hand_off",
    "thank",
    "acknowledge",
)
"""What a stage can do; the available ones are named on `Stage.do`."""

CHANNELS: Final[tuple[str, ...]] = ("email", "sms", "letter", "webhook")

INTERNAL_VERBS: Final[frozenset[str]] = frozenset(
    {"note", "task", "call", "notify", "propose_write_off"}
)
"""Only colleagues see these: nothing but already having done them stops them. A proposal to
write off has grounds of its own to wait."""


def _one_of(known: tuple[str, ...], what: str) -> Any:
    def read(value: object) -> object:
        if not isinstance(value, str):
            raise Misread(f"{shown(value)} is not {what}", did_you_mean("", known))
        if value not in known:
            raise Misread(f'"{value}" is not {what}', did_you_mean(value, known))
        return value

    return BeforeValidator(read)


ATTACHED: Final[tuple[str, ...]] = ("invoice", "statement", "letter")

Attached: TypeAlias = Annotated[str, _one_of(ATTACHED, "something that can be attached")]
Verb: TypeAlias = Annotated[str, _one_of(VERBS, "something that a stage can do")]
Channel: TypeAlias = Annotated[str, _one_of(CHANNELS, "a channel")]


def whole_days(value: Duration) -> Duration:
    """Refuse hours where only dates count. Raises Misread."""
    if value.unit == "h":
        raise Misread(f'"{value}" is hours, but only whole days count here', "use d, bd or m")
    return value


Days: TypeAlias = Annotated[Duration, AfterValidator(whole_days)]
"""A duration in days, business days or months."""


class Segment(Section):
    """A named group of customers that stages and fees can be limited to."""

    name: str = key(..., "Name by which `only` and `skip` mean this group.", pattern=ID_PATTERN)
    when: Conditions | None = key(None, "Customers and invoices that belong to the group.")
    unless: Conditions | None = key(None, "Leaves out those for which this holds.")


class PlanTerms(Section):
    """Into how many parts a debt may be paid, and how far apart."""

    parts: Count = key(3, "Number of equal parts.", ge=2, le=36)
    every: Days = key(
        Duration(1, "m"),
        "Time from one part to the next; the first is due this long after the day by which the "
        "customer has to answer (`deadline` of the stage, else seven days).",
    )
    minimum: Exact | None = key(
        None, "No offer while less than this is owed, in the currency of the debt.", ge=0
    )


class Stage(Section):
    """One step of the procedure: when it is due, what it does, for whom."""

    id: str = key(
        ...,
        "Identity of the stage in everything that we store and write; never change it, add `was`.",
        pattern=ID_PATTERN,
    )
    name: str = key("", "What people read; without it the id is shown.", max_length=80)
    at: At = key(
        ...,
        "The day on which the stage falls due, and stays due until it was served: `due + 3d`, "
        "`due - 5bd`, `issued + 1d`, `previous + 7d`, `deadline(<stage>) + 1d`, "
        "`month_end(due) + 5d`, `month_end(due + 5d)`, `promise + 1d`, `paid + 1d` (the day on "
        "which the invoice was fully paid), `returned` (the day on which a payment came back), "
        "`field(<date field>) + 20d` (a date field of the invoice, such as the day of the work).",
    )
    do: tuple[Verb, ...] = key(
        ...,
        "What happens, in this order. `task`, `call`, `notify` and `note` are internal: nothing "
        "that protects the customer stops them. `send_invoice` has the ledger mail its own "
        'invoice: the remedy for one that was never sent (`when = { sent = "no" }`). `hand_off` '
        "puts the invoices on the worklist for a person to approve and to hand over; "
        "`propose_write_off` asks a person to let them go; `thank` says thanks for a payment "
        '(`at = "paid + 1d"`) and counts as no contact; '
        "`statement` sends a statement of account out of its turn; `offer_plan` offers "
        'instalments; `acknowledge` (`at = "promise"`) confirms promises, disputes and payment '
        "plans on the day after they were taken down.",
        min_length=1,
        available=(
            "remind",
            "note",
            "task",
            "call",
            "notify",
            "send_invoice",
            "hold_credit",
            "release_credit",
            "propose_write_off",
            "hand_off",
            "thank",
            "statement",
            "offer_plan",
            "acknowledge",
        ),
    )
    template: str = key("", "Name of the message template; compulsory where the stage reminds.")
    channels: tuple[Channel, ...] = key(
        ("email",),
        "Ways by which the message goes; all that reach the customer are used, and count as one "
        "contact. `letter`: a page to print and post; `sms` and `webhook`: through the service of "
        "`[gateway]` in the settings.",
        min_length=1,
    )
    fallback: tuple[Channel, ...] = key(
        (),
        "Ways that are tried, in this order, when none of `channels` can reach the customer: there "
        "is no address, or it was refused lately.",
    )
    to: tuple[str, ...] = key(
        ("billing",),
        "Roles at the customer that the message goes to: `billing`, `invoice` (the address that "
        "the invoice went to), `owner`, `guarantor` or a role of your own.",
        min_length=1,
    )
    cc: tuple[str, ...] = key((), "Roles that get a copy.")
    formal: bool = key(
        False,
        "A final notice or letter before action: it stands alone, totals only the invoices that "
        "qualified, and waits where the customer's entity type is not known.",
        strict=True,
    )
    requires: tuple[str, ...] = key((), "Stages that must have been served before this one.")
    deadline: Days | None = key(
        None, "Time that the message gives the customer; `deadline(<stage>)` counts from its end."
    )
    mode: Mode | None = key(
        None, "How far this stage may go by itself; the strictest of book, policy and stage wins."
    )
    skip: tuple[str, ...] = key((), "Segments that this stage leaves out.")
    only: tuple[str, ...] = key((), "Segments that this stage is for; empty means everybody.")
    when: Conditions | None = key(
        None, "Holds on the day, or the stage stays due and is looked at again."
    )
    unless: Conditions | None = key(None, "Keeps the stage back while this holds.")
    repeat: Repeat | None = key(
        None, "Serve the stage again, every so often, so many times in all."
    )
    scope: Literal["invoice", "customer"] = key(
        "invoice",
        "`customer` makes the stage a step for the whole account, once for each currency: one "
        "message about everything overdue, counted from the oldest invoice. Such a ladder begins "
        "anew when nothing is overdue any more.",
    )
    plan: PlanTerms | None = key(None, "`offer_plan`: the instalments that are offered.")
    was: tuple[str, ...] = key((), "Earlier ids of this stage, so that its history still counts.")
    owner: str = key(
        "",
        "Who does the task or the call: the id of a [[person]] or a role; left out: whoever looks "
        "after the customer's segment, else the first person.",
    )
    due_in: Days | None = key(None, "Time until the task or the call should be done.")
    script: Script = key(
        "",
        "What the person says on the call, or does for the task. Blanks are filled in: "
        + ", ".join(f"`{{{name}}}` ({meaning})" for name, meaning in BLANKS.items())
        + ".",
    )
    signed_by: str = key(
        "", "Name under the message, or the id of a `[[person]]`; empty: as the settings say."
    )
    attach: tuple[Attached, ...] = key(
        (),
        "`invoice`: the message carries a copy of each invoice as the ledger prints it; "
        "`statement`: it carries a statement of the account as of its day; "
        "`letter`: a copy of the message is attached to each invoice in the ledger.",
    )

"""The stages of a policy, with what is asked of each again and again worked out once."""

from typing import Final, Literal, TypeAlias

import msgspec

from rules.model.ids import StageId
from rules.policy.conditions import Conditions
from rules.policy.stage import INTERNAL_VERBS, Stage
from rules.policy.values import Mode, strictest

Lane: TypeAlias = Literal["reminder", "send", "hold", "internal", "thanks", "letter"]

KIND_OF_VERB: Final[dict[str, str]] = {
    "remind": "reminder",
    "note": "note",
    "task": "task",
    "call": "call",
    "notify": "notify",
    "hold_credit": "credit_hold",
    "release_credit": "credit_release",
    "hand_off": "hand_off",
    "propose_write_off": "write_off_proposal",
    "send_invoice": "send_invoice",
    "thank": "thanks",
    "statement": "statement",
    "offer_plan": "plan_offer",
}
"""What a stage does, and the kind of action that does it."""

HOLD_VERBS: Final = ("hold_credit", "release_credit", "hand_off")
"""What a customer feels without being written to: bound by every guard, not by the budget."""
LETTER_VERBS: Final = ("statement", "offer_plan")
"""Messages to the customer that are no reminders: each has a message of its own."""
_EVENTS: Final = frozenset({"paid", "returned"})
"""What happens to an invoice whatever step of the procedure it has come to."""

_DYNAMIC: Final = frozenset({"previous", "deadline", "promise", *_EVENTS})


class Members(msgspec.Struct, frozen=True):
    """Who belongs to a segment of the policy."""

    when: Conditions | None
    unless: Conditions | None


class Step:
    """A stage with what is asked of it again and again, worked out once: a field of a section of
    the policy takes five times as long to read as one of these."""

    __slots__ = (
        "attach",
        "channel",
        "deadline",
        "formal",
        "has_conditions",
        "hold_kinds",
        "holds",
        "id",
        "ids",
        "index",
        "internal",
        "internal_kinds",
        "is_account",
        "is_dynamic",
        "is_event",
        "is_observed",
        "is_returned",
        "is_selective",
        "lanes",
        "letter_kinds",
        "mode",
        "name",
        "only",
        "primary",
        "reminders",
        "reminds",
        "requires",
        "roles",
        "send_kinds",
        "sends",
        "skip",
        "stage",
        "template",
        "thank_kinds",
        "unless",
        "when",
    )

    def __init__(self, index: int, stage: Stage, policy_mode: Mode) -> None:
        self.index = index
        self.stage = stage
        self.id = StageId(stage.id)
        self.name = stage.name or stage.id
        self.formal = stage.formal
        self.deadline = stage.deadline
        self.attach = frozenset(stage.attach)
        self.only, self.skip = stage.only, stage.skip
        self.when, self.unless = stage.when, stage.unless
        self.requires = stage.requires
        self.template, self.channel, self.roles = stage.template, stage.channels[0], stage.to
        self.is_selective = bool(stage.only or stage.skip)
        """Whether it is for some customers or invoices only."""
        self.has_conditions = stage.when is not None or stage.unless is not None
        self.ids = frozenset({stage.id, *stage.was})
        self.reminds = "remind" in stage.do
        self.sends = "send_invoice" in stage.do
        self.send_kinds = ("send_invoice",) if self.sends else ()
        self.holds = tuple(verb for verb in stage.do if verb in HOLD_VERBS)
        self.internal = tuple(verb for verb in stage.do if verb in INTERNAL_VERBS)
        self.reminders = ("reminder",) if self.reminds else ()
        self.hold_kinds = tuple(KIND_OF_VERB[verb] for verb in self.holds)
        self.internal_kinds = tuple(KIND_OF_VERB[verb] for verb in self.internal)
        self.thank_kinds = ("thanks",) if "thank" in stage.do else ()
        letters = tuple(verb for verb in LETTER_VERBS if verb in stage.do)
        self.letter_kinds = tuple(KIND_OF_VERB[verb] for verb in letters)
        lanes: tuple[tuple[Lane, tuple[str, ...]], ...] = (
            ("reminder", self.reminders),
            ("send", self.send_kinds),
            ("hold", self.hold_kinds),
            ("internal", self.internal_kinds),
            ("thanks", self.thank_kinds),
            ("letter", self.letter_kinds),
        )
        self.lanes = tuple((lane, kinds) for lane, kinds in lanes if kinds)
        """What the stage does, in lanes: written to the customer, the ledger's own invoice mailed,
        credit hold, internal, thanks for a payment, statement or offer of instalments."""
        self.is_account = stage.scope == "customer"
        """A step of the ladder of whole accounts, none of the procedure of an invoice."""
        self.is_event = stage.at.anchor in _EVENTS
        """Counts from something that happens to an invoice: no rung of the ladder."""
        self.is_dynamic = stage.at.anchor in _DYNAMIC
        self.is_returned = stage.at.anchor == "returned"
        self.mode = strictest(policy_mode, stage.mode)
        self.is_observed = self.mode is Mode.OBSERVE
        sent = ("send_invoice",) if self.sends else ()
        thanks = ("thank",) if self.thank_kinds else ()
        others = self.holds or letters or sent or self.internal or thanks
        verbs = ("remind",) if self.reminds else others
        self.primary = frozenset(KIND_OF_VERB[verb] for verb in verbs)
        """Kinds that make the stage count as served."""

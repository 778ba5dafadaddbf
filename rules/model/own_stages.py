"""Names in the place of a stage, for messages and tasks that come from no stage of the policy.

They stand in keys and in the history. No stage of a policy may take them.
"""

from typing import Final

from rules.model.ids import StageId

BROKEN_PROMISE: Final = StageId("broken-promise")
INSTALMENT: Final = StageId("instalment")
MISSED_INSTALMENT: Final = StageId("missed-instalment")
REVIEW: Final = StageId("review")
PROOF_OF_DEBT: Final = StageId("proof-of-debt")
CREDIT_OVERDUE: Final = StageId("credit-expected")
REPLY: Final = StageId("reply")
BOUNCE: Final = StageId("bounce")
MAIL: Final = StageId("incoming-mail")

OWN_STAGES: Final[frozenset[str]] = frozenset(
    {
        BROKEN_PROMISE,
        INSTALMENT,
        MISSED_INSTALMENT,
        REVIEW,
        PROOF_OF_DEBT,
        CREDIT_OVERDUE,
        REPLY,
        BOUNCE,
        MAIL,
    }
)

"""Every action there is, in the order in which a customer's actions of one day are done."""

from typing import Final, TypeAlias

from rules.actions.action import Action
from rules.actions.actual_costs import ChargeActualCosts
from rules.actions.apology import CloseTask, SendApology
from rules.actions.courtesy import Acknowledge, OfferPlan, SendThanks
from rules.actions.deposit import RequestDeposit
from rules.actions.discount import CreditDiscount, OfferDiscount
from rules.actions.fee_waiver import ReinstateLateFee, WaiveLateFee
from rules.actions.hand_off import HandOff
from rules.actions.internal import (
    MakeCall,
    NotifyOwner,
    OpenTask,
    PlaceCreditHold,
    ReleaseCreditHold,
    WriteNote,
)
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendFeeNotice, SendReminder
from rules.actions.notice import MailNotice
from rules.actions.on_invoice import AttachDocument, SendInvoice
from rules.actions.statement import SendStatement
from rules.actions.words import RecordWord
from rules.actions.write_off import ProposeWriteOff

AnyAction: TypeAlias = (
    RecordWord
    | WaiveLateFee
    | ReinstateLateFee
    | AttachDocument
    | ChargeLateFee
    | ChargeActualCosts
    | SendInvoice
    | SendReminder
    | SendFeeNotice
    | SendStatement
    | OfferDiscount
    | OfferPlan
    | SendThanks
    | Acknowledge
    | CreditDiscount
    | RequestDeposit
    | WriteNote
    | OpenTask
    | MakeCall
    | NotifyOwner
    | PlaceCreditHold
    | ReleaseCreditHold
    | HandOff
    | ProposeWriteOff
    | MailNotice
    | SendApology
    | CloseTask
)

ACTIONS: Final[tuple[type[Action], ...]] = (
    RecordWord,
    WaiveLateFee,
    ReinstateLateFee,
    AttachDocument,
    ChargeLateFee,
    ChargeActualCosts,
    SendInvoice,
    SendReminder,
    SendFeeNotice,
    SendStatement,
    OfferDiscount,
    OfferPlan,
    SendThanks,
    Acknowledge,
    CreditDiscount,
    RequestDeposit,
    WriteNote,
    OpenTask,
    MakeCall,
    NotifyOwner,
    PlaceCreditHold,
    ReleaseCreditHold,
    HandOff,
    ProposeWriteOff,
    MailNotice,
    SendApology,
    CloseTask,
)
"""A message comes after the fees that it announces."""

"""Why something is done or not, as sentences. The list of codes is closed.

A reason carries a code and facts; its sentence is made here, on demand. In a template `{name}` is
a fact and `[...]` a part that is left out where one of its facts is missing.
"""

import re
from typing import Final

from rules.decision import Reason

REASONS: Final[dict[str, str]] = {
    # done
    "stage_due": (
        "{stage} is due for invoice {invoice} since {trigger}; it is {days_past_due} days past due."
    ),
    "paid_stage_due": "{stage} is due: invoice {invoice} was paid on {paid_on}.",
    "account_stage_due": (
        "{stage} is due for the account since {trigger}: overdue invoices: {overdue_invoices}, "
        "the oldest, {oldest}, by {days_past_due} days."
    ),
    "gentle_start": (
        "Invoice {invoice} was overdue before this book was connected, so it starts with the "
        "earliest reminder."
    ),
    "promise_broken": "The promise to pay on {on} was not kept.",
    "instalment_due": "The instalment of {amount} is due on {on}.",
    "instalment_missed": "The instalment of {amount} that was due on {on} did not come.",
    "review_due": "The {what} of {since} was to be looked at on {on}.",
    "proof_of_debt": "The customer is insolvent since {since}; proof of debt is due by {by}.",
    "expected_credit_late": "The credit of {amount} that was expected by {on} is not there.",
    "fee_due": "{fee} on invoice {invoice} comes to {amount} more up to {through}.",
    "fee_announced": "This message announces {fee} on invoice {invoice}.",
    "statement_due": "{statement} is due since {on}[; it covers {since} to {through}].",
    "plan_too_small": "{stage} offers no instalments: {balance} is less than {minimum}.",
    "word_acknowledged": "The {word} of {on} is confirmed to the customer.",
    "discount_earned": (
        "{discount} of {amount} on invoice {invoice} was earned by the payment of {on}; until "
        "{until} was in time."
    ),
    "discount_not_earned": "{discount} on invoice {invoice} was not earned: {why}.",
    "discount_open": "{amount} may be deducted from invoice {invoice} if it is paid by {until}.",
    "ordered": "Ordered by {who}[: {why}].",
    "needs_approval": "Needs a person's approval because {why}.",
    "waited": "It has waited for a person since {since}[; nobody approved it by {until}].",
    "edit_kept": "The wording is that of {who}[: {why}].",
    "edit_dropped": "The wording of {who} is dropped: {why}.",
    # nothing due
    "not_due": "Nothing is due today[; the next step is on {next_on}].",
    "ladder_finished": "Every stage of the procedure was served[ for invoice {invoice}].",
    # kept back by the procedure itself
    "passed": "{stage} was meant for before the due date.",
    "left_alone": "Overdue before the book was connected on {connected_on}; left alone.",
    "before_connection": "{stage} fell due before the book was connected on {connected_on}.",
    "first_contact": "{stage} waits for a first, friendly contact of ours.",
    "missed": "{stage} fell due on {trigger} and was missed; missed stages are not caught up.",
    "requires": "[{stage} waits: ][{fee} waits: ]{requires} has to come first, on an earlier day.",
    "condition": "[{stage} waits: ][{fee} waits: ]{why}.",
    "statement_missed": (
        "{statement} of {on} is left out: it could not go by {until}; the next one is due on "
        "{next_on}."
    ),
    "statement_too_small": "{statement} is left out: {balance} is less than {minimum}.",
    "statement_unchanged": "{statement} is left out: nothing has changed since that of {last}.",
    "statement_not_known": (
        "{statement} is left out: it would reach back to {since}, before the book was connected "
        "on {connected_on}."
    ),
    # grounds to wait
    "void": "Invoice {invoice} is {status}.",
    "paid": "Invoice {invoice} is paid.",
    "fee_document": "{invoice} is a late fee: it is never chased on its own and bears no fee.",
    "no_due_date": "Invoice {invoice} has no due date, so it is never late.",
    "pays_by_itself": "Invoice {invoice} is paid automatically.",
    "never_sent": (
        "[Invoice {invoice} was never sent: {known}][The mail with invoice {undelivered} could "
        "not be delivered, so the customer may not have it]."
    ),
    "stopped": "Everything stopped for this customer since {since}: {because}[ ({reason})].",
    "handed_off": (
        "Invoice {invoice} is with {to} since {since}[, handed over by {who}][: {reason}]."
    ),
    "hand_off_contacts": (
        "Hand-off waits: {served} of at least {needed} messages about invoice {invoice} were sent."
    ),
    "hand_off_notice": "Hand-off waits: {notice} was not given for invoice {invoice}.",
    "hand_off_deadline": (
        "Hand-off waits: the time that {notice} gave for invoice {invoice} runs until {until}."
    ),
    "hand_off_dispute": "Hand-off waits: invoice {invoice} is disputed since {since}[: {reason}].",
    "hand_off_recalled": (
        "Invoice {invoice} was handed over on {since} and recalled on {on}: only a person hands "
        "it over again."
    ),
    "hand_off_balance": (
        "Hand-off waits: {balance} is to be handed over, less than the minimum of {minimum}."
    ),
    "disputed": "Invoice {invoice} is disputed[ since {since}][: {reason}][ (by {amount})].",
    "withheld": "What is open on invoice {invoice} is withheld until {until}.",
    "paused": "Paused until {until}[: {reason}].",
    "promised": "Payment was promised for {on}; the promise is waited for until {until}.",
    "expected": (
        "Payment is expected on {on}, as noted in the ledger; it is waited for until {until}."
    ),
    "inactive_payer": (
        "{customer} is archived in the ledger although something is open: make it active again "
        "there, or write off what is open."
    ),
    "inactive_customer": (
        "Customer {customer} is no longer active in the ledger, which takes no new fee for it."
    ),
    "instalments": (
        "Instalments are agreed and kept; the next one[, {amount},] is due on {next_part}[, the "
        "last one on {last_part}]."
    ),
    "credit_expected": (
        "A credit note for what is open on invoice {invoice} is expected by {until}."
    ),
    "unapplied_credit": "Credit of {credit} that is not applied yet covers invoice {invoice}.",
    "paid_lag": "A payment came in that is not applied yet; waiting until {until}.",
    "replied": "The customer replied on {on}; a person reads it first, until {until}.",
    "hold_undone": (
        "A person undid the credit hold on {on}; it rests until {until}, or until the account "
        "changes."
    ),
    "bounced": "The message of {on} did not arrive; the address is looked at until {until}.",
    "replied_task": "A reply of {on} was not dealt with.",
    "bounced_task": "The message of {on} did not arrive.",
    "wrote_task": "Mail of {on} is to be read.",
    "cash_not_entered": "Payments are entered through {entered_through} only (limit {limit}).",
    "below_minimum": "{balance} is open on invoice {invoice}, less than the minimum of {minimum}.",
    "stale_book": "The data are {age_hours} hours old, more than {limit}.",
    "entity_unconfirmed": (
        "[{stage} is formal][{fee} is the law's] and waits until somebody confirms what "
        "{customer} is in law."
    ),
    "formal_stage_live": "A formal notice to this customer runs until {until}.",
    "firmer_stage_live": (
        "{stage} was sent to this customer; nothing softer is sent until {until}, except with it."
    ),
    "account_ladder": (
        "Invoice {invoice} is asked for together with everything that the account owes[; the next "
        "step is on {next_on}]."
    ),
    "account_stage_first": (
        "{stage} goes to this customer today, for everything that is overdue; it stands in the "
        "place of this reminder."
    ),
    "higher_stage_first": "{stage}, a firmer stage, goes to this customer today.",
    "no_date_field": (
        "{stage} counts from the date field {field}, which invoice {invoice} does not have: fill "
        "it in in the ledger."
    ),
    "formal_stands_alone": "{stage} to the same customer goes out alone today.",
    "contact_budget": (
        "The customer heard from us on {last_contact}; the next message may go on {next_on}."
    ),
    "letter_to_post": "The letter of {on} has to be printed and posted.",
    "not_send_day": "No messages go out today; the next day is {next_on}.",
    "already_on_hold": "{customer} is on credit hold already.",
    "not_on_hold": "{customer} is not on credit hold.",
    "hold_of_a_person": (
        "{customer} is on credit hold, which a person placed in the ledger: only a person "
        "releases it."
    ),
    "credit_limit_exceeded": "{customer} is above the credit limit: {figures}.",
    "credit_overdue": "Invoice {invoice} ({owed}) is {days} days past due.",
    "credit_still_above": (
        "The account is still above {percent} % of the credit limit: {figures}."
    ),
    "credit_hold_stands": "The credit hold of {since} stands.",
    "credit_free_again": (
        "{customer} is well below the credit limit again and nothing is overdue for too long; "
        "the hold of {since} ends."
    ),
    "credit_moved_today": (
        "Credit was held or released today already; it is looked at again on {next_on}."
    ),
    "deposit_due": (
        "Estimate {estimate} is out, and no paid invoice of {customer} is known: a deposit of "
        "{percent} % comes to {amount}."
    ),
    "balance_small": (
        "Only {owed} is open on invoice {invoice}, {days} days past due: not worth chasing."
    ),
    "credit_limit_near": "{customer} comes near the credit limit: {figures}.",
    "firmer_hold_first": "A firmer stage decides about the credit of {customer} today.",
    # fees
    "no_legal_basis": "{fee} names no legal basis, so it is not charged.",
    "no_amount_for_currency": "{fee} has no amount in {currency}; amounts are never converted.",
    "native_late_fees": (
        "[Invoice {carries} carries late fees of {amount} that are not ours][{ledger} charges "
        "late fees by itself], so {fee} is not charged: it would come on top. Where that is "
        'meant, write native_late_fees = "off-confirmed" in the policy.'
    ),
    "reference_rate_missing": (
        "{fee} is not charged: the {rate} is not known for {day}. Once it is "
        "published, name it in `rates` of the fee."
    ),
    "fee_over_posted": "{fee} was charged {amount} more than is owed on invoice {invoice}.",
    "fee_charged_too_much": (
        "{fee} on invoice {invoice} ({document}) was charged {amount} too much: {owed} is owed, "
        "by {why}."
    ),
    "fee_document_missing": (
        "{document} is to be taken back by {amount} and is not among the documents read from the "
        "ledger."
    ),
    "fee_left_over": (
        "The invoice is paid; {amount} of the late fee {document} is left, and the policy lets "
        "the customer off."
    ),
    "fee_left_open": (
        "{invoice} is a late fee that is left over: the invoice itself is paid, and the policy "
        "leaves the fee open without chasing it."
    ),
    "fee_of_the_account": "{fee} is charged to the whole account at once, not to an invoice.",
    "fee_month_limit": "{fee} waits: the customer's limit for this month is reached.",
    "fee_balance_too_small": "{fee} waits: {balance} open on invoice {invoice} is too small.",
    "fee_too_small": "{fee} on invoice {invoice} is {amount} so far, less than {minimum}.",
    "return_not_confirmed": (
        "{fee} waits on invoice {invoice}: payment {payment} was deleted in the ledger on "
        "{gone_on}, and nobody said whether it came back."
    ),
    "fee_claimed_only": "{fee} is claimed in formal letters and never invoiced.",
    "fee_group_reached": "{fee} and the fees that share its limits made {posts} documents for "
    "invoice {invoice}, the most allowed.",
    "fee_posts_reached": "{fee} was charged {posts} times on invoice {invoice}, the most allowed.",
    # around the rules
    "rule_error": "A rule failed for this customer: {error}. Nothing is done for it.",
    "already_done": "This was planned or done before[ ({state})].",
    "history_unread": (
        "What was done about this customer before is still to be found in the ledger[: {why}]."
    ),
    "rejected": "A person rejected this[: {why}].",
    "withdrawn": "This was withdrawn[: {why}].",
    "expired": "The approval came too late[: {why}].",
    "superseded": "A newer plan took its place[: {why}].",
    "refused": "The accounting system refused this[: {why}].",
    "parked": "This was begun and waits for a person[: {why}].",
    "unknown": "Nobody knows whether this was done; a person has to look[: {why}].",
    "calls_deferred": (
        "It would take more calls than {ledger} lets through today[ ({calls} of them, {left} are "
        "left)], so it is for {next_on}."
    ),
    "fee_set_up_missing": (
        "The book has no fee_account and fee_tax that the ledger knows, so no fee is posted; "
        "`ar-bridge doctor` says what is wrong."
    ),
    "message_not_written": "The message cannot be written with the template {template}: {why}.",
    "unreachable": "The customer cannot be reached: {why}.",
}

OF_ACTS: Final = frozenset(
    {
        "stage_due",
        "paid_stage_due",
        "account_stage_due",
        "gentle_start",
        "promise_broken",
        "instalment_due",
        "instalment_missed",
        "review_due",
        "proof_of_debt",
        "expected_credit_late",
        "fee_due",
        "fee_announced",
        "statement_due",
        "word_acknowledged",
        "discount_earned",
        "discount_not_earned",
        "ordered",
        "needs_approval",
        "waited",
        "edit_kept",
        "edit_dropped",
    }
)
"""Reasons of what is done, never of what is left undone."""

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_FACT = re.compile(r"\{(\w+)\}")


def sentence(reason: Reason) -> str:
    """The reason as a plain sentence. An unknown code is shown as it is, with its facts."""
    facts = dict(reason.facts)
    template = REASONS.get(reason.code)
    if template is None:
        told = ", ".join(f"{name} {value}" for name, value in reason.facts)
        return f"{reason.code.replace('_', ' ').capitalize()}{': ' + told if told else ''}."

    def optional(match: re.Match[str]) -> str:
        part = match[1]
        return part if all(facts.get(name) for name in _FACT.findall(part)) else ""

    shown = _OPTIONAL.sub(optional, template)

    def told_as_it_is(match: re.Match[str]) -> str:
        fact = facts.get(match[1]) or "?"
        # "... Shaw Ltd." ends the sentence by itself; dots inside a number stay as they are.
        is_end = fact.endswith(".") and shown[match.end() :].startswith(".")
        return fact[:-1] if is_end else fact

    text = _FACT.sub(told_as_it_is, shown).strip()
    return text[:1].upper() + text[1:]

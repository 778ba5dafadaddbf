"""decide(book, policy, today): what should happen to each invoice today, and why not to others.

Pure: the same book, policy and day give the same decisions, whatever the order of the input.
It maps over accounts (the paying customer with its children); no rule looks across accounts.
Deciding again once the acts are part of the book's history gives nothing new.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from rules.account_day import AccountDay
from rules.account_rules import AccountRule, rules_wanted
from rules.account_work import AccountWork, held_skip
from rules.announcing import has_unannounced
from rules.asking import asking
from rules.charges import is_recently_closed
from rules.decision import Act, Decision, Reason, Skip
from rules.done_before import DoneBefore
from rules.frame import ONE_DAY, Dates, Frame
from rules.guards.base import Case
from rules.guards.table import first_hold
from rules.model.book import Account, Book
from rules.model.invoice import Invoice
from rules.nothing_due import NothingDue
from rules.plain_reminders import PlainReminders
from rules.policy.schema import Policy
from rules.waiver_proposals import waiver_proposals


def decide(book: Book, policy: Policy, today: date) -> tuple[Decision, ...]:
    """Acts and skips for every account, ordered by payer; within one, in order of doing.

    Every open invoice gets an act or at least one skip. A rule that raises becomes a Skip
    `rule_error` for that account and hides no other account.
    """
    return decided_in(Frame(book, policy, today))


def decided_in(frame: Frame) -> tuple[Decision, ...]:
    """The same, for a policy that was made ready for the day."""
    wanted = rules_wanted(frame.policy)
    if wanted or frame.account_fees:
        return decided_one_by_one(frame)
    try:
        known = NothingDue(frame)
        few = frame.book.rows_of(known.closer | known.due.keys() | known.doubtful)
    except Exception:
        # Something in the book is not what it should be: the long way tells whose it is.
        return decided_one_by_one(frame)
    closer, numbers = set(known.closer), known.numbers
    plain = PlainReminders(frame, few).decided(
        {payer: due for payer, due in known.due.items() if payer not in known.doubtful}
    )
    found: list[Decision] = []
    of: list[int] = []
    for payer, reminder in plain.items():
        found += reminder
        of += [numbers[payer]] * len(reminder)
    others = (closer | known.due.keys() | known.doubtful) - plain.keys()
    for account in few.accounts(others):
        payer = account.payer.id
        try:
            if payer in closer:
                decided = decide_account(frame, account, wanted)
            else:
                decided = _decide_due(frame, account, known)
        except Exception as error:
            closer.add(payer)
            decided = [_rule_error(account, error, frame.today)]
        found += decided
        of += [numbers[payer]] * len(decided)
    return numbers.in_order(known.said(), (found, of), instead=closer)


def _decide_due(frame: Frame, account: Account, known: NothingDue) -> list[Decision]:
    """What is decided of an account of which it is known where something may be due."""
    payer, day = account.payer.id, AccountDay(frame, account)
    found: list[Decision] = []
    if payer in known.due:
        work = AccountWork(day)
        for invoice, dates in known.due[payer]:
            work.overdue(invoice, dates)
        found = work.decisions(())
    if payer in known.doubtful:
        found += waiver_proposals(day)
    return asking(frame, account, found, day) if frame.asks else found


def decided_one_by_one(frame: Frame) -> tuple[Decision, ...]:
    """The same the long way: each account is put together and looked at."""
    wanted = rules_wanted(frame.policy)
    decisions: list[Decision] = []
    for account in frame.book.accounts():
        try:
            decisions += decide_account(frame, account, wanted)
        except Exception as error:
            decisions.append(_rule_error(account, error, frame.today))
    return tuple(decisions)


def _rule_error(account: Account, error: Exception, today: date) -> Skip:
    what = f"{type(error).__name__}: {error}"
    return Skip(
        customer=account.payer.id,
        code="rule_error",
        reasons=(Reason("rule_error", (("error", what),)),),
        next_on=today + ONE_DAY,
        review_on=today,
    )


def decide_account(
    frame: Frame, account: Account, wanted: Sequence[AccountRule] | None = None
) -> list[Decision]:
    """The decisions for one account. Raises whatever a rule raises.

    `wanted` are the rules about whole accounts that the policy asks for; None: find them.
    """
    if wanted is None:
        wanted = rules_wanted(frame.policy)
    day: AccountDay | None = None
    work: AccountWork | None = None
    done: DoneBefore | None = None
    skips: list[Decision] = []
    today, payer, known = frame.today, account.payer.id, frame.dates_of_due
    has_word = bool(account.commitments)
    promised = frame.has_promise_stages and has_word
    came_back = False
    for invoice in account.invoices:
        due_on = invoice.due_on
        if invoice.status != "open" or invoice.balance <= 0:
            was_due = due_on is not None and due_on < today
            if invoice.status == "paid" and (frame.paid_steps or (frame.fees and was_due)):
                day = day or AccountDay(frame, account)
                work = work or AccountWork(day)
                if frame.paid_steps or is_recently_closed(day, invoice):
                    work.closed(invoice, was_due)
            continue
        if due_on is None or invoice.is_fee or invoice.fee_of is not None:
            day = day or AccountDay(frame, account)
            hold = first_hold(Case(day, invoice, "reminder"))
            if hold is not None:
                skips.append(held_skip(day, invoice, hold, None))
            if hold is not None or due_on is None:
                continue
        dates = known.get(due_on) or frame.dates_of(invoice)
        if dates.lacking:
            day = day or AccountDay(frame, account)
            skips += _lacking(day, invoice, dates)
        if frame.has_returned_stages:
            came_back = _came_back(account, invoice)
        if dates.is_ahead and not (came_back or promised):
            skips.append(
                Skip(
                    customer=payer,
                    invoice=invoice.id,
                    code="not_due",
                    reasons=dates.not_due,
                    next_on=dates.first_on,
                )
            )
            continue
        is_quiet = dates.next_on is not None and not has_word and not came_back
        if is_quiet and (account.served or not dates.needed):
            done = done or DoneBefore(frame, account)
        if is_quiet and done is not None and done.is_all(invoice, dates):
            skips.append(
                Skip(
                    customer=payer,
                    invoice=invoice.id,
                    code="not_due",
                    reasons=dates.not_due_yet,
                    next_on=dates.next_on,
                )
            )
            continue
        day = day or AccountDay(frame, account)
        work = work or AccountWork(day)
        work.overdue(invoice, dates)
    if account.fees and has_unannounced(account):
        work = work or AccountWork(day or AccountDay(frame, account))
        work.announce()
    if frame.has_returned_fees and any(one.reversed_on is not None for one in account.payments):
        work = work or AccountWork(day or AccountDay(frame, account))
        work.returned()
    has_answer = bool(frame.answered) and not frame.answered.isdisjoint(account.members)
    proposed: Sequence[Decision] = ()
    if account.fees:
        day = day or (work.day if work is not None else AccountDay(frame, account))
        proposed = list(waiver_proposals(day))
    if work is None and (has_word or has_answer or wanted or frame.account_fees):
        work = AccountWork(day or AccountDay(frame, account))
    if work is not None:
        skips += work.decisions(wanted)
    skips += proposed
    if frame.asks:
        return asking(frame, account, skips, work.day if work is not None else day)
    return skips


def _came_back(account: Account, invoice: Invoice) -> bool:
    """Whether a payment of the invoice was returned."""
    return any(
        payment.reversed_on is not None
        and any(part.invoice == invoice.id for part in payment.allocations)
        for payment in account.payments
    )


def _lacking(day: AccountDay, invoice: Invoice, dates: Dates) -> Iterator[Skip]:
    """Stages that count from a date field that the invoice does not have: a person fills it in."""
    for step in dates.lacking:
        if not day.applies(step.stage, invoice):
            continue
        facts = (
            ("stage", step.stage.name or step.id),
            ("field", step.stage.at.arg),
            ("invoice", invoice.number),
        )
        yield Skip(
            customer=day.account.payer.id,
            invoice=invoice.id,
            stage=step.id,
            code="no_date_field",
            reasons=(Reason("no_date_field", facts),),
            review_on=invoice.due_on,
        )


def acts(decisions: Iterable[Decision]) -> list[Act]:
    """Only what is done."""
    return [found for found in decisions if isinstance(found, Act)]

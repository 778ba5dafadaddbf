"""What a template may show. These fields are the whole vocabulary; `lint` checks against them.

Amounts, dates and rates are ready-made text in the reader's way of writing; counts are numbers.
A field that does not apply is empty text, 0 or an empty list, never missing.
"""

import msgspec


class AsideRow(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an invoice, or of a statement, that is not asked for at present."""

    ground: str
    """disputed, withheld, or credit for a credit note on its way."""
    amount: str


class InvoiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice in a table of the message."""

    number: str
    po: str = ""
    """The customer's own order number."""
    branch: str = ""
    """The customer that was invoiced, where another one pays."""
    issued_on: str
    due_on: str
    days_past_due: int
    """0 until the day after the due date; in a statement also 0 where nothing of it is asked for
    at present, or where it is paid in instalments as agreed."""
    original: str
    paid: str = ""
    """Payments and credits so far; empty for none."""
    set_aside: str = ""
    """Disputed or withheld part, which this message does not ask for; empty for none."""
    asides: tuple[AsideRow, ...] = ()
    """The same by why it is not asked for."""
    open: str
    """What this message asks for: the balance without the part that is set aside."""
    balance: str
    """All that is owed on it, a part that is set aside included."""
    instalment: str = ""
    """In a statement: what is open of the next part of the plan that the customer keeps for it;
    empty where there is none."""
    instalment_on: str = ""
    """The day of that part."""
    is_fee: bool = False
    """A late fee, not an invoice for goods or services."""
    discount: str = ""
    """What may be deducted by who pays early; empty where nothing may."""
    discount_until: str = ""
    """The last day for that."""
    discounted: str = ""
    """What is then to be paid."""


class BasisRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of how a fee came about."""

    kind: str
    """segment, fixed, band or compounded."""
    base: str = ""
    rate: str = ""
    """Of interest: a year's, in percent."""
    share: str = ""
    """Of a percentage charged once: in percent of the base."""
    days: int = 0
    from_on: str = ""
    to_on: str = ""
    amount: str


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step from that sum to the fee: minimum, cap, already_posted or waived."""

    step: str
    amount: str


class FeeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One late fee, announced by this message or charged earlier."""

    document: str
    """Number of the fee document: LF-..."""
    name: str
    amount: str
    invoice: str
    """Number of the invoice that it is about."""
    rule: str = ""
    """The rule in words, as on the fee document."""
    issued_on: str = ""
    through: str = ""
    """Last day that it covers."""
    basis: tuple[BasisRow, ...] = ()
    steps: tuple[StepRow, ...] = ()
    per_day: str = ""
    """What each further day adds; empty where nothing accrues by the day."""


class AgeRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is open in one range of ages."""

    label: str
    """`not due`, `1-30`, `31-60`, `61-90` or `over 90`: days past due."""
    amount: str


class MovementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an activity statement."""

    on: str
    kind: str
    """invoice, late_fee, payment, payment_returned, credit_note or deposit."""
    number: str = ""
    amount: str
    """What it adds to the balance; payments and credits are negative."""
    balance: str
    """The balance after it."""


class StatementPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement of account says besides the invoices that it lists."""

    name: str = ""
    is_activity: bool = False
    lists_not_due: bool = True
    owed: str
    """Sum of what is open on the invoices listed, contested parts included."""
    balance: str
    """The same less credit that is not used yet."""
    is_in_credit: bool = False
    """True where the customer has more credit than debt."""
    overdue: str = ""
    """What of it is past its due date, without the parts that are not asked for at present and
    what is paid in instalments as agreed; empty for nothing."""
    contested: str = ""
    """Disputed and withheld parts of it; empty for none."""
    asides: tuple[AsideRow, ...] = ()
    """The same by why they are not asked for."""
    ages: tuple[AgeRow, ...] = ()
    """Without those parts; what is paid in instalments as agreed is not due."""
    since: str = ""
    through: str = ""
    opening: str = ""
    lines: tuple[MovementRow, ...] = ()
    closing: str = ""
    after: str = ""
    """What was entered after the period; empty for nothing."""


class DepositPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a deposit request says of the estimate."""

    estimate: str
    """Its number."""
    estimate_on: str
    estimate_total: str
    percent: str
    amount: str
    due_on: str = ""
    """Empty where the policy gives no time."""


class PromisePart(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that was not kept, or not in full."""

    promised_on: str
    """The day on which it was made."""
    due_on: str
    """The day that was named."""
    promised: str
    paid: str = ""
    """What came in since; empty for nothing."""
    missing: str
    nth: int = 1
    """2 for the second promise that was not kept: its words are firmer."""


class ReturnedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that came back."""

    amount: str
    paid_on: str
    returned_on: str
    is_sure: bool = True
    """False where the books only say that the payment is gone."""


class InstalmentPart(msgspec.Struct, frozen=True, kw_only=True):
    """The instalment that a message about a payment plan asks for."""

    due_on: str
    amount: str
    paid: str = ""
    """What of it came in already; empty for nothing."""
    position: int
    """1 for the first."""
    count: int
    """Of how many."""
    is_missed: bool = False


class ThanksPart(msgspec.Struct, frozen=True, kw_only=True):
    """What came in, and what is still open besides the invoices that it settled."""

    received: str
    received_on: str
    still_open: str = ""
    """Empty for nothing."""
    still_overdue: str = ""
    """What of it is past its due date; empty for nothing."""
    open_fees: str = ""
    """Late fees on these invoices that are still open; empty for none."""


class WrongRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that we did by mistake."""

    kind: str
    """message, invoice, fee, hold or hand_off."""
    on: str
    what: str = ""
    """Subject, number of the document, or name of the agency."""
    amount: str = ""
    """Of a fee: what is taken back."""
    numbers: tuple[str, ...] = ()
    """Invoices that it was about."""


class ApologyPart(msgspec.Struct, frozen=True, kw_only=True):
    """What an apology is for."""

    wrongs: tuple[WrongRow, ...]
    fees_total: str = ""
    """Late fees that are taken back; empty for none."""
    has_fees: bool = False


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment, agreed or offered."""

    position: int
    due_on: str
    amount: str


class WordPart(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody told us, as it was taken down."""

    kind: str
    """promise, dispute or instalments."""
    said_on: str
    amount: str = ""
    """Promised, disputed or agreed in all; empty for the whole."""
    until: str = ""
    """The promised day, or that of the last instalment."""
    waits_until: str = ""
    """Last day on which reminders wait for it."""
    owner: str = ""
    answer_by: str = ""


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a template can name."""

    on: str
    """The date on which the message goes out."""
    greeting_name: str
    customer_name: str
    company_name: str
    currency: str
    invoices: tuple[InvoiceRow, ...]
    also_open: tuple[InvoiceRow, ...] = ()
    fees: tuple[FeeRow, ...] = ()
    """Late fees that this message announces."""
    claims: tuple[FeeRow, ...] = ()
    """Fees that this letter claims and that are not invoiced: without a document."""
    earlier_fees: tuple[FeeRow, ...] = ()
    """Late fees charged before on these invoices and not settled."""
    count: int
    """How many invoices are asked for."""
    numbers: tuple[str, ...]
    """Their numbers, the longest overdue first."""
    first_due_on: str
    """The earliest due date among them."""
    most_days_past_due: int
    is_anything_open: bool = True
    """False where only fees are left: the invoices themselves are paid."""
    invoices_total: str
    """Sum of the open amounts."""
    open_total: str
    """The same less unapplied credit: what is asked for on the invoices, fees aside."""
    unapplied: str = ""
    """Credit not yet matched to an invoice, deducted here; empty for none."""
    fees_total: str = ""
    claims_total: str = ""
    total: str
    """Invoices less unapplied credit plus the fees announced and what is claimed."""
    also_open_total: str = ""
    deadline_on: str = ""
    earlier_mails: tuple[str, ...] = ()
    """Dates on which these invoices were written about before."""
    consequences: tuple[str, ...] = ()
    """What the policy does next, one sentence each; never more than that."""
    included_through: str
    """Payments entered up to this day are taken into account."""
    is_read_only: bool = False
    """True where nobody said up to which day payments are entered: it is the day on which the
    books were last read."""
    promise: PromisePart | None = None
    """A promise about these invoices that was not kept; None for most messages."""
    returned: tuple[ReturnedRow, ...] = ()
    """Payments that came back; empty for most messages."""
    part: InstalmentPart | None = None
    """The instalment that is asked for; None for most messages."""
    terms: str = ""
    fee_tax_note: str = ""
    reply_to: str
    phone: str = ""
    postal_address: tuple[str, ...] = ()
    registration: str = ""
    bank_details: tuple[str, ...] = ()
    signed_by: str = ""
    pay_link: str
    """Late slot: stands as it is until the message is sent."""
    thanks: ThanksPart | None = None
    """Of thanks for a payment."""
    word: WordPart | None = None
    """Of an acknowledgement."""
    plan: tuple[PlanRow, ...] = ()
    """Instalments that the message confirms or offers."""
    plan_total: str = ""
    answer_by: str = ""
    """Until when an offer of instalments stands."""
    statement: StatementPart | None = None
    """Of a statement of account."""
    deposit: DepositPart | None = None
    """Of a deposit request."""
    apology: ApologyPart | None = None
    """Of an apology."""


LAYOUT_FIELDS = ("subject", "opening", "closing")
"""What a layout gets besides: the words of the template, as one line and as paragraphs."""

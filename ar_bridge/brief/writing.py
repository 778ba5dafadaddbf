"""A brief in words: subject, plain text, and HTML that survives mail programs (inline styles,
tables, no image, no script, nothing that is fetched).

Templates run in a sandbox; what a ledger or a customer wrote is escaped in HTML, and control
characters in it never reach a line of their own. A file of the operator's own,
`templates/<language>/brief.txt.jinja` or `brief.html.jinja` in the home directory, goes first.
"""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ar_bridge.brief.model import Brief, Money
from ar_bridge.messages.formats import Formats, clean, locale_for
from rules.model import Company, parse_minor

SHIPPED: Final = Path(__file__).parent / "templates"
NAME: Final = "brief"

SHOWN: Final = 12
"""Entries of a section that are listed; the others are counted."""
NAMES: Final = 5
"""Customers that one line names; the others are counted."""

KINDS: Final = {
    "reminder": ("reminder", "reminders"),
    "statement": ("statement of account", "statements of account"),
    "late_fee": ("late fee charged", "late fees charged"),
    "fee_notice": ("notice of a late fee", "notices of late fees"),
    "fee_waiver": ("late fee taken back", "late fees taken back"),
    "thanks": ("thank-you message", "thank-you messages"),
    "acknowledgement": ("acknowledgement", "acknowledgements"),
    "apology": ("apology", "apologies"),
    "credit_hold": ("credit hold", "credit holds"),
    "credit_release": ("credit release", "credit releases"),
    "hand_off": ("hand-off", "hand-offs"),
    "write_off_proposal": ("write-off", "write-offs"),
    "send_invoice": ("invoice sent again", "invoices sent again"),
    "attachment": ("file attached", "files attached"),
    "closing": ("task withdrawn", "tasks withdrawn"),
    "discount": ("discount credited", "discounts credited"),
    "discount_offer": ("discount offered", "discounts offered"),
    "plan_offer": ("payment plan offered", "payment plans offered"),
    "deposit_request": ("deposit asked for", "deposits asked for"),
}
"""Kinds as a heading says them, of one and of several; others stand as they are called."""

LONGEST_SUBJECT: Final = 90
"""Characters; a mail program shows fewer."""
LONGEST_QUOTE: Final = 80
"""Characters of somebody else's subject or words."""

ANSWERS: Final = {
    "bounce": "a message came back",
    "soft_bounce": "a message could not be delivered",
    "half_bounce": "an address from which mail comes back",
    "moved": "an address that nobody reads any more",
    "wrote": "a mail that answers none of ours",
}
"""What came back, by its kind; others stand as they are called."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A brief as a mail."""

    subject: str
    text: str
    html: str


def write_brief(
    brief: Brief, company: Company, *, language: str = "en", directories: Sequence[Path] = ()
) -> Written:
    """Put a brief into words. Raises jinja2.TemplateError for a template of the operator's own
    that cannot be filled in."""
    environment = _environment(directories)
    formats = Formats(locale_for(language, company.country))
    zone = ZoneInfo(company.timezone)

    def money(one: Money) -> str:
        return formats.money(parse_minor(one.amount, one.currency), one.currency)

    def moment(at: datetime | None) -> str:
        if at is None:
            return ""
        local = at.astimezone(zone)
        return f"{formats.day(local.date())}, {local:%H:%M}"

    environment.filters.update(
        money=money,
        amount=lambda text, code: money(Money(currency=code, amount=text)),
        monies=lambda found: " + ".join(map(money, found)),
        day=lambda on: formats.day(on) if isinstance(on, date) else "",
        moment=moment,
        kind=_kind,
        kinds=_kinds,
        short=lambda text: _short(clean(text), LONGEST_QUOTE),
        answer=lambda kind: ANSWERS.get(kind, kind.replace("_", " ")),
        clean=clean,
        names=_names,
    )
    known = {
        "brief": brief,
        "company": clean(brief.company),
        "today": formats.long_day(brief.on),
        "shown": SHOWN,
        "needed": len(brief.approvals) + len(brief.tasks) + len(brief.unsure),
    }
    return Written(
        subject=_subject(brief, formats),
        text=_template(environment, language, "txt").render(known).strip() + "\n",
        html=_template(environment, language, "html").render(known),
    )


def _subject(brief: Brief, formats: Formats) -> str:
    said = []
    if any(one.is_urgent for one in brief.stuck):
        said.append("needs you: something is stuck")
    waiting = len(brief.approvals) + len(brief.tasks)
    if waiting:
        said.append(f"{waiting} to look at")
    if brief.money_sums:
        came = (
            formats.money(parse_minor(one.amount, one.currency), one.currency)
            for one in brief.money_sums
        )
        said.append(f"{' + '.join(came)} in")
    tail = ", ".join(said) or ("all quiet" if brief.is_quiet else "your brief")
    tail = f", {formats.day(brief.on)}: {tail}"
    # What is to be done is never cut off, whatever the company is called.
    company = _short(clean(brief.company), max(20, LONGEST_SUBJECT - len(tail)))
    return clean(f"{company}{tail}")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


def _kinds(kind: str, count: int = 2) -> str:
    named = kind.replace("_", " ")
    one, several = KINDS.get(kind, (named, f"{named}s"))
    return one if count == 1 else several


def _kind(kind: str) -> str:
    text = kind.replace("_", " ")
    return f"{text[:1].upper()}{text[1:]}"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(clean(one) for one in names[:NAMES])
    return shown + (f" and {len(names) - NAMES} more" if len(names) > NAMES else "")


def _environment(directories: Sequence[Path]) -> jinja2.Environment:
    return ImmutableSandboxedEnvironment(
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(each) for each in (*directories, SHIPPED)]
        ),
        autoescape=lambda name: bool(name and name.endswith(".html.jinja")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(environment: jinja2.Environment, language: str, part: str) -> jinja2.Template:
    return environment.select_template(
        [f"{language}/{NAME}.{part}.jinja", f"en/{NAME}.{part}.jinja"]
    )

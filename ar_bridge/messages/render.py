"""A message as it will be approved and sent: every word fixed but the late slots."""

import re
import textwrap
import traceback
from collections.abc import Collection, Sequence
from datetime import date
from functools import lru_cache

import jinja2
import msgspec

from ar_bridge.errors import ArBridgeError
from ar_bridge.messages.compose import UnknownInvoiceError, asked_amount, compose
from ar_bridge.messages.formats import clean, formats_for
from ar_bridge.messages.late import PAY_LINK
from ar_bridge.messages.recipients import Unreachable
from ar_bridge.messages.sender import Sender
from ar_bridge.messages.templates import BLOCKS, Templates, UnknownTemplateError
from ar_bridge.messages.view import MessageView
from ar_bridge.messages.ways import ways_to
from rules.actions.action import RenderedMessage
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.model.book import Account
from rules.model.company import Company
from rules.model.money import format_minor

_WIDTH = 78

_BLANKS = "\t\r\x0b\x0c"
"""Blanks that `textwrap` makes spaces of."""
_UNEVEN = re.compile(rf"\s\s|[{_BLANKS}]")
"""Where there is more between two words than a space, `textwrap` has rules of its own."""


class MessageError(ArBridgeError):
    """A message could not be written."""


@lru_cache(maxsize=1)
def shipped_templates() -> Templates:
    """The templates that come with ar-bridge."""
    return Templates()


def render(
    action: SendReminder,
    account: Account,
    company: Company,
    sender: Sender,
    *,
    on: date,
    included_through: date,
    is_read_only: bool = False,
    charges: Sequence[ChargeLateFee] = (),
    language: str = "",
    templates: Templates | None = None,
    consequences: Sequence[str] = (),
    set_up: Collection[str] = (),
) -> RenderedMessage | Unreachable:
    """The message for the date on which it goes out, or why it can reach nobody.

    It goes by every channel of the action that reaches the customer: the first is the message,
    the others are its `also`. `set_up` are channels beside mail and letter that are there.

    `charges` are the late fees that the message announces, `included_through` is the day up to
    which payments are known to be entered, or, with `is_read_only`, the one on which the books
    were last read, because nobody said so; and
    `consequences` are whole sentences about what the policy does next. The language is the one
    given, else the customer's, else English; figures follow the customer's country, else the
    company's. Raises MessageError where the template is missing or broken, and where the rows
    would not add up to the amount that the action asks for: no such message may leave.
    """
    templates = templates or shipped_templates()
    wanted = set(action.qualified)
    asked = [each for each in account.invoices if each.id in wanted]
    ways = ways_to(action, account.payer, asked, set_up)
    if isinstance(ways, Unreachable):
        return ways
    if action.signed_by:
        sender = msgspec.structs.replace(sender, signed_by=action.signed_by)
    try:
        spoken = templates.language_for(action.template, language or account.payer.language)
        formats = formats_for(spoken, account.payer.country, company.country)
        view = compose(
            action,
            account,
            company,
            sender,
            formats,
            on=on,
            included_through=included_through,
            is_read_only=is_read_only,
            charges=charges,
            consequences=consequences,
            greeting_name=next((way.people.name for way in ways if way.people.name), ""),
        )
    except (UnknownTemplateError, UnknownInvoiceError) as trouble:
        raise MessageError(str(trouble)) from trouble
    _check_sum(action, account)
    subject, text, html = write(
        view,
        action.template,
        language=spoken,
        templates=templates,
        formal=action.is_formal,
        kind=action.kind,
    )
    first, *others = [
        RenderedMessage(
            channel=way.channel,
            to=way.people.to,
            cc=way.people.cc,
            subject=subject,
            text=short(view, subject) if way.channel == "sms" else text,
            html="" if way.channel == "sms" else html,
            language=spoken,
        )
        for way in ways
    ]
    return msgspec.structs.replace(first, also=tuple(others))


def short(view: MessageView, subject: str) -> str:
    """The message as a text message: who writes, about what, how much, where to pay and to call.

    Made of the subject and figures alone, so that it is in the language of the template.
    """
    called = f" {view.phone}" if view.phone else ""
    return f"{view.company_name}: {subject}. {view.total}.{called}\n{PAY_LINK}\n"


def write(
    view: MessageView,
    template: str,
    *,
    language: str,
    templates: Templates,
    formal: bool,
    kind: str = "",
) -> tuple[str, str, str]:
    """Subject, plain text and HTML of a view. `kind` is that of the action: some kinds have
    figures of their own. Raises MessageError with file and line."""
    try:
        facts: dict[str, object] = {
            **templates.globals,
            **msgspec.structs.asdict(view),
            "words": templates.macros(language),
            "language": language,
            "formal": formal,
        }
        words = _blocks(templates.words_of(template, language), facts)
        facts["subject"] = subject = clean(words["subject"])
        opening, closing = _paragraphs(words["opening"]), _paragraphs(words["closing"])
        text = _filled(
            templates.layout(template, language, ".txt", kind),
            {**facts, "opening": "\n\n".join(opening), "closing": "\n\n".join(closing)},
        )
        html = _filled(
            templates.layout(template, language, ".html", kind),
            {**facts, "opening": list(opening), "closing": list(closing)},
        )
    except Exception as trouble:
        # A template may hold any mistake, a division by zero included.
        raise MessageError(
            f"{_place(trouble)}: {template} cannot be written: {trouble}",
            remedy="correct the template; `ar-bridge policy check` names everything at once",
        ) from trouble
    return subject, wrapped(text), html


def _context(template: jinja2.Template, facts: dict[str, object]) -> jinja2.runtime.Context:
    """As `Template.new_context`, without copying the facts."""
    environment = template.environment
    return environment.context_class(environment, facts, template.name, template.blocks)


def _filled(template: jinja2.Template, facts: dict[str, object]) -> str:
    """As `Template.render`; `facts` hold the globals of templates too."""
    context = _context(template, facts)
    try:
        return "".join(template.root_render_func(context))
    except Exception:
        # Makes the traceback speak of lines of the template.
        template.environment.handle_exception()


def _blocks(template: jinja2.Template, facts: dict[str, object]) -> dict[str, str]:
    context = _context(template, facts)
    missing = [name for name in BLOCKS if name not in template.blocks]
    if missing:
        raise jinja2.TemplateError(f"it has no block {', '.join(missing)}")
    try:
        return {name: "".join(template.blocks[name](context)) for name in BLOCKS}
    except Exception:
        template.environment.handle_exception()


def _place(trouble: Exception) -> str:
    if isinstance(trouble, jinja2.TemplateSyntaxError):
        return f"{trouble.filename or trouble.name}:{trouble.lineno}"
    for frame in reversed(traceback.extract_tb(trouble.__traceback__)):
        if frame.filename.endswith((".j2", ".txt", ".html")):
            return f"{frame.filename}:{frame.lineno}"
    return "message template"


@lru_cache(maxsize=256)
def _paragraphs(text: str) -> tuple[str, ...]:
    # The same words close every message.
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return tuple([part for part in parts if part])


def wrapped(text: str) -> str:
    """Plain text of readable width: long lines are broken under their own indent, blank lines
    never pile up, and an address or a link is never split."""
    lines: list[str] = []
    is_odd = any([blank in text for blank in _BLANKS])
    for line in text.split("\n"):
        line = line.rstrip()
        if not line:
            if lines and lines[-1]:
                lines.append("")
        elif len(line) <= _WIDTH and not (is_odd and _UNEVEN.search(line)):
            lines.append(line)
        else:
            bare = line.lstrip()
            lines.extend(_folded(bare, line[: len(line) - len(bare)]))
    return "\n".join(lines).strip() + "\n"


@lru_cache(maxsize=512)
def _folded(line: str, indent: str) -> list[str]:
    # The same long sentences stand under every message.
    if _UNEVEN.search(line):
        return textwrap.wrap(
            line,
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    lines: list[str] = []
    width = _WIDTH - len(indent)
    while len(line) > width:
        end = line.rfind(" ", 0, max(width, 0) + 1)
        if end < 0:
            end = line.find(" ")
        if end < 0:
            break
        lines.append(indent + line[:end])
        line = line[end + 1 :]
    return [*lines, indent + line]


def _check_sum(action: SendReminder, account: Account) -> None:
    if not action.sums_invoices:
        return
    wanted = set(action.qualified)
    rows = sum(asked_amount(each, action) for each in account.invoices if each.id in wanted)
    if rows - action.unapplied != action.total:
        currency = action.currency
        raise MessageError(
            f"the invoices of the message come to "
            f"{format_minor(rows - action.unapplied, currency)} {currency}, the action asks for "
            f"{format_minor(action.total, currency)}",
            remedy="plan again: the book has changed since the action was decided",
        )

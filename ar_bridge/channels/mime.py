"""A message as mail: the same effect and the same late slots give the same bytes."""

import hashlib
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import msgspec

from ar_bridge.channels.errors import ChannelRefusedError, ChannelSetupError
from ar_bridge.messages.late import LateSlots, filled_html, filled_text
from rules.actions.effects import SendMessage

# Asks Exchange to spare us automatic answers; delivery reports stay wanted.
_NO_AUTOMATIC_ANSWERS = "OOF, NRN, RN, AutoReply"


class MailFrom(msgspec.Struct, frozen=True, kw_only=True):
    """Who the mail is from: an address of the supplier's own domain, answers to a person."""

    address: str
    name: str = ""
    reply_to: str = ""
    """Empty: answers go to `address`."""
    bcc: tuple[str, ...] = ()
    """Addresses of our own that get a copy which nobody else sees."""


def mime(message: SendMessage, slots: LateSlots, sender: MailFrom) -> EmailMessage:
    """The mail, complete with headers.

    `Auto-Submitted` is RFC 3834, section 5. Raises ChannelRefusedError for a recipient and
    ChannelSetupError for a sender that is no mail address.
    """
    mail = EmailMessage(policy=SMTP)
    mail["Date"] = format_datetime(slots.date)
    try:
        mail["From"] = _address(sender.address, sender.name)
        mail["Reply-To"] = _address(sender.reply_to or sender.address, "")
    except (ValueError, HeaderParseError) as wrong:
        raise ChannelSetupError(f"the sender's address is no mail address: {wrong}") from wrong
    try:
        mail["To"] = [_address(each, "") for each in message.to]
        if message.cc:
            mail["Cc"] = [_address(each, "") for each in message.cc]
    except (ValueError, HeaderParseError) as wrong:
        raise ChannelRefusedError(
            f"a recipient is no mail address: {wrong}", addresses=message.to
        ) from wrong
    mail["Subject"] = message.subject
    mail["Message-ID"] = message.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = _NO_AUTOMATIC_ANSWERS
    mail.set_content(filled_text(message.text, slots.pay_links), cte="quoted-printable")
    if message.html:
        mail.add_alternative(
            filled_html(message.html, slots.pay_links), subtype="html", cte="quoted-printable"
        )
    for file in slots.attachments:
        main, _, sub = file.content_type.partition("/")
        mail.add_attachment(
            file.content,
            maintype=main or "application",
            subtype=sub or "octet-stream",
            filename=file.filename,
        )
    _fix_boundaries(mail, message.message_id)
    return mail


def wire_address(text: str) -> str:
    """An address as it travels: its domain in ASCII. Raises ValueError for what is no address
    and for a local part outside ASCII, which few servers take."""
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain or not local.isascii() or not text.isprintable():
        raise ValueError(f"{text!r}")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _address(text: str, name: str) -> Address:
    return Address(display_name=name, addr_spec=wire_address(text))


def _fix_boundaries(mail: EmailMessage, message_id: str) -> None:
    # The library would draw them at random; stored bytes have to be the bytes sent.
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            digest = hashlib.sha256(f"{message_id}|{number}".encode()).hexdigest()
            part.set_boundary(f"=_arb_{digest[:32]}")

"""One message and one clock that the channel tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from ar_bridge.channels import MailFrom, SmtpChannel, SmtpServer
from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.clock import VirtualClock
from ar_bridge.messages import LateSlots
from rules.actions.effects import SendMessage
from rules.actions.keys import message_id
from rules.model.ids import CustomerId

NOW = datetime(2026, 10, 27, 9, 30, tzinfo=UTC)
SENDER = MailFrom(
    address="accounts@harbourlane.example",
    name="Harbour Lane Supplies",
    reply_to="credit@harbourlane.example",
)
SLOTS = LateSlots(date=NOW, pay_links=(("INV-1", "https://pay.example/1"),))


def message(*to: str, cc: tuple[str, ...] = ()) -> SendMessage:
    return SendMessage(
        key="msg/C1/0#0:send_message",
        customer=CustomerId("C1"),
        to=to or ("ap@north.example",),
        cc=cc,
        subject="Invoice INV-7: £1,200.00 open",
        text="Hello,\n.a line that begins with a dot\n\nPay online: {{ pay_link }}\n",
        html="<p>Hello</p><!-- pay_link --><a href='{{ pay_link }}'>Pay</a><!-- /pay_link -->",
        message_id=message_id("acme|msg/C1/0#0:send_message", "ar.example"),
    )


@contextmanager
def running() -> Iterator[tuple[LocalMailbox, SmtpChannel]]:
    with LocalMailbox() as mailbox:
        host, port = mailbox.address
        server = SmtpServer(host=host, port=port, tls="none", timeout=10)
        yield mailbox, SmtpChannel(server, SENDER, VirtualClock(NOW))

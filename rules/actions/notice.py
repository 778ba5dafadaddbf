"""Telling colleagues by mail what they are in charge of."""

from typing import ClassVar

from rules.actions.action import Action, EffectContext
from rules.actions.effects import Effect, SendMessage
from rules.actions.keys import effect_key, message_id


class MailNotice(Action, frozen=True, kw_only=True, tag="notice"):
    """One mail to one colleague about all notifications of a run. It goes to nobody outside, so
    no contact budget counts it; like every message it is sent at most once.

    `customer` is that of the first notification; the items name them all.
    """

    kind: ClassVar[str] = "notice"

    person: str
    """Id of the colleague."""

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        message = context.message
        if message is None:
            raise ValueError(f"{self.key} has no rendered message")
        key = effect_key(self.key, 0, "send_message")
        return (
            SendMessage(
                key=key,
                customer=self.customer,
                to=message.to,
                subject=message.subject,
                text=message.text,
                html=message.html,
                message_id=message_id(f"{context.company_id}|{key}", context.message_domain),
            ),
        )

"""The model of the outbox sees what it is there to see: writers with one mistake each fail it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ar_bridge import intents, writer
from ar_bridge.context import BookContext
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from tests.crashlab.test_outbox_model import Outbox


def keys_trusted_for_a_month(patch: pytest.MonkeyPatch) -> None:
    """What is in doubt is sent again with a key that the vendor has forgotten."""
    patch.setattr("ar_bridge.writer.REPEAT_WITHIN", timedelta(days=30))


def no_receipt_stored(patch: pytest.MonkeyPatch) -> None:
    def save_done(
        desk: BookContext, row: ActionRow, effect: EffectRow, token: int, **columns: object
    ) -> EffectRow:
        return intents.save_done(desk, row, effect, token, **{**columns, "receipt": None})

    patch.setattr("ar_bridge.writer.save_done", save_done)


def no_token_checked(patch: pytest.MonkeyPatch) -> None:
    """A worker that was overtaken writes on as if nothing had happened."""
    patch.setattr("ar_bridge.store.outbox.hold_lease", lambda *_: None)


def nothing_looked_for(patch: pytest.MonkeyPatch) -> None:
    """What is in doubt is sent again, however old it is."""

    def send_again(desk: BookContext, row: ActionRow, effect: EffectRow, token: int) -> EffectRow:
        return writer._exchange(desk, row, effect, token, is_in_doubt=True)

    patch.setattr("ar_bridge.writer._look_for", send_again)


@pytest.mark.parametrize(
    "mistake",
    [keys_trusted_for_a_month, no_receipt_stored, no_token_checked, nothing_looked_for],
)
def test_the_model_fails_a_writer_that_is_wrong(
    mistake: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake(monkeypatch)
    quick = settings(
        max_examples=40,
        stateful_step_count=6,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Outbox, settings=quick)

"""A policy over history: a day at a time, and nothing that was not known on it."""

from datetime import date

from ar_bridge.insights.backtest import backtest
from rules.actions.messages import SendReminder
from rules.model.events import EventLog
from rules.policy.load import load_policy
from rules.replay import replay

POLICY = load_policy("""
name = "ours"
legal_basis = "contract:terms"

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second"
at = "due + 14d"
do = ["remind", "call"]
template = "overdue_2"

[[fee]]
id = "fixed"
type = "flat"
amount = "25.00"
grace = "10d"
""")

BOOK: list[dict[str, object]] = [
    {"t": "company", "id": "acme", "base_currency": "GBP", "timezone": "Europe/London"},
    {"t": "customer", "id": "C1", "date": "2026-01-05", "name": "North", "email": "a@n.example"},
    {"t": "customer", "id": "C2", "date": "2026-01-05", "name": "South", "email": "b@s.example"},
    {
        **{"t": "invoice", "id": "I1", "date": "2026-09-01", "due": "2026-10-01"},
        **{"customer": "C1", "currency": "GBP", "total": "100.00"},
    },
    {
        **{"t": "invoice", "id": "I2", "date": "2026-09-01", "due": "2026-10-01"},
        **{"customer": "C2", "currency": "GBP", "total": "80.00"},
    },
    {
        **{"t": "payment", "id": "P1", "date": "2026-10-02", "known": "2026-10-09"},
        **{"customer": "C2", "currency": "GBP", "amount": "80.00"},
        "alloc": [{"invoice": "I2", "amount": "80.00"}],
    },
]


def test_what_was_decided_is_history_for_the_days_after() -> None:
    days = list(replay(EventLog(BOOK), POLICY, date(2026, 10, 1), date(2026, 10, 31)))
    assert len(days) == 31
    reminders = [
        (played.day, act.action.customer, act.action.stage)
        for played in days
        for act in played.acts
        if isinstance(act.action, SendReminder)
    ]
    assert [row[1:] for row in reminders if row[1] == "C1"] == [
        ("C1", "first"),
        ("C1", None),  # the notice of the fee
        ("C1", "second"),
    ]
    assert [row[1:] for row in reminders if row[1] == "C2"] == [("C2", "first")]


def test_nothing_is_used_before_it_was_known() -> None:
    result = backtest(EventLog(BOOK), POLICY, date(2026, 10, 1), date(2026, 10, 31))
    assert result.chased_after_paying == 1  # paid on the 2nd, entered on the 9th
    assert result.reminders == {"first": 2, "second": 1}
    assert (result.fees, result.fee_totals) == ({"fixed": 1}, {"GBP": 2500})
    assert result.internal == {"call": 1}
    known = [event | {"known": "2026-10-02"} if event.get("t") == "payment" else event
             for event in BOOK]  # fmt: skip
    at_once = backtest(EventLog(known), POLICY, date(2026, 10, 1), date(2026, 10, 31))
    assert at_once.chased_after_paying == 0 and at_once.reminders["first"] == 1


def test_actions_of_the_file_are_history_too() -> None:
    done = {
        **{"t": "action", "date": "2026-10-03", "customer": "C1", "invoice": "I1"},
        **{"kind": "reminder", "stage": "first", "channel": "email", "key": "k"},
    }
    result = backtest(EventLog([*BOOK, done]), POLICY, date(2026, 10, 4), date(2026, 10, 10))
    assert result.reminders == {"first": 1}  # only the other customer's

"""Policies at random: any mixture of what the language can say, as text and read like any file."""

from typing import Final

from hypothesis import strategies as st

from rules.policy.load import load_policy
from rules.policy.schema import Policy

_HEAD: Final = """
schema = 1
name = "at random"
legal_basis = "contract:terms"
"""


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """One to five stages, up to two fees, some contact budget, some grounds to wait."""
    parts = [_HEAD, _contact(draw), _waiting(draw)]
    parts += _stages(draw)
    parts += [draw(st.sampled_from(["", THANKS])), SEGMENT]
    parts += [part for part in OF_ACCOUNTS if draw(st.integers(0, 3)) == 0]
    parts += [
        fee
        for place, fee in enumerate(FEES)
        if draw(st.integers(0, len(FEES) - 1), label=f"fee {place}") < 3
    ]
    return load_policy("\n".join(parts))


def _contact(draw: st.DrawFn) -> str:
    per_day = draw(st.integers(1, 2))
    return f"""
[contact]
per_customer_per_day = {per_day}
per_customer_per_week = {draw(st.integers(per_day, 4))}
min_gap = "{draw(st.sampled_from(["0d", "1d", "3d", "5d", "3bd"]))}"
consolidate = {draw(st.sampled_from(['"per_customer"', '"never"', "{ above = 2 }"]))}
unit = "{draw(st.sampled_from(["payer", "customer"]))}"

[catch_up]
after_downtime = "{draw(st.sampled_from(["latest", "latest", "none"]))}"
first_sync = "{draw(st.sampled_from(["gentle", "from_today", "none"]))}"
"""


def _waiting(draw: st.DrawFn) -> str:
    return f"""
[do_not_chase]
paid_lag = "{draw(st.sampled_from(["0d", "2d"]))}"
unsent_invoice = "{draw(st.sampled_from(["hold", "strict", "ignore"]))}"
dispute = "{draw(st.sampled_from(["hold", "hold", "ignore"]))}"
promise_grace = "{draw(st.sampled_from(["0d", "3bd"]))}"

[commitments]
broken_promise = "{draw(st.sampled_from(["remind", "next_stage", "task"]))}"
second_broken_promise = "{draw(st.sampled_from(["remind", "next_stage", "task"]))}"
missed_instalment = "{draw(st.sampled_from(["remind", "task"]))}"
acknowledge = {draw(st.sampled_from(["false", "true"]))}
{draw(st.sampled_from(["", 'instalment_reminder = "3d"']))}
"""


DO: Final = (
    '["remind"]',
    '["remind", "call"]',
    '["remind", "note"]',
    '["task"]',
    '["hold_credit"]',
    '["hold_credit", "notify"]',
    '["release_credit"]',
    '["propose_write_off"]',
    '["hand_off"]',
)

OF_INVOICES: Final = ('["statement"]', '["offer_plan"]', '["send_invoice"]')
"""What only stages of single invoices do."""

THANKS: Final = """
[[stage]]
id = "thanks"
at = "paid + 1d"
do = ["thank"]
"""
SEGMENT: Final = """
[[segment]]
name = "vips"
when = { tags = "vip" }
"""

EXTRA: Final = (
    "",
    "",
    "formal = true\ndeadline = '7d'",
    "repeat = { every = '7d', times = 3 }",
    'when = { invoice_balance = ">= 50" }',
    'unless = { tags = "vip" }',
    'only = ["vips"]',
    'skip = ["vips"]',
    'channels = ["letter"]',
    'channels = ["email", "letter"]',
    'when = { overdue_invoices = ">= 2" }',
)


def _stages(draw: st.DrawFn) -> list[str]:
    days = sorted(draw(st.lists(st.integers(-5, 45), min_size=1, max_size=5, unique=True)))
    made: list[str] = []
    scopes: list[str] = []
    for place, day in enumerate(days):
        of_account = day > 0 and draw(st.integers(0, 3)) == 0
        scopes.append("customer" if of_account else "invoice")
        earlier = [n for n, scope in enumerate(scopes[:-1]) if scope == scopes[-1]]
        follows = bool(earlier) and draw(st.booleans())
        counts_on = bool(earlier) and not follows and draw(st.integers(0, 4)) == 0
        sign = "-" if day < 0 else "+"
        at = "previous + 6d" if counts_on else f"due {sign} {abs(day)}d"
        if not of_account and draw(st.integers(0, 9)) == 0:
            at = draw(st.sampled_from(OTHER_ANCHORS))
        lines = [
            "[[stage]]",
            f'id = "s{place}"',
            f'at = "{at}"',
            f"do = {draw(st.sampled_from(DO if of_account else (*DO, *OF_INVOICES)))}",
            'template = "overdue_1"',
            f'scope = "{scopes[-1]}"',
            draw(st.sampled_from(EXTRA)),
        ]
        if follows:
            lines.append(f'requires = ["s{earlier[-1]}"]')
        made.append("\n".join(lines))
    return made


OTHER_ANCHORS: Final = (
    "issued + 20d",
    "month_end(due) + 5d",
    "month_end(due + 10d)",
    "promise + 1d",
    "returned",
    "field(work_date) + 20d",
)

OF_ACCOUNTS: Final = (
    """
[[statement]]
id = "monthly"
day_of_month = 5
""",
    """
[[statement]]
id = "moved"
kind = "activity"
day_of_month = "last_business_day"
only_if_changed = true
include_not_due = false
""",
    """
[credit]
limit = { GBP = 500, EUR = 500 }
hold_above = 100
release_below = 80
hold_overdue = "30d"
warn_at = 80
""",
    """
[write_off]
small_balance = { GBP = "5.00", EUR = "5.00" }
older_than = "20d"
""",
    """
[discount]
id = "early"
percent = 2
within = "10d"
offer_after = "1d"
""",
)
"""Rules about whole accounts."""

FEES: Final = (
    """
[[fee]]
id = "account"
type = "interest"
annual_rate = 12
scope = "customer"
post = { every = "month", on = "last_business_day" }
""",
    """
[[fee]]
id = "bounced"
type = "flat"
on = "returned_payment"
amount = { GBP = "15", EUR = "15" }
""",
    """
[[fee]]
id = "interest"
type = "interest"
annual_rate = 18
grace = "5d"
post = { every = "month", on = "last_business_day" }
""",
    """
[[fee]]
id = "once"
type = "flat"
amount = { GBP = "25", EUR = "30" }
grace = "10d"
""",
    """
[[fee]]
id = "again"
type = "flat"
amount = { GBP = "5", EUR = "6" }
repeat = { every = "10d", times = 3 }
""",
    """
[[fee]]
id = "share"
type = "percent"
percent = "1.5"
per = "month"
month_count = "started"
cap = { percent_of_original = 4 }
""",
    """
[[fee]]
id = "steps"
type = "tiered"
tiers = [{ from_day = 8, percent = 1 }, { from_day = 20, percent = 3 }]
""",
    """
[[fee]]
id = "scale"
type = "scale"
scale = [{ width = "2500", percent = 15 }, { percent = "0.5" }]
minimum = { GBP = "40", EUR = "40" }
""",
)
"""Fees whose totals do not hang on when somebody looked."""

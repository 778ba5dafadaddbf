"""What holds for every fee: it never falls, it adds up, and posting dates do not change the sum."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import BusinessCalendar
from rules.fees.assess import assess
from rules.fees.schedule import latest_posting, next_posting
from rules.fees.timeline import Debt, Quiet
from rules.model.history import FeePosted
from rules.model.ids import CustomerId, FeeId, InvoiceId, ItemKey
from rules.policy.fee_tables import Band, Cap, DatedRate, Slice, Tier
from rules.policy.posting import PostingSchedule
from rules.policy.schema import Fee
from rules.policy.values import Duration, MoneyTable, Repeat

DUE = date(2026, 1, 31)
CALENDAR = BusinessCalendar()

DAYS = st.integers(1, 400).map(lambda days: DUE + timedelta(days=days))


@st.composite
def debts(draw: st.DrawFn) -> Debt:
    original = draw(st.integers(1, 5_000_000))
    payments = sorted(
        draw(st.lists(st.tuples(DAYS, st.integers(1, original).map(lambda a: -a)), max_size=3))
    )
    pauses = draw(
        st.lists(st.builds(lambda first, days: (first, days), DAYS, st.integers(0, 30)), max_size=2)
    )
    return Debt(
        currency=draw(st.sampled_from(["GBP", "JPY", "KWD"])),
        due_on=DUE,
        original=original,
        changes=tuple(payments),
        quiet=tuple(Quiet(first, first + timedelta(days=days)) for first, days in pauses),
        net_share=draw(st.sampled_from([Fraction(1), Fraction(5, 6)])),
    )


KINDS = (
    "flat",
    "repeat",
    "percent",
    "month",
    "month on month",
    "interest",
    "dated",
    "flat_then_percent",
    "compensation",
    "scale",
    "tiered percent replace",
    "tiered percent additive",
    "tiered amount replace",
    "tiered amount additive",
    "tiered daily_percent marginal",
    "tiered daily_percent whole",
    "statutory uk",
    "statutory nl",
    "statutory us:prompt-payment",
)


def amount_of(major: str) -> MoneyTable:
    """The same number in each of the currencies."""
    return MoneyTable(by_currency=tuple((c, Decimal(major)) for c in ("GBP", "JPY", "KWD")))


@st.composite
def fees(draw: st.DrawFn) -> Fee:
    kind = draw(st.sampled_from(KINDS))
    keys: dict[str, object] = {"id": "fee", "type": kind, "legal_basis": "contract"}
    if kind in ("flat", "repeat"):
        keys |= {"type": "flat", "amount": amount_of("7")}
    if kind == "flat_then_percent":
        keys |= {"amount": amount_of("7"), "percent": Decimal("1.5")}
    if kind in ("repeat", "flat_then_percent"):
        keys["repeat"] = Repeat(Duration(30, "d"), draw(st.integers(1, 6)))
    if kind in ("percent", "month", "month on month"):
        keys |= {"type": "percent", "percent": Decimal("1.5")}
    if kind == "month on month":
        keys |= {"per": "month", "compounding": "monthly"}
    if kind == "compensation":
        keys["bands"] = (
            Band(from_=Decimal("0"), amount=amount_of("40")),
            Band(from_=Decimal("1000"), amount=amount_of("70")),
        )
    if kind == "scale":
        keys |= {
            "scale": (
                Slice(width=Decimal("2500"), percent=Decimal("15")),
                Slice(width=Decimal("2500"), percent=Decimal("10")),
                Slice(percent=Decimal("0.5")),
            ),
            "minimum": amount_of("40"),
            "maximum": amount_of("6775"),
        }
    if kind.startswith("tiered"):
        word, mode = kind.split(" ")[1:]
        steps = ("10", "20", "40") if word == "amount" else ("0.02", "0.05", "0.1")
        keys |= {
            "type": "tiered",
            "tier_mode": mode,
            "tiers": tuple(
                Tier(from_day=day, **{word: amount_of(of) if word == "amount" else Decimal(of)})
                for day, of in zip((1, 31, 61), steps, strict=True)
            ),
        }
    if kind.startswith("statutory"):
        keys |= {
            "type": "statutory",
            "scheme": kind.split(" ")[1],
            "rates": tuple(
                DatedRate(from_=date(year, month, 1), annual=Decimal("4") + month)
                for year in (2026, 2027)
                for month in (1, 7)
            ),
        }
    if kind == "month":
        keys |= {
            "per": "month",
            "month_count": draw(st.sampled_from(["elapsed", "started", "days/30"])),
        }
    if kind in ("interest", "dated") and draw(st.booleans()):
        keys["compounding"] = draw(st.sampled_from(["daily", "monthly", "yearly"]))
    if kind in ("interest", "dated"):
        keys |= {
            "type": "interest",
            "day_count": draw(st.sampled_from(["act/365", "act/360", "30/360", "act/act"])),
        }
    if kind == "interest":
        keys["annual_rate"] = Decimal("12.75")
    if kind == "dated":
        keys["rates"] = (
            DatedRate(from_=date(2025, 1, 1), annual=Decimal("12")),
            DatedRate(from_=date(2026, 4, 1), annual=Decimal("9.5")),
        )
    keys["base"] = draw(st.sampled_from(["outstanding", "original", "outstanding_ex_tax"]))
    keys["grace"] = Duration(draw(st.integers(0, 20)), "d")
    keys["grace_mode"] = draw(st.sampled_from(["retroactive", "from_grace_end"]))
    if draw(st.booleans()):
        keys["cap"] = Cap(percent_of_original=Decimal(draw(st.integers(1, 30))))
    return Fee.model_validate(keys)


def posted(amount: int, on: date) -> FeePosted:
    return FeePosted(
        on=on,
        invoice=InvoiceId("I"),
        customer=CustomerId("C"),
        fee=FeeId("fee"),
        amount=amount,
        currency="GBP",
        through=on,
        key=ItemKey(f"late_fee/I/fee/{on}"),
        document="LF",
    )


@settings(deadline=None)
@given(fees(), debts(), DAYS, DAYS)
def test_what_accrued_never_falls_as_days_pass(fee: Fee, debt: Debt, a: date, b: date) -> None:
    earlier, later = sorted((a, b))
    first = assess(fee, debt, earlier, (), from_day=None, base_currency="GBP")
    second = assess(fee, debt, later, (), from_day=None, base_currency="GBP")
    assert 0 <= first.accrued <= second.accrued


@settings(deadline=None)
@given(fees(), debts(), st.lists(DAYS, min_size=1, max_size=5))
def test_the_days_of_posting_do_not_change_the_sum(fee: Fee, debt: Debt, days: list[date]) -> None:
    history: list[FeePosted] = []
    for day in sorted(days):
        found = assess(fee, debt, day, history, from_day=None, base_currency="GBP")
        assert found.to_post >= 0
        history.append(posted(found.to_post, day))
    at_once = assess(fee, debt, max(days), (), from_day=None, base_currency="GBP")
    assert sum(charge.amount for charge in history) == at_once.accrued


@settings(deadline=None)
@given(fees(), debts(), DAYS, st.integers(0, 10_000))
def test_rows_and_steps_add_up(fee: Fee, debt: Debt, day: date, before: int) -> None:
    found = assess(fee, debt, day, [posted(before, DUE)], from_day=None, base_currency="GBP")
    digits = {"GBP": 2, "JPY": 0, "KWD": 3}[debt.currency]
    total = found.accrual.exact + sum((Fraction(s.amount) for s in found.steps), Fraction(0))
    assert sum((Fraction(row.exact) for row in found.accrual.rows), Fraction(0)) == (
        found.accrual.exact
    )
    assert total == Fraction(found.to_post, 10**digits)


@settings(deadline=None)
@given(fees(), debts(), DAYS, DAYS)
def test_nothing_accrues_before_the_fee_was_in_force(
    fee: Fee, debt: Debt, start: date, day: date
) -> None:
    found = assess(fee, debt, day, (), from_day=start, base_currency="GBP")
    for row in found.accrual.rows:
        assert row.from_ is not None and row.from_ >= start


SCHEDULES = (
    PostingSchedule("when_due"),
    PostingSchedule("month", day=None),
    PostingSchedule("month", day=31),
    PostingSchedule("every", every=Duration(30, "d")),
)


@settings(deadline=None)
@given(fees(), st.sampled_from(SCHEDULES), DAYS)
def test_slots_come_from_the_schedule(fee: Fee, post: PostingSchedule, day: date) -> None:
    fee = fee.model_copy(update={"post": post})
    found = latest_posting(fee, DUE, day, CALENDAR)
    later = next_posting(fee, DUE, day, CALENDAR)
    assert found is None or DUE < found.through <= day
    assert later is None or later > day
    if found is not None:
        again = latest_posting(fee, DUE, found.through, CALENDAR)
        assert again == found, "the slot of a posting day is the same when it is caught up later"
    if later is not None:
        assert later > DUE + timedelta(days=fee.grace.count)


def test_month_slots() -> None:
    fee = Fee.model_validate(
        {"id": "i", "type": "interest", "annual_rate": 12, "post": {"every": "month"}}
    )
    found = latest_posting(fee, DUE, date(2026, 3, 5), CALENDAR)
    assert found is not None
    assert (found.slot, found.through) == ("2026-02", date(2026, 2, 27))
    assert next_posting(fee, DUE, date(2026, 3, 5), CALENDAR) == date(2026, 3, 31)


def test_corrections_are_charged_again_but_waivers_are_not() -> None:
    fee = Fee.model_validate({"id": "f", "type": "flat", "amount": "25"})
    debt = Debt(currency="GBP", due_on=DUE, original=10_000)
    charge = posted(2500, DUE + timedelta(days=1))
    day = DUE + timedelta(days=9)
    assert assess(fee, debt, day, [charge], from_day=None, base_currency="GBP").to_post == 0
    corrected = FeePosted(
        **{name: getattr(charge, name) for name in charge.__struct_fields__} | {"corrected": 2500}
    )
    again = assess(fee, debt, day, [corrected], from_day=None, base_currency="GBP")
    assert again.to_post == 2500


def test_what_was_charged_too_much_shows_as_negative() -> None:
    fee = Fee.model_validate({"id": "f", "type": "flat", "amount": "25"})
    debt = Debt(currency="GBP", due_on=DUE, original=0)
    found = assess(
        fee, debt, DUE + timedelta(days=9), [posted(2500, DUE)], from_day=None, base_currency="GBP"
    )
    assert found.to_post == -2500

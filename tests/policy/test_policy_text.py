"""The terms that customers read are written from the rules that charge."""

import pytest

from ar_bridge.policies import preset_names, preset_text
from rules.policy.load import load_policy
from rules.policy_text import policy_text

FEE = 'legal_basis = "contract:terms-2026"\n[[fee]]\nid = "late"\n'


def said(keys: str) -> str:
    return policy_text(load_policy(FEE + keys), "USD")


@pytest.mark.parametrize(
    ("keys", "sentences"),
    [
        (
            'type = "interest"\nannual_rate = 18\ngrace = "5d"\ncap = { percent_of_original = 25 }',
            (
                "interest of 18 % a year on what is still open",
                "Nothing is charged while a payment is 5 days late or less.",
                "After that it counts from the first day late.",
                "It never exceeds 25 % of the invoice amount.",
                "It rests on our terms (terms-2026).",
            ),
        ),
        (
            'type = "interest"\nannual_rate = 12\ncompounding = "monthly"',
            ("added to the debt every month; in a full year that is 12.68 %.",),
        ),
        (
            'type = "flat"\namount = "25.00"\nrepeat = { every = "30d", times = 3 }',
            ("USD 25.00 on every 30th day after it was due, 3 times at most.",),
        ),
        (
            'type = "percent"\npercent = "1.5"\nper = "month"\nmonth_count = "started"',
            ("1.5 % of what is still open for each begun month.", "comes to 18 % a year."),
        ),
        (
            'type = "tiered"\ntiers = [{ from_day = 8, percent = 1 }, '
            "{ from_day = 31, percent = 3 }]",
            ("from day 8: 1 % of what is still open; from day 31: 3 %", "Only the highest step"),
        ),
        (
            'type = "compensation"\nbands = [{ from = "0", amount = { GBP = "40.00" } }]',
            ("GBP 40.00 on debts of 0 and more",),
        ),
        (
            'type = "scale"\nscale = [{ width = "2500", percent = 15 }, { percent = "0.5" }]\n'
            'minimum = "40"',
            ("15 % of the next 2500, 0.5 % of the rest.", "It is USD 40 at least."),
        ),
        (
            'type = "statutory"\nscheme = "uk"\ncompensation = true',
            (
                "Late Payment of Commercial Debts",
                "plus 8 percentage points.",
                "GBP 70.00 on debts from 1000",
            ),
        ),
        ('type = "flat"\namount = 5\npost = "claim_only"', ("claimed in our letters",)),
    ],
)
def test_a_fee_in_sentences(keys: str, sentences: tuple[str, ...]) -> None:
    text = said(keys)
    for sentence in sentences:
        assert sentence in text, text


def test_without_a_fee_it_says_so() -> None:
    assert "We charge nothing for late payment." in policy_text(load_policy(""), "GBP")


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_has_terms(name: str) -> None:
    policy = load_policy(preset_text(name))
    text = policy_text(policy, "GBP")
    assert text.count("## ") == len(policy.fee)


def test_a_fee_of_the_whole_account_says_so() -> None:
    told = policy_text(
        load_policy(
            'schema = 1\nname = "x"\nlegal_basis = "contract:terms"\n'
            '[[fee]]\nid = "f"\ntype = "flat"\namount = "15"\nscope = "customer"\n'
            '[[fee]]\nid = "i"\ntype = "interest"\nannual_rate = 8\nscope = "customer"\n'
        ),
        "GBP",
    )
    assert "one charge for all your invoices that are overdue" in told
    assert "on one document that lists each of them" in told


def test_what_is_claimed_in_letters_is_not_called_nothing() -> None:
    told = policy_text(load_policy(preset_text("uk-letter-before-action")), "GBP")
    assert "claimed in our letters" in told and "charge nothing" not in told
    assert "We charge nothing" in policy_text(load_policy(preset_text("gentle")), "GBP")


@pytest.mark.parametrize("name", preset_names())
def test_a_clause_that_nobody_named_is_marked_to_be_edited(name: str) -> None:
    policy = load_policy(preset_text(name))
    text = policy_text(policy, "GBP")
    assert "contract:payment-terms" not in text
    unnamed = [
        fee
        for fee in policy.fee
        if (fee.legal_basis or policy.legal_basis) == "contract:payment-terms"
    ]
    assert text.count("EDIT: It rests on [name the clause of your terms].") == len(unnamed)


def test_payment_in_parts_and_handing_over_are_told_where_the_policy_does_them() -> None:
    told = policy_text(
        load_policy(
            '[commitments]\ninstalment_reminder = "3d"\n'
            '[hand_off]\nnotice = "final"\ncool_off = "7d"\nagency = { name = "Claims Office" }\n'
            '[[stage]]\nid = "offer"\nat = "due + 10d"\ndo = ["offer_plan"]\n'
            '[[stage]]\nid = "final"\nname = "Final notice"\nat = "due + 30d"\ndo = ["remind"]\n'
            'template = "final_notice"\nformal = true\ndeadline = "14d"\n'
            '[[stage]]\nid = "over"\nat = "deadline(final) + 8d"\ndo = ["hand_off"]\n'
            'requires = ["final"]\n'
        ),
        "GBP",
    )
    assert "We remind you 3 days before each part." in told
    assert "to Claims Office, 7 days after the deadline of our notice (Final notice)" in told


def test_nothing_is_told_of_what_the_policy_does_not_do() -> None:
    told = policy_text(load_policy(""), "GBP")
    assert "parts" not in told
    assert "hand" not in told

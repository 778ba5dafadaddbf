"""Keys of fees beyond their type: mistakes that are named, lint, and the terms in words."""

import pytest

from rules.policy.check import check
from rules.policy.load import PolicyError, load_policy
from rules.policy_text import policy_text

FEE = '\n[[fee]]\nid = "{id}"\nname = "{id}"\ntype = "interest"\nannual_rate = 8\n{more}\n'
GROUP = '\n[[cap_group]]\nname = "late"\nper_invoice = "100"\npercent_of_original = 10\n'


def fee(more: str = "", id: str = "interest") -> str:
    return FEE.format(id=id, more=more)


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as found:
        load_policy(text)
    return [f"{one.line}: {one.message} ({one.hint})" for one in found.value.problems]


def test_an_unknown_group_is_named_with_the_nearest() -> None:
    assert problems(GROUP + fee('cap_group = "lat"')) == [
        '12: cap_group names the unknown group "lat" (did you mean "late"?)'
    ]
    assert "write [[cap_group]]" in problems(fee('cap_group = "late"'))[0]


def test_a_group_is_named_once() -> None:
    assert "used twice" in problems(GROUP + GROUP)[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('on = "returned_payment"', "a flat sum or a percentage, once"),
        ('type = "flat"\namount = 5\nrepeat = { every = "30d", times = 2 }', "repeat means"),
        ('type = "flat"\namount = 5\ngrace = "5d"', "grace means"),
        ('type = "flat"\namount = 5\npost = "claim_only"', "post means"),
    ],
)
def test_a_fee_for_returned_payments_is_simple(more: str, said: str) -> None:
    kind = "" if more.startswith("type") else 'type = "interest"\nannual_rate = 8\n'
    if more.startswith("type"):
        kind = 'on = "returned_payment"\n'
    assert any(said in one for one in problems(f'[[fee]]\nid = "r"\n{kind}{more}\n'))


def test_only_interest_is_settled_first() -> None:
    text = '[[fee]]\nid = "p"\ntype = "percent"\npercent = 2\nallocation = "interest_first"\n'
    assert "allocation means nothing on a fee of type percent" in problems(text)[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (fee('minimum_charge = 20\ncap = { per_invoice = "10" }'), "minimum_above_cap"),
        (GROUP + fee('minimum_charge = 200\ncap_group = "late"'), "minimum_above_cap"),
        (fee('minimum_per = "charge"'), "minimum_per_without_minimum"),
        (fee('minimum_charge = 5\nminimum_per = "charge"'), "minimum_every_day"),
        (fee('post = "claim_only"'), "claimed_nowhere"),
        (fee('due_roll = "following"'), "due_roll_without_holidays"),
        (
            '[do_not_chase]\ndispute = "ignore"\n' + fee('on_dispute_won = "lift_pause"'),
            "disputes_pause_nothing",
        ),
        (
            fee('allocation = "interest_first"\ncompounding = "monthly"'),
            "interest_first_compounded",
        ),
        (GROUP, "cap_group_not_shared"),
        (GROUP + fee('cap_group = "late"'), "cap_group_not_shared"),
        ('[[cap_group]]\nname = "none"\n', "cap_group_without_limit"),
    ],
)
def test_options_that_say_nothing_or_contradict(text: str, code: str) -> None:
    assert code in {found.code for found in check(load_policy(text))}
    plain = {found.code for found in check(load_policy(fee()))}
    assert code not in plain


def test_the_terms_say_it_in_words() -> None:
    text = GROUP + 'per_customer_month = "50"\n'
    text += fee(
        'cap_group = "late"\nallocation = "interest_first"\nreversal = "void"\n'
        'on_dispute_won = "lift_pause"\ndue_roll = "following"\nminimum_charge = 5\n'
        'minimum_per = "charge"'
    )
    text += fee('cap_group = "late"', id="more")
    text += '\n[[fee]]\nid = "r"\ntype = "percent"\npercent = 2\non = "returned_payment"\n'
    said = policy_text(load_policy(text), "GBP")
    for sentence in (
        "Together with more it never exceeds GBP 100 for each invoice or 10 %",
        "Together with more it is charged up to GBP 50 a month.",
        "A part payment settles the interest first, then the debt.",
        "A payment that is returned to us counts as never made.",
        "If a dispute ends in our favour, its days are charged after all.",
        "A due date on a weekend or a holiday counts as the next working day.",
        "Each charge comes to GBP 5 at least.",
        "For each payment that is returned to us we charge 2 % of it.",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("rows", "is_remarked"),
    [
        ("", True),
        ('post = { every = "7d" }', True),
        ("minimum_to_post = 0", True),
        ('minimum_to_post = "5.00"', False),
        ('post = { every = "30d" }', False),
        ('post = { every = "month" }', False),
        ('post = { with_stage = "last" }', False),
        ('minimum_charge = 5\nminimum_per = "charge"', False),
    ],
)
def test_documents_of_pennies_are_remarked(rows: str, is_remarked: bool) -> None:
    stage = '[[stage]]\nid = "last"\nat = "due + 9d"\ndo = ["note"]\n'
    found = [one for one in check(load_policy(stage + fee(rows))) if "pennies" in str(one)]
    assert [one.severity for one in found] == ["info"] * is_remarked

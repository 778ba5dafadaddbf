"""Every mistake in a policy is told at once, with its line and what was probably meant."""

from decimal import Decimal

import pytest

from rules.policy.load import PolicyError, Problem, load_policy
from rules.policy.schema import Policy
from tests.policy import bad_policy


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        load_policy(text, source="p.toml", presets={"standard": ""})
    return caught.value.problems


def only(text: str) -> Problem:
    (problem,) = problems(text)
    return problem


STAGE = '[[stage]]\nid = "one"\nat = "due + 3d"\ndo = ["note"]\n'
FEE = '[[fee]]\nid = "f"\nlegal_basis = "terms"\n'
TIERED = FEE + 'type = "tiered"\ntiers = '


def test_each_of_many_mistakes_is_told_with_its_line_and_hint() -> None:
    rows = bad_policy.TEXT.splitlines()
    found = problems(bad_policy.TEXT)
    expected = [
        (next(n for n, row in enumerate(rows, 1) if text in row), message, hint)
        for text, message, hint in bad_policy.MISTAKES
    ]
    expected += bad_policy.PLACED
    for line, message, hint in expected:
        matching = [one for one in found if one.line == line and message in one.message]
        assert len(matching) == 1, (line, message, [str(one) for one in found])
        assert hint in matching[0].hint
    assert len(found) == len(expected), [str(one) for one in found]
    assert [one.line for one in found] == sorted(one.line for one in found)


def test_a_problem_reads_as_file_line_message_and_hint() -> None:
    assert str(only("\ngraec = 1\n")).startswith('p.toml:2: unknown key "graec" (')
    assert str(Problem(file="a", line=3, message="b")) == "a:3: b"


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a = 1\na = 2\n", 2, "twice"),
        ("\n\n[calendar\nregion = 1\n", 3, "not closed"),
        ("mode = auto\n", 1, "quotes"),
        ('name = "x"\nmode: "auto"\n', 2, "joined by ="),
        ('name = "x\n', 1, "look at"),
        ('closures = [\n"2026-01-01"\n', 2, ""),
    ],
)
def test_a_syntax_error_is_one_message_with_its_line(text: str, line: int, hint: str) -> None:
    problem = only(text)
    assert problem.line == line
    assert problem.message.startswith("this is not TOML")
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[stage]\nid = 1\n", "stage can stand several times", "[[stage]]"),
        ("[[calendar]]\n", "calendar is a table", "[calendar]"),
        ("calendar = 3\n", "calendar is a table, not 3", "[calendar]"),
        ("schema = 2\n", "schema cannot be 2", "1"),
        ('extends = "standard"\n', 'unknown key "extends"', "a copy of standard"),
        ("name = 5\n", "name is text, not 5", '"5"'),
        ('name = ""\n', "name is empty", ""),
        ("[contact]\nper_customer_per_day = 0\n", "at least 1", ""),
        ("[contact]\nper_customer_per_day = 1.5\n", "not a whole number", "write 2"),
        ("[contact]\nper_customer_per_day = true\n", "true is not a number", ""),
        ('[contact]\nper_customer_per_day = "2 a day"\n', "is not a number", "write 2"),
        ('[contact]\nper_customer_per_day = "two"\n', "is not a number", "such as 3"),
        ('[limits]\nfee_total_per_run = "5.000,00"\n', "is not a number", "write 5000.00"),
        ('[limits]\nfee_total_per_run = "5,000.00"\n', "is not a number", "write 5000.00"),
        ('[limits]\nfee_total_per_run = "5,000"\n', "is not a number", "write 5000"),
        ('[[person]]\nid = "sam"\nemail = "sam at home"\n', "is not an address", "sam@"),
        ("[holidays]\n", 'unknown key "holidays"', "possible: schema"),
        (
            FEE + 'type = "statutory"\nscheme = "uk"\ncompensation = "yes"\n',
            'compensation is yes or no, not "yes"',
            "true or false",
        ),
        (TIERED + "[{ from_day = 8, amont = 1 }]\n", 'unknown key "amont" in a step of', "amount"),
        (FEE + 'type = "flat"\namuont = 1\n', 'unknown key "amuont" in a fee', "amount"),
        ('[[cap_group]]\nnmae = "g"\n', 'unknown key "nmae" in a cap_group', "name"),
        ("[contact]\nconsolidate = { above = 0 }\n", "at least 1", ""),
        ("[calendar]\nsend_days = []\n", "send_days is empty", "at least one"),
        ('[calendar]\nsend_days = "mon"\n', "send_days is a list", '["mon"]'),
        ('[calendar]\nsend_days = ["Monday"]\n', "not a day of the week", '"mon"'),
        ('[calendar]\nregion = "England"\n', "not a holiday region", "GB-ENG"),
        ("[calendar]\nsend_month_days = [32]\n", "not a day of the month", "1 to 31"),
        ("[limits]\nfees_per_run = -1\n", "at least 0", ""),
        ('[do_not_chase]\nreply = { for = "3h" }\n', "hours", "use d, bd or m"),
        ('[do_not_chase]\nreply = { then = "task" }\n', 'reply needs "for"', ""),
        ("[do_not_chase]\ntreat_as_sent = { tags = 'x' }\n", "needs a `when`", "when"),
        (STAGE.replace("one", "Erste Stufe"), "cannot be the id", '"erste-stufe"'),
        (STAGE.replace('["note"]', "[]"), "do is empty", ""),
        (STAGE.replace('["note"]', '["remind"]'), "needs a template", "template ="),
        (STAGE + 'requires = ["one"]\n', "requires itself", ""),
        (STAGE + 'channels = ["emial"]\n', '"emial" is not a channel', "email"),
        (STAGE + "channels = []\n", "channels is empty", ""),
        ('[do_not_chase]\nstale_after = "1m"\n', "neither hours nor days", "26h"),
        (STAGE + 'due_in = "4h"\n', "hours", ""),
        (STAGE + "repeat = { every = '7d' }\n", 'needs "times"', ""),
        (STAGE + "when = []\n", "not a condition", ""),
        (STAGE.replace("due + 3d", "deadline(one) + 1d"), "its own deadline", ""),
        (STAGE.replace("due + 3d", "deadline(two) + 1d"), 'unknown stage "two"', "possible: one"),
        (FEE + 'type = "flat"\n', "needs amount", "amount ="),
        (FEE + 'type = "percent"\n', "needs percent", "percent ="),
        (FEE + 'type = "interest"\n', "needs annual_rate or rates", "annual_rate ="),
        (FEE + 'type = "flat"\namount = -5\n', "-5 is negative", "5"),
        (FEE + 'type = "flat"\namount = { GBX = 5 }\n', 'no currency "GBX"', "GBP"),
        ('[hand_off]\nagency.email = "ann at law"\n', "is not an address", "sam@"),
        (FEE + 'type = "flat"\namount = { gbp = 5 }\n', "not a currency code", "GBP"),
        (FEE + 'type = "flat"\namount = 5\npercent = 2\n', "means nothing", "percent"),
        (FEE + 'type = "flat"\namount = 5\ngrace = "3bd"\n', "calendar days", ""),
        (FEE + 'type = "percent"\npercent = 2\nmonth_count = "started"\n', "means nothing", ""),
        (
            FEE + 'type = "percent"\npercent = 2\ncompounding = "daily"\n',
            "means nothing",
            "monthly",
        ),
        (FEE + 'type = "flat_then_percent"\namount = 5\n', "needs percent and repeat", "repeat"),
        (FEE + 'type = "tiered"\n', "needs tiers", "from_day"),
        (TIERED + "[{ from_day = 8 }]\n", "one of percent, amount and daily_percent", "8"),
        (
            TIERED + "[{ from_day = 8, percent = 1 }, { from_day = 8, percent = 2 }]\n",
            "two steps begin on day 8",
            "leave one out",
        ),
        (
            TIERED + "[{ from_day = 8, percent = 1 }, { from_day = 9, daily_percent = 1 }]\n",
            "do not mix",
            "second fee",
        ),
        (
            TIERED + '[{ from_day = 8, percent = 1 }]\ntier_mode = "whole"\n',
            "does not fit",
            "replace, additive",
        ),
        (FEE + 'type = "compensation"\n', "needs bands", "amount"),
        (
            FEE + 'type = "scale"\nscale = [{ percent = 15 }, { width = 5, percent = 1 }]\n',
            "takes all the rest",
            "width",
        ),
        (
            FEE + 'type = "interest"\nannual_rate = 8\npost = { with_stage = "x" }\n',
            'unknown stage "x"',
            "",
        ),
        (
            FEE
            + 'type = "interest"\nannual_rate = 8\nrates = [{ from = 2026-01-01, annual = 9 }]\n',
            "cannot both",
            "leave out annual_rate",
        ),
        (FEE + 'type = "interest"\nrates = []\n', "needs annual_rate or rates", ""),
        (FEE + 'type = "interest"\nannual_rate = 8\nfrom = "soon"\n', "not a date", ""),
    ],
)
def test_one_mistake_gives_one_problem(text: str, message: str, hint: str) -> None:
    problem = only(text)
    assert message in problem.message
    assert hint in problem.hint


def test_ids_that_an_id_replaced_count_as_used() -> None:
    text = STAGE + STAGE.replace("one", "two") + 'was = ["one"]\n'
    problem = only(text)
    assert 'the stage id "one" is used twice; it is also in line 2' in problem.message
    assert problem.line == 9


def test_numbers_are_exact_whether_quoted_or_not() -> None:
    quoted = load_policy('[limits]\nfee_total_per_run = "2500.10"\nfees_per_run = "7"\n')
    plain = load_policy("[limits]\nfee_total_per_run = 2500.10\nfees_per_run = 7\n")
    assert quoted.limits.fee_total_per_run == Decimal("2500.10")
    assert quoted == plain
    assert quoted.hash == plain.hash


def test_the_hash_follows_the_meaning_and_not_the_spelling() -> None:
    empty = load_policy("")
    spelled = load_policy(
        '# a comment\n[do_not_chase]\nbalance_below = 5\n[contact]\nmin_gap = " 5d "\n'
    )
    assert spelled.hash == empty.hash == Policy().hash
    assert len(empty.hash) == 64
    changed = load_policy("[do_not_chase]\nbalance_below = 6\n")
    assert changed.hash != empty.hash
    conditioned = [load_policy(STAGE + f'when = {{ tags = "{tag}" }}\n') for tag in ("a", "b")]
    assert conditioned[0].hash != conditioned[1].hash


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert load_policy('\ufeffname = "x"\n').name == "x"


def test_a_policy_is_a_value() -> None:
    one, two = load_policy(STAGE), load_policy(STAGE)
    assert one == two
    assert hash(one) == hash(two)


def test_the_version_may_stand_in_quotes_like_every_number() -> None:
    assert load_policy('schema = "1"\n').schema_ == 1

"""The lint of a valid policy."""

import pytest

from rules.policy.check import annual_rate, check
from rules.policy.load import load_policy


def stage(name: str, at: str = "due + 3d", *more: str) -> str:
    rows = [f'id = "{name}"', f'at = "{at}"']
    if not any(row.startswith("do ") for row in more):
        rows += ['do = ["remind"]']
        if not any(row.startswith("template ") for row in more):
            rows += ['template = "own"']
    return "\n".join(["[[stage]]", *rows, *more, ""])


def fee(*rows: str, cap: str = "cap = { percent_of_original = 25 }") -> str:
    return "\n".join(["[[fee]]", 'id = "f"', cap, *rows, ""])


INTEREST = ('type = "interest"', "annual_rate = 12")
AGREED = 'legal_basis = "contract:clause 7"'
SEGMENT = '[[segment]]\nname = "vip"\n'


@pytest.mark.parametrize(
    ("text", "code", "severity"),
    [
        ("", "no_stages", "warning"),
        (stage("a", "due + 9d") + stage("b", "due + 3d"), "stage_order", "warning"),
        (stage("a") + stage("b"), "overlap", "warning"),
        (
            stage("a", "due + 9d", 'scope = "customer"')
            + stage("i")
            + stage("b", "due + 3d", 'scope = "customer"'),
            "stage_order",
            "warning",
        ),
        (stage("a", "due - 3d", 'scope = "customer"'), "early_account_stage", "warning"),
        (
            stage("a", "due + 1d", 'requires = ["b"]') + stage("b", "due", 'requires = ["a"]'),
            "unreachable",
            "error",
        ),
        (
            SEGMENT
            + stage("a", "due + 1d", 'skip = ["vip"]')
            + stage("b", "due + 9d", 'requires = ["a"]', 'only = ["vip"]'),
            "unreachable",
            "error",
        ),
        (SEGMENT + stage("a", "due", 'only = ["vip"]', 'skip = ["vip"]'), "unreachable", "error"),
        (stage("a", "previous + 3d"), "unreachable", "error"),
        (
            stage("a", "due + 1d", 'requires = ["b"]') + stage("b", "due + 9d"),
            "late_requirement",
            "warning",
        ),
        (stage("a", "due", "formal = true"), "formal_without_requires", "warning"),
        (stage("a", "due", "formal = true"), "formal_auto", "warning"),
        (stage("a", "due", "formal = true"), "formal_without_deadline", "warning"),
        (stage("a", "due - 3d", 'template = "overdue_1"'), "tone", "warning"),
        (stage("a", "due + 3d", 'template = "before_due"'), "tone", "warning"),
        (stage("a", "due + 3d", 'template = "final_notice"'), "tone", "warning"),
        (stage("a", "due", 'template = "overdue_1"', "formal = true"), "tone", "warning"),
        (
            stage("a", "due + 3d", 'template = "overdue_3"')
            + stage("b", "due + 9d", 'template = "overdue_1"'),
            "tone",
            "warning",
        ),
        (stage("a", "due + 3d", 'template = "payment_returned"'), "tone", "warning"),
        (stage("a", "due", 'do = ["note"]', 'template = "x"'), "unused_template", "warning"),
        ('[calendar]\nregion = "GB"\n', "bare_region", "warning"),
        ("[contact]\nper_customer_per_day = 3\n", "budget", "warning"),
        ("[limits]\nmails_per_run = 90\nmails_per_day = 80\n", "limits", "warning"),
        ("[limits]\nmails_per_customer_per_day = 0\n", "limits", "warning"),
        (fee(*INTEREST), "no_legal_basis", "error"),
        (
            'legal_basis = "contract:payment-terms"\n' + fee(*INTEREST),
            "placeholder_legal_basis",
            "warning",
        ),
        (fee(*INTEREST, AGREED, cap=""), "no_cap", "warning"),
        (fee(*INTEREST, AGREED), "annual_rate", "info"),
        (fee('type = "percent"', 'per = "month"', "percent = 3", AGREED), "annual_rate", "warning"),
    ],
)
def test_findings(text: str, code: str, severity: str) -> None:
    found = [finding for finding in check(load_policy(text)) if finding.code == code]
    assert [finding.severity for finding in found] == [severity] * len(found)
    assert found, [str(finding) for finding in check(load_policy(text))]


def test_a_sound_policy_has_no_finding_but_its_rate() -> None:
    text = (
        'legal_basis = "contract:clause 7"\n[calendar]\nregion = "GB-ENG"\n'
        + stage("a", "due - 3d", 'template = "before_due"')
        + stage("b", "due + 3d", 'template = "overdue_1"')
        + stage(
            "c",
            "due + 30d",
            'template = "final_notice"',
            "formal = true",
            'requires = ["b"]',
            'deadline = "14d"',
            'mode = "approve"',
        )
        + stage("d", "deadline(c) + 1d", 'do = ["notify"]', 'requires = ["c"]')
        + fee(*INTEREST, 'minimum_to_post = "5.00"')
    )
    assert [finding.code for finding in check(load_policy(text))] == ["annual_rate"]


def test_stages_for_different_customers_do_not_overlap() -> None:
    vip = SEGMENT + 'when = { tags = "vip" }\n'
    parted = vip + stage("a", "due", 'only = ["vip"]') + stage("b", "due", 'skip = ["vip"]')
    assert check(load_policy(parted)) == ()


def test_errors_come_first_and_read_as_sentences() -> None:
    found = check(load_policy(fee(*INTEREST, cap="")))
    assert found[0].severity == "error"
    assert "will not be charged" in str(found[0])
    assert any("12.00 % a year" in str(one) for one in found)


def test_the_annual_rate_of_a_fee() -> None:
    rates = 'rates = [{ from = 2026-01-01, annual = 8 }, { from = 2026-07-01, annual = "11.5" }]'
    texts = {
        fee('type = "interest"', rates): "11.5",
        fee('type = "percent"', 'per = "month"', 'percent = "1.5"'): "18.0",
    }
    for text, rate in texts.items():
        (one,) = load_policy(text).fee
        assert str(annual_rate(one)) == rate
    (once,) = load_policy(fee('type = "percent"', "percent = 5")).fee
    assert annual_rate(once) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (stage("a", "due", 'do = ["note"]', 'attach = ["invoice"]'), "unused_key"),
        (stage("a", "due", 'do = ["note"]', 'script = "Hello"'), "unused_key"),
        (stage("a", "due", 'do = ["call"]', "plan = { parts = 3 }"), "unused_key"),
        ('[[segment]]\nname = "all"\n', "segment_of_everybody"),
        ("[discount]\npercent = 2\n", "discount_not_offered"),
        ('[discount]\npercent = 2\noffer_after = "20d"\n', "discount_offered_late"),
        ('[[test]]\nname = "a"\non = 2026-01-05\nevents = []\n', "test_expects_nothing"),
    ],
)
def test_what_says_nothing_is_remarked(text: str, code: str) -> None:
    assert code in [finding.code for finding in check(load_policy(text))]


def test_what_says_something_is_not() -> None:
    text = (
        stage("a", "due", 'do = ["remind"]', 'template = "overdue_1"', 'attach = ["invoice"]')
        + stage("b", "due + 9d", 'do = ["call"]', 'script = "Hello"', 'due_in = "2d"')
        + '[discount]\npercent = 2\nwithin = "10d"\noffer_after = "10d"\n'
        + '[[test]]\nname = "a"\non = 2026-01-05\nevents = []\nactions = []\n'
    )
    assert check(load_policy(text)) == ()


def test_a_hand_off_without_notice_is_remarked() -> None:
    out = stage("out", "due + 40d", 'do = ["hand_off"]', 'mode = "approve"')
    last = stage(
        "last", "due + 20d", 'do = ["remind"]', "formal = true", 'template = "final_notice"'
    )

    def remarked(text: str) -> bool:
        return "hand_off_without_notice" in [one.code for one in check(load_policy(text))]

    assert remarked(out)
    assert not remarked(last + out + 'requires = ["last"]\n')
    assert not remarked('[hand_off]\nnotice = "last"\n' + last + out)


def test_a_returned_payment_is_told_where_one_came_back() -> None:
    assert check(load_policy(stage("a", "returned", 'template = "payment_returned"'))) == ()
    (found,) = check(load_policy(stage("a", "due + 3d", 'template = "payment_returned"')))
    assert "speaks of a payment that came back" in str(found)

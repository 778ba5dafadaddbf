"""Who is in charge of a task: named, by role, by segment, or whoever stands in."""

from datetime import date

import pytest

from rules.actions.internal import MakeCall, NotifyOwner
from rules.decide import decide
from rules.model.book import Book
from rules.model.company import Company
from rules.model.customer import Contact, Customer
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.policy.load import load_policy
from tests.rules.books import acts

TODAY = date(2026, 10, 15)

PEOPLE = """
[[segment]]
name = "vip"
when = { tags = "vip" }

[[person]]
id = "ann"
name = "Ann Lee"
email = "ann@story.example"
roles = ["owner"]

[[person]]
id = "sam"
email = "sam@story.example"
roles = ["collector"]

[[person]]
id = "kim"
roles = ["collector"]
segments = ["vip"]
"""

AWAY = """
[[person]]
id = "{who}"
roles = ["collector"]
absent = {{ until = {until}, deputy = "{deputy}" }}
"""


def stage(owner: str = "", script: str = "", verb: str = "call") -> str:
    return (
        f'[[stage]]\nid = "ring"\nname = "Ring"\nat = "due + 3d"\ndo = ["{verb}"]\n'
        f'owner = "{owner}"\ndue_in = "2bd"\nscript = "{script}"\n'
    )


def book(*tags: str) -> Book:
    north = CustomerId("C1")
    return Book(
        company=Company(id="acme", base_currency="GBP"),
        as_of=TODAY,
        customers={
            north: Customer(
                id=north,
                name="North Ltd",
                tags=tags,
                contacts=(Contact(name="Priya Shah", phone="0117 496 0123"),),
            )
        },
        invoices=[
            Invoice(
                id=InvoiceId(f"I{number}"),
                number=f"N{number}",
                customer=north,
                currency="GBP",
                issued_on=date(2026, 9, 1),
                due_on=date(2026, 10, number),
                total=100_00 * number,
                balance=100_00 * number,
            )
            for number in (1, 5)
        ],
    )


def task(policy: str, *tags: str) -> MakeCall | NotifyOwner:
    (act,) = acts(decide(book(*tags), load_policy(policy), TODAY))
    assert isinstance(act.action, MakeCall | NotifyOwner)
    return act.action


@pytest.mark.parametrize(
    ("owner", "tags", "expected"),
    [
        ("sam", (), "sam"),
        ("sam", ("vip",), "sam"),
        ("collector", (), "sam"),
        ("collector", ("vip",), "kim"),
        ("", ("vip",), "kim"),
        ("", (), "ann"),
    ],
)
def test_who_is_in_charge(owner: str, tags: tuple[str, ...], expected: str) -> None:
    assert task(PEOPLE + stage(owner), *tags).owner == expected


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        ([("pat", "2026-10-15", "ann")], "ann"),
        ([("pat", "2026-10-14", "ann")], "pat"),
        ([("pat", "2026-10-31", "max"), ("max", "2026-10-31", "sam")], "sam"),
        ([("pat", "2026-10-31", "max"), ("max", "2026-10-31", "pat")], "pat"),
    ],
)
def test_whoever_stands_in(away: list[tuple[str, str, str]], expected: str) -> None:
    people = "".join(AWAY.format(who=who, until=until, deputy=to) for who, until, to in away)
    assert task(PEOPLE + people + stage("pat")).owner == expected


def test_a_policy_without_people_keeps_what_it_says() -> None:
    assert task(stage("credit desk")).owner == "credit desk"


def test_the_script_speaks_of_this_customer() -> None:
    script = "{contact} of {customer} ({phone}): {invoices}, {total}, {days_late} days, {due_on}."
    found = task(PEOPLE + stage("sam", script))
    assert found.text.endswith(
        "Priya Shah of North Ltd (0117 496 0123): N1, N5, GBP 600.00, 14 days, 2026-10-01."
    )
    assert found.due_on == date(2026, 10, 19)


def test_a_name_cannot_pose_as_a_blank() -> None:
    north = CustomerId("C1")
    odd = Customer(id=north, name="{total} {phone}")
    policy = load_policy(stage("", "Ask {customer}."))
    (act,) = acts(
        decide(
            Book(
                company=Company(id="acme", base_currency="GBP"),
                as_of=TODAY,
                customers={north: odd},
                invoices=book().invoices,
            ),
            policy,
            TODAY,
        )
    )
    assert isinstance(act.action, MakeCall)
    assert act.action.text.endswith("Ask {total} {phone}.")


def test_a_notification_has_all_that_a_mail_says() -> None:
    found = task(PEOPLE + stage("owner", "Look at {invoices}.", verb="notify"))
    assert isinstance(found, NotifyOwner)
    assert (found.email, found.name, found.title) == ("ann@story.example", "Ann Lee", "Ring")
    assert found.told == (
        "invoice N1, GBP 100.00, 14 days past due",
        "invoice N5, GBP 500.00, 10 days past due",
    )
    assert found.asked == "Look at N1, N5."

"""Conditions on what was sold and how the ledger sorts it, over HTTP from each ledger."""

from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens

BOOK = [
    company(),
    *map(customer, ("North", "South", "East", "West")),
    invoice("N-1", "North", "2026-06-01", items=["Equipment", "Delivery"]),
    invoice("S-1", "South", "2026-06-01", items=["Cleaning"], tracking=["Class: Web shop"]),
    invoice("E-1", "East", "2026-06-01", tracking=["Class: Counter", "Location: Leeds"]),
    invoice("W-1", "West", "2026-06-01"),
]
RULES = """
[[segment]]
name = "delivered"
when = { items = "Delivery" }

[[segment]]
name = "leeds"
when = { tracking = "Location: Leeds" }

[[segment]]
name = "shop"
when = { classes = "Web shop" }
"""


def test_who_is_reminded_hangs_on_items_class_and_place(an_office: Opens) -> None:
    for chosen, names in {
        "delivered": {"North"},
        "shop": {"South"},
        "leeds": {"East"},
    }.items():
        text = policy(stage=f'only = ["{chosen}"]', top="") + RULES
        office = an_office(*BOOK, policy=text, today="2026-06-04")
        office.run()
        assert {n for n in ("North", "South", "East", "West") if office.mails_to(n)} == names


def test_the_ledger_tells_what_the_book_file_said(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(), today="2026-06-04")
    office.run()
    with office.desk.store.read() as conn:
        book = office.desk.load(conn, office.desk.today(), None, ())
    told = {one.number: (one.items, one.tracking) for one in book.invoices}
    assert told["N-1"][0] == ("Equipment", "Delivery")
    assert told["S-1"] == (("Cleaning",), ("Class: Web shop",))
    assert told["E-1"][1] == ("Class: Counter", "Location: Leeds")

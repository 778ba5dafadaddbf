"""A credit hold and its release, as the ledger shows them: a group on Xero, a note on QuickBooks,
and on both a note on the invoice from which it can be read back."""

import pytest

from rules.actions.notes import Serving, read_note
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import When
from tests.stories.evidence import nothing_twice
from tests.stories.stage import Office

HOLD = """
[[stage]]
id = "on-hold"
at = "due + 5d"
do = ["hold_credit"]

[[stage]]
id = "released"
at = "due + 8d"
do = ["release_credit"]
"""

BOOK = [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]


def open_office(an_office: Opens) -> Office:
    return an_office(*BOOK, policy=policy(stage=HOLD), today="2026-06-02")


def is_held(office: Office) -> bool:
    """As a person sees it in the ledger."""
    north = office.customer_id("North")
    if office.ledger == "xero":
        return any(north in group.members for group in office.records.groups)
    told = [note.text for note in office.records.notes if ("customer", north) in note.targets]
    return bool(told) and "released" not in told[-1]


def told(office: Office, kind: str) -> list[tuple[str, Serving]]:
    """Kind of the place and stage of every note that tells of it."""
    return [
        (place, found.facts.stages[0])
        for note in office.records.notes
        for place, _ in note.targets
        if (found := read_note(note.text)) is not None and found.facts.kind == kind
    ]


def test_a_hold_is_set_and_released_and_told(an_office: Opens, ledger: str) -> None:
    office = open_office(an_office)
    for day in office.days("2026-06-03", "2026-06-12"):
        office.run()
        assert is_held(office) == (6 <= day.day < 9), day
    # The note of the reminder names no stage of these.
    where = ["invoice"] if ledger == "xero" else ["customer", "invoice"]
    for kind, stage in (("credit_hold", "on-hold"), ("credit_release", "released")):
        found = told(office, kind)
        assert sorted(place for place, _ in found) == where
        assert {serving.name for _, serving in found} == {stage}
        assert office.row(kind, "done")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2], ids=["hold", "note"])
def test_an_interruption_leaves_one_hold_and_one_note(
    an_office: Opens, nth: int, when: When
) -> None:
    office = open_office(an_office)
    for _ in office.days("2026-06-03", "2026-06-05"):
        office.run()
    office.wake("2026-06-06")
    office.crash("ledger", nth, when=when)
    office.run_to_crash()
    office.reopen()
    office.end_leases()
    office.run()
    assert is_held(office)
    assert office.row("credit_hold", "done")
    places = [place for place, _ in told(office, "credit_hold")]
    assert places.count("invoice") == 1 and places.count("customer") <= 1
    nothing_twice(office)

"""Who is in charge: the person that a stage names, else the one who looks after the customer.

Somebody who is away is followed to the deputy. Where nobody fits, the first person of the policy
is asked, so that nothing is ever nobody's.
"""

from collections.abc import Sequence
from datetime import date

from rules.account_day import AccountDay
from rules.guards.reviews import name_of_actor, owner_of
from rules.model.commitment import Commitment
from rules.model.invoice import Invoice
from rules.policy.person import Person
from rules.stand_ins import account_as_invoice


def person_in_charge(day: AccountDay, named: str, invoice: Invoice) -> Person | None:
    """The person for a task about this invoice, deputies considered; None where the policy
    names no person at all.

    `named` is the id of a person or a role; of several with the role the one who looks after
    the customer comes first.
    """
    people = day.frame.policy.person
    if not people:
        return None
    chosen = [person for person in people if named and named in (person.id, *person.roles)]
    exact = [person for person in chosen if person.id == named]
    theirs = [person for person in people if day.is_in_any(person.segments, invoice)]
    both = [person for person in chosen if person in theirs]
    found = next(iter((*exact, *both, *chosen, *theirs)), people[0])
    return _present(found, people, day.today)


def in_charge_of(day: AccountDay, told: Commitment) -> str:
    """Who looks after what a customer told us: whoever was named, else the person of the policy
    who gets its tasks, else whoever recorded it; never empty."""
    commitments, people = day.frame.policy.commitments, day.frame.policy.person
    if not (told.owner or commitments.owner) and people:
        about = account_as_invoice(day, day.frame.base_currency)
        invoice = next((one for one in day.account.invoices if one.id in told.invoices), about)
        person = person_in_charge(day, name_of_actor(told), invoice)
        return owner_text(person, name_of_actor(told))
    return owner_of(day.frame, told)


def owner_text(person: Person | None, named: str) -> str:
    """How the owner is kept with a task: the id of the person, else what the policy says."""
    return person.id if person is not None else named


def _present(person: Person, people: Sequence[Person], today: date) -> Person:
    """The person, or whoever stands in; of a circle of absent people the one first asked."""
    by_id = {one.id: one for one in people}
    current, seen = person, {person.id}
    while current.absent is not None and today <= current.absent.until:
        deputy = by_id.get(current.absent.deputy)
        if deputy is None or deputy.id in seen:
            return person
        seen.add(deputy.id)
        current = deputy
    return current

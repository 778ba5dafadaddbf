"""`[[person]]`: colleagues by name, for what they are in charge, and who stands in for them."""

from rules.policy.reading import Day
from rules.policy.section import Section, key
from rules.policy.stage import ID_PATTERN

EMAIL_PATTERN = r"^[^\s@<>,;:\"]+@[^\s@<>,;:\"]+\.[^\s@<>,;:\"]+$"


class Absence(Section):
    """When somebody is away, and who takes over."""

    until: Day = key(..., "Last day away.")
    deputy: str = key(..., "Id of the person who takes over until then.")


class Person(Section):
    """A colleague who gets tasks, calls and notifications."""

    id: str = key(
        ..., "Short name by which `owner` and `deputy` mean this person.", pattern=ID_PATTERN
    )
    name: str = key("", "What people read; without it the id is shown.", max_length=80)
    email: str = key(
        "",
        "Where notifications go by mail; without it they only stand on the worklist.",
        pattern=rf"^$|{EMAIL_PATTERN}",
    )
    roles: tuple[str, ...] = key(
        (),
        'What the person is, such as "owner", "collector" or "manager"; `owner` of a stage may '
        "name a role too.",
    )
    segments: tuple[str, ...] = key(
        (), "Segments whose customers this person looks after, where a stage names nobody."
    )
    absent: Absence | None = key(
        None,
        'Away until a day, with a deputy: `{ until = 2026-08-21, deputy = "sam" }`.',
    )

    @property
    def shown(self) -> str:
        """What people read."""
        return self.name or self.id

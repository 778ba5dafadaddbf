"""The suite that every connector passes, shipped so that a connector from outside can run it.

    class TestMine(ConformanceSuite):
        @pytest.fixture
        def subject(self) -> Subject:
            return Subject(connector=..., today=..., customer=..., invoice=..., ...)

or, as a checklist, `python -m connectors.conformance mine:subject` (see `grade`). The connector
is wired to something that behaves like the ledger (a sandbox, a test company), whose book is
clean and small. What a connector does not claim is skipped, with the reason.
"""

from connectors.conformance.abilities import Abilities
from connectors.conformance.crediting import Crediting
from connectors.conformance.grade import Grade, grade
from connectors.conformance.reading import Reading
from connectors.conformance.subject import Subject
from connectors.conformance.taking_back import TakingBack
from connectors.conformance.writing import Writing

__all__ = ["ConformanceSuite", "Grade", "Subject", "grade"]


class ConformanceSuite(Reading, Writing, TakingBack, Crediting, Abilities):
    """Subclass it under a name that pytest collects, with a fixture `subject`."""

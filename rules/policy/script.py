"""What somebody says on a call: a text with blanks for the customer's figures.

The blanks are a closed list and are filled in by plain replacement: a script can show figures
and nothing else.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator

from rules.policy.reading import Misread, nearest

BLANKS: Final[dict[str, str]] = {
    "customer": "name of the paying customer",
    "contact": "the person at the customer, or the customer's name",
    "phone": "telephone number; `no number` where none is known",
    "invoices": "numbers of the invoices",
    "total": "what is open on them, with the currency",
    "days_late": "days past due of the oldest",
    "due_on": "due date of the oldest",
    "promises": "how many promises were broken",
}
"""What may stand in braces, such as `{customer}`."""

_BLANK: Final = re.compile(r"\{\s*([^{}]*?)\s*\}")


def _known_blanks(script: str) -> str:
    for name in _BLANK.findall(script):
        if name not in BLANKS:
            close = nearest(name, BLANKS)
            raise Misread(
                f'the script has an unknown blank "{{{name}}}"',
                f'did you mean "{{{close}}}"?' if close else "known: " + ", ".join(BLANKS),
            )
    return script


Script: TypeAlias = Annotated[str, AfterValidator(_known_blanks)]
"""A script whose blanks are all known."""


def filled(script: str, figures: Mapping[str, str]) -> str:
    """The script with its blanks filled in."""
    return _BLANK.sub(lambda blank: figures.get(blank[1], blank[0]), script)

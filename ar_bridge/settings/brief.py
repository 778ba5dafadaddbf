"""The owner's brief: one mail each morning about a book."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from ar_bridge.settings.section import Section
from ar_bridge.settings.values import Mailbox


def _time_of_day(text: str) -> str:
    hours, colon, minutes = text.partition(":")
    is_time = colon and hours.isdigit() and minutes.isdigit() and len(minutes) == 2
    if not is_time or int(hours) > 23 or int(minutes) > 59:
        raise ValueError('not a time of day: write it as "07:30"')
    return f"{int(hours):02d}:{minutes}"


TimeOfDay: TypeAlias = Annotated[str, AfterValidator(_time_of_day)]
"""Hours and minutes, `07:30`, in the company's time zone."""


class BriefSettings(Section):
    """The daily brief to the owner: what was done, what waits, what came in."""

    to: tuple[Mailbox, ...] = Field(
        default=(),
        description="Who gets it; empty: the people of the policy who have the role owner and an "
        "address. Nobody there: no brief is mailed, and `ar-bridge brief` shows it.",
    )
    at: TimeOfDay = Field(
        default="07:30", description="When it goes out, in the company's time zone."
    )
    only_when_something: bool = Field(
        default=False, description="Whether days on which there is nothing to say pass without one."
    )
    language: str = Field(
        default="en",
        pattern=r"^[a-z]{2}$",
        description="How it writes days and amounts, and its words where there is a template of "
        "yours in that language (templates/<language>/brief.txt.jinja and brief.html.jinja).",
    )

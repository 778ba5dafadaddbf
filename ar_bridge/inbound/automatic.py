"""Mail that nobody wrote: out-of-office notes and other automatic answers (RFC 3834)."""

import re
from datetime import date, timedelta
from typing import Final

from ar_bridge.inbound.letter import Letter

_SUBJECTS: Final = re.compile(
    r"^\s*(?:automatic (?:reply|response)|auto(?:matic)?[ -]?(?:reply|response|responder)|"
    r"out of (?:the )?office|on (?:annual )?leave|away from|abwesenheits?\w*|automatische antwort|"
    r"réponse automatique|respuesta automática|afwezig)\b",
    re.IGNORECASE,
)
_MOVED: Final = re.compile(
    r"no longer (?:works?|working|employed|with|at|part of|in use|monitored)|"
    r"has left (?:the )?(?:company|business|organi[sz]ation)|have left (?:the )?company|"
    r"(?:mailbox|address|account) is no(?:t| longer) (?:monitored|in use)",
    re.IGNORECASE,
)
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH: Final = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WRITTEN: Final = (
    re.compile(r"(?P<year>20\d\d)-(?P<number>\d\d)-(?P<day>\d\d)"),
    re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MONTH},?\s*(?P<year>20\d\d)?\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH}\s+{_DAY}\b,?\s*(?P<year>20\d\d)?", re.IGNORECASE),
)
_RETURN: Final = re.compile(
    r"\b(?:until|till|through|back|return(?:ing)?|in the office again|bis|wieder)\b", re.IGNORECASE
)
_NEAR: Final = 60
"""Characters behind the word in which the date stands."""
_FURTHEST: Final = timedelta(days=400)


def is_automatic(letter: Letter) -> bool:
    """Whether a machine answered."""
    submitted = letter.header("auto-submitted").lower()
    if submitted and not submitted.startswith("no"):
        return True
    if any(letter.header(name) for name in ("x-autoreply", "x-autorespond", "x-autoresponder")):
        return True
    if letter.header("precedence").lower() in ("auto_reply", "bulk", "junk", "list"):
        return True
    return bool(_SUBJECTS.search(letter.header("subject")))


def says_moved(letter: Letter) -> bool:
    """Whether it says that nobody reads this address any more."""
    return bool(_MOVED.search(letter.text[:5_000]))


def back_on(letter: Letter, received: date) -> date | None:
    """The day that an out-of-office note names for the return; None where it names none."""
    text = f"{letter.header('subject')}\n{letter.text[:5_000]}"
    for word in _RETURN.finditer(text):
        near = text[word.end() : word.end() + _NEAR]
        found = [day for form in _WRITTEN for day in [_day_in(form, near, received)] if day]
        if found:
            return found[0]
    return None


def _day_in(form: re.Pattern[str], text: str, received: date) -> date | None:
    found = form.search(text)
    if found is None:
        return None
    said = found.groupdict()
    if said.get("number"):
        month = int(said["number"])
    else:
        short = said["month"][:3].lower()
        month = next(n for n, name in enumerate(_MONTHS, start=1) if name.startswith(short))
    try:
        if said.get("year"):
            day = date(int(said["year"]), month, int(said["day"]))
        else:
            day = date(received.year, month, int(said["day"]))
            if day < received:
                day = date(received.year + 1, month, int(said["day"]))
    except ValueError:
        return None
    return day if received <= day <= received + _FURTHEST else None

"""Words after which a person looks at once: no more messages, the law, insolvency, a death.

They never stop anything by themselves: a word is not a decision. What is quoted of our own
message does not count.
"""

import re
from typing import Final

_QUOTE: Final = re.compile(
    r"(?im)^\s*(?:>|-{2,}\s*original message|-{2,}\s*forwarded|on [^\n]{5,200} wrote:|"
    r"from:\s|am [^\n]{5,200} schrieb|le [^\n]{5,200} a écrit|_{10,})"
)
_WORDS: Final = re.compile(
    r"\bunsubscribe\b|\bremove (?:me|us)\b|\btake (?:me|us) off\b|\bcease and desist\b|"
    r"\bstop (?:sending|mailing|e-?mailing|contacting|chasing|harassing|writing)\b|"
    r"\bplease stop\b|\b(?:do not|don't|never) (?:contact|e-?mail|write to) (?:me|us)\b|"
    r"\b(?:lawyer|solicitor|attorney|ombudsman|data protection|gdpr)\b|"
    r"\b(?:insolven\w*|bankrupt\w*|liquidat\w*|in administration|receivership|chapter (?:7|11))\b|"
    r"\b(?:deceased|passed away|died)\b|\bfraud\w*\b|\bharass\w*\b",
    re.IGNORECASE,
)
_STOP: Final = re.compile(r"^\W*(?:stop|unsubscribe)\W*$", re.IGNORECASE)


def own_words(text: str) -> str:
    """What the sender wrote, without what is quoted below it."""
    found = _QUOTE.search(text)
    return (text[: found.start()] if found else text).strip()


def urgent_word(subject: str, text: str) -> str:
    """The word that makes it urgent; empty for none."""
    words = own_words(text)
    first = words.split("\n", 1)[0]
    if _STOP.match(first) or _STOP.match(subject):
        return (first if _STOP.match(first) else subject).strip().lower()[:40]
    found = _WORDS.search(words[:8_000]) or _WORDS.search(re.sub(r"(?i)^re:\s*", "", subject))
    return found[0].lower() if found else ""

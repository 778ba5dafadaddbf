"""Messages that did not arrive: delivery reports, and what mail servers send instead.

A report by RFC 3464 says for each recipient what became of the message (`Action`) and why
(`Status`, RFC 3463: 5.x.x for good, 4.x.x for now). Servers that write no such report are known
by who sends it (the empty return path, mailer-daemon, postmaster) and by their words.
"""

import re
from typing import Final, Literal, TypeAlias

import msgspec

from ar_bridge.inbound.letter import Letter, one_line

Verdict: TypeAlias = Literal["hard", "soft", "delayed", "delivered"]
"""hard: it never will arrive there; soft: it did not arrive, another one may; delayed: the mail
server still tries; delivered: it did."""


class Bounce(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery report says."""

    verdict: Verdict
    recipients: tuple[str, ...]
    """Addresses in lower case that it is about; none: it does not say."""
    status: str = ""
    said: str = ""
    """What the other mail server answered."""


_ADDRESS: Final = re.compile(r"[^\s<>,;:\"'()\[\]]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z0-9-]{2,40}")
_STATUS: Final = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY_CODE: Final = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-#:])")
_DAEMONS: Final = ("mailer-daemon@", "postmaster@", "mail-daemon@", "maildelivery@")
_SUBJECTS: Final = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|report)|returned mail|failure notice|"
    r"mail delivery (?:failed|system)|could not be delivered|delivery incomplete|"
    r"unzustellbar|zustellung|non remis|no se ha podido entregar",
    re.IGNORECASE,
)
_GONE: Final = re.compile(
    r"user unknown|unknown user|no such (?:user|recipient|mailbox|address)|"
    r"(?:user|recipient|mailbox|address|account)[^.\n]{0,40}(?:not found|does not exist|"
    r"doesn't exist|unknown|rejected|disabled|deactivated|invalid|unavailable)|"
    r"invalid recipient|address rejected|host unknown|domain not found|"
    r"unrouteable|no mailbox here|permanent (?:error|failure)",
    re.IGNORECASE,
)
_WAITS: Final = re.compile(
    r"will (?:keep|continue)[^.\n]{0,20}(?:try|retry)|has been delayed|delayed mail|"
    r"still being retried|no action is required|warning message only|temporarily delayed",
    re.IGNORECASE,
)
_FOR_NOW: Final = re.compile(
    r"mailbox (?:is )?full|over quota|quota exceeded|try again later|temporar|greylist",
    re.IGNORECASE,
)


def bounce_in(letter: Letter) -> Bounce | None:
    """What it says of a message that did not arrive; None where it is no such report."""
    is_report = letter.report_type == "delivery-status" or (
        letter.content_type == "multipart/report" and letter.report_type == ""
    )
    if letter.status_parts and letter.report_type != "feedback-report":
        found = _by_report(letter)
        if found is not None:
            return found
    if is_report or _is_from_a_daemon(letter):
        return _by_words(letter)
    return None


def _by_report(letter: Letter) -> Bounce | None:
    """The worst that a standard report says of any recipient."""
    blocks = [block for part in letter.status_parts for block in re.split(r"\n\s*\n", part)]
    found: list[tuple[Verdict, str, str, str]] = []
    for block in blocks[:100]:
        fields: dict[str, str] = {}
        for line in block.split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                fields.setdefault(name.strip().lower(), value.strip())
        action = fields.get("action", "").lower()
        if not action:
            continue
        status = _STATUS.search(fields.get("status", ""))
        said = fields.get("diagnostic-code", "").partition(";")[2].strip()
        said = said or fields.get("diagnostic-code", "")
        address = _address_in(fields.get("final-recipient", "")) or _address_in(
            fields.get("original-recipient", "")
        )
        original = _address_in(fields.get("original-recipient", ""))
        verdict = _verdict(action, status[1] if status else "", said)
        for one in dict.fromkeys(filter(None, (original, address))):
            found.append((verdict, one, status[0] if status else "", said))
        if not address and not original:
            found.append((verdict, "", status[0] if status else "", said))
    if not found:
        return None
    order: tuple[Verdict, ...] = ("hard", "soft", "delayed", "delivered")
    worst = min((verdict for verdict, *_ in found), key=order.index)
    chosen = [one for one in found if one[0] == worst]
    return Bounce(
        verdict=worst,
        recipients=tuple(dict.fromkeys(address for _, address, _, _ in chosen if address)),
        status=chosen[0][2],
        said=one_line(next((said for *_, said in chosen if said), ""), 300),
    )


def _verdict(action: str, status_class: str, said: str) -> Verdict:
    if action == "delayed":
        return "delayed"
    if action in ("delivered", "relayed", "expanded"):
        return "delivered"
    # A mailbox that is full today is a matter of today, whatever class its server gives it.
    if status_class == "4" or _FOR_NOW.search(said):
        return "soft"
    return "hard"


def _by_words(letter: Letter) -> Bounce | None:
    text = letter.text[:20_000]
    head = f"{letter.header('subject')}\n{text}"
    status = _STATUS.search(text)
    code = _REPLY_CODE.search(text)
    is_named = bool(_SUBJECTS.search(letter.header("subject")))
    if not (
        is_named or status or code or _GONE.search(text) or letter.header("x-failed-recipients")
    ):
        return None
    named = _named_recipients(letter, text)
    what = status[0] if status else code[1] if code else ""
    kind = what[:1]
    verdict: Verdict
    if _WAITS.search(head):
        verdict = "delayed"
    elif kind == "4" or _FOR_NOW.search(text):
        verdict = "soft"
    elif kind == "5" or _GONE.search(text) or is_named:
        verdict = "hard"
    else:
        return None
    line = next((one for one in text.split("\n") if what and what in one), "")
    return Bounce(
        verdict=verdict,
        recipients=named,
        status=status[0] if status else "",
        said=one_line(line or letter.header("subject"), 300),
    )


def _named_recipients(letter: Letter, text: str) -> tuple[str, ...]:
    stated = letter.header("x-failed-recipients")
    if stated:
        return tuple(dict.fromkeys(one.lower() for one in _ADDRESS.findall(stated)))
    ours = {*letter.addresses("to", "delivered-to", "x-original-to"), letter.sender}
    # Some wrap the address in brackets on a line of its own; ours stand in the quoted headers.
    before = re.split(r"(?im)^-{2,}.*(?:original|copy|headers)|^received:", text)[0]
    found = dict.fromkeys(one.lower().rstrip(".") for one in _ADDRESS.findall(before))
    return tuple(one for one in found if one not in ours)[:10]


def _is_from_a_daemon(letter: Letter) -> bool:
    path = letter.headers.get("return-path", ())
    is_null = any(one.strip() in ("<>", "") for one in path)
    is_daemon = letter.sender.startswith(_DAEMONS)
    return is_daemon or (is_null and bool(_SUBJECTS.search(letter.header("subject"))))


def _address_in(field: str) -> str:
    found = _ADDRESS.search(field)
    return found[0].lower().rstrip(".") if found else ""

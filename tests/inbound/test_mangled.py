"""Whatever anybody sends: reading it ends, raises nothing and keeps little."""

import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ar_bridge.inbound.letter import MOST_TEXT
from ar_bridge.inbound.reading import EXCERPT, read_mail
from tests.inbound.mails import EXIM, QMAIL, complaint, reply, report

DAY = date(2026, 6, 4)
NAMED = re.compile(r"<arb\.[0-9a-f]{32}@[\w.-]+>")
WHOLE = (reply(), report(), complaint(), QMAIL, EXIM)
SPOILING = (
    b"\x00",
    b"\xff\xfe",
    b"\r\n\r\n",
    b"--b--",
    b"--b\r\n",
    b"Content-Type: multipart/report\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"=?utf-8?B?////?=",
    b"charset=utf-16",
    b"From: =?",
    b"Status: 9.99.999\r\n",
    b"Action: \r\n",
    b"Date: Thu, 99 Foo 0000 99:99:99 +9999\r\n",
    b"until 99 june 2026",
    b"<" * 50,
)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    content = draw(st.sampled_from(WHOLE))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(content)))
        until = min(len(content), at + draw(st.integers(0, 40)))
        put = draw(st.one_of(st.sampled_from(SPOILING), st.binary(max_size=12)))
        content = content[:at] + put + content[until:]
    return content


@given(mangled())
def test_a_mangled_mail_is_read_or_told_unreadable(content: bytes) -> None:
    found = read_mail(content, DAY)
    assert len(found.identity) == 64
    assert len(found.text) <= EXCERPT and len(found.subject) <= 200
    assert "\n" not in found.subject and "\r" not in found.sender
    assert all(NAMED.fullmatch(one) for one in found.answers)
    assert read_mail(content, DAY) == found


@given(st.binary(max_size=2_000))
def test_rubbish_is_read_or_told_unreadable(content: bytes) -> None:
    assert read_mail(content, DAY).answers == ()


def test_a_huge_mail_is_cut() -> None:
    found = read_mail(reply(text="x" * (3 * MOST_TEXT)), DAY)
    assert len(found.text) == EXCERPT


def test_thousands_of_parts_and_references_end() -> None:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    head = reply(answers=" ".join(f"<{n}@x.example>" for n in range(5_000)))
    head = head.split(b"\r\n\r\n")[0] + b'\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    found = read_mail(head + part * 5_000, DAY)
    assert found.kind == "reply" and found.answers == ()

"""What a mail is, told from mails as people and mail servers write them."""

from datetime import date

import pytest

from ar_bridge.inbound.reading import Reading, read_mail
from tests.inbound.mails import EXIM, OURS, QMAIL, STILL_TRYING, complaint, reply, report

DAY = date(2026, 6, 4)


def read(content: bytes) -> Reading:
    return read_mail(content, DAY)


def test_a_reply_names_what_it_answers_and_keeps_its_own_words_only() -> None:
    found = read(reply(text="We pay on Friday.\n\nOn Thu, 4 Jun 2026 Accounts wrote:\n> please"))
    assert (found.kind, found.answers, found.sender) == ("reply", (OURS,), "ap@north.example")
    assert found.text == "We pay on Friday."
    assert found.urgent == ""


@pytest.mark.parametrize(
    ("content", "kind", "recipients", "status"),
    [
        (report(), "bounce", ("ap@south.example",), "5.1.1"),
        (report(action="failed", status="4.4.7", said="timeout"), "soft_bounce", None, "4.4.7"),
        (report(status="5.2.2", said="552 mailbox full"), "soft_bounce", None, "5.2.2"),
        (report(action="delayed", status="4.4.1", said=""), "delayed", None, "4.4.1"),
        (report(action="delivered", status="2.0.0", said=""), "auto_reply", None, "2.0.0"),
        (QMAIL, "bounce", ("ap@south.example",), ""),
        (EXIM, "soft_bounce", ("ap@south.example",), ""),
        (STILL_TRYING, "delayed", None, "4.7.1"),
    ],
)
def test_messages_that_did_not_arrive(
    content: bytes, kind: str, recipients: tuple[str, ...] | None, status: str
) -> None:
    found = read(content)
    assert (found.kind, found.status) == (kind, status)
    if recipients is not None:
        assert found.recipients == recipients
    assert found.answers == (OURS,)


def test_what_the_other_server_said_is_kept() -> None:
    assert read(report()).said == "550 5.1.1 User unknown"
    assert "550 no such user here" in read(QMAIL).said


def test_a_report_of_several_recipients_tells_the_worst() -> None:
    both = report().replace(
        b"\r\n--b\r\nContent-Type: text/rfc822-headers",
        b"\r\nFinal-Recipient: rfc822; cc@south.example\r\nAction: delayed\r\nStatus: 4.0.0\r\n"
        b"\r\n--b\r\nContent-Type: text/rfc822-headers",
    )
    found = read(both)
    assert (found.kind, found.recipients) == ("bounce", ("ap@south.example",))


def test_a_complaint() -> None:
    found = read(complaint())
    assert (found.kind, found.answers) == ("complaint", (OURS,))


@pytest.mark.parametrize(
    ("headers", "subject"),
    [
        ({"Auto_Submitted": "auto-replied"}, "Re: Overdue invoice"),
        ({"X_Autoreply": "yes"}, "Re: Overdue invoice"),
        ({"Precedence": "bulk"}, "Newsletter"),
        ({}, "Automatic reply: Overdue invoice"),
        ({}, "Out of Office Re: Overdue invoice"),
        ({}, "Abwesenheitsnotiz"),
    ],
)
def test_automatic_answers_hold_nothing(headers: dict[str, str], subject: str) -> None:
    found = read(reply(subject=subject, text="I am away.", **headers))
    assert found.kind == "auto_reply"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I am away until 15 June 2026.", date(2026, 6, 15)),
        ("I will be back on Monday, June 15th.", date(2026, 6, 15)),
        ("Returning 2026-06-15, for urgent matters call Bob.", date(2026, 6, 15)),
        ("Out of the office until 3rd of January", date(2027, 1, 3)),
        ("I was away until 1 May 2026.", None),
        ("Back on 31 February 2026", None),
        ("Back on 06/07/2026", None),
        ("I am away.", None),
    ],
)
def test_the_day_of_the_return(text: str, day: date | None) -> None:
    assert read(reply(text=text, Auto_Submitted="auto-replied")).back_on == day


def test_an_address_that_nobody_reads_any_more() -> None:
    text = "Ada no longer works for North Ltd. Please write to bob@north.example."
    assert read(reply(text=text, Auto_Submitted="auto-replied")).kind == "moved"
    # A person may say that too, and is answered like anybody.
    assert read(reply(text=text)).kind == "reply"


@pytest.mark.parametrize(
    ("text", "subject", "word"),
    [
        ("STOP", "Re: Overdue invoice", "stop"),
        ("Please unsubscribe us.", "Re: Overdue invoice", "unsubscribe"),
        ("Our solicitor will write to you.", "Re: Overdue invoice", "solicitor"),
        ("The company is insolvent.", "Re: Overdue invoice", "insolvent"),
        ("My husband passed away in May.", "Re: Overdue invoice", "passed away"),
        ("ok", "unsubscribe", "unsubscribe"),
        ("We do not stop work before Friday.", "Re: Overdue invoice", ""),
        ("Fine.\n> reply STOP to unsubscribe", "Re: Overdue invoice", ""),
    ],
)
def test_words_after_which_a_person_looks_at_once(text: str, subject: str, word: str) -> None:
    found = read(reply(text=text, subject=subject))
    assert (found.kind, found.urgent) == ("reply", word)


def test_a_copy_of_our_own_message_is_no_reply() -> None:
    assert read(reply(answers="").replace(b"<reply-1@mail.example>", OURS.encode())).kind == "own"


def test_a_mail_in_html_only_is_read_as_words() -> None:
    html = (
        b"From: ap@north.example\r\nMessage-ID: <h@x.example>\r\nContent-Type: text/html\r\n\r\n"
        b"<html><head><style>p{}</style></head><body><p>We paid &amp; wait.</p>"
        b"<script>alert(1)</script><img src='https://x.example/t.png'></body></html>"
    )
    assert read(html).text == "We paid & wait."


def test_attachments_are_only_named() -> None:
    mail = (
        b"From: ap@north.example\r\nMessage-ID: <a@x.example>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n'
        b"\r\nsee attached\r\n--b\r\nContent-Type: application/pdf\r\n"
        b'Content-Disposition: attachment; filename="../../etc/remit\r\nX: y.pdf"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--b--\r\n"
    )
    (named,) = read(mail).attachments
    assert named.bytes == 5 and named.content_type == "application/pdf"
    assert "\n" not in named.name and "\r" not in named.name


def test_the_same_mail_is_the_same_however_it_came() -> None:
    once = read(reply())
    again = read(b"Received: from a by b; Thu, 4 Jun 2026 12:00:01 +0000\r\n" + reply())
    assert once.identity == again.identity != read(reply(number="2")).identity


def test_words_in_charsets_that_nobody_knows() -> None:
    mail = reply(text="Grüße".encode("latin-1").decode("latin-1")).replace(
        b"Subject: Re: Overdue invoice", b"Subject: =?x-klingon?Q?=41=42?= =?utf-8?Q?=C3=BC?="
    )
    assert (
        read(
            mail.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=x-no\r\n\r\n", 1)
        ).kind
        == "reply"
    )


@pytest.mark.parametrize("content", [b"", b"   \r\n", b"\r\n\r\njust words", b"\x00" * 100])
def test_what_is_no_mail_is_told_as_such(content: bytes) -> None:
    found = read(content)
    assert found.kind == "unreadable" or found.sender == ""


def test_parts_nested_without_end_are_told_as_such() -> None:
    mail = b"From: a@x.example\r\n"
    for depth in range(2_000):
        mail += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (depth, depth)
    found = read(mail)
    assert (found.kind, found.problem) == ("unreadable", "its parts are nested too deeply")

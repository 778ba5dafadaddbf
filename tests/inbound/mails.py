"""Mails as customers and mail servers send them."""

OURS = "<arb.0123456789abcdef0123456789abcdef@story.example>"


def reply(
    answers: str = OURS,
    *,
    sender: str = "ap@north.example",
    subject: str = "Re: Overdue invoice",
    text: str = "We pay on Friday.",
    number: str = "1",
    **headers: str,
) -> bytes:
    """A mail that somebody wrote; other headers by their names with _ for -."""
    lines = [
        f"From: Ap <{sender}>",
        "To: accounts@story.example",
        f"Subject: {subject}",
        f"Message-ID: <reply-{number}@mail.example>",
        "Date: Thu, 4 Jun 2026 12:00:00 +0000",
    ]
    if answers:
        lines += [f"In-Reply-To: {answers}", f"References: <older@x.example> {answers}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", text, "")).encode()


def report(
    answers: str = OURS,
    *,
    to: str = "ap@south.example",
    action: str = "failed",
    status: str = "5.1.1",
    said: str = "550 5.1.1 User unknown",
    number: str = "1",
) -> bytes:
    """A delivery report by RFC 3464."""
    original = f"Message-ID: {answers}\r\n" if answers else ""
    return f"""From: Mail Delivery System <MAILER-DAEMON@mx.example>\r
To: accounts@story.example\r
Subject: Undelivered Mail Returned to Sender\r
Auto-Submitted: auto-replied\r
Message-ID: <report-{number}@mx.example>\r
Date: Thu, 4 Jun 2026 12:00:00 +0000\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: text/plain; charset=us-ascii\r
\r
Your message could not be delivered.\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example\r
X-Postfix-Sender: rfc822; accounts@story.example\r
\r
Final-Recipient: rfc822; {to}\r
Original-Recipient: rfc822;{to}\r
Action: {action}\r
Status: {status}\r
Remote-MTA: dns; mx.south.example\r
Diagnostic-Code: smtp; {said}\r
\r
--b\r
Content-Type: text/rfc822-headers\r
\r
From: accounts@story.example\r
To: {to}\r
{original}Subject: Overdue invoice\r
\r
--b--\r
""".encode()


def complaint(answers: str = OURS) -> bytes:
    """A feedback report by RFC 5965: the customer called our mail unwanted."""
    return f"""From: feedback@provider.example\r
To: accounts@story.example\r
Subject: complaint about message\r
Message-ID: <fbl@provider.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
This is an email abuse report.\r
\r
--b\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: abuse\r
User-Agent: Provider/1.0\r
Version: 1\r
\r
--b\r
Content-Type: message/rfc822\r
\r
From: accounts@story.example\r
Message-ID: {answers}\r
Subject: Overdue invoice\r
\r
Please pay.\r
--b--\r
""".encode()


QMAIL = f"""From: MAILER-DAEMON@mx.example\r
To: accounts@story.example\r
Return-Path: <>\r
Subject: failure notice\r
Message-ID: <qmail@mx.example>\r
\r
Hi. This is the qmail-send program at mx.example.\r
I'm afraid I wasn't able to deliver your message to the following addresses.\r
This is a permanent error; I've given up. Sorry it didn't work out.\r
\r
<ap@south.example>:\r
192.0.2.7 does not like recipient.\r
Remote host said: 550 no such user here\r
\r
--- Below this line is a copy of the message.\r
\r
Return-Path: <accounts@story.example>\r
From: accounts@story.example\r
To: ap@south.example\r
Message-ID: {OURS}\r
Subject: Overdue invoice\r
""".encode()

EXIM = f"""From: Mail Delivery System <Mailer-Daemon@mx.example>\r
To: accounts@story.example\r
Subject: Mail delivery failed: returning message to sender\r
X-Failed-Recipients: ap@south.example\r
Auto-Submitted: auto-replied\r
Message-ID: <exim@mx.example>\r
\r
This message was created automatically by mail delivery software.\r
\r
A message that you sent could not be delivered to one or more of its recipients.\r
\r
  ap@south.example\r
    retry timeout exceeded\r
    mailbox is full\r
\r
------ This is a copy of the message's headers. ------\r
Message-ID: {OURS}\r
""".encode()

STILL_TRYING = f"""From: Mail Delivery System <Mailer-Daemon@mx.example>\r
To: accounts@story.example\r
Subject: Warning: message delayed 24 hours\r
Auto-Submitted: auto-replied\r
Message-ID: <warn@mx.example>\r
\r
Delivery to the following recipient has been delayed.\r
No action is required on your part: we will keep trying.\r
  ap@south.example: 451 4.7.1 greylisted\r
References: {OURS}\r
""".encode()

"""Mailboxes by IMAP and folders: what is new is read once, nothing is deleted."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ar_bridge.clock import SystemClock, VirtualClock
from ar_bridge.errors import SetupError
from ar_bridge.inbound.imap import ImapServer, ImapSource, imap_server
from ar_bridge.inbound.polling import InboundReport, look_at, sources_of
from ar_bridge.inbound.sources import FolderSource, MailboxError
from ar_bridge.settings import Settings
from ar_bridge.settings.inbound import InboundSettings
from ar_bridge.store import inbound
from ar_bridge.store.engine import Store, open_store
from tests.inbound.conftest import PASSWORD, USER, Certificate, Mailboxes
from tests.inbound.mails import reply, report

SMALL = 64 * 1024


@pytest.fixture
def clock() -> VirtualClock:
    """Now, because an IMAP server dates what arrives by the machine's clock."""
    return VirtualClock(SystemClock().now())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'inbound.sqlite3'}")
    yield opened
    opened.close()


def imap(mailboxes: Mailboxes, folder: str, **more: object) -> InboundSettings:
    return InboundSettings.model_validate(
        {
            "host": "127.0.0.1",
            "port": mailboxes.port,
            "security": "none",
            "user": USER,
            "password": PASSWORD,
            "folder": folder,
            **more,
        }
    )


def look(store: Store, asked: InboundSettings, clock: VirtualClock) -> InboundReport:
    settings = Settings.model_construct(inbound=asked)
    return look_at(store, settings, clock, sources_of(settings))


def test_a_mailbox_is_read_once_and_left_as_it_is(
    mailboxes: Mailboxes, store: Store, clock: VirtualClock
) -> None:
    mailboxes.put("once", reply(), report(), b"\r\n", b"rubbish")
    first = look(store, imap(mailboxes, "once"), clock)
    assert (first.read, first.kinds) == (4, {"foreign": 2, "unreadable": 2})
    assert len(first.problems) == 2
    assert look(store, imap(mailboxes, "once"), clock).read == 0
    mailboxes.put("once", reply(number="2"))
    assert look(store, imap(mailboxes, "once"), clock).kinds == {"foreign": 1}
    flags = mailboxes.flags("once")
    assert len(flags) == 5 and not any(b"Seen" in one for one in flags)


def test_mail_is_flagged_where_that_is_asked(
    mailboxes: Mailboxes, store: Store, clock: VirtualClock
) -> None:
    mailboxes.put("flagged", reply())
    assert look(store, imap(mailboxes, "flagged", mark_seen=True), clock).read == 1
    (flags,) = mailboxes.flags("flagged")
    assert b"Seen" in flags


def test_only_answers_to_us_are_moved(
    mailboxes: Mailboxes, store: Store, clock: VirtualClock
) -> None:
    mailboxes.put("moving", reply(), reply(number="2"))
    mailboxes.put("moved")
    source = ImapSource(
        ImapServer(
            host="127.0.0.1",
            port=mailboxes.port,
            security="none",
            user=USER,
            password=PASSWORD,
            folder="moving",
            move_to="moved",
        )
    )
    first, second = source.look(None, (), clock.now())
    source.done(first, is_ours=True)
    source.done(second, is_ours=False)
    source.close()
    assert (len(mailboxes.flags("moving")), len(mailboxes.flags("moved"))) == (1, 1)


def test_a_mailbox_that_numbers_its_mail_anew_repeats_nothing(
    mailboxes: Mailboxes, store: Store, clock: VirtualClock
) -> None:
    mailboxes.put("anew", reply(), reply(number="2"))
    asked = imap(mailboxes, "anew")
    assert look(store, asked, clock).read == 2
    connection = mailboxes.connection()
    connection.delete("anew")
    connection.logout()
    mailboxes.put("anew", reply(number="2"), reply(number="3"))
    assert look(store, asked, clock).read == 1


def test_a_large_mail_is_read_in_part(
    mailboxes: Mailboxes, store: Store, clock: VirtualClock
) -> None:
    mailboxes.put("large", reply(text="word " * 40_000))
    (source,) = sources_of(
        Settings.model_construct(inbound=imap(mailboxes, "large", largest_kb=64))
    )
    (mail,) = source.look(None, (), clock.now())
    source.close()
    assert len(mail.content) == SMALL


def test_what_is_wrong_with_a_mailbox_is_said_with_its_place(mailboxes: Mailboxes) -> None:
    wrong = imap(mailboxes, "nowhere")
    source = ImapSource(imap_server(wrong))
    with pytest.raises(SetupError, match="There is no folder nowhere"):
        source.check()
    source.close()
    source = ImapSource(imap_server(imap(mailboxes, "INBOX", password="wrong")))
    with pytest.raises(SetupError, match="does not accept the user name and password") as caught:
        source.check()
    assert "wrong" not in str(caught.value)
    source.close()


def test_a_mailbox_that_is_down_stops_no_other_source(
    store: Store, clock: VirtualClock, tmp_path: Path
) -> None:
    (tmp_path / "mail").mkdir()
    file = tmp_path / "mail" / "1.eml"
    file.write_bytes(reply())
    now = clock.now().timestamp()
    os.utime(file, (now, now))
    down = {"host": "127.0.0.1", "port": 9, "security": "none", "user": "x"}
    asked = InboundSettings.model_validate({**down, "path": tmp_path / "mail"})
    found = look(store, asked, clock)
    assert found.kinds == {"foreign": 1}
    (problem,) = found.problems
    assert problem.startswith("The mailbox at 127.0.0.1:9 cannot be read")
    with pytest.raises(MailboxError):
        ImapSource(
            ImapServer(host="127.0.0.1", port=9, security="none", user="x", password="")
        ).check()


@pytest.mark.parametrize("is_maildir", [True, False])
def test_a_folder_is_read_once_and_old_mail_is_left(
    is_maildir: bool, store: Store, clock: VirtualClock, tmp_path: Path
) -> None:
    root = tmp_path / "mail"
    folder = root / "new" if is_maildir else root
    folder.mkdir(parents=True)
    if is_maildir:
        (root / "cur").mkdir()
    ending = "" if is_maildir else ".eml"

    def put(name: str, content: bytes, age: timedelta = timedelta()) -> Path:
        file = folder / f"{name}{ending}"
        file.write_bytes(content)
        moment = (clock.now() - age).timestamp()
        os.utime(file, (moment, moment))
        return file

    put("old", reply(number="0"), timedelta(days=60))
    kept = put("1", reply())
    asked = InboundSettings.model_validate({"path": root})
    assert look(store, asked, clock).read == 1
    clock.advance(timedelta(minutes=10))
    if is_maildir:
        kept.rename(root / "cur" / "1:2,S")
    put("2", reply(number="2"))
    assert look(store, asked, clock).read == 1
    assert look(store, asked, clock).read == 0
    assert len([one for one in root.rglob("*") if one.is_file()]) == 3


def test_a_folder_that_is_not_there_is_said(
    store: Store, clock: VirtualClock, tmp_path: Path
) -> None:
    source = FolderSource(tmp_path / "none", most_bytes=SMALL, days_back=1)
    with pytest.raises(SetupError, match="is not there"):
        list(source.look(None, (), clock.now()))


def test_how_far_a_mailbox_was_read_is_kept_with_the_mail(
    mailboxes: Mailboxes, store: Store, clock: VirtualClock
) -> None:
    mailboxes.put("place", reply(), reply(number="2"))
    look(store, imap(mailboxes, "place"), clock)
    with store.read() as conn:
        place = inbound.place_of(conn, f"imap:{USER}@127.0.0.1/place")
    assert place is not None and place.last_uid > 0


def _over(port: int, security: str, **more: object) -> ImapServer:
    asked = InboundSettings.model_validate(
        {
            "host": "localhost",
            "port": port,
            "security": security,
            "user": USER,
            "password": PASSWORD,
            **more,
        }
    )
    return imap_server(asked)


def test_a_mailbox_is_read_over_tls(
    mailboxes: Mailboxes, tls_port: int, certificate: Certificate, clock: VirtualClock
) -> None:
    mailboxes.put("closed", reply())
    server = _over(tls_port, "tls", folder="closed")
    source = ImapSource(server, tls_context=certificate.trusted())
    assert source.check() == 1
    source.close()
    (mail,) = source.look(None, (), clock.now())
    source.close()
    assert b"Subject" in mail.content


def test_a_mailbox_is_read_after_starttls(starttls_port: int, certificate: Certificate) -> None:
    server = _over(starttls_port, "starttls")
    source = ImapSource(server, tls_context=certificate.trusted())
    assert source.check() >= 0
    source.close()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    security: str, tls_port: int, starttls_port: int
) -> None:
    source = ImapSource(_over(tls_port if security == "tls" else starttls_port, security))
    with pytest.raises(SetupError, match="certificate of localhost"):
        source.check()
    source.close()


def test_a_server_without_tls_is_told_from_one_that_is_away(mailboxes: Mailboxes) -> None:
    source = ImapSource(_over(mailboxes.port, "tls"))
    with pytest.raises(SetupError, match="does not begin with TLS") as caught:
        source.check()
    assert "starttls" in caught.value.remedy
    source = ImapSource(_over(mailboxes.port, "starttls"))
    with pytest.raises(SetupError, match="offers no STARTTLS"):
        source.check()

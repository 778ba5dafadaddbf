"""A mailbox by IMAP (RFC 9051, and RFC 3501 as most servers speak it).

Mail is remembered by UIDVALIDITY and UID. It is read with BODY.PEEK from a folder that is opened
read-only, unless the settings ask to flag or to move what was read.
"""

import imaplib
import re
import ssl
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from ar_bridge.errors import SetupError
from ar_bridge.inbound.sources import MOST_AT_ONCE, Incoming, MailboxError
from ar_bridge.settings.inbound import InboundSettings
from ar_bridge.store.inbound import Place

TIMEOUT: Final = 60.0
OVERLAP: Final = timedelta(days=2)
"""When the server numbers its mail anew, so much is read again; what is known is left."""

_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


class ImapServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where the mailbox is, and what is done with mail that was read."""

    host: str
    port: int
    security: str
    user: str
    password: str
    folder: str = "INBOX"
    mark_seen: bool = False
    move_to: str = ""
    most_bytes: int = 1_048_576
    days_back: int = 14


def imap_server(settings: InboundSettings) -> ImapServer:
    """The server of the settings."""
    return ImapServer(
        host=settings.host,
        port=settings.server_port,
        security=settings.security,
        user=settings.user,
        password=settings.secret,
        folder=settings.folder,
        mark_seen=settings.mark_seen,
        move_to=settings.move_to,
        most_bytes=settings.most_bytes,
        days_back=settings.days_back,
    )


class ImapSource:
    """One folder of one mailbox."""

    has_names = False

    def __init__(self, server: ImapServer, *, tls_context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._tls = tls_context
        self._connection: imaplib.IMAP4 | None = None
        self._can_move = False

    @property
    def name(self) -> str:
        return f"imap:{self._server.user}@{self._server.host}/{self._server.folder}"

    def check(self) -> int:
        """Sign in and open the folder; returns how many mails lie there.

        Raises MailboxError or SetupError.
        """
        try:
            return self._opened()[1]
        except (OSError, imaplib.IMAP4.error) as trouble:
            raise self._trouble(trouble) from trouble

    def look(
        self, place: Place | None, known: Collection[str], now: datetime
    ) -> Iterator[Incoming]:
        try:
            validity, _ = self._opened()
            if place is None:
                since = now - timedelta(days=self._server.days_back)
                uids = self._found(f"SINCE {_day(since)}")
            elif place.uid_validity != validity:
                uids = self._found(f"SINCE {_day(place.at - OVERLAP)}")
            else:
                # `n:*` names the last mail even where its number is smaller.
                found = self._found(f"UID {place.last_uid + 1}:*")
                uids = [uid for uid in found if uid > place.last_uid]
            for uid in sorted(uids)[:MOST_AT_ONCE]:
                content, received = self._fetched(uid)
                if content is None:
                    continue  # taken away meanwhile
                yield Incoming(
                    mark=f"{validity}/{uid}",
                    content=content,
                    received=received or now,
                    place=Place(uid_validity=validity, last_uid=uid, at=now),
                )
        except (OSError, imaplib.IMAP4.error) as trouble:
            raise self._trouble(trouble) from trouble

    def done(self, mail: Incoming, *, is_ours: bool) -> None:
        connection = self._connection
        if connection is None or mail.place is None:
            return
        uid = str(mail.place.last_uid)
        try:
            if self._server.mark_seen:
                connection.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")
            if self._server.move_to and is_ours and self._can_move:
                connection.uid("MOVE", uid, _quoted(self._server.move_to))
        except (OSError, imaplib.IMAP4.error) as trouble:
            raise self._trouble(trouble) from trouble

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # What was read is recorded: how the server takes leave changes nothing.
            try:
                connection.logout()
            except (OSError, imaplib.IMAP4.error):
                connection.shutdown()

    # the protocol -------------------------------------------------------------------------------

    def _opened(self) -> tuple[int, int]:
        """(UIDVALIDITY, number of mails) of the folder, which is opened."""
        server = self._server
        connection = self._connection = self._connect()
        try:
            connection.login(server.user, server.password)
        except imaplib.IMAP4.error as refused:
            raise SetupError(
                f"{server.host} does not accept the user name and password for incoming mail: "
                f"{_said(refused)}",
                remedy="correct [inbound] user and password",
            ) from refused
        # What a server can do it tells in full only to those it knows.
        told = connection.capability()[1]
        self._can_move = b"MOVE" in (told[0] or b"").upper().split()
        is_changed = server.mark_seen or bool(server.move_to)
        answer, data = connection.select(_quoted(server.folder), readonly=not is_changed)
        if answer != "OK":
            raise SetupError(
                f"There is no folder {server.folder} in the mailbox of {server.user}.",
                remedy="correct [inbound] folder",
            )
        found = connection.response("UIDVALIDITY")[1]
        validity = int(found[0]) if found and found[0] else 0
        return validity, int(data[0] or 0)

    def _connect(self) -> imaplib.IMAP4:
        server = self._server
        context = self._tls or ssl.create_default_context()
        if server.security == "tls":
            return imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context, timeout=TIMEOUT)
        connection = imaplib.IMAP4(server.host, server.port, timeout=TIMEOUT)
        if server.security != "starttls":
            return connection
        try:
            if "STARTTLS" not in connection.capabilities:
                raise SetupError(
                    f"{server.host} offers no STARTTLS on port {server.port}.",
                    remedy='it may want security = "tls" and port 993 in [inbound]',
                )
            connection.starttls(context)
        except BaseException:
            with suppress(OSError):  # a handshake that failed has closed it
                connection.shutdown()
            raise
        return connection

    def _found(self, criteria: str) -> list[int]:
        assert self._connection is not None
        answer, data = self._connection.uid("SEARCH", criteria)
        if answer != "OK":
            raise imaplib.IMAP4.error(f"the search failed: {data}")
        return [int(one) for one in (data[0] or b"").split() if one.isdigit()]

    def _fetched(self, uid: int) -> tuple[bytes | None, datetime | None]:
        assert self._connection is not None
        wanted = f"(INTERNALDATE BODY.PEEK[]<0.{self._server.most_bytes}>)"
        answer, data = self._connection.uid("FETCH", str(uid), wanted)
        if answer != "OK":
            raise imaplib.IMAP4.error(f"mail {uid} cannot be fetched: {data}")
        for part in data:
            if isinstance(part, tuple) and len(part) == 2 and isinstance(part[1], bytes):
                moment = re.search(rb'INTERNALDATE "([^"]+)"', part[0])
                if moment is None:
                    rest = b" ".join(one for one in data if isinstance(one, bytes))
                    moment = re.search(rb'INTERNALDATE "([^"]+)"', rest)
                return part[1], _instant(moment[1].decode("ascii", "replace")) if moment else None
        return None, None

    def _trouble(self, trouble: Exception) -> MailboxError | SetupError:
        where = f"{self._server.host}:{self._server.port}"
        if isinstance(trouble, ssl.SSLCertVerificationError):
            return SetupError(
                f"The certificate of {where} is not trusted: {trouble.verify_message}",
                remedy="name the server as its certificate does in [inbound] host",
            )
        if isinstance(trouble, ssl.SSLError) and trouble.reason == "WRONG_VERSION_NUMBER":
            return SetupError(
                f"{where} does not begin with TLS.",
                remedy='it may want security = "starttls" and port 143 in [inbound]',
            )
        return MailboxError(
            f"The mailbox at {where} cannot be read: {_said(trouble)}",
            remedy="it is tried again; ar-bridge doctor looks at it",
        )


def _said(trouble: Exception) -> str:
    said = trouble.args[0] if trouble.args else trouble
    if isinstance(trouble, OSError):
        said = trouble.strerror or said
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.split())[:200]


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _day(moment: datetime) -> str:
    # Names of months are English whatever the machine speaks.
    return f"{moment.day:02d}-{_MONTHS[moment.month - 1]}-{moment.year}"


def _instant(text: str) -> datetime | None:
    found = re.fullmatch(
        r"\s*(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", text
    )
    if found is None or found[2] not in _MONTHS:
        return None
    try:
        local = datetime(
            int(found[3]),
            _MONTHS.index(found[2]) + 1,
            int(found[1]),
            int(found[4]),
            int(found[5]),
            int(found[6]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
    return local - offset if found[7] == "+" else local + offset

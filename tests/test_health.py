"""What doctor looks at: how long a connection lasts, permissions, clock, and the parts alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
import structlog

from ar_bridge.clock import VirtualClock
from ar_bridge.errors import SetupError
from ar_bridge.health import _watched
from ar_bridge.health.connection import clock_findings
from ar_bridge.health.ledger import of_ledger
from ar_bridge.permissions import missing_scopes, permission_findings
from ar_bridge.token_alarm import alarms, connection_findings, warn_before_the_end
from connectors.budget import RateBudget, Window
from connectors.errors import RateLimitedError
from connectors.oauth2 import Tokens
from connectors.port import Finding
from connectors.table import BookConnection, consent_of
from connectors.tokens import MemoryVault

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def tokens(**more: object) -> Tokens:
    return Tokens(
        **{
            "access_token": "access-canary",
            "refresh_token": "refresh-canary",
            "expires_at": NOW + timedelta(minutes=30),
            "obtained_at": NOW,
            **more,
        }
    )


@pytest.mark.parametrize(
    ("days", "level"), [(15, "ok"), (14, "warning"), (4, "warning"), (3, "error"), (-1, "error")]
)
def test_the_alarm_rises_fourteen_and_three_days_before(days: int, level: str) -> None:
    resting = tokens(refresh_expires_at=NOW + timedelta(days=days))
    (found,) = connection_findings(resting, NOW, book="elm")
    assert found.level == level
    assert bool(found.remedy) is (level != "ok")
    if 0 < days < 15:
        assert found.remedy == "ar-bridge sync --book elm: every use prolongs it"
        assert f"in {days} days" in found.text


def test_an_end_that_no_use_prolongs_needs_a_person() -> None:
    ending = tokens(
        refresh_expires_at=NOW + timedelta(days=90), hard_expires_at=NOW + timedelta(days=9)
    )
    (found,) = alarms(ending, NOW, book="elm")
    assert found.remedy == "ar-bridge connect elm"
    assert "whatever happens" in found.text


def test_a_renewal_that_was_cut_off_is_told_and_one_that_runs_is_not() -> None:
    begun = tokens(refreshing_since=NOW)
    assert alarms(begun, NOW + timedelta(minutes=1), book="elm") == []
    (found,) = alarms(begun, NOW + timedelta(minutes=6), book="elm")
    assert "cut off at 2026-11-02 09:00" in found.text


def test_a_custom_connection_has_no_end() -> None:
    (found,) = connection_findings(tokens(refresh_token=""), NOW, book="elm")
    assert found.level == "ok"


def test_a_run_leaves_a_warning_in_the_log() -> None:
    vault = MemoryVault(tokens(refresh_expires_at=NOW + timedelta(days=2)))
    with structlog.testing.capture_logs() as kept:
        warn_before_the_end(vault, VirtualClock(NOW), book="elm")
    (entry,) = kept
    assert (entry["log_level"], entry["book"]) == ("warning", "elm")
    assert "in 2 days" in entry["event"]


def test_permission_to_write_includes_reading() -> None:
    needed = ("accounting.payments.read", "accounting.contacts", "offline_access")
    assert missing_scopes("accounting.payments offline_access", needed) == ["accounting.contacts"]
    assert missing_scopes("accounting.contacts.read", needed[1:2]) == ["accounting.contacts"]


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, "ok"), (60, "ok"), (-60, "ok"), (75, "warning"), (-75, "warning")]
)
def test_the_clock_may_differ_by_a_minute(seconds: int, level: str) -> None:
    theirs = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    (found,) = clock_findings(theirs, NOW, NOW + timedelta(seconds=1), subject="clock")
    assert found.level == level
    if level == "warning":
        assert ("behind" if seconds > 0 else "ahead of") in found.text


def test_an_answer_without_a_date_says_nothing_about_the_clock() -> None:
    assert clock_findings("", NOW, NOW, subject="clock") == []


def test_a_check_that_fails_is_a_finding_and_hides_nothing() -> None:
    def looks(at: str) -> Iterator[Finding]:
        yield Finding(level="ok", subject="first", text=at)
        raise ZeroDivisionError("by chance")

    found = list(_watched("second", looks, "seen", lambda error, book: None, "elm"))
    assert [(one.level, one.subject) for one in found] == [("ok", "first"), ("error", "second")]
    assert "ZeroDivisionError" in found[1].text

    def refuses(at: str) -> Iterator[Finding]:
        raise SetupError("both are wrong", problems=["this", "that"], remedy="mend them")
        yield

    told = list(_watched("s", refuses, "", lambda error, book: error, "elm"))
    assert [(one.text, one.remedy) for one in told] == [
        ("this", "mend them"),
        ("that", "mend them"),
    ]


def test_what_every_run_needs_is_an_error_and_the_rest_a_warning() -> None:
    consent = consent_of("xero")
    assert consent is not None
    app = consent.app(BookConnection(clock=VirtualClock(NOW)))

    def levels(*without: str) -> dict[str, str]:
        granted = " ".join(scope for scope in app.scopes if scope not in without)
        found = permission_findings(consent, app, tokens(scope=granted), book="elm")
        return {finding.text.partition(" ")[0]: finding.level for finding in found}

    assert levels() == {"all": "ok"}
    assert levels("accounting.payments.read", "accounting.attachments") == {
        "accounting.payments.read": "error",
        "accounting.attachments": "warning",
    }
    assert permission_findings(consent, app, tokens(), book="elm") == [], "it does not say"


class _Asked(Exception):
    """The vendor got a call."""


class _Budgeted:
    """A connector of which the day's calls are used up, but for those kept for writes."""

    def __init__(self) -> None:
        clock = VirtualClock(NOW)
        day = Window(name="day", calls=10, seconds=86_400.0, kept_share=1 / 2, refuses=True)
        self._budget = RateBudget(clock, (day,))
        for _ in range(5):
            self._take()

    def _take(self) -> None:
        with self._budget.place(is_write=False):
            pass

    def check(self) -> None:
        self._take()
        raise _Asked


def test_doctor_may_use_what_is_kept_for_writes() -> None:
    connector = _Budgeted()
    with pytest.raises(RateLimitedError):
        connector.check()
    examined = SimpleNamespace(desk=SimpleNamespace(connector=connector))
    with pytest.raises(_Asked):
        list(of_ledger(examined))

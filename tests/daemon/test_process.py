"""The daemon as a process: how it begins, what it answers, how it ends."""

import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import sys
from typing import Any

import pytest

from tests.daemon.living import CROWD, Daemon, Living, asked, patiently

SECRETS = ("canary-client-secret", "canary-mail-password")


def begun(living: Living, *arguments: str, **keys: object) -> tuple[Daemon, str]:
    """A daemon that has told where it answers."""
    section = living.daemon_section(plan_at="00:00", **keys)
    living.config.write_text(living.config.read_text().partition("\n[daemon]")[0] + section)
    daemon = living.start(*arguments)
    daemon.until("tells how it goes")
    port = section.partition("port = ")[2].split()[0]
    return daemon, f"http://127.0.0.1:{port}"


def healthy(address: str, *, want: Any) -> dict[str, Any]:
    """/healthz as soon as `want` says yes to it."""
    body: dict[str, Any] = {}
    for _ in patiently():
        body = asked(f"{address}/healthz").json()
        if want(body):
            return body
    raise AssertionError(json.dumps(body, indent=1))


def is_planned(body: dict[str, Any]) -> bool:
    return bool(body["books"]["elm"].get("planned_at")) and not body["running"]


def test_a_day_of_a_book_from_start_to_sigterm(living: Living) -> None:
    daemon, address = begun(living)
    try:
        body = healthy(address, want=is_planned)
        assert body["status"] == "ok", body
        book = body["books"]["elm"]
        assert book["synced_at"] and book["connection"]["obtained_at"]
        assert book["jobs"]["sync"]["next_at"] and not book["reasons"]
        numbers = asked(f"{address}/metrics")
        assert 'ar_bridge_runs_total{book="elm",job="plan",outcome="done"} 1.0' in numbers.text
        assert 'ar_bridge_vendor_calls_total{book="elm",sort="read"}' in numbers.text
        assert "ar_bridge_healthy 1.0" in numbers.text
        # Nothing of a customer, and no secret, in what anybody on this machine may ask.
        told = json.dumps(body) + numbers.text
        assert not [word for word in ("North", "ap@", *SECRETS) if word in told]
        second = living.start()
        assert second.wait() == 3
        assert f"process {daemon.process.pid}" in second.said
        assert "Traceback" not in second.said
    finally:
        code = daemon.end()
    assert code == 0, daemon.said
    lines = (living.home / "logs" / "ar-bridge.log").read_text().splitlines()
    calls = [json.loads(line) for line in lines if "event='called'" in line]
    assert calls and all("run" in call and call["book"] == "elm" for call in calls)
    assert not [secret for secret in SECRETS if secret in "\n".join(lines)]


@pytest.mark.soak
@pytest.mark.parametrize("_time", range(3))
def test_of_two_that_start_at_once_one_serves(living: Living, _time: int) -> None:
    section = living.daemon_section(plan_at="00:00")
    living.config.write_text(living.config.read_text().partition("\n[daemon]")[0] + section)
    daemons = [living.start(), living.start()]
    try:
        for _ in patiently():
            if any(one.process.poll() is not None for one in daemons):
                break
        (refused,) = [one for one in daemons if one.process.poll() is not None]
        assert refused.wait() == 3, refused.said
        assert "Traceback" not in refused.said and "->" in refused.said
        (serving,) = [one for one in daemons if one is not refused]
        serving.until("tells how it goes")
        port = section.partition("port = ")[2].split()[0]
        healthy(f"http://127.0.0.1:{port}", want=is_planned)
    finally:
        codes = sorted(one.end() for one in daemons)
    assert codes == [0, 3]


NOTES = """\
schema = 1
name = "notes"

[[stage]]
id = "noted"
name = "Noted"
at = "due + 1d"
do = ["note"]

[limits]
first_apply = 100
"""
"""Notes go out on any day and at any hour."""


@pytest.mark.soak
def test_sigterm_in_the_middle_of_writing_finishes_what_is_in_hand(living: Living) -> None:
    living.policy.write_text(NOTES)
    living.sandbox.faults.slow_seconds = 0.7
    daemon, _ = begun(living)
    try:
        for _ in patiently():
            if living.left_in_ledger[0]:
                break
    finally:
        code = daemon.end()
    assert code == 0, daemon.said
    assert 0 < living.left_in_ledger[0] < CROWD + 5
    with contextlib.closing(sqlite3.connect(living.home / "ar-bridge.sqlite3")) as database:
        sending = "SELECT count(*) FROM effects WHERE state = 'sending'"
        assert database.execute(sending).fetchone() == (0,)
        outcomes = "SELECT outcome FROM job_runs WHERE job = 'plan'"
        assert database.execute(outcomes).fetchall() == [("stopped",)]
    living.sandbox.faults.slow_seconds = 0.0
    daemon, address = begun(living)
    try:
        healthy(address, want=is_planned)
    finally:
        assert daemon.end() == 0
    texts = [note.text for note in living.sandbox.records().notes]
    assert len(texts) == len(set(texts)) == CROWD + 5


@pytest.mark.soak
def test_settings_are_read_anew_on_sighup_and_bad_ones_are_refused(living: Living) -> None:
    daemon, address = begun(living)
    try:
        good = living.config.read_text()
        living.config.write_text(good.replace('tick = "5s"', 'tick = "5 parsecs"'))
        daemon.signal(signal.SIGHUP)
        body = healthy(
            address, want=lambda body: [r for r in body["reasons"] if r["code"] == "configuration"]
        )
        assert body["status"] == "degraded"
        assert "parsecs" in daemon.until("settings refused")
        living.config.write_text(good.replace('plan_at = "00:00"', 'plan_at = "never"'))
        daemon.signal(signal.SIGHUP)
        daemon.until("settings read anew")
        body = healthy(address, want=lambda body: not body["reasons"])
        assert "plan" not in body["books"]["elm"]["jobs"]
    finally:
        assert daemon.end() == 0


@pytest.mark.soak
def test_a_ledger_and_a_mail_server_that_are_away_are_told_of_and_stop_nothing(
    living: Living,
) -> None:
    living.running.close()
    living.mailbox.stop()
    try:
        daemon, address = begun(living)
        try:
            body = healthy(address, want=lambda body: body["books"]["elm"]["reasons"])
            codes = {reason["code"] for reason in body["books"]["elm"]["reasons"]}
            assert codes & {"unreachable", "mail"}
            assert body["status"] == "degraded"
            assert "Traceback" not in daemon.said.partition("job failed")[0]
        finally:
            assert daemon.end() == 0
    finally:
        living.running = living.sandbox.serve()
        living.mailbox.start()


@pytest.mark.parametrize("wrong", ["settings", "port", "database", "no books"])
def test_what_is_wrong_at_the_start_is_one_message_and_code_3(living: Living, wrong: str) -> None:
    taken = socket.socket()
    try:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = living.config.read_text() + living.daemon_section(port=port, log="file")
        if wrong == "settings":
            text = text.replace('mode = "auto"', 'mode = "sometimes"')
        elif wrong == "no books":
            text = living.daemon_section(log="file")
        elif wrong == "database":
            (living.home / "ar-bridge.sqlite3").write_bytes(b"these are no tables" * 100)
            for extra in ("-wal", "-shm"):
                (living.home / f"ar-bridge.sqlite3{extra}").unlink(missing_ok=True)
        living.config.write_text(text)
        ended = living("daemon")
        assert ended.code == 3, ended.err
        expected = {
            "settings": "mode",
            "port": f"127.0.0.1:{port}",
            "database": "not a database of ar-bridge",
            "no books": "No book is configured",
        }[wrong]
        said = ended.err
        assert said.count("ar-bridge: ") == 1
        assert expected in said and "->" in said and "Traceback" not in said
    finally:
        taken.close()


def test_the_web_alone_ends_well_on_sigterm(living: Living) -> None:
    command = [sys.executable, "-m", "ar_bridge", "--home", str(living.home), "web", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as web:
        assert web.stdout is not None
        assert "Listening" in web.stdout.readline()
        web.send_signal(signal.SIGTERM)
        web.stdout.read()
        assert web.wait(30) == 0

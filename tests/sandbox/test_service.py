"""The same service over a socket and in-process, and what it counts."""

import socket
import threading
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.sandbox.service import CLIENT_ID, CLIENT_SECRET, Sandbox
from tests.sandbox.books import noon, small_book
from tests.sandbox.qbo import Caller, fee


def a_sandbox(*faults: str) -> Sandbox:
    clock = VirtualClock(noon("2026-02-05"))
    return Sandbox(small_book(), ledger="quickbooks", clock=clock, faults=faults)


def test_a_client_connects_reads_and_writes_over_a_socket() -> None:
    sandbox = a_sandbox()
    running = sandbox.serve()
    try:
        with httpx.Client() as browser:
            query = {"client_id": CLIENT_ID, "response_type": "code", "state": "s",
                     "scope": "com.intuit.quickbooks.accounting",
                     "redirect_uri": "http://localhost:8477/callback"}  # fmt: skip
            back = browser.get(running.authorize_url, params=query).headers["Location"]
            found = parse_qs(urlsplit(back).query)
            assert found["realmId"] == [sandbox.company_id]
            form = {"grant_type": "authorization_code", "code": found["code"][0],
                    "redirect_uri": "http://localhost:8477/callback"}  # fmt: skip
            auth = (CLIENT_ID, CLIENT_SECRET)
            token = browser.post(running.token_url, data=form, auth=auth).json()
        with httpx.Client(base_url=running.api_url) as client:
            real = Caller(sandbox, client)
            client.headers["Authorization"] = f"Bearer {token['access_token']}"
            assert len(real.rows("select * from Invoice")) == 3
            assert real.post("invoice", fee("1")).status_code == 200
    finally:
        running.close()
    assert len(sandbox.records().fees) == 1


def test_a_socket_answers_as_the_transport_does() -> None:
    sandbox = a_sandbox()
    running = sandbox.serve()
    try:
        with (
            httpx.Client(base_url=running.api_url) as real,
            httpx.Client(base_url="https://x.example", transport=sandbox.transport()) as near,
        ):
            over_socket, in_process = Caller(sandbox, real), Caller(sandbox, near)
            text = "select * from Invoice where DocNumber LIKE 'INV%' orderby Id"
            assert over_socket.query(text).content == in_process.query(text).content
            sent = [
                one.client.post(one.path("invoice/1/send"), params={"sendTo": "a+b@c.example"})
                for one in (over_socket, in_process)
            ]
            assert [answer.status_code for answer in sent] == [200, 200]
            assert [mail.to for mail in sandbox.records().mails] == ["a+b@c.example"] * 2
    finally:
        running.close()


def test_a_dropped_answer_is_a_dropped_socket() -> None:
    sandbox = a_sandbox("drop-after-commit=1")
    running = sandbox.serve()
    try:
        with httpx.Client(base_url=running.api_url) as client:
            real = Caller(sandbox, client)
            with pytest.raises(httpx.TransportError):
                real.post("invoice", fee("1"))
            assert real.get("invoice/1").status_code == 200
    finally:
        running.close()
    assert len(sandbox.records().fees) == 1


def test_connections_are_kept_and_closing_ends_them() -> None:
    sandbox = a_sandbox()
    running = sandbox.serve()
    with httpx.Client(base_url=running.api_url) as client:
        real = Caller(sandbox, client)
        opened = {id(real.get("invoice/1").extensions["network_stream"]) for _ in range(3)}
        assert len(opened) == 1
        running.close()
        with pytest.raises(httpx.TransportError):
            real.get("invoice/1")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", running.server.port), timeout=1)


def test_many_threads_write_one_document_each() -> None:
    sandbox = a_sandbox()
    running = sandbox.serve()
    statuses: list[int] = []

    def write(number: int) -> None:
        with httpx.Client(base_url=running.api_url) as client:
            answer = Caller(sandbox, client).post("invoice", fee("1", f"LF-{number}"))
            statuses.append(answer.status_code)

    try:
        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        running.close()
    assert statuses == [200] * 8
    assert len({record.id for record in sandbox.records().fees}) == 8


def test_what_a_client_wrote_is_counted_by_the_sandbox_itself() -> None:
    sandbox = a_sandbox()
    with httpx.Client(base_url="https://x.example", transport=sandbox.transport()) as client:
        near = Caller(sandbox, client)
        near.post("invoice", fee("1"))
        near.post("attachable", {"Note": "n", "AttachableRef": []})
        near.get("invoice/1")
        near.query("select * from Invoice")
    records, stats = sandbox.records(), sandbox.stats()
    assert (len(records.fees), len(records.notes), len(records.mails)) == (1, 1, 0)
    assert (stats.reads, stats.writes, stats.throttled) == (2, 2, 0)


def test_a_stranger_s_path_and_token() -> None:
    sandbox = a_sandbox()
    with httpx.Client(base_url="https://x.example", transport=sandbox.transport()) as client:
        assert client.get("/").status_code == 404
        assert client.get(f"/v3/company/{sandbox.company_id}/invoice/1").status_code == 401
    assert sandbox.stats().unauthorized == 1


def test_two_runs_are_the_same() -> None:
    def told() -> bytes:
        sandbox = a_sandbox()
        with httpx.Client(base_url="https://x.example", transport=sandbox.transport()) as client:
            near = Caller(sandbox, client)
            near.post("invoice", fee("1"))
            return near.query("select * from Invoice orderby Id").content

    assert told() == told()

"""Faults on demand strike as often as ordered, and where they say."""

from datetime import timedelta

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.sandbox.faults import FAULTS, FaultOrder, FaultOrderError, parse_faults
from tests.sandbox.books import noon
from tests.sandbox.qbo import caller, code, fee


def test_orders_are_read() -> None:
    orders = ["drop-after-commit=2@5", "closed-period=2026-03-31", "slow=1.5", "down"]
    assert parse_faults(orders) == (
        FaultOrder(name="drop-after-commit", count=2, skip=4),
        FaultOrder(name="closed-period", on=noon("2026-03-31").date()),
        FaultOrder(name="slow", seconds=1.5),
        FaultOrder(name="down", count=1),
    )


def test_every_wrong_order_is_named_at_once() -> None:
    with pytest.raises(FaultOrderError) as caught:
        parse_faults(
            ["drop-after-comit=1", "slow=often", "closed-period=May", "down=0", "page-101"]
        )
    problems = caught.value.problems
    assert len(problems) == 4
    assert "did you mean drop-after-commit?" in problems[0]
    assert "slow=2.5" in problems[1]
    assert "closed-period=2026-03-31" in problems[2]
    assert "down=1" in problems[3]


def test_every_fault_has_a_sentence() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(fault.sentence.endswith(".") for fault in FAULTS)


@pytest.mark.parametrize(
    ("fault", "written"), [("drop-before-commit", 0), ("drop-after-commit", 1)]
)
def test_a_dropped_connection_before_and_after_the_commit(fault: str, written: int) -> None:
    small = caller(faults=[f"{fault}=1"])
    assert len(small.rows("select * from Invoice")) == 3
    with pytest.raises(httpx.RemoteProtocolError):
        small.post("invoice", fee("1"), requestid="r1")
    assert len(small.sandbox.records().fees) == written
    again = small.post("invoice", fee("1"), requestid="r1")
    assert again.status_code == 200
    assert len(small.sandbox.records().fees) == 1


def test_a_count_may_start_later() -> None:
    small = caller(faults=["drop-after-commit=1@2"])
    assert small.post("invoice", fee("1", "LF-1")).status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        small.post("invoice", fee("1", "LF-2"))
    assert small.post("invoice", fee("1", "LF-3")).status_code == 200
    assert len(small.sandbox.records().fees) == 3


def test_a_server_error_after_the_commit() -> None:
    small = caller(faults=["http-500-after-commit=1"])
    answer = small.post("invoice", fee("1"))
    assert (answer.status_code, code(answer)) == (500, "10000")
    assert len(small.sandbox.records().fees) == 1


def test_a_server_error_before_anything() -> None:
    small = caller(faults=["http-500=1"])
    assert small.get("invoice/1").status_code == 500
    assert small.get("invoice/1").status_code == 200


def test_throttling_comes_in_both_spellings() -> None:
    small = caller(faults=["throttle-next=2"])
    first, second = small.get("invoice/1"), small.get("invoice/1")
    assert (first.status_code, second.status_code) == (429, 429)
    assert "Fault" in first.json()
    assert "fault" in second.json()
    assert {code(first).lstrip("0"), code(second).lstrip("0")} == {"3001"}
    assert small.get("invoice/1").status_code == 200
    assert small.sandbox.stats().throttled == 2


def test_down_and_unreachable() -> None:
    small = caller(faults=["down=1", "unreachable=1"])
    with pytest.raises(httpx.ConnectError):
        small.get("invoice/1")
    gateway = small.get("invoice/1")
    assert (gateway.status_code, gateway.headers["content-type"][:9]) == (503, "text/html")
    assert small.get("invoice/1").status_code == 200


def test_slow_answers_take_time_on_the_clock() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    small = caller(clock=clock, faults=["slow=7"])
    small.client.timeout = httpx.Timeout(10)
    small.get("invoice/1")
    assert clock.monotonic() == 7
    small.client.timeout = httpx.Timeout(5)
    with pytest.raises(httpx.ReadTimeout):
        small.get("invoice/1")
    assert clock.monotonic() == 12


def test_unauthorized() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    small = caller(clock=clock, faults=["unauthorized=1"])
    struck = small.get("invoice/1")
    assert (struck.status_code, code(struck).lstrip("0")) == (401, "3200")
    assert small.get("invoice/1").status_code == 200
    clock.advance(timedelta(hours=1))
    assert small.get("invoice/1").status_code == 401
    small.renew()
    assert small.get("invoice/1").status_code == 200


def test_a_page_may_hold_a_row_too_many() -> None:
    small = caller(faults=["page-101=1"])
    text = "select * from Invoice orderby Id startposition {} maxresults 2"
    first, second = small.rows(text.format(1)), small.rows(text.format(3))
    assert [row["Id"] for row in first] == ["1", "2", "3"]
    assert [row["Id"] for row in second] == ["3"]


def test_rows_that_a_client_has_to_survive() -> None:
    small = caller(faults=["null-due-date=1", "unknown-enum=1@2", "malformed-row=1@3"])
    first, second, third = small.rows("select * from Invoice orderby Id")
    assert "DueDate" not in first
    assert second["EmailStatus"] == "PendingReview"
    assert third["Balance"] == "n/a"
    again = small.rows("select * from Invoice orderby Id")
    assert again == [first, second, third]


def test_somebody_else_was_faster() -> None:
    small = caller(faults=["stale-synctoken=1"])
    change = {"Id": "1", "SyncToken": "1", "sparse": True, "PrivateNote": "x"}
    assert code(small.post("invoice", change)) == "5010"
    change["SyncToken"] = small.get("invoice/1").json()["Invoice"]["SyncToken"]
    assert small.post("invoice", change).status_code == 200


def test_a_closed_period() -> None:
    small = caller(faults=["closed-period=2026-02-05"])
    prefs = small.get("preferences").json()["Preferences"]
    assert prefs["AccountingInfoPrefs"]["BookCloseDate"] == "2026-02-05"
    assert code(small.post("invoice", fee("1"))) == "6210"
    change = {"Id": "1", "SyncToken": "1", "sparse": True, "PrivateNote": "x"}
    assert code(small.post("invoice", change)) == "6210"
    assert small.post("invoice", fee("1", TxnDate="2026-02-06")).status_code == 200


def test_a_number_that_a_person_took() -> None:
    small = caller(faults=["duplicate-number=1"])
    assert code(small.post("invoice", fee("1"))) == "6140"
    (found,) = small.rows("select * from Invoice where DocNumber = 'LF-ABCDEFGHIJKLMNOP'")
    assert (found["TotalAmt"], found.get("PrivateNote")) == (1.00, None)
    assert small.sandbox.records().fees == ()


def test_faults_can_be_ordered_while_it_runs() -> None:
    small = caller()
    small.sandbox.order("http-500=1")
    assert small.get("invoice/1").status_code == 500
    assert small.sandbox.stats().faults == {"http-500": 1}

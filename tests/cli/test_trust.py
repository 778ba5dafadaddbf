"""`ar-bridge trust`: after our own records were lost, a person lets rules act again."""

from tests.cli.newcomer import Newcomer
from tests.cli.running import Program


def test_from_the_loss_to_the_trust(newcomer: Newcomer) -> None:
    newcomer.settle(mode="auto")
    newcomer.done("run")
    before = (*newcomer.left_in_ledger, len(newcomer.mails))
    assert before[0] > 0 and before[2] > 0
    for file in newcomer.home.glob("ar-bridge.sqlite3*"):
        file.unlink()
    newcomer.tomorrow()
    newcomer.connect()
    newcomer.done("run")
    assert (*newcomer.left_in_ledger, len(newcomer.mails)) == before
    told = newcomer.done("status").out
    assert "rebuilt from the ledger" in told and "ar-bridge trust --book elm" in told
    warnings = newcomer.done("plan", "--json").json["warnings"]
    assert [one["code"] for one in warnings] == ["rebuilt"]
    assert "found again in the ledger" in newcomer.done("doctor").out

    refused = newcomer("trust")
    assert refused.code == 2 and "A reason is needed" in refused.err
    assert "trusted again; mode auto" in newcomer.done("trust", "--reason", "all is there").out
    assert newcomer.done("status", "--json").json["books"][0]["state"] == "normal"
    again = newcomer("trust", "--reason", "all is there")
    assert again.code == 2 and "not rebuilt" in again.err
    assert newcomer.done("plan", "--json").json["warnings"] == []


def test_a_book_that_is_unknown(program: Program) -> None:
    program("init", "--book", "elm")
    ended = program("trust", "--book", "oak", "--reason", "?")
    assert ended.code in (2, 3) and "oak" in ended.err

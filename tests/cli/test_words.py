"""A person's word by every way of naming it, whose it is, and when it is looked at."""

from datetime import timedelta

import pytest

from tests.cli.newcomer import TODAY, Newcomer


def ahead(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def standing(call: Newcomer) -> dict[str, dict[str, object]]:
    return {one["kind"]: one for one in call.done("holds", "--json").json["holds"]}


def test_every_word_by_every_way_of_naming_it(settled: Newcomer) -> None:
    call = settled.done
    first = ("--owner", "ann", "--reason", "by telephone", "--json")
    for command in (
        ("promise", "INV-1", "--on", ahead(5), "--amount", "700.00"),
        ("dispute", "INV-3", "--amount", "100.00"),
        ("withheld", "--invoice", "INV-5", "--amount", "99.00", "--until", ahead(90)),
        ("expect-credit", "INV-4", "--amount", "20.00", "--by", ahead(9)),
        ("instalments", "INV-7", "--every", "month", "--count", "3", "--first", ahead(2)),
        ("pause", "East Ltd", "--until", ahead(3)),
        ("stop-customer", "--customer", "West Ltd", "--because", "lawyer"),
    ):
        said = call(*command, *first).json
        assert said["commitments"][0]["owner"] == "ann", command
        assert said["commitments"][0]["reason"] == "by telephone"
    found = standing(settled)
    assert set(found) == {
        "promise",
        "dispute",
        "withheld",
        "credit_expected",
        "instalments",
        "pause",
        "stop",
    }
    assert {str(one["owner"]) for one in found.values()} == {"ann"}
    assert found["dispute"]["review_on"] == ahead(30)
    assert found["stop"]["review_on"] == ahead(30)
    assert found["promise"]["until"] == ahead(5)
    assert found["instalments"]["text"][1:4] == [
        f"Instalment 1 of 3: 133.33 GBP on {ahead(2)}, to come.",
        "Instalment 2 of 3: 133.33 GBP on 2026-04-12, to come.",
        "Instalment 3 of 3: 133.34 GBP on 2026-05-12, to come.",
    ]
    explained = " ".join(call("explain", "INV-7").out.split())
    assert "3 instalments agreed on" in explained and "Ann looks after it" in explained
    assert "Disputed since" in call("explain", "INV-3").out
    ended = call("resume", "Birch Ltd", "--hold", str(found["instalments"]["id"]), "--json").json
    assert ended["commitments"][0]["kind"] == "instalments"
    assert "instalments" not in standing(settled)


def test_a_hold_past_its_review_is_a_task_and_stands_first(settled: Newcomer) -> None:
    call = settled.done
    call("dispute", "INV-3", "--review-on", ahead(1), "--reason", "short delivery")
    call("pause", "East Ltd", "--until", ahead(9))
    settled.tomorrow()
    settled.tomorrow()
    listed = call("holds").out
    for one in standing(settled).values():
        assert one["owner"] and str(one["actor"]).startswith(f"{one['owner']} (")
    assert "PAST" in listed.splitlines()[0] and "dispute" in listed.splitlines()[0]
    plan = call("plan", "--json").json
    tasks = [action for action in plan["actions"] if action["stage"] == "review"]
    assert [action["customer_name"] for action in tasks] == ["South Ltd"]
    name = str(standing(settled)["dispute"]["id"])
    call("holds", name, "--owner", "ann", "--review-on", ahead(20), "--reason", "still open")
    assert standing(settled)["dispute"]["owner"] == "ann"
    plan = call("plan", "--json").json
    assert not [action for action in plan["actions"] if action["stage"] == "review"]
    events = [e["event"] for e in call("audit", "show", "--json").json["entries"]]
    assert events.count("HoldReviewed") == 1


def test_what_the_customer_was_right_about_waits_for_its_credit_note(settled: Newcomer) -> None:
    call = settled.done
    call("dispute", "INV-3", "--amount", "100.00", "--reason", "short delivery")
    said = call("dispute", "INV-3", "--won-by", "customer", "--reason", "they were right")
    assert "100.00 GBP of it is not asked for" in " ".join(said.out.split())
    found = standing(settled)
    assert "dispute" not in found
    assert found["credit_expected"]["until"] == ahead(30)
    call("dispute", "INV-1", "--reason", "wrong goods")
    whole = call("dispute", "INV-1", "--won-by", "customer", "--json").json["commitments"]
    assert [one["kind"] for one in whole] == ["dispute", "credit_expected"]
    plan = call("plan", "--json").json
    assert not [act for act in plan["actions"] if act["customer_name"] == "North Ltd"]
    call("dispute", "INV-5", "--reason", "never ordered")
    ours = call("dispute", "INV-5", "--won-by", "us", "--json").json["commitments"]
    assert [one["kind"] for one in ours] == ["dispute"]


def test_a_long_promise_needs_consent(settled: Newcomer) -> None:
    refused = settled("promise", "INV-1", "--on", ahead(60))
    assert refused.code == 2 and "--consent" in refused.err
    said = settled.done("promise", "INV-1", "--on", ahead(60), "--consent", "--json").json
    assert said["commitments"][0]["consented"] is True


def test_an_exemption_is_kept_in_the_file(settled: Newcomer) -> None:
    call = settled.done
    call("exempt", "North Ltd", "--until", ahead(30), "--reason", "same owners as ours")
    assert "same owners as ours" in call("explain", "INV-1").out
    found = standing(settled)["pause"]
    assert (found["customer_name"], found["until"]) == ("North Ltd", ahead(30))
    call("exempt", "North Ltd", "--end", "--reason", "sold")
    assert "pause" not in standing(settled)


def test_cash_is_said_and_moves_back_with_a_warning(settled: Newcomer) -> None:
    assert "nobody said" in settled.done("cash", "show").out
    said = settled.done("cash", "--through", ahead(-1), "--by", "ann")
    assert f"through {ahead(-1)}" in said.out and not said.err
    back = settled.done("cash", "--through", ahead(-3), "--json")
    assert "warning" in back.err
    assert back.json["entered_through"] == ahead(-3)
    late = settled("cash", "--through", ahead(1))
    assert late.code == 2 and "still to come" in late.err
    entries = settled.done("audit", "show", "--json").json["entries"]
    found = [e for e in entries if e["event"] == "CashEnteredThrough"]
    assert len(found) == 2 and any("ann" in e["actor"] for e in found)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("instalments", "INV-1"), "Which parts?"),
        (("instalments", "INV-1", "--part", "soon=1"), "--part"),
        (("instalments", "INV-1", "--part", f"{ahead(3)}=9000"), "only 1200.00 is open"),
        (("instalments", "INV-1", "--every", "year", "--count", "2", "--first", ahead(2)), "year"),
        (("withheld", "North Ltd", "--amount", "1", "--until", ahead(2)), "Of which invoice"),
        (("withheld", "INV-1", "--amount", "-1", "--until", ahead(2)), "--amount"),
        (("expect-credit", "INV-1", "--amount", "1", "--by", "2020-01-01"), "has passed"),
        (("exempt", "North Ltd", "--reason", "x"), "Until when?"),
        (("exempt", "North Ltd", "--until", ahead(2)), "Why?"),
        (("cash", "shaw"), "shaw"),
        (("holds", "nothing", "--owner", "ann"), "No hold is called nothing"),
        (("resume", "North Ltd", "--hold", "nothing"), "does not stand"),
        (("pause", "Nobody", "--until", ahead(2)), "no invoice and no customer Nobody"),
        (("dispute", "INV-1", "INV-3", "--amount", "5"), "INV-3"),
        (("dispute", "INV-1", "--amount", "9" * 20), "leave --amount out to dispute the whole"),
        (("dispute", "INV-1", "--amount", "1200.01"), "the 1200.00 GBP that is open on INV-1"),
        (("withheld", "INV-1", "--amount", "1200.01", "--until", ahead(2)), "1200.00 GBP"),
        (("expect-credit", "INV-1", "--amount", "1200.01", "--by", ahead(2)), "1200.00 GBP"),
        (("promise", "INV-1", "--amount", "1200.01", "--on", ahead(2)), "open on INV-1"),
        (("promise", "North Ltd", "--amount", "9" * 9, "--on", ahead(2)), "open for North Ltd"),
    ],
)
def test_mistakes_are_told(settled: Newcomer, words: tuple[str, ...], said: str) -> None:
    ended = settled(*words)
    assert ended.code == 2 and said in ended.err


@pytest.mark.parametrize(
    "command",
    [
        "promise",
        "dispute",
        "instalments",
        "withheld",
        "expect-credit",
        "exempt",
        "pause",
        "resume",
        "stop-customer",
        "holds",
        "cash",
    ],
)
def test_help_has_an_example_and_the_same_options(newcomer: Newcomer, command: str) -> None:
    text = newcomer.done(command, "--help").out
    assert "Example" in text and f"ar-bridge {command} " in text
    assert "--reason" in text and "--json" in text and "--book" in text


def test_status_counts_what_is_past_its_review(settled: Newcomer) -> None:
    settled.done("dispute", "INV-3", "--review-on", ahead(1))
    settled.done("cash", "--through", ahead(0))
    (book,) = settled.done("status", "--json").json["books"]
    assert book["holds"] == {"standing": 1, "past_review": 0}
    assert book["payments_entered_through"] == ahead(0)
    settled.tomorrow(2)
    said = settled.done("status").out
    assert "1 hold past the review date -> ar-bridge holds" in said
    assert f"payments are entered through {ahead(0)}" in said

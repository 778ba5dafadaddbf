"""`ar-bridge doctor` on a book that is connected, and what plans make of it."""

from datetime import timedelta

from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.demo.stage import FEE_SETUP
from tests.cli.newcomer import POLICY, TODAY, Newcomer, book_of, customer, invoice


def levels(person: Newcomer) -> dict[str, list[str]]:
    """Subject to levels, of everything that doctor says."""
    found: dict[str, list[str]] = {}
    for row in person("doctor", "--json").json["findings"]:
        found.setdefault(row["subject"], []).append(row["level"])
    return found


def texts(person: Newcomer, subject: str) -> str:
    rows = person("doctor", "--json").json["findings"]
    return "\n".join(row["text"] for row in rows if row["subject"] == subject)


def test_a_book_in_order_has_no_error(newcomer: Newcomer) -> None:
    newcomer.settle()
    ended = newcomer.done("doctor", "--json")
    assert set(ended.json) == {"schema", "findings"}
    for row in ended.json["findings"]:
        assert {"level", "subject", "text", "remedy"} <= set(row)
    found = levels(newcomer)
    for subject in ("home", "vault", "mail", "elm connection", "elm ledger", "elm sent invoices"):
        assert found[subject] == ["ok"], subject
    said = newcomer.done("doctor").out
    assert "\nelm:\n" in said and "0 errors" in said


def test_an_end_is_told_in_doctor_and_status(settled: Newcomer) -> None:
    settled.tomorrow(47)  # Xero's refresh token rests unused for 60 days at most.
    found = settled("doctor", "--json").json["findings"]
    # doctor has used the connection itself, and so prolonged it
    assert [row["level"] for row in found if row["subject"] == "elm connection"] == ["ok"]
    settled.tomorrow(47)
    (alarm,) = settled.done("status", "--json").json["books"][0]["alarms"]
    assert alarm["level"] == "warning" and "in 13 days" in alarm["text"]
    assert "ar-bridge sync --book elm" in settled.done("status").out
    settled.done("sync")
    assert settled.done("status", "--json").json["books"][0]["alarms"] == []


def test_a_wrong_password_for_mail_is_found_without_sending(settled: Newcomer) -> None:
    text = settled.config.read_text()
    settled.config.write_text(text + 'username = "elm"\npassword = "canary-wrong-password"\n')
    ended = settled("doctor", "--json")
    (row,) = [row for row in ended.json["findings"] if row["subject"] == "mail"]
    assert row["level"] == "error" and "[mail]" in row["remedy"]
    assert "canary-wrong-password" not in ended.out + ended.err
    assert settled.mails == []


def test_fees_wait_while_doctor_finds_their_account_wrong(settled: Newcomer) -> None:
    def fees() -> int:
        actions = settled("plan", "--json").json["actions"]
        return sum(action["kind"] == "late_fee" for action in actions)

    settled.tomorrow(2)  # Birch's fee falls due after the book was connected.
    settled.done("sync")
    assert fees() == 1
    good = settled.config.read_text()
    settled.configure(fee_account="no-such-account")
    assert settled("doctor").code == 3
    assert fees() == 0
    settled.config.write_text(good)
    assert fees() == 0  # Nobody has seen this account since.
    settled.done("doctor")
    assert fees() == 1


def test_gaps_are_counted_and_named(newcomer: Newcomer, mailbox: LocalMailbox) -> None:
    late = TODAY - timedelta(days=4)
    events = [
        *book_of(),
        customer("Silent", email=""),
        invoice("INV-80", "Silent", late, "10.00"),
        invoice("INV-81", "North", late, "10.00", sent=False),
    ]
    person = Newcomer(newcomer.home, newcomer._capture, newcomer.ledger, mailbox, events=events)
    try:
        person.settle()
        assert "have no e-mail address: nobody writes to them (Silent Ltd)" in texts(
            person, "elm customers"
        )
        assert "not marked as sent" in texts(person, "elm sent invoices")
    finally:
        person.close()


def test_every_name_is_looked_up_in_the_ledger(newcomer: Newcomer) -> None:
    account, tax = FEE_SETUP[newcomer.ledger]
    newcomer.settle(bad_debt_account="Bad depts", bad_debt_tax=tax)
    newcomer.policy.write_text(
        POLICY + f'[discount]\npercent = 2\naccount = "{account}"\ntax = "VATT"\n'
    )
    rows = newcomer("doctor", "--json").json["findings"]
    told = {
        row["text"].partition(":")[0]: row["level"]
        for row in rows
        if row["subject"] == "elm accounts"
    }
    assert told == {
        "bad_debt_account": "error",
        "bad_debt_tax": "ok",
        "[discount] account": "ok",
        "[discount] tax": "error",
    }
    assert newcomer("doctor").code == 3
    newcomer.configure(bad_debt_account=account, bad_debt_tax=tax)
    assert newcomer.done("doctor").code == 0


def test_a_policy_that_cannot_be_read_hides_nothing(settled: Newcomer) -> None:
    settled.policy.write_text(POLICY.replace('type = "flat"', 'type = "flt"'))
    found = levels(settled)
    assert "error" in found["elm policy"]
    assert found["elm connection"] == ["ok"]
    assert found["mail"] == ["ok"]


def test_the_vault_can_be_checked_and_changed(settled: Newcomer) -> None:
    before = (settled.home / "key").read_text()
    assert "key from file" in settled.done("vault", "check").out
    said = settled.done("vault", "rotate").out
    assert "1 connection encrypted" in said and "1 old key dropped" in said
    assert before.strip() not in (settled.home / "key").read_text()
    settled.done("sync")
    (settled.home / "key").write_text(settled.done("vault", "new-key").out)
    ended = settled("vault", "check", "--json")
    assert ended.code == 3
    assert [row["level"] for row in ended.json["findings"]] == ["ok", "error"]


def test_ways_that_reach_nobody_are_named(settled: Newcomer) -> None:
    by_letter = 'template = "overdue_1"\nchannels = ["email", "sms"]\nfallback = ["letter"]'
    settled.policy.write_text(POLICY.replace('template = "overdue_1"', by_letter))
    said = texts(settled, "elm channels")
    assert "no sms channel is set up" in said and "(stage first)" in said
    assert "have no postal address" in said
    settled.done("customer", "set", "North Ltd", "address=1 High Street; Leeds", "--reason", "told")
    assert "5 of 5" in said and "4 of 5" in texts(settled, "elm channels")


def test_half_of_what_a_write_off_needs_is_named(settled: Newcomer) -> None:
    config = settled.home / "config.toml"
    text = config.read_text()
    assert "fee_tax" in text
    config.write_text(text.replace("fee_tax", 'bad_debt_account = "408"\nfee_tax', 1))
    assert "bad_debt_tax is empty" in texts(settled, "elm write-offs")

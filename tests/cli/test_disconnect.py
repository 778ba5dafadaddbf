"""Disconnecting: the vendor takes the tokens back, nothing of them stays, and it is on record."""

import httpx
import msgspec
import pytest

from ar_bridge.home import Home
from ar_bridge.settings import load_settings
from ar_bridge.store.engine import open_store
from ar_bridge.wiring import connected_row, database_url, vault_of
from connectors.oauth2 import Tokens
from tests.cli.newcomer import CLIENT_SECRET, Newcomer
from tests.cli.running import Program


def kept(person: Newcomer) -> Tokens | None:
    """What the vault holds for the first book."""
    settings = load_settings(person.config)
    book = next(iter(settings.book.values()))
    home = Home(person.home)
    store = open_store(database_url(settings, home))
    try:
        row = connected_row(store, book)
        return vault_of(store, home, person.clock, book.ledger, row.company_id).load()
    finally:
        store.close()


def refreshed(person: Newcomer, tokens: Tokens) -> int:
    """The vendor's answer to somebody who still has the refresh token."""
    return httpx.post(
        person.running.token_url,
        data={"grant_type": "refresh_token", "refresh_token": tokens.refresh_token},
        auth=(person.sandbox.client_id, CLIENT_SECRET),
        timeout=30,
    ).status_code


def events(person: Newcomer) -> list[dict[str, object]]:
    told = [msgspec.json.decode(line) for line in person.done("audit", "export").out.splitlines()]
    return [entry for entry in told if entry.get("event") == "BookDisconnected"]


def test_the_connection_ends_on_both_sides_and_is_audited(newcomer: Newcomer) -> None:
    newcomer.settle(revoke_url=newcomer.running.revoke_url)
    tokens = kept(newcomer)
    assert tokens is not None
    ended = newcomer.done("disconnect", "elm")
    assert "given back and forgotten" in ended.out
    assert kept(newcomer) is None
    assert refreshed(newcomer, tokens) == 400
    (entry,) = events(newcomer)
    assert entry["subject"] == "elm"
    assert entry["payload"] == {
        "v": 1,
        "ledger": newcomer.ledger,
        "company": newcomer.sandbox.company_id,
        "revoked": True,
    }


def test_afterwards_commands_ask_to_connect_and_connecting_works(settled: Newcomer) -> None:
    settled.done("disconnect", "elm")
    refused = settled("sync")
    assert refused.code == 4
    assert "ar-bridge connect elm" in refused.err
    settled.connect()
    settled.done("sync")


def test_disconnecting_twice_does_nothing_more(settled: Newcomer) -> None:
    settled.done("disconnect")
    assert "not connected" in settled.done("disconnect").out
    assert len(events(settled)) == 1


def test_somebody_else_s_token_address_is_not_guessed(settled: Newcomer) -> None:
    """The book points at its own token address and names none for giving tokens back."""
    settled.configure(connections_url="", company_id=settled.sandbox.company_id)
    tokens = kept(settled)
    assert tokens is not None
    ended = settled.done("disconnect", "elm")
    assert "the vendor was not told" in ended.err
    assert kept(settled) is None
    assert refreshed(settled, tokens) == 200
    (entry,) = events(settled)
    assert entry["payload"]["revoked"] is False


def test_the_one_organisation_is_taken_out_of_the_consent(settled: Newcomer) -> None:
    """Xero, without an address for giving tokens back: DELETE /connections/{id}."""
    tokens = kept(settled)
    assert tokens is not None
    assert "given back" in settled.done("disconnect", "elm").out
    assert not settled.sandbox.oauth.is_connected
    assert refreshed(settled, tokens) == 400


def test_a_vendor_who_cannot_be_reached_is_reported_and_tokens_go_all_the_same(
    settled: Newcomer,
) -> None:
    settled.configure(revoke_url=settled.running.revoke_url)
    settled.running.close()
    ended = settled("disconnect", "elm", "--keep")
    assert ended.code == 4
    assert "still connected" in ended.err and "cannot be reached" in ended.err
    assert kept(settled) is not None
    assert events(settled) == []
    ended = settled("disconnect", "elm")
    assert ended.code == 1
    assert "cannot be reached" in ended.err and "among its connected apps" in ended.err
    assert kept(settled) is None
    (entry,) = events(settled)
    assert "cannot be reached" in entry["payload"]["trouble"]


def test_a_vendor_who_refuses_the_app_is_named(settled: Newcomer) -> None:
    settled.configure(
        revoke_url=settled.running.revoke_url,
        client_secret="not-the-secret",
        connections_url="",
        company_id=settled.sandbox.company_id,
    )
    ended = settled("disconnect", "elm", "--keep")
    assert ended.code == 4
    assert "client_secret is not accepted" in ended.err
    assert "not-the-secret" not in ended.err
    assert kept(settled) is not None


def test_a_consent_that_is_over_already_is_forgotten(settled: Newcomer) -> None:
    """A crash after the vendor's answer, or a person who took the app away in the ledger."""
    settled.configure(revoke_url=settled.running.revoke_url)
    tokens = kept(settled)
    assert tokens is not None
    assert httpx.post(
        settled.running.revoke_url,
        data={"token": tokens.refresh_token},
        auth=(settled.sandbox.client_id, CLIENT_SECRET),
        timeout=30,
    ).is_success
    settled.done("disconnect", "elm")
    assert kept(settled) is None


def test_other_books_of_the_same_app_stay_connected(settled: Newcomer) -> None:
    """Giving the tokens back would end them too: only this organisation is taken out."""
    revoke = f"{settled.running.base_url}/nobody-answers-here"
    sections = [settled.book_section(name, revoke_url=revoke) for name in ("elm", "oak")]
    settled.configure("\n".join(sections))
    settled.done("disconnect", "elm")
    assert not settled.sandbox.oauth.is_connected
    assert kept(settled) is None


def test_a_custom_connection_says_that_its_credentials_still_open_it(settled: Newcomer) -> None:
    settled.configure(grant="client_credentials", revoke_url=settled.running.revoke_url)
    assert "open the book again" in settled.done("disconnect", "elm").err


@pytest.mark.parametrize("arguments", [("disconnect",), ("disconnect", "elm", "--forget-only")])
def test_a_book_file_has_no_connection_to_end(program: Program, arguments: tuple[str, ...]) -> None:
    program.configure(
        '[[book]]\nname = "elm"\nledger = "bookfile"\npolicy = "standard"\nfile = "book.jsonl"\n'
    )
    (program.home / "book.jsonl").write_text("")
    ended = program(*arguments)
    assert ended.code == 2
    assert "no connection to end" in ended.err


def test_a_book_that_was_never_connected_is_none_to_end(program: Program) -> None:
    program.configure('[[book]]\nname = "elm"\nledger = "xero"\npolicy = "standard"\n')
    ended = program("disconnect", "elm")
    assert ended.code == 0
    assert "elm is not connected" in ended.out

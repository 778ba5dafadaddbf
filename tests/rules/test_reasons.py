"""Reasons as sentences: what the ledger says stands in them as it is."""

from babel.numbers import list_currencies

from rules.decision import Reason
from rules.model.currency_codes import CURRENCIES
from rules.reasons import sentence


def test_a_number_with_dots_stands_as_it_is() -> None:
    told = sentence(Reason("disputed", (("invoice", "../../x"),)))
    assert told == "Invoice ../../x is disputed."


def test_a_fact_that_ends_a_sentence_brings_no_second_full_stop() -> None:
    told = sentence(Reason("unreachable", (("why", "no address of Shaw Ltd."),)))
    assert told == "The customer cannot be reached: no address of Shaw Ltd."


def test_every_currency_is_one_that_others_know() -> None:
    assert list_currencies() >= CURRENCIES and len(CURRENCIES) > 150

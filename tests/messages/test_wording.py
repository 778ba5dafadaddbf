"""Words that a person changed: what has to stay, safe HTML, and figures that move on under them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from ar_bridge.messages.late import PAY_LINK, filled_html
from ar_bridge.wording import html_of, lost_facts, moved_on, reworded
from rules.actions.action import RenderedMessage

lines = st.lists(st.text("ab 1.", max_size=6), max_size=8)


def message(text: str, subject: str = "Reminder", html: str = "<p>x</p>") -> RenderedMessage:
    return RenderedMessage(to=("a@b.example",), subject=subject, text=text, html=html)


@given(lines, lines)
def test_what_one_side_leaves_alone_is_the_other_sides(base: list[str], other: list[str]) -> None:
    old, new = message("\n".join(base)), message("\n".join(other))
    for merged in (moved_on(old, old, new), moved_on(old, new, old), moved_on(old, new, new)):
        assert merged is not None and merged.text == new.text


def test_figures_move_on_under_a_persons_words() -> None:
    base = message("Dear North,\n\nIt is 3 days late.\n\nPlease pay.\n")
    edited = message("Dear Ann,\n\nIt is 3 days late.\n\nPlease pay.\nThank you!\n")
    today = message("Dear North,\n\nIt is 4 days late.\n\nPlease pay.\n")
    merged = moved_on(base, edited, today)
    assert merged is not None
    assert merged.text == "Dear Ann,\n\nIt is 4 days late.\n\nPlease pay.\nThank you!\n"
    # A line that both changed is nobody's to guess.
    clash = message("Dear North,\n\nIt is late.\n\nPlease pay.\n")
    assert moved_on(base, clash, today) is None


def test_facts_that_no_longer_stand_in_the_text_are_named() -> None:
    before = message(
        f"Invoice INV-7: £1,000.00\nPay online: {PAY_LINK}\n", "Invoice INV-7, £1,000.00"
    )
    asked = {"amounts": [(100_000, "GBP"), (2_500, "GBP")], "numbers": ["INV-7", "INV-8"]}
    same = reworded(before, "Hello", f"INV-7 is open with 1.000,00.\n{PAY_LINK}\n")
    assert lost_facts(before, same, **asked) == []
    # A longer number is another one, and the subject does not stand for the text.
    other = reworded(before, before.subject, "INV-77 is open with £11,000.00.\n")
    assert lost_facts(before, other, **asked) == [
        "invoice number INV-7",
        "amount 1000.00 GBP",
        f"the place of the link to pay online, {PAY_LINK}",
    ]


@given(st.text(max_size=60), st.text(max_size=30))
def test_nothing_that_is_typed_becomes_markup(text: str, subject: str) -> None:
    made = html_of(subject, f'<script>{text}</script> https://x.example/?a=1&b="2"', "en")
    ours = r"</?(!DOCTYPE html|html|head|meta|title|body|div|p|br|pre|a)\b[^<>]*>"
    rest = re.sub(ours, "", made, flags=re.IGNORECASE)
    assert "<script" not in made and "<" not in rest.replace("<!--", "").replace("-->", "")


def test_tables_stay_aligned_and_the_link_is_a_late_slot() -> None:
    rows = "INV-7    2026-06-01   1,000.00\nINV-8    2026-06-02      25.00"
    text = f"Dear North,\n\n{rows}\n\nPay: {PAY_LINK}\n"
    made = html_of("S", text, "en")
    assert "<pre" in made and "INV-7    2026-06-01" in made
    assert 'href="https://pay.example/7"' in filled_html(
        made, (("INV-7", "https://pay.example/7"),)
    )
    assert "Pay:" not in filled_html(made, ())

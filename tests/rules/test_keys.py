"""Numbers of documents and marks of notes are contract: they are found again by them."""

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from rules.actions.keys import credit_number, fee_number, note_mark
from rules.model.ids import ItemKey


def _base32(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()


@given(st.text(max_size=20), st.text(max_size=60))
def test_numbers_and_marks_are_the_digest_in_base32(company: str, key: str) -> None:
    written = _base32(f"{company}|{key}")
    assert fee_number(company, ItemKey(key)) == f"LF-{written[:16]}"
    assert credit_number("CN-", company, ItemKey(key)) == f"CN-{written[:16]}"
    assert note_mark(company, key) == f"[arb:{written[:12]}]"

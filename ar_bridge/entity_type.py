"""What kind of person a customer is, guessed from its name.

A guess is good for wording and for `doctor` to count; the law asks for a person's word. Legal
forms are those that a name has to carry by law (Ltd, GmbH, SARL, ...), so a guess is rarely
wrong where there is one, and there is none where the name says nothing.
"""

import re
from typing import Final

from rules.model.customer import EntityType

_FORMS: Final[tuple[tuple[EntityType, str], ...]] = (
    (
        "company",
        "ltd limited llc inc incorporated corp corporation plc gmbh ag ug kgaa se sa sas sasu sarl "
        "eurl spa srl bv nv ab oy oyj as asa aps pty sro sl slu lda kft zrt doo dac cic pvt ltda",
    ),
    ("partnership", "llp lp lllp gbr ohg kg vof snc gp"),
    ("sole_trader", "ek eu ei"),
)

_PUBLIC: Final = re.compile(
    r"\b(council|county of|city of|town of|borough of|state of|ministry|municipality|nhs|"
    r"department of|stadt|gemeinde|landkreis|mairie|commune de|ayuntamiento|gemeente)\b"
)

_BY_FORM: Final[dict[str, EntityType]] = {
    form: kind for kind, forms in _FORMS for form in forms.split()
}

_DOTS: Final = re.compile(r"(?<=\w)[./](?=\w|\b|\s|$)")
_ASIDES: Final = re.compile(r"\([^)]*\)")
_WORDS: Final = re.compile(r"[^\W_]+")


def guess_entity_type(name: str) -> EntityType:
    """The kind of person that a name shows, `unknown` where it shows nothing.

    A legal form counts only at the end, before at most one more word ("North Ltd UK"), and never
    as the whole name: "AG Smith" is nobody's stock company. Of two the last one counts:
    "GmbH & Co. KG" is a partnership.
    """
    plain = name.casefold()
    words = _WORDS.findall(_DOTS.sub("", _ASIDES.sub(" ", plain)))
    for word in reversed(words[1:][-2:]):
        kind = _BY_FORM.get(word)
        if kind is not None:
            return kind
    return "public_body" if _PUBLIC.search(plain) else "unknown"

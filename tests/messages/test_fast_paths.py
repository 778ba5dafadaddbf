"""What was made quick says the same as what it stands for."""

import textwrap
from decimal import Decimal
from fractions import Fraction

import jinja2
import pytest
from babel.numbers import format_currency
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.exceptions import SecurityError
from markupsafe import Markup, escape

from ar_bridge.messages.formats import Formats, exactly, locale_for
from ar_bridge.messages.render import wrapped
from ar_bridge.messages.sandbox import TemplateSandbox
from ar_bridge.messages.templates import Templates
from ar_bridge.messages.view import ApologyPart, InstalmentPart, WrongRow
from rules.model.money import currency_digits, format_minor

PLACES = (("en", "GB"), ("en", "IN"), ("de", "CH"), ("fr", "FR"), ("ar", "EG"), ("nl", "NL"))


@given(
    st.integers(min_value=-(10**11), max_value=10**11),
    st.sampled_from(("GBP", "EUR", "JPY", "KWD", "CHF", "INR")),
    st.sampled_from(PLACES),
)
@settings(max_examples=300, deadline=None)
def test_money_reads_as_cldr_writes_it(minor: int, currency: str, place: tuple[str, str]) -> None:
    locale = locale_for(*place)
    expected = format_currency(Decimal(format_minor(minor, currency)), currency, locale=str(locale))
    assert Formats(locale).money(minor, currency) == expected


@given(
    st.integers(min_value=-(10**9), max_value=10**9),
    st.integers(min_value=1, max_value=70_000),
    st.sampled_from(("GBP", "EUR", "JPY", "KWD")),
    st.sampled_from(PLACES),
)
@settings(max_examples=200, deadline=None)
def test_exact_sums_read_as_cldr_writes_them(
    major: int, parts: int, currency: str, place: tuple[str, str]
) -> None:
    locale = locale_for(*place)
    written = Formats(locale).exact_money(Fraction(major, parts), currency)
    digits = currency_digits(currency)
    value = Decimal(round(Fraction(major, parts) * 10 ** (digits + 2))).scaleb(-(digits + 2))
    shown = next(n for n in range(digits, digits + 3) if value == round(value, n))
    assert written == exactly(round(value, shown), shown, currency, str(locale))


@given(
    st.one_of(
        st.text(alphabet="ab \t-x\xa0\u202f", min_size=1, max_size=200),
        st.builds(
            lambda indent, words: " " * indent + " ".join(words),
            st.integers(min_value=0, max_value=80),
            st.lists(st.text(alphabet="ab\xa0", min_size=1, max_size=90), min_size=1, max_size=40),
        ),
    )
)
@settings(max_examples=200, deadline=None)
def test_lines_stand_as_textwrap_leaves_them(line: str) -> None:
    bare = line.strip()
    indent = line[: len(line) - len(line.lstrip())] if bare else ""
    folded = textwrap.wrap(
        bare,
        78,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    assert wrapped(line) == "\n".join(folded).strip() + "\n"


@pytest.mark.parametrize(
    "written",
    [
        "{{ part.__class__ }}",
        "{{ part.due_on.format.__globals__ }}",
        "{{ rows.append(1) }}",
        "{{ macro.__call__.__globals__ }}",
        "{{ words.macro.__init__.__globals__ }}",
    ],
)
def test_the_sandbox_stays_closed(written: str) -> None:
    part = InstalmentPart(due_on="1 May", amount="1.00", position=1, count=2)
    sandbox = TemplateSandbox(undefined=jinja2.StrictUndefined)
    words = sandbox.from_string("{% macro macro() %}x{% endmacro %}").module
    source = "{% macro macro() %}x{% endmacro %}" + written
    with pytest.raises((SecurityError, jinja2.UndefinedError)):
        sandbox.from_string(source).render(part=part, rows=[], words=words)


def test_fields_and_macros_are_there() -> None:
    part = InstalmentPart(due_on="1 May", amount="1.00", position=1, count=2)
    sandbox = TemplateSandbox(undefined=jinja2.StrictUndefined)
    words = sandbox.from_string("{% macro of(n) %}of {{ n }}{% endmacro %}").module
    written = sandbox.from_string("{{ part.due_on }} {{ words.of(part.count) }}")
    assert written.render(part=part, words=words) == "1 May of 2"


def test_what_the_words_say_is_escaped_in_html() -> None:
    templates = Templates()
    row = WrongRow(kind="fee", on="1 May", what="<b>LF-1</b>", numbers=("<i>7</i>",))
    facts = {"words": templates.macros("en"), "apology": ApologyPart(wrongs=(row,))}
    layouts = templates.layouts
    source = "{% for row in apology.wrongs %}{{ words.wrong(row) }}{% endfor %}"
    layouts.loader = jinja2.DictLoader({"some.html": source, "some.txt": source})
    plain = "On 1 May we charged you a late fee (<b>LF-1</b>, invoice <i>7</i>)."
    assert layouts.get_template("some.txt").render(facts) == plain
    assert layouts.get_template("some.html").render(facts) == str(escape(plain))


def test_what_the_words_say_depends_on_all_that_they_are_told() -> None:
    words = TemplateSandbox().from_string(
        "{% macro of(n, m=0) %}{{ n }}/{{ m }}{% endmacro %}"
        "{% macro first(rows) %}{{ rows[0] }}{% endmacro %}"
    )
    rows = [1]
    written = TemplateSandbox().from_string(
        "{{ w.of(1) }} {{ w.of(true) }} {{ w.of(1, m=2) }} {{ w.of(1, 2) }} {{ w.first(rows) }}"
    )
    for n in range(3):
        rows[0] = n
        said = written.render(w=words.module, rows=rows)
        assert said == f"1/0 True/0 1/2 1/2 {n}"


def test_markup_is_told_from_a_text_that_looks_like_it() -> None:
    sandbox = TemplateSandbox(autoescape=True)
    written = sandbox.from_string("{{ text }} {{ markup }} {{ text }} {{ number }}")
    said = written.render(text="<b>", markup=Markup("<b>"), number=1)
    assert said == "&lt;b&gt; <b> &lt;b&gt; 1"

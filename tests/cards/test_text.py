"""Words on their way to a card."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.cards.text import LONGEST_QUOTE, headline, quoted, sentence
from cds_service.protocol.response import units

MARKDOWN = MarkdownIt("commonmark", {"html": True, "linkify": False})
NASTY = st.text() | st.text(alphabet="`<>![](){}*_|#~&;:/\\\"'\n\t \u202e\u200b\x00a1", max_size=120)


@given(NASTY)
def test_client_text_is_code_and_nothing_else(text: str) -> None:
    """O1, A15: whatever a record holds, it appears as one code span and opens no other element."""
    span = quoted(text)
    tokens = MARKDOWN.parse(f"Label: {span}.")
    kinds = [child.type for token in tokens for child in token.children or []]
    assert kinds == (["text", "code_inline", "text"] if span else ["text"])


@given(NASTY)
def test_client_text_is_short_and_seen(text: str) -> None:
    """O2: a quotation has at most 80 characters, one line, and no character that nobody sees."""
    inside = quoted(text)[1:-1]
    assert len(inside) <= LONGEST_QUOTE
    assert all(unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co", "Cn"} for one in inside)
    assert "`" not in inside
    assert inside == inside.strip()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"], exclude_characters="`<!]"), min_size=1, max_size=60))
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    """Text without markup is read back unchanged, but for digits of other scripts."""
    expected = "".join(str(unicodedata.decimal(one, one)) for one in text)
    assert quoted(text) == f"`{expected}`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>alert(1)</script>", "`< script>alert(1)< /script>`"),
        ("[a](javascript:x) ![b](c)", "`[a] (javascript:x) ! [b] (c)`"),
        ("two\n  lines\t`x`", "`two lines 'x'`"),
        ("\u202egnorts\u202c", "`gnorts`"),
        ("٢ g", "`2 g`"),
        (" \u200b ", ""),
    ],
)
def test_what_a_quotation_looks_like(text: str, expected: str) -> None:
    """Markup is opened up, lines are folded, foreign digits are read, nothing gives nothing."""
    assert quoted(text) == expected


@given(NASTY)
def test_a_sentence_of_ours_holds_no_markup(text: str) -> None:
    """Even a word that found its way into a sentence of ours opens no tag, no image and no link."""
    html = MARKDOWN.render(sentence(text))
    assert not any(tag in html for tag in ("<script", "<img", "<a "))


@given(st.text(max_size=400))
def test_a_summary_fits_every_client(text: str) -> None:
    """A summary is one line of fewer than 140 UTF-16 units."""
    found = headline(text)
    assert units(found) <= 139
    assert len(found.splitlines()) <= 1


@pytest.mark.parametrize(("length", "cut"), [(138, False), (139, False), (140, True)])
def test_a_summary_is_cut_only_where_it_must(length: int, cut: bool) -> None:
    """139 characters stay whole, 140 do not."""
    text = ("Word " * 40)[: length - 1] + "x"
    assert headline(text).endswith("…") is cut


def test_a_summary_counts_like_a_browser() -> None:
    """A character beyond the basic plane counts twice."""
    assert units(headline("\U0001d400" * 100)) <= 139

"""Words on their way to a card: ours as plain sentences, a client's only inside a code span."""

import re
import unicodedata

from cds_service.protocol.response import LONGEST_SUMMARY, units

LONGEST_QUOTE = 80
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
END = re.compile(r"(?<=[.!?]) (?=[A-Z])")
OPENERS = re.compile(r"<(?=[A-Za-z!/?])|!(?=\[)|\](?=\()")


def quoted(text: str) -> str:
    """Text of a client as a code span of at most 80 characters, in which nothing is markup; "" where nothing is left."""
    kept = _folded("".join("'" if one == "`" else one for one in text))
    kept = _cut(_closed(kept), LONGEST_QUOTE)
    return f"`{kept}`" if kept else ""


def sentence(text: str) -> str:
    """A sentence of ours for the detail of a card; it stays one line, and what looks like markup is opened up."""
    return capital(_closed(_folded(text).replace("`", "'")))


def first_and_rest(text: str) -> tuple[str, str]:
    """The first sentence, and what follows it."""
    first, _, rest = END.sub("\n", text, count=1).partition("\n")
    return first, rest


def capital(text: str) -> str:
    """The text with its first letter as a sentence begins; a word with capitals of its own, such as "eCIM", stays as it is."""
    rest = text.partition(" ")[0][1:]
    return text if rest != rest.lower() else text[:1].upper() + text[1:]


def headline(text: str) -> str:
    """A summary: one plain line of at most 139 UTF-16 units, cut at a word where it is longer."""
    plain = capital(_folded(text))
    if units(plain) <= LONGEST_SUMMARY:
        return plain
    short = plain
    while units(short) > LONGEST_SUMMARY - 1:
        short = short[: short.rfind(" ")] if " " in short else short[:-1]
    return f"{short.rstrip(' ,;:-')}…"


def _folded(text: str) -> str:
    """Unseen characters gone, every run of space one blank, every digit an ASCII digit."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    seen = (_digit(one) for one in text if one.isspace() or unicodedata.category(one) not in UNSEEN)
    return " ".join("".join(seen).split())


def _digit(character: str) -> str:
    number = unicodedata.decimal(character, None)
    return str(number) if number is not None else character


def _closed(text: str) -> str:
    """A blank inside "<b", "![" and "](" keeps the words and takes their power."""
    return OPENERS.sub(lambda found: f"{found[0]} ", text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"

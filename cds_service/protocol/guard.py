"""What a body must be before anything reads it: small, shallow, UTF-8, and without two values under one name."""

import codecs
from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from cds_service.errors import BadRequest
from cds_service.strict_json import Twice, once

DEEPEST = 40  # FHIR needs fewer than 25
MOST_NODES = 500_000
BYTES_A_NODE = 14  # an honest chart has about 21 bytes for each brace, bracket and comma
MOST_PLAIN = 200_000  # values outside the prefetched charts; five hundred drafts have about 20,000
CHUNK = 1 << 17  # what is made of a piece stays in the processor's cache: 0.4 ms for 1.5 MB with dashes or Greek, 1.2 ms in pieces of 1 MB
LARGE = 256
HEAD = 64

_BRACKETS = bytes(ord("(") if one in b"[{" else ord(")") if one in b"]}" else one for one in range(256))
_NO_BRACKET_OR_COMMA = bytes(one for one in range(256) if one not in b"[]{},")
_NO_BRACKET_COMMA_OR_QUOTE = bytes(one for one in range(256) if one not in b'[]{},"')


def check_body(body: bytes) -> None:
    """Refuse what cannot be read safely; nothing is parsed yet, so that a bomb costs no more than a few passes over its bytes."""
    if not body or body.isspace():
        raise BadRequest("The body is empty; a CDS Hooks request as a JSON object is expected.")
    if body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BadRequest("The body begins with a byte order mark; plain UTF-8 is expected.")
    _check_encoding(body)
    _check_structure(body)


def _check_encoding(body: bytes) -> None:
    if body.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), CHUNK):
            decoder.decode(body[start : start + CHUNK], start + CHUNK >= len(body))
    except UnicodeDecodeError:
        raise BadRequest("The body is not valid UTF-8.") from None


def _check_structure(body: bytes) -> None:
    """What stands inside strings is counted in a first look, and left out in a second one where the first finds fault."""
    if _fault(len(body), body.translate(_BRACKETS, _NO_BRACKET_OR_COMMA)) and (fault := _fault(len(body), _outside_strings(body))):
        raise BadRequest(fault)


def _fault(size: int, structure: bytes) -> str:
    """Opening brackets and commas are about as many as there are values."""
    brackets, most = structure.translate(None, b","), max(MOST_NODES, size // BYTES_A_NODE)
    if _nodes(structure, brackets) > most:
        return f"The body has more than {most} values, which no honest chart of its size has."
    return f"The body is nested more than {DEEPEST} levels deep, or its brackets do not match." if _too_deep(brackets) else ""


def _nodes(structure: bytes, brackets: bytes) -> int:
    return len(structure) - len(brackets) // 2


def _too_deep(brackets: bytes) -> bool:
    """Each round takes the innermost pairs away, so the rounds are the depth."""
    for _ in range(DEEPEST):
        if not brackets:
            return False
        left = brackets.replace(b"()", b"")
        if len(left) == len(brackets):
            return True
        brackets = left
    return bool(brackets)


def _outside_strings(body: bytes) -> bytes:
    """Brackets and commas outside strings; two quotes side by side change nothing about what is inside and what is not."""
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    marks = plain.translate(_BRACKETS, _NO_BRACKET_COMMA_OR_QUOTE).replace(b'""', b"")
    kept, inside = [], 0
    for start in range(0, len(marks), CHUNK):
        pieces = marks[start : start + CHUNK].split(b'"')
        kept.append(b"".join(pieces[inside::2]))
        inside = (inside + len(pieces) - 1) % 2
    return b"".join(kept)


def without_duplicates(body: bytes, values: Iterable[Raw]) -> Any:
    """The body as plain objects, strictly read, with each of these large values left out as 0.

    A name that occurs twice is refused, since two readers may take two different values. The large values are the prefetched
    charts: reading them a second time would cost more than judging them.
    """
    skeleton = _skeleton(body, values)
    if _crowded(skeleton.translate(_BRACKETS, _NO_BRACKET_OR_COMMA)) and _crowded(_outside_strings(skeleton)):
        raise BadRequest(f"The request has more than {MOST_PLAIN} values beside its charts; send only the orders of this session.")
    try:
        return once(skeleton)
    except Twice:
        raise BadRequest("A name occurs twice in one object of the request; each may occur once.") from None
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON as every reader takes it: a number is too long, or objects are nested too deeply.") from None


def _crowded(structure: bytes) -> bool:
    return _nodes(structure, structure.translate(None, b",")) > MOST_PLAIN


def _skeleton(body: bytes, values: Iterable[Raw]) -> bytes:
    kept, start = [], 0
    for value in values:
        view = memoryview(value)
        if len(view) < LARGE:
            continue
        at = _place(body, view, start)
        if at < 0:
            continue
        kept.append(body[start:at])
        start = at + len(view)
    return b"0".join([*kept, body[start:]])


def _place(body: bytes, value: memoryview, start: int) -> int:
    """Where the value stands; its head is looked for, since looking for all of it is slow."""
    head = bytes(value[:HEAD])
    at = body.find(head, start)
    while at >= 0 and not body.startswith(value, at):
        at = body.find(head, at + 1)
    return at

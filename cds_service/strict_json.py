"""JSON as it must be where a difference between two readers would be a hole: UTF-8, no duplicate names, no NaN."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from msgspec import DecodeError
from msgspec.json import decode, encode


def strict_json(text: bytes) -> Any:
    """Read JSON, or raise ValueError without a word of the content."""
    try:
        return json.loads(text.decode("utf-8", "strict"), object_pairs_hook=_without_duplicates, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("not strict JSON") from None


def once(text: bytes) -> Any:
    """Read JSON in which no name occurs twice in one object; raises Twice, or another ValueError for what is no JSON.

    Written again, JSON has fewer quotation marks when a name was lost. An escape can stand for one, so then each object is looked at.
    """
    found = None if b"\\u" in text else _decoded(text)
    if found is not None and text.count(b'"') == encode(found).count(b'"'):
        return found
    return each_once(text)


def _decoded(text: bytes) -> Any:
    """None for what the fast reader refuses: no JSON, null, or a number beyond every bound."""
    try:
        return decode(text)
    except DecodeError:
        return None


def each_once(text: bytes) -> Any:
    """The same, object by object; numbers beyond every bound are read as infinite."""
    return json.loads(text, object_pairs_hook=_without_duplicates)


class Twice(ValueError):
    """One object has two values under one name."""


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise Twice("duplicate name")
    return names


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)

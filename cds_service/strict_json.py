"""JSON as it must be where a difference between two readers would be a hole: UTF-8, no duplicate names, no NaN."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn


def strict_json(text: bytes) -> Any:
    """Read JSON, or raise ValueError without a word of the content."""
    try:
        return json.loads(text.decode("utf-8", "strict"), object_pairs_hook=_without_duplicates, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("not strict JSON") from None


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("duplicate name")
    return names


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)

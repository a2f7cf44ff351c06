"""Says in plain words what msgspec found wrong with a record: which key, what was found, what was expected."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from enum import EnumMeta
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import fields

UNKNOWN = re.compile(r"Object contains unknown field `(.+?)`")
MISSING = re.compile(r"Object missing required field `(.+?)`")
WRONG = re.compile(r"Expected `(.+?)`, got `(.+?)`")
NAMES = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "str": "a text",
    "bool": "true or false",
    "date": "a date",
    "array": "a list",
    "object": "a table of keys",
    "null": "nothing",
}
STEP = re.compile(r"\[[^\]]*\]|[^.\[]+")
DATE = "a date such as 2027-05-22"
LONGEST = 60
FEW = 12


def told(message: str, raw: Any, kind: type[Any]) -> tuple[str, str, str]:
    """(key, found, expected) of a validation message such as "Expected `int`, got `str` - at `$.windows.current_days`"."""
    said, _, place = message.partition(" - at `$")
    path = _located(raw, kind, STEP.findall(place.rstrip("`")))
    unknown, missing = UNKNOWN.fullmatch(said), MISSING.fullmatch(said)
    if unknown:
        return _under(path, unknown[1]), "a key that is not known here", _nearest(unknown[1], _keys(_type_at(kind, path)))
    if missing:
        return _under(path, missing[1]), "nothing", f"a value{_also(_type_at(kind, path), _value_at(raw, path), missing[1])}"
    return path or "file", _shown(_value_at(raw, path)), _expected(said, _type_at(kind, path))


def nearest(word: str, known: Collection[str]) -> str:
    """The right words that a wrong one may have meant."""
    close = get_close_matches(word, known, n=3)
    return f"did you mean {', '.join(close)}?" if close else f"one of {', '.join(sorted(set(known))[:FEW])}"


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _also(kind: Any, table: Any, told: str) -> str:
    """The other keys that the same table lacks: whoever writes a sheet from nothing hears of all at once."""
    kind = _certain(kind)
    if not (isinstance(kind, type) and issubclass(kind, Struct) and isinstance(table, dict)):
        return ""
    lacking = [one.encode_name for one in fields(kind) if one.required and one.encode_name not in {*table, told}]
    return f"; {', '.join(lacking)} {'lacks' if len(lacking) == 1 else 'lack'} one too" if lacking else ""


def _expected(said: str, kind: Any) -> str:
    """What would have been right."""
    described = next((part.description for part in get_args(kind) if isinstance(part, Meta) and part.description), None)
    if described:
        return described
    wrong = WRONG.fullmatch(said)
    if wrong:
        return " or ".join(NAMES.get(name.strip(), name.strip()) for name in wrong[1].split("|"))
    words = _words(kind)
    if said.startswith("Invalid enum value") and words:
        return f"one of {', '.join(words)}"
    return DATE if "date" in said else NAMES["decimal"] if "decimal" in said else said


def _words(kind: Any) -> list[str]:
    """The closed list of an enumeration or of a literal type."""
    kind = _certain(kind)
    words: list[Any] = list(kind) if isinstance(kind, EnumMeta) else [one for one in get_args(kind) if isinstance(one, str)]
    return [str(one) for one in words]


def _nearest(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=3)
    if close:
        return f"a key of this table (did you mean {', '.join(close)}?)"
    return f"one of {', '.join(sorted(known))}" if known else "a key of this table"


def _keys(kind: Any) -> list[str]:
    kind = _certain(kind)
    return list(kind.__struct_encode_fields__) if isinstance(kind, type) and issubclass(kind, Struct) else []


def _located(raw: Any, kind: Any, steps: list[str]) -> str:
    """The path with the key in place of "[...]", by which msgspec means some entry of a table: the first that does not fit."""
    found: list[str] = []
    for step in steps:
        here, inner = _value_at(raw, ".".join(found)), _type_at(_type_at(kind, ".".join(found)), step)
        names = [key for key, value in here.items() if not _fits(value, inner)] if step == "[...]" and isinstance(here, dict) else []
        found.append(str(names[0]) if names else step)
    return ".".join(found).replace(".[", "[")


def _fits(value: Any, kind: Any) -> bool:
    try:
        convert(value, kind, strict=False)
    except ValidationError:
        return False
    return True


def _type_at(kind: Any, path: str) -> Any:
    """The type that a path leads to, through records, lists and tables; None where it cannot be told."""
    for step in STEP.findall(path):
        kind = _certain(kind)
        if isinstance(kind, type) and issubclass(kind, Struct):
            names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
            kind = get_type_hints(kind, include_extras=True).get(names.get(step, step))
        else:
            inner = [one for one in get_args(kind) if one not in (str, type(None), Ellipsis)]
            kind = inner[-1] if inner else None
    return kind


def _certain(kind: Any) -> Any:
    """The type of a value without what is said about it, also where it may be absent."""
    parts = get_args(kind)
    if get_origin(kind) is Annotated:
        return _certain(parts[0])
    present = [one for one in parts if one is not type(None)]
    return _certain(present[0]) if len(present) == 1 < len(parts) else kind


def _value_at(raw: Any, path: str) -> Any:
    """What stands at a path, or the last that was found on the way there."""
    for step in STEP.findall(path):
        try:
            raw = raw[int(step.strip("[]"))] if step.startswith("[") and isinstance(raw, list) else raw[step]
        except (KeyError, IndexError, TypeError, ValueError):
            break
    return raw


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}…"

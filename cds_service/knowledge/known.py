"""Holds every word of a sheet against the closed list that the type of its field names."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from msgspec import Struct

from cds_service.clinical.infection import State
from cds_service.clinical.lists import Words
from cds_service.conditions import SOFTER, UNLESS
from cds_service.knowledge.files import Files
from cds_service.knowledge.told import nearest
from cds_service.rule import QUESTIONS

MOST = 1_000_000  # no number of a sheet is larger; a length of time of more years has no date
HOOKS = ("order-sign", "order-select", "patient-view")


def closed_lists() -> dict[str, Collection[str] | None]:
    """The lists that stand in code: states, hooks, questions and the words that make a rule stand down or speak softly."""
    return {"state": [*State], "hook": HOOKS, "unless": UNLESS.keys(), "softer": SOFTER.keys(), "card group": QUESTIONS.keys()}


@dataclass
class Known:
    """The closed lists by name; one whose table could not be read is None, and knows no wrong word."""

    files: Files
    words: dict[str, Collection[str] | None]

    def look(self, file: str, record: Any, kind: Any = None, under: str = "") -> None:
        """Every wrong word and every impossible number in a record becomes a problem; `kind` is its type, where that is not its class."""
        for key, value, words in _leaves(record, kind or type(record), under):
            if words:
                self.check(file, key, value, words)
            elif not isfinite(value) or not 0 <= value <= MOST:
                self.files.problem(file, key, value, f"a number from 0 to {MOST}")

    def words_of(self, record: Any, words: Words) -> set[str]:
        """The words of one list that a record names."""
        return {value for _, value, listed in _leaves(record, type(record), "") if listed is words}

    def check(self, file: str, key: str, word: str, words: Words) -> bool:
        """One word against its list."""
        known = self.words.get(words.name)
        if known is None or word in known:
            return True
        self.files.problem(file, key, word, f"{words.expected} ({nearest(word, known)})")
        return False


def unknown(files: Files, name: str, key: str, words: Collection[str], known: Collection[str], what: str) -> None:
    """Reports every word that is not among the known ones, with the nearest of them."""
    for word in words:
        if word not in known:
            files.problem(name, key, word, f"{what} ({nearest(word, known)})")


def _leaves(value: Any, kind: Any, path: str) -> Iterator[tuple[str, Any, Words | None]]:
    """(path, word or number, its list) of everything in a record, through records, tables and lists."""
    if kind is Any:
        return  # what a sheet hands on to its trigger is looked at there
    parts = [part for part in get_args(kind) if part is not type(None)]
    words = next((part for part in parts if isinstance(part, Words)), None)
    if isinstance(value, str) and words:
        yield path, value, words
    elif inner := list(_inside(value, parts, path)):
        for one in inner:
            yield from _leaves(*one)
    elif parts and get_origin(kind) is not Literal:
        yield from _leaves(value, parts[0], path)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield path, value, None


def _inside(value: Any, parts: Sequence[Any], path: str) -> Iterator[tuple[Any, Any, str]]:
    """(value, type, path) of what stands one step further in."""
    if isinstance(value, Struct) or is_dataclass(value):
        for name, kind in _fields(type(value)).items():  # type: ignore[arg-type]  # mypy takes a class for unhashable
            yield getattr(value, name), kind, f"{path}.{name}" if path else name
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield key, parts[0], path
            yield one, parts[1], f"{path}.{key}" if path else str(key)
    elif isinstance(value, list | tuple | frozenset):
        yield from ((one, parts[0], path) for one in value)


@cache  # the types are read from text, and a sheet has many records of one type
def _fields(record: type) -> dict[str, Any]:
    """The types of a record's own fields."""
    hints = get_type_hints(record, include_extras=True)
    return {name: kind for name, kind in hints.items() if get_origin(kind) is not ClassVar}

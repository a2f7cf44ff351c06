"""No text that a client chooses makes the search for a pattern take for ever."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator

import pytest

import cds_service

ATTACKS = ("1", "1.", "1,", "a", " ", "a ", "-", "1 ", "q", "every ", "1 g ", "x 1", "(", "/a", "%41", "0.1g/", "é", "::", "{", "\n")
ENDS = ("", "!", "\x00", "g", " mg", "}")
SLOW_S = 0.25


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern that stands in a module, alone or in a list, by its place."""
    for found in pkgutil.walk_packages(cds_service.__path__, "cds_service."):
        if not found.name.endswith("__main__"):
            for name, value in vars(importlib.import_module(found.name)).items():
                yield from ((f"{found.name}.{name}", one) for one in _inside(value))


def _inside(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _inside(one)


PATTERNS = {pattern.pattern: (place, pattern) for place, pattern in patterns() if isinstance(pattern.pattern, str)}


def test_the_patterns_are_found() -> None:
    """The modules are really looked through."""
    assert len(PATTERNS) > 40


@pytest.mark.parametrize("pattern", [one for _, one in PATTERNS.values()], ids=[place for place, _ in PATTERNS.values()])
def test_no_text_holds_a_pattern_up(pattern: re.Pattern[str]) -> None:
    """H9: repeated pieces of up to two thousand characters are searched in a moment; growth is watched from short texts on."""
    for piece in ATTACKS:
        for length in (16, 20, 24, 28, 64, 2_000):
            for text in ((piece * length)[:length] + end for end in ENDS):
                for look in (pattern.search, pattern.fullmatch):
                    began = time.process_time()
                    look(text)
                    assert time.process_time() - began < SLOW_S, f"{piece!r} to {length} characters"

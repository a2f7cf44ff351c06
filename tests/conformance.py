"""Writes `docs/conformance.md`: every item of the checklist, what it asks, and the tests that carry its number.

python -m tests.conformance        # after a test was added or renamed
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance.md"
CHECKLIST = Path(__file__).with_name("checklist.yaml")
SPECIFICATION = "https://cds-hooks.hl7.org/STU2/"
_LETTERS, _RANGE = re.compile(r"([A-Z]+-?)(\d+)"), re.compile(r"(\S+?)(?: to |–)(\S+)")
_NUMBER = re.compile(r"[A-Z]{1,2}-\d\d|[A-Z]\d{1,2}")
HEAD = """# What the specification asks for, and the test that holds it

The numbers are those of the project's own checklist ([tests/checklist.yaml](../tests/checklist.yaml)) for a service of CDS Hooks 2.0.1:
two letters for what the specification asks or leaves open, one letter for threats and goals. A test carries the numbers of what it holds in
the first line of its docstring. This page is written by `python -m tests.conformance`; tests keep it true,
and see to it that no demand is without a test.

The level is the specification's for a service and leads to its clause. *Of the client*: asked of whoever calls, and the sentence says what
the service does about it. *(3.0)*: in the ballot of the next release. *Own rule*: the specification is silent, and behaviour has to be
decided.
"""


@dataclass(frozen=True)
class Item:
    """One thing to hold; `untested` says why no test here can."""

    chapter: str
    number: str
    level: str
    clause: str
    sentence: str
    untested: str = ""

    @property
    def demanded(self) -> bool:
        """Whether the specification demands or recommends it of a service."""
        return self.level.startswith(("SHALL", "SHOULD"))


@cache
def checklist() -> Mapping[str, Item]:
    """All items by number, in the order of the file."""
    chapters = yaml.safe_load(CHECKLIST.read_text("utf-8"))
    return {number: Item(chapter, number, *fields) for chapter, items in chapters.items() for number, fields in items.items()}


def numbers(sentence: str) -> tuple[str, ...]:
    """The numbers that a docstring carries: "RS-02, A17: …", "SU-01 to SU-05: …", or "… (G-05)." at its end."""
    for part in (sentence.partition(":")[0], *re.findall(r"\(([^()]*)\)\.?$", sentence)):
        found = [one for piece in part.split(", ") if piece != "in small" for one in _numbers(piece)]
        if found and all(_NUMBER.fullmatch(one) and _family(one) in _families() for one in found):
            return tuple(found)
    return ()


def _family(number: str) -> str:
    return number.rstrip("0123456789-")


@cache
def _families() -> frozenset[str]:
    """The letters that numbers of the checklist begin with; other numbers are not meant."""
    return frozenset(map(_family, checklist()))


def _numbers(piece: str) -> list[str]:
    """One number, or all from one to another."""
    whole = _RANGE.fullmatch(piece)
    ends = [_LETTERS.fullmatch(end) for end in whole.groups()] if whole else []
    if not ends or ends[0] is None or ends[1] is None:
        return [piece]
    form = "{}{:02d}" if ends[0][1].endswith("-") else "{}{}"
    return [form.format(ends[0][1], number) for number in range(int(ends[0][2]), int(ends[1][2]) + 1)]


def sentences() -> Iterator[tuple[str, str, str]]:
    """File, name and sentence of each test."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                sentence = (ast.get_docstring(node) or "").partition("\n\n")[0]
                yield path.relative_to(ROOT).as_posix(), node.name, sentence.replace("\n", " ")


def held() -> Mapping[str, list[str]]:
    """The tests of each number, as links from the page."""
    found: dict[str, list[str]] = defaultdict(list)
    for file, name, sentence in sentences():
        for number in numbers(sentence):
            found[number].append(f"[{name}](../{file})")
    return found


def page() -> str:
    """The text of the page."""
    tests, chapter, lines = held(), "", [HEAD]
    for item in checklist().values():
        if item.chapter != chapter:
            chapter = item.chapter
            lines += [f"\n## {chapter}\n", "| Item | Level | What it asks | Tests |", "|---|---|---|---|"]
        level = f"[{item.level}]({SPECIFICATION}#{item.clause})" if item.clause else item.level
        lines.append(f"| {item.number} | {level} | {item.sentence} | {'<br>'.join(tests.get(item.number, ())) or f'*{item.untested}*'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

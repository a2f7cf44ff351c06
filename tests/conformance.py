"""Writes `docs/conformance.md`: every item of the checklist with the tests that carry its number.

python -m tests.conformance        # after a test was added or renamed
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance.md"
CHAPTERS = {
    "G": "Transport and JSON",
    "DI": "Discovery",
    "PT": "Prefetch templates",
    "RQ": "Requests",
    "PF": "Prefetch",
    "FA": "FHIR access",
    "RS": "Responses",
    "CA": "Cards",
    "SU": "Suggestions",
    "AC": "Actions",
    "LI": "Links",
    "FB": "Feedback",
    "SE": "Security",
    "CO": "Calls from browsers",
    "PE": "Performance",
    "EX": "Extensions",
    "A": "Reliability goals",
    "B": "Goals for users",
    "J": "Threats: client tokens",
    "H": "Threats: hostile bodies",
    "P": "Threats: transport and process",
    "T": "Threats: calls to other servers",
    "O": "Threats: output and data",
}
_ITEM = re.compile(r"\b([A-Z]{1,2})-(\d\d)\b|\b([ABHJOPT])(\d{1,2})\b")
_RANGE = re.compile(r"\b([A-Z]{1,2})-(\d\d) to (?:[A-Z]{1,2}-)?(\d\d)\b")
HEAD = """# What the specification asks for, and the test that holds it

Numbers of the project's own checklist for services of CDS Hooks 2.0.1 (two letters), and of its list of goals and threats (one letter).
Each line is a test and its sentence. This page is written by `python -m tests.conformance`; a test keeps it true.

Not tested here because it lies with the site: TLS in front of the service (G-02), registration at the authorization server (SE-23), mutual
TLS (SE-19), and that the hooks really fire (ST-03).
"""


def items(sentence: str) -> set[str]:
    """The numbers that a docstring carries."""
    numbers = _ITEM.findall(sentence.partition(":")[0])
    found = {f"{one[0]}-{one[1]}" if one[0] else f"{one[2]}{one[3]}" for one in numbers}
    for letters, first, last in _RANGE.findall(sentence):
        found |= {f"{letters}-{number:02d}" for number in range(int(first), int(last) + 1)}
    return {one for one in found if re.match(r"[A-Z]+", one)[0] in CHAPTERS}  # type: ignore[index]


def sentences() -> Iterator[tuple[str, str, str]]:
    """File, name and sentence of each test."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                sentence = (ast.get_docstring(node) or "").partition("\n\n")[0]
                yield path.relative_to(ROOT).as_posix(), node.name, sentence.replace("\n", " ")


def page() -> str:
    """The text of the page."""
    held: dict[str, list[str]] = defaultdict(list)
    for file, name, sentence in sentences():
        for item in items(sentence):
            plain = sentence.partition(": ")[2] or sentence
            held[item].append(f"{plain} <br>`{file}::{name}`".replace("|", "\\|"))
    lines = [HEAD]
    for letters, title in CHAPTERS.items():
        mine = sorted((item for item in held if re.fullmatch(rf"{letters}-?\d+", item)), key=lambda item: int(re.sub(r"\D", "", item)))
        if mine:
            lines += [f"\n## {title}\n", "| Item | Test |", "|---|---|", *(f"| {item} | {line} |" for item in mine for line in held[item])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

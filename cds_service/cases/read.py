"""Case files: YAML to checked cases, with every mistake of a folder reported at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cds_service.cases.sheet import CaseLine, Usual
from cds_service.errors import KnowledgeError, Problem


@dataclass(frozen=True)
class Case:
    """One promise: a patient, what is being ordered, and what the service says to it."""

    name: str
    about: str
    condition: str
    file: str
    line: CaseLine

    @property
    def title(self) -> str:
        return f"{self.file}: {self.name}"


def read_usual(path: Path) -> Usual:
    """The usual patient and orders (`defaults.yaml` beside the folders of fixtures)."""
    try:
        return msgspec.convert(yaml.safe_load(path.read_text("utf-8")), Usual)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise KnowledgeError([Problem(path.name, "defaults", str(error), "the usual patient and the usual orders")]) from error


def read_cases(path: Path) -> list[Case]:
    """The cases of one file, or of every `cases/*.yaml` below a folder."""
    files = [path] if path.is_file() else sorted(path.rglob("cases/*.yaml")) or sorted(path.glob("*.yaml"))
    cases: list[Case] = []
    problems: list[Problem] = []
    for file in files:
        try:
            cases += _cases(file)
        except KnowledgeError as error:
            problems += error.problems
    seen: dict[tuple[str, str], str] = {}
    for case in cases:
        twin = seen.setdefault((case.condition, case.name), case.file)
        if twin != case.file or sum(one.name == case.name for one in cases if one.file == case.file) > 1:
            problems.append(Problem(case.file, "case", f"{case.name!r} twice", "a name of its own for each case"))
    if problems:
        raise KnowledgeError(sorted(set(problems)))
    return cases


def _cases(file: Path) -> list[Case]:
    try:
        sheet = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise KnowledgeError([Problem(file.name, "file", str(error), "a YAML file of cases")]) from error
    if not isinstance(sheet, dict) or not isinstance(sheet.get("cases"), list):
        raise KnowledgeError([Problem(file.name, "cases", type(sheet).__name__, "`about:` and a list `cases:`")])
    found, problems = [], []
    for number, raw in enumerate(sheet["cases"], 1):
        for row in _rows(raw):
            name = str(row.get("case", number)) if isinstance(row, Mapping) else str(number)
            try:
                line = msgspec.convert(row, CaseLine)
            except msgspec.ValidationError as error:
                message, _, place = str(error).partition(" - at ")
                problems.append(
                    Problem(file.name, f"{name}{place.strip('`').removeprefix('$')}", message, "a case as fixtures/README.md describes it")
                )
                continue
            found.append(Case(line.case, str(sheet.get("about", "")), file.parent.parent.name, file.name, line))
    if problems:
        raise KnowledgeError(problems)
    return found


def _rows(raw: Any) -> Iterator[Any]:
    """The case itself, or one case for each of its rows: a row replaces keys, and adds to the patient."""
    if not isinstance(raw, dict) or "rows" not in raw:
        yield raw
        return
    common = {key: value for key, value in raw.items() if key != "rows"}
    for row in raw["rows"]:
        full = {**common, **row, "case": f"{common.get('case')}: {row.get('case')}"}
        if "patient" in common or "patient" in row:
            full["patient"] = {**common.get("patient", {}), **row.get("patient", {})}
        yield full

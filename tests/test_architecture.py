"""The drawing of the house, held against the imports."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.triggers import TRIGGERS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "cds_service"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 300, 25
RECORDS = {"knowledge/terms.py: terminology", "fhir/observations.py: observe", "web/board.py: board"}  # one record, a field a line
LISTS = {"fhir/resources.py"}  # a list of FHIR's elements is looked up, not read

# From the ground up. A room knows the floors below it and no neighbour of its own floor.
FLOORS = (
    ("kept", "sent", "turns"),
    ("errors", "settings", "strict_json", "moments", "clinical", "access", "bundles", "shipped"),
    ("finding", "evidence", "suggestion", "keysets", "store"),
    ("triggers", "conditions", "fhir", "protocol"),
    ("wording", "configuration_keys"),
    ("rule", "configuration"),
    ("service",),
    ("knowledge", "cards"),
    ("decide",),
    ("cases", "replay", "web"),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

# Who may use what, and why anybody besides the room itself may.
KEPT = {
    "flask": ("web/",),
    "requests": ("fhir/client.py", "fhir/leash.py", "web/jwks_fetch.py"),  # the last fetches public keys
    "fhir.resources": ("fhir/",),
    "yaml": ("knowledge/", "cases/"),
    "csv": ("knowledge/", "cases/", "web/governance.py"),  # the last writes a table to download
    "sqlalchemy": ("store/", "web/serve.py", "configuration_keys.py"),  # the last two read a database's URL
    "click": ("cli/",),
    "granian": ("web/serve.py",),
}


def _imports(module: Path) -> Iterator[str]:
    """Everything that a module imports, as full names."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room(module: Path) -> str:
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


def _name(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def _dotted(node: ast.AST) -> str:
    """A chain of names such as `os.environ`, else nothing."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_imports_run_one_way(module: Path) -> None:
    """A room imports only from floors below its own."""
    room = _room(module)
    if room == "__init__":
        return
    assert room in LEVEL, f"{room} stands on no floor of the drawing"
    for imported in _imports(module):
        parts = imported.split(".")
        if parts[0] != "cds_service" or parts[1] in {room, "__version__"}:
            continue
        assert LEVEL[parts[1]] < LEVEL[room], f"{_name(module)} reaches up or sideways to {imported}"


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_libraries_stay_in_their_rooms(module: Path) -> None:
    """Each outside library is known to the rooms that it is for, and to nobody else."""
    for imported in _imports(module):
        for library, places in KEPT.items():
            if imported == library or imported.startswith(f"{library}."):
                assert _name(module).startswith(places), f"{_name(module)} imports {library}"


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_environment_and_clock_have_one_door(module: Path) -> None:
    """Only the settings look at the environment, and only web and command line look at the clock."""
    used = {_dotted(node) for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
    if _name(module) != "settings.py":
        assert not used & {"os.environ", "os.getenv", "os.putenv"}
    if _room(module) not in {"web", "cli"}:
        assert not used & {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}


def _yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text("utf-8"))


def _knowledge_words() -> set[str]:
    """The names of all conditions, of the genes that prove them or stand beside them, of drugs, and of drug sets."""
    words = {part for key in _yaml(ROOT / "hooks/shared/drugs.yaml")["drugs"] for part in key.split("-") if len(part) > 5}
    for file in (ROOT / "hooks").glob("*/policy.yaml"):
        policy = _yaml(file)
        words |= {policy["condition"]["key"], *policy["evidence"]["genes"], *policy["evidence"]["companions"]}
    for file in (ROOT / "hooks").glob("*/drug-sets.yaml"):
        words |= {key for key in _yaml(file)["sets"] if "-" in key}
    return {word.lower() for word in words} - {"sodium", "sulfate", "imp"} - TRIGGERS.keys()  # IMP is also HL7's code of an inpatient


KNOWLEDGE = re.compile(
    rf"(?<![a-z])(?:{'|'.join(sorted(map(re.escape, _knowledge_words()), key=len, reverse=True))})(?![a-z])", re.IGNORECASE
)
PROGRAM = re.compile(r"ndm[-_]cds", re.IGNORECASE)  # the program's own name
WRITTEN = sorted(
    file
    for ending in ("py", "html", "js", "css")
    for file in PACKAGE.rglob(f"*.{ending}")
    if "vendor" not in file.relative_to(PACKAGE).parts
)


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_the_engine_has_never_heard_of_a_condition_or_a_drug(file: Path) -> None:
    """No module, page, script or style names a condition, a gene, a drug or a drug set, in code, text or comment."""
    found = {word.lower() for word in KNOWLEDGE.findall(PROGRAM.sub("", file.read_text("utf-8")))}
    assert not found, f"{file.relative_to(PACKAGE)} knows {', '.join(sorted(found))}"


def test_the_words_of_the_knowledge_are_found() -> None:
    """The search knows what it looks for: each kind of word is among those of the shipped knowledge."""
    assert {"ndm", "kpc", "aztreonam", "inactive-beta-lactams"} <= _knowledge_words()
    assert {"ndm", "meropenem"} == {one.lower() for one in KNOWLEDGE.findall("NDM and meropenem, not an endmacro")}


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_modules_and_functions_stay_readable(module: Path) -> None:
    """A module has at most 300 lines, and a function at most 25 beside its signature and its docstring."""
    text = module.read_text("utf-8")
    assert _name(module) in LISTS or text.count("\n") <= LONGEST_MODULE, f"{_name(module)} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
            length, name = (node.end_lineno or first.lineno) - first.lineno + 1, f"{_name(module)}: {node.name}"
            assert length <= LONGEST_FUNCTION or name in RECORDS, f"{name} has {length} lines"


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_every_public_name_has_a_sentence(module: Path) -> None:
    """Modules, public classes and public functions say what they are."""
    tree = ast.parse(module.read_text("utf-8"))
    assert ast.get_docstring(tree), f"{_name(module)} has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{_name(module)}: {node.name} has no docstring"


def test_no_file_waits_for_later() -> None:
    """Nothing is left for later: no such mark stands in code, tests or sheets."""
    files = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "hooks").rglob("*.yaml"))]
    wanted = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
    assert not [str(file) for file in files if wanted.search(file.read_text("utf-8"))]

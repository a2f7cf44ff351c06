"""Mistakes in name tables and value sets are met when the knowledge is loaded, and a site's codes are laid over."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.fhir.medicines import recognise
from cds_service.knowledge import default_folder, load
from cds_service.knowledge.files import Files
from cds_service.knowledge.terms import terminology

HOOKS = Path(__file__).resolve().parents[2] / "hooks"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shared tables that a test may spoil."""
    shutil.copytree(HOOKS / "shared", tmp_path / "shared")
    return tmp_path


def swap(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Replaces one piece of text in a shared table."""

    def spoil(folder: Path) -> None:
        file = folder / "shared" / name
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")

    return spoil


def value_set(name: str, code: str, display: str | None, system: str = "http://loinc.org") -> Callable[[Path], None]:
    """Adds a value set with one code."""

    def spoil(folder: Path) -> None:
        concept = {"code": code} if display is None else {"code": code, "display": display}
        found = {"resourceType": "ValueSet", "id": name, "compose": {"include": [{"system": system, "concept": [concept]}]}}
        (folder / "shared" / "valuesets" / f"{name}.json").write_text(json.dumps(found), "utf-8")

    return spoil


@pytest.mark.parametrize(
    ("spoil", "file", "found", "expected"),
    [
        (
            swap("drugs.yaml", "parts: [ceftazidime, avibactam]", "parts: [ceftazidim, avibactam]"),
            "shared/drugs.yaml",
            "ceftazidim",
            "an ingredient",
        ),
        (
            swap("drugs.yaml", "  aztreonam: {name: aztreonam,", "  aztreonam: {name: aztreonam, parts: [cefiderocol],"),
            "shared/drugs.yaml",
            "cefiderocol",
            "of its own",
        ),
        (
            swap("drugs.yaml", "texts: [fetroja, fetcroja]", "texts: [fetroja, azactam]"),
            "shared/drugs.yaml",
            "azactam",
            "a name of one key",
        ),
        (
            swap("drugs.yaml", "gram_negative: true, texts: [fetroja", "gram_negativ: true, texts: [fetroja"),
            "shared/drugs.yaml",
            "not known here",
            "",
        ),
        (
            swap("organisms.yaml", "texts: [k oxytoca,", "texts: [k oxytoca, e coli,"),
            "shared/organisms.yaml",
            "e coli",
            "a name of one key",
        ),
        (swap("words.yaml", "texts: [kpc, blakpc", "texts: [kpc, ndm, blakpc"), "shared/words.yaml", "ndm", "a name of one key"),
        (value_set("marker-XYZ", "99999-9", "x"), "shared/valuesets/marker-XYZ.json", "XYZ", "a marker of the tables"),
        (value_set("gene-NDM", "99999-9", "x"), "shared/valuesets/gene-NDM.json", "gene", "a kind of thing"),
        (
            value_set("marker-ECIM", "73982-1", "x"),
            "shared/valuesets/marker-NDM.json",
            "also in the value set of ECIM",
            "one value set only",
        ),
        (value_set("marker-ECIM", "99999-9", None), "shared/valuesets/marker-ECIM.json", "no display", "as a pair"),
    ],
)
def test_a_mistake_is_named_with_file_and_expectation(
    folder: Path, spoil: Callable[[Path], None], file: str, found: str, expected: str
) -> None:
    """What is unknown, double or unnamed is a problem with its file, what was found and what was expected."""
    spoil(folder)
    files = Files.read(folder)
    terminology(files)
    assert [one for one in files.problems if one.file == file and found in one.found and expected in one.expected], files.problems


def test_a_broken_value_set_is_a_problem(folder: Path) -> None:
    """JSON that cannot be read is named."""
    (folder / "shared" / "valuesets" / "marker-NDM.json").write_text("{", "utf-8")
    files = Files.read(folder)
    terminology(files)
    assert [(one.file, one.expected) for one in files.problems] == [("shared/valuesets/marker-NDM.json", "valid JSON")]


def test_a_missing_table_is_a_problem(folder: Path) -> None:
    """Without a table there is no terminology."""
    (folder / "shared" / "organisms.yaml").unlink()
    files = Files.read(folder)
    assert terminology(files).codes == {}
    assert ("shared/organisms.yaml", "the table") in {(one.file, one.expected) for one in files.problems}


def test_the_shipped_tables_have_no_mistake() -> None:
    """Every table and value set that is shipped reads without a problem."""
    files = Files.read(HOOKS)
    terminology(files)
    assert files.problems == []
    assert default_folder() == HOOKS


def overlay(tmp_path: Path, local: str) -> Path:
    """A site's folder that changes the local codes alone."""
    (tmp_path / "ndm").mkdir()
    (tmp_path / "ndm" / "policy.yaml").write_text(f"local: {local}\n", "utf-8")
    return tmp_path


def test_a_sites_own_codes_are_laid_over(tmp_path: Path) -> None:
    """Local formulary and laboratory codes mean what the site says, in any spelling of their system."""
    results = '"http://lab.example.org|N1": NDM, "http://lab.example.org|A1": cefiderocol'
    local = '{drugs: {"urn:oid:1.2.3|4711": ceftazidime-avibactam}, results: {' + results + "}}"
    terms = load(HOOKS, overlay(tmp_path, local)).terminology
    found = recognise([("1.2.3", "4711", "")], [], terms)
    assert found.drug
    assert found.drug.key == "ceftazidime-avibactam"
    assert terms.code("marker", "http://lab.example.org", "N1") == "NDM"
    assert terms.code("susceptibility", "http://lab.example.org", "A1") == "cefiderocol"
    assert terms.code("marker", "http://loinc.org", "73982-1") == "NDM"


@pytest.mark.parametrize(
    ("local", "key"),
    [
        ('{drugs: {"urn:oid:1.2.3|4711": ceftazidim}}', "local.drugs.urn:oid:1.2.3|4711"),
        ('{drugs: {"4711": ceftazidime}}', "local.drugs"),
        ('{results: {"http://lab.example.org|N1": NDN}}', "local.results"),
    ],
)
def test_a_wrong_local_code_is_named(tmp_path: Path, local: str, key: str) -> None:
    """A site's typing mistake is met at start."""
    with pytest.raises(KnowledgeError) as met:
        load(HOOKS, overlay(tmp_path, local))
    assert {one.key for one in met.value.problems} == {key}

"""One malformed file for each mistake; its first line is the message that it must produce, and the only one."""

import json
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge import load

ROOT = Path(__file__).resolve().parent.parent
MISTAKES = sorted((ROOT / "fixtures" / "knowledge").iterdir())


@pytest.mark.parametrize("file", MISTAKES, ids=lambda file: file.stem)
def test_a_mistake_is_told_with_file_key_found_and_expected(file: Path, tmp_path: Path) -> None:
    """The message of the first line is all that is told: where the mistake is, and what would be right."""
    first, _, text = file.read_text("utf-8").partition("\n")
    message = first.removeprefix("# ")
    place = message.partition(": ")[0]
    if text.startswith("# in "):  # the mistake is met elsewhere
        place, _, text = text.removeprefix("# in ").partition("\n")
    planted = tmp_path / place
    planted.parent.mkdir(parents=True)
    planted.write_text(text, "utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load(ROOT / "hooks", tmp_path)
    assert [str(problem) for problem in caught.value.problems] == [message]
    assert ": found " in message
    assert ", expected " in message


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    """Two mistakes in two files give two problems, not the first one only."""
    (tmp_path / "ndm" / "rules").mkdir(parents=True)
    (tmp_path / "ndm" / "policy.yaml").write_text("preference: elsewhere\n", "utf-8")
    (tmp_path / "ndm" / "rules" / "ndm-carrier.yaml").write_text("indicator: loud\n", "utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load(ROOT / "hooks", tmp_path)
    assert {"ndm/policy.yaml", "ndm/rules/ndm-carrier.yaml"} <= {problem.file for problem in caught.value.problems}


@pytest.mark.parametrize(("name", "found"), [("empty", "no knowledge files"), ("absent", "no folder")])
def test_an_overlay_that_changes_nothing_is_told(tmp_path: Path, name: str, found: str) -> None:
    """An overlay folder that is empty, or that is not there, is a mistake and not the shipped knowledge."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(KnowledgeError) as caught:
        load(ROOT / "hooks", tmp_path / name)
    assert [(problem.key, problem.found) for problem in caught.value.problems] == [("overlay", found)]


def test_an_overlay_of_a_shared_table_changes_its_keys_alone(tmp_path: Path) -> None:
    """A site's drugs.yaml with one key leaves every other drug as it is."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "drugs.yaml").write_text("drugs: {cefiderocol: {name: cefiderocol sulfate}}\n", "utf-8")
    before, after = load(ROOT / "hooks").terminology.drugs, load(ROOT / "hooks", tmp_path).terminology.drugs
    assert before.keys() == after.keys()
    assert [key for key in before if before[key] != after[key]] == ["cefiderocol"]


def test_a_folder_without_knowledge_is_told(tmp_path: Path) -> None:
    """An empty folder is no knowledge."""
    with pytest.raises(KnowledgeError, match="no knowledge files"):
        load(tmp_path)


def test_a_site_changes_a_value_with_its_differences_alone(tmp_path: Path) -> None:
    """An overlay with one key changes that key and the version, and leaves the rest as it is."""
    (tmp_path / "ndm").mkdir()
    (tmp_path / "ndm" / "policy.yaml").write_text("windows: {current_days: 14}\n", "utf-8")
    before, after = load(ROOT / "hooks"), load(ROOT / "hooks", tmp_path)
    (service, *_) = after.services.values()
    windows = service.reference.policy.windows
    assert (windows.current_days, windows.history_days) == (14, 365)
    assert before.version != after.version
    assert before.services.keys() == after.services.keys()


def test_a_site_may_have_code_systems_of_its_own(tmp_path: Path) -> None:
    """A value set of an overlay may take a hospital's own codes, and those of a system that is official and not read elsewhere."""
    (tmp_path / "shared" / "valuesets").mkdir(parents=True)
    for key, system in {
        "skin": "https://hospital.example/codes",
        "nose": "urn:oid:1.2.3.4",
        "groin": "http://hl7.org/fhir/sid/icd-9-cm",
    }.items():
        compose = {"include": [{"system": system, "concept": [{"code": "7", "display": key}]}]}
        text = json.dumps({"resourceType": "ValueSet", "id": f"specimen-{key}", "compose": compose})
        (tmp_path / "shared" / "valuesets" / f"specimen-{key}.json").write_text(text, "utf-8")
    terms = load(ROOT / "hooks", tmp_path).terminology
    assert [terms.code("specimen", system, "7") for system in ("https://hospital.example/codes", "urn:oid:1.2.3.4")] == ["skin", "nose"]

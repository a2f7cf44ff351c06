"""One malformed file for each mistake; its first line is the message that it must produce."""

from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge import load

ROOT = Path(__file__).resolve().parent.parent
MISTAKES = sorted((ROOT / "fixtures" / "knowledge").iterdir())


@pytest.mark.parametrize("file", MISTAKES, ids=lambda file: file.stem)
def test_a_mistake_is_told_with_file_key_found_and_expected(file: Path, tmp_path: Path) -> None:
    """The message of the first line is among the problems, and names where the mistake is and what would be right."""
    first, _, text = file.read_text("utf-8").partition("\n")
    message = first.removeprefix("# ")
    place = message.partition(": ")[0]
    planted = tmp_path / place
    planted.parent.mkdir(parents=True)
    planted.write_text(text, "utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load(ROOT / "hooks", tmp_path)
    assert message in [str(problem) for problem in caught.value.problems]
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

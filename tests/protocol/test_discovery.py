"""The discovery entry is the declaration of the service, and nothing else."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.protocol.discovery import entry

SERVICES = sorted((Path(__file__).resolve().parents[2] / "hooks").glob("*/order-*.yaml")) + sorted(
    (Path(__file__).resolve().parents[2] / "hooks").glob("*/patient-view.yaml")
)
# What the specification lets a template ask: R4 search parameters that servers know widely.
PARAMETERS = {
    "Observation": {"patient", "category", "code", "date", "status"},
    "DiagnosticReport": {"patient", "category", "code", "date", "status"},
    "MedicationRequest": {"patient", "status", "intent", "authoredon", "date"},
    "Specimen": {"patient", "type"},
    "Condition": {"patient", "clinical-status", "category"},
    "AllergyIntolerance": {"patient", "clinical-status"},
    "Procedure": {"patient", "date", "status"},
    "ServiceRequest": {"patient", "status", "category"},
}
ALWAYS = {"_sort", "_count"}


@dataclass(frozen=True)
class Part:
    """A prefetch key as a service declares it."""

    query: str
    names: str = ""
    required: bool = False


@dataclass(frozen=True)
class Sheet:
    """A service file."""

    id: str = "x-order-sign"
    hook: str = "order-sign"
    title: str = "Title"
    description: str = "What it does.\n"
    usage_requirements: str = ""
    prefetch: dict[str, Part] = field(default_factory=dict)


def shipped(path: Path) -> dict[str, Any]:
    """The entry of a shipped service file."""
    raw = yaml.safe_load(path.read_text())
    parts = {key: Part(**part) for key, part in raw["prefetch"].items()}
    return entry(Sheet(raw["id"], raw["hook"], raw["title"], raw["description"], raw["usageRequirements"], parts))


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_an_entry_is_what_the_file_declares(path: Path) -> None:
    """DI-03 to DI-08: hook, id, title, description, usage requirements and templates stand in the entry as in the file."""
    raw, found = yaml.safe_load(path.read_text()), shipped(path)
    assert (found["hook"], found["id"], found["title"]) == (raw["hook"], raw["id"], raw["title"])
    assert found["description"] == raw["description"].strip()
    assert found["usageRequirements"] == raw["usageRequirements"].strip()
    assert found["prefetch"] == {key: part["query"] for key, part in raw["prefetch"].items()}
    assert re.fullmatch(r"[a-z0-9-]+", found["id"])


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_an_entry_holds_nothing_empty_and_only_known_fields(path: Path) -> None:
    """G-03 to G-05, DI-09 to DI-11, DI-15: no null, nothing empty, and the version of the specification as three numbers."""
    found = shipped(path)
    assert all(found.values())
    assert all(found["prefetch"].values())
    assert set(found) == {"hook", "title", "description", "id", "usageRequirements", "prefetch", "version"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["version"])


def test_optional_fields_without_a_value_are_left_out() -> None:
    """G-05, DI-07: no prefetch and no requirements: the fields are absent, not empty."""
    assert set(entry(Sheet())) == {"hook", "title", "description", "id", "version"}


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_templates_stay_inside_what_clients_support(path: Path) -> None:
    """PT-01 to PT-09, PT-12: relative URLs, root-level context tokens, R4 parameters that servers know, and R4's way to sort."""
    raw = yaml.safe_load(path.read_text())
    for part in raw["prefetch"].values():
        tokens = re.findall(r"\{\{(.*?)\}\}", part["query"])
        assert set(tokens) <= {"context.patientId", "context.userId", "context.encounterId"}
        assert not part.get("required") or "context.encounterId" not in tokens
        plain = re.sub(r"\{\{.*?\}\}", "x", part["query"])
        assert "{" not in plain
        assert re.match(r"[A-Z][A-Za-z]+(/x|\?)", plain)
        kind, _, text = plain.partition("?")
        names = {one.partition("=")[0] for one in text.split("&") if text}
        assert names <= PARAMETERS.get(kind, set()) | ALWAYS
        assert "sort:" not in plain

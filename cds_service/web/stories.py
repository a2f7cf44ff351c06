"""The patients of the demonstration: each a story, with times that move so that the story always happens today."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from cds_service.moments import moment, moved

Resource = dict[str, Any]
FRESH = timedelta(hours=1)


@dataclass(frozen=True)
class Story:
    """One patient of the sandbox: what happens, the record, the drafts that the visitor finds, and when it was written.

    `expect` are the topics of the cards in order. The sandbox opens with the story that is `first`, and lists all by their `place`.
    """

    title: str
    story: str
    patient_id: str
    resources: tuple[Resource, ...]
    drafts: tuple[Resource, ...] = ()
    written: datetime | None = None
    hook: str = "order-sign"
    encounter_id: str = ""
    expect: tuple[str, ...] | None = None
    first: bool = False
    place: int = 0

    def at(self, now: datetime) -> "Story":
        """The same story moved so that it happens now; a record without a time of writing stays where it is."""
        if self.written is None:
            return self
        by = now - self.written
        return replace(
            self,
            resources=tuple(moved(one, by) for one in self.resources),
            drafts=tuple(moved(one, by) for one in self.drafts),
            written=now,
        )


class Shelf:
    """All stories of the demonstration, moved to the present at most once an hour."""

    def __init__(self, stories: Sequence[Story], clock: Callable[[], datetime]) -> None:
        self._written = tuple(stories)
        self._clock = clock
        self._moved: tuple[Story, ...] = ()
        self._when: datetime | None = None

    def stories(self) -> tuple[Story, ...]:
        """Every story, as it stands now."""
        now = self._clock()
        if self._when is None or now - self._when > FRESH:
            self._moved, self._when = tuple(one.at(now) for one in self._written), now
        return self._moved

    def story(self, patient_id: str) -> Story | None:
        """The story of one patient."""
        return next((one for one in self.stories() if one.patient_id == patient_id), None)

    def resources(self) -> Iterator[Resource]:
        """Everything that the fixture FHIR server holds."""
        return (resource for story in self.stories() for resource in story.resources)


def read_stories(fixtures: Path) -> list[Story]:
    """The patients of every condition: one JSON file each, in the order of their file names."""
    return [_story(orjson.loads(path.read_bytes())) for path in sorted(fixtures.glob("*/bundles/*.json"))]


def _story(raw: Mapping[str, Any]) -> Story:
    return Story(
        title=raw["title"],
        story=raw["story"],
        patient_id=raw["patientId"],
        resources=tuple(entry["resource"] for entry in raw["bundle"].get("entry", []) if "resource" in entry),
        drafts=tuple(raw.get("drafts", ())),
        written=moment(raw["written"]) if "written" in raw else None,
        hook=raw.get("hook", "order-sign"),
        encounter_id=raw.get("encounterId", ""),
        expect=tuple(raw["expect"]) if "expect" in raw else None,
        first=raw.get("first", False),
        place=raw.get("place", 0),
    )


def read_folder(folder: Path) -> list[Story]:
    """The patients of any folder of FHIR Bundles (`*.json`) and bulk exports (`*.ndjson`), one story each."""
    resources = [one for path in sorted(folder.rglob("*")) if path.suffix in {".json", ".ndjson"} for one in _resources(path)]
    patients = [one for one in resources if one.get("resourceType") == "Patient"]
    return [_plain_story(one, [other for other in resources if _about(other) in {one.get("id"), None} or other is one]) for one in patients]


def _resources(path: Path) -> Iterable[Resource]:
    """The resources of one file; a Bundle is opened."""
    lines = path.read_bytes().splitlines() if path.suffix == ".ndjson" else [path.read_bytes()]
    for line in lines:
        if not line.strip():
            continue
        found = orjson.loads(line)
        inside = [entry.get("resource") for entry in found.get("entry", [])] if found.get("resourceType") == "Bundle" else [found]
        yield from (one for one in inside if isinstance(one, dict) and "resourceType" in one)


def _plain_story(patient: Resource, resources: Sequence[Resource]) -> Story:
    names = patient.get("name") or [{}]
    name = " ".join([*names[0].get("given", []), names[0].get("family", "")]).strip() or names[0].get("text", "")
    identity = str(patient.get("id", ""))
    return Story(name or f"Patient {identity}", "A patient of your own data.", identity, tuple(resources))


def _about(resource: Resource) -> str | None:
    """The bare id of the patient whom a resource is about, None for what is about nobody."""
    if resource.get("resourceType") == "Patient":
        return str(resource.get("id"))
    pointer = (resource.get("subject") or resource.get("patient") or {}).get("reference")
    return str(pointer).rpartition("/")[2] if pointer else None

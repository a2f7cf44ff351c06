"""A year of synthetic signings for the dashboard: shipped patients, invented users, and every answer made by the service itself."""

import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import orjson

from cds_service.cases.record import Record
from cds_service.knowledge import Knowledge, load
from cds_service.settings import DEVELOPMENT_CLIENT, Client, Settings
from cds_service.store.archive import Archive, Override
from cds_service.store.archive import Record as Row
from cds_service.store.engine import open_engine
from cds_service.web import create_app
from cds_service.web.stories import Story, read_stories

DAYS = 365
EPISODES_A_DAY = 0.55
OTHERS_A_DAY = 1.6
ACCEPTS, OVERRIDES = 0.55, 0.27
OPENS_CHART = 0.5
LACKS_OPTIONAL, LACKS_REQUIRED = 0.06, 0.01
QUIET_LATELY_DAYS = 120
TYPICAL_DELAY_MIN = 4.0
PRESCRIBERS = 14
CHANGED_ON = 200
EARLIER = {"version": "2026.5.0", "windows": {"current_days": 21}}


@dataclass
class Wall:
    """A clock that is set by hand."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Straight:
    """A memory that writes at once; `store.memory.Memory` without the spool."""

    archive: Archive
    rows: list[Row] = field(default_factory=list)

    def decided(self, record: Row) -> None:
        """Keeps a decision."""
        self.archive.write([record])

    def feedback(self, records: list[Row]) -> None:
        """Keeps feedback."""
        self.archive.write(records)

    def overridden(self, patient: str, clinician: str, since: float) -> frozenset[Override]:
        """What this clinician overrode for this patient since then."""
        return self.archive.overridden(patient, clinician, since)

    def healthy(self) -> bool:
        """Always."""
        return True

    def waiting(self) -> int:
        """Nothing waits."""
        return 0

    def take_dropped(self) -> int:
        """Nothing is dropped."""
        return 0


class Anyone:
    """Lets the development client in."""

    def client(self, _authorization: str | None, _paths: Iterable[str]) -> Client:
        """The development client."""
        return DEVELOPMENT_CLIENT


class Browser(Protocol):
    """Sends requests to the service; a test client of the application."""

    def get(self, url: str) -> Any:
        """GET."""

    def post(self, url: str, *, json: Any) -> Any:
        """POST with a JSON body."""


class Hospital:
    """Signs orders through the endpoints of the service, and tells it what became of the cards."""

    def __init__(self, service: Browser, services: Mapping[str, Mapping[str, Any]], wall: Wall, chance: random.Random) -> None:
        self._service, self._services, self._wall, self._chance = service, services, wall, chance
        self._number = 0
        self.calls = 0

    def episode(self, story: Story) -> None:
        """One patient: the chart is perhaps opened, the orders are signed, cards are answered, and signed again after a change."""
        self._number += 1
        here = renamed(story.at(self._wall.now), f"{story.patient_id}-{self._number}")
        user = f"Practitioner/prescriber-{self._chance.randrange(PRESCRIBERS)}"
        if story.hook == "patient-view" or self._chance.random() < OPENS_CHART:
            self._ask("patient-view", here, here.drafts, user)
        drafts: Sequence[Mapping[str, Any]] = here.drafts
        for _ in range(2):
            changed = self._ask("order-sign", here, drafts, user) if drafts else None
            if changed is None:
                return
            drafts = changed

    def _ask(self, hook: str, story: Story, drafts: Sequence[Mapping[str, Any]], user: str) -> Sequence[Mapping[str, Any]] | None:
        """One call with its feedback; the drafts after an accepted suggestion, None where nothing changed."""
        service = self._services[hook]
        body = self._request(service, story, drafts, user)
        answer = self._service.post(f"/cds-services/{service['id']}", json=body)
        self.calls += 1
        cards = (answer.get_json(silent=True) or {}).get("cards", [])
        changed: Sequence[Mapping[str, Any]] | None = None
        for card in cards:
            said, suggestion = self._reaction(card)
            if said:
                self._wall.now += timedelta(minutes=self._chance.lognormvariate(0, 0.9) * TYPICAL_DELAY_MIN)
                said["outcomeTimestamp"] = self._wall.now.isoformat()
                self._service.post(f"/cds-services/{service['id']}/feedback", json={"feedback": [said]})
            if suggestion:
                changed = applied(changed or drafts, suggestion)
        return changed

    def _request(self, service: Mapping[str, Any], story: Story, drafts: Sequence[Mapping[str, Any]], user: str) -> dict[str, Any]:
        context: dict[str, Any] = {"userId": user, "patientId": story.patient_id, "encounterId": story.encounter_id}
        prefetch = Record(story.resources).prefetch(service["prefetch"], context)
        for key in self._lost(list(prefetch)):
            prefetch.pop(key)
        if service["hook"] != "patient-view":
            entries = [{"resource": draft} for draft in drafts]
            context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        instance = f"00000000-0000-4000-8000-{self.calls:012d}"
        return {"hook": service["hook"], "hookInstance": instance, "context": context, "prefetch": prefetch}

    def _lost(self, keys: Sequence[str]) -> Iterator[str]:
        """Now and then a part of the record cannot be had; seldom a required one."""
        if self._chance.random() < LACKS_REQUIRED and "results" in keys:
            yield "results"
        optional = [key for key in keys if key in {"vitals", "allergies", "patient"}]
        if optional and self._chance.random() < LACKS_OPTIONAL:
            yield self._chance.choice(optional)

    def _reaction(self, card: Mapping[str, Any]) -> tuple[dict[str, Any] | None, Mapping[str, Any] | None]:
        """What the user does with a card: takes the first suggestion, overrides it with a reason, or nothing that is told."""
        drawn, suggestions, reasons = self._chance.random(), card.get("suggestions", []), card.get("overrideReasons", [])
        if suggestions and drawn < ACCEPTS:
            accepted = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": suggestions[0]["uuid"]}]}
            return accepted, suggestions[0]
        if reasons and drawn < ACCEPTS + OVERRIDES:
            reason = self._chance.choice(reasons[:4])
            return {"card": card["uuid"], "outcome": "overridden", "overrideReason": {"reason": reason}}, None
        return None, None


def year(url: str, fixtures: Path, now: datetime) -> int:
    """Fills the database at this URL with a year that begins under an earlier site policy, and gives the number of calls."""
    present = load()
    with tempfile.TemporaryDirectory(prefix="ndm-cds-history-") as folder:
        for condition in {service.condition for service in present.services.values()}:
            policy = Path(folder) / condition / "policy.yaml"
            policy.parent.mkdir()
            policy.write_bytes(orjson.dumps(EARLIER))  # JSON is YAML
        past = load(overlay=Path(folder))
    engine = open_engine(url)
    try:
        return seed([(0, past), (CHANGED_ON, present)], read_stories(fixtures), Archive(engine), now)
    finally:
        engine.dispose()


def seed(knowledge: Sequence[tuple[int, Knowledge]], stories: Sequence[Story], archive: Archive, now: datetime, draws: int = 1) -> int:
    """Fills the archive with the year before `now` and gives the number of calls.

    `knowledge` are the states of the knowledge by the day of the year from which each was in force, in order.
    """
    chance, wall = random.Random(draws), Wall(now)  # noqa: S311, invented signings need no secret randomness
    archive.prepare()
    calls = 0
    for place, (first, state) in enumerate(knowledge):
        last = knowledge[place + 1][0] if place + 1 < len(knowledge) else DAYS
        hospital = _hospital(state, archive, wall, chance)
        for day in range(first, last):
            for story in _day(stories, day, chance):
                wall.now = now - timedelta(days=DAYS - day, hours=-chance.uniform(0, 23))
                if wall.now < now:
                    hospital.episode(story)
        calls += hospital.calls
    return calls


def _hospital(knowledge: Knowledge, archive: Archive, wall: Wall, chance: random.Random) -> Hospital:
    settings = Settings(development=True)
    app = create_app(settings, knowledge, store=Straight(archive), trust=Anyone(), fetch_for=_no_fetch, secret=b"synthetic", now=wall)
    client = app.test_client()
    services = {one["hook"]: one for one in client.get("/cds-services").get_json()["services"]}
    return Hospital(client, services, wall, chance)


def _no_fetch(_client: Client) -> None:
    return None


def _day(stories: Sequence[Story], day: int, chance: random.Random) -> Iterator[Story]:
    """The patients of one day: few with the mechanism, more without; one story stops coming, so that the watchdog has work."""
    told = stories[1:] if day > DAYS - QUIET_LATELY_DAYS else stories
    for _ in range(_times(EPISODES_A_DAY, chance)):
        yield chance.choice(told)
    for _ in range(_times(OTHERS_A_DAY, chance)):
        yield without_isolates(chance.choice([one for one in stories if one.drafts]))


def _times(mean: float, chance: random.Random) -> int:
    """How often something happens in a day, when it happens so often on average."""
    count, left = 0, chance.expovariate(mean)
    while left < 1:
        count += 1
        left += chance.expovariate(mean)
    return count


def without_isolates(story: Story) -> Story:
    """The same patient without any microbiology: most signings are like that."""
    kept = tuple(one for one in story.resources if not _microbiology(one))
    return replace(story, resources=kept)


def _microbiology(resource: Mapping[str, Any]) -> bool:
    if resource.get("resourceType") in {"Specimen", "DiagnosticReport"}:
        return True
    answered = "valueCodeableConcept" in resource or "interpretation" in resource or "hasMember" in resource or "component" in resource
    return resource.get("resourceType") == "Observation" and answered


def renamed(story: Story, patient_id: str) -> Story:
    """The story with another patient in every resource."""
    old, new = f'"Patient/{story.patient_id}"', f'"Patient/{patient_id}"'

    def change(resource: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(orjson.dumps(resource).decode().replace(old, new))
        return {**found, "id": patient_id} if resource.get("resourceType") == "Patient" else found

    resources, drafts = tuple(map(change, story.resources)), tuple(map(change, story.drafts))
    return replace(story, patient_id=patient_id, resources=resources, drafts=drafts)


def applied(drafts: Sequence[Mapping[str, Any]], suggestion: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The drafts after a suggestion was accepted, as an order-entry screen changes them."""
    found = list(drafts)
    for number, action in enumerate(suggestion.get("actions", ())):
        resource = action.get("resource", {})
        name = str(action.get("resourceId", "")).rpartition("/")[2] or resource.get("id")
        if action["type"] == "delete":
            found = [one for one in found if one.get("id") != name]
        elif action["type"] == "update":
            found = [resource if one.get("id") == name else one for one in found]
        else:
            found.append({**resource, "id": resource.get("id") or f"accepted-{number}"})
    return found

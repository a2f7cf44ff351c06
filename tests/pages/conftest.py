"""A small invented patient, so that the pages are tested without the shipped ones."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.cli.history import Straight
from cds_service.knowledge import Knowledge
from cds_service.settings import DEVELOPMENT_CLIENT, Client, Settings
from cds_service.store.archive import Archive
from cds_service.store.engine import open_engine
from cds_service.store.statistics import Statistics
from cds_service.web import create_app, fhir_server
from cds_service.web.pages_of_site import ForPeople
from cds_service.web.stories import Shelf, Story, read_stories

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WRITTEN = datetime(2026, 6, 1, 12, tzinfo=UTC)


def observation(number: int, day: int, category: str = "laboratory") -> dict[str, object]:
    """One result of the invented patient."""
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}], "text": "Creatinine"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": f"2026-05-{day:02}T08:00:00+02:00",
        "valueQuantity": {"value": 1.0, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }


def medication_request() -> dict[str, object]:
    """A running order that names its drug by reference."""
    return {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": "Medication/drug"},
        "authoredOn": "2026-05-30T08:00:00Z",
    }


@pytest.fixture
def story() -> Story:
    """One patient with eight results, one order and an age of forty."""
    resources = (
        {"resourceType": "Patient", "id": "p1", "birthDate": "1986-06-01", "name": [{"family": "Example", "given": ["Una"]}]},
        *(observation(number, number) for number in range(1, 8)),
        observation(8, 8, "vital-signs"),
        {"resourceType": "Medication", "id": "drug", "code": {"text": "a drug"}},
        medication_request(),
    )
    return Story("A title", "A story.", "p1", resources, ({"resourceType": "MedicationRequest", "id": "d1"},), WRITTEN)


@pytest.fixture
def pauses() -> list[float]:
    """How long the server was told to wait, instead of waiting."""
    return []


@pytest.fixture
def fhir(story: Story, pauses: list[float]) -> FlaskClient:
    """The fixture server alone."""
    app = Flask("fixture")
    fhir_server.register(app, fhir_server.FhirServer(Shelf([story], lambda: NOW), pause=pauses.append))
    return app.test_client()


@dataclass(frozen=True)
class Worked:
    """A worked case as the page of a rule shows it."""

    rule: str
    case: str
    drafts: str
    hook: str
    speaks: bool
    verdict: str


class Anyone:
    """Lets everybody in as the development client."""

    def client(self, _authorization: str | None, _paths: Iterable[str]) -> Client:
        """The development client."""
        return DEVELOPMENT_CLIENT


@pytest.fixture(scope="session")
def stories(fixtures: Path) -> list[Story]:
    """The shipped patients."""
    return read_stories(fixtures)


Build = Callable[..., FlaskClient]


@pytest.fixture
def build(knowledge: Knowledge, stories: list[Story], tmp_path: Path) -> Build:
    """Builds the application with its real store and a clock that stands still; the arguments are the settings."""

    def made(**settings: object) -> FlaskClient:
        engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
        worked = (Worked("ndmAztreonamUnprotected", "alone", "aztreonam", "order-sign", True, "critical"),)
        app = create_app(
            Settings(**settings),  # type: ignore[arg-type]
            knowledge,
            store=Straight(Archive(engine)),
            trust=Anyone(),
            fetch_for=lambda _client: None,
            secret=b"a secret of the tests, 32 letters",
            now=lambda: NOW,
            for_people=ForPeople(lambda _knowledge: worked, Statistics(engine).between, stories),
        )
        return app.test_client()

    return made


@pytest.fixture
def site(build: Build) -> FlaskClient:
    """The application in development mode."""
    return build(development=True)


@pytest.fixture
def live(build: Build) -> FlaskClient:
    """The application as a hospital runs it, with a credential for the dashboard."""
    return build(governance="a credential of sixteen")

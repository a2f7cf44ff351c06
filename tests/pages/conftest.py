"""A small invented patient, so that the pages are tested without the shipped ones."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.web import fhir_server
from cds_service.web.stories import Shelf, Story

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
        {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1986-06-01", "name": [{"family": "Example", "given": ["Una"]}]},
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

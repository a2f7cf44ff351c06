"""The smallest valid requests, and ways to change one field."""

import copy
import json
from typing import Any

PATIENT = "pat1"


def draft(name: str = "rx1", **more: Any) -> dict[str, Any]:
    """A draft order."""
    return {
        "resourceType": "MedicationRequest", "id": name, "status": "draft", "intent": "order",
        "subject": {"reference": f"Patient/{PATIENT}"}, "medicationCodeableConcept": {"text": "aztreonam"}, **more,
    }  # fmt: skip


def order_sign(**changes: Any) -> dict[str, Any]:
    """R0: a valid order-sign request; a change of None removes the field, "context.x" reaches into the context."""
    request: dict[str, Any] = {
        "hook": "order-sign",
        "hookInstance": "7b6f0c9e-3d53-4a58-9a0e-0f7c6a1f2b11",
        "fhirServer": "https://ehr.example.org/fhir",
        "context": {
            "userId": "Practitioner/p1", "patientId": PATIENT, "encounterId": "enc1",
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft()}]},
        },
        "prefetch": {},
    }  # fmt: skip
    return changed(request, changes)


def changed(request: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The request with these fields set, or removed where the value is None."""
    found = copy.deepcopy(request)
    for name, value in changes.items():
        place = found
        *path, last = name.replace("__", ".").split(".")
        for one in path:
            place = place[one]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return found


def body(request: Any) -> bytes:
    """The request as bytes."""
    return json.dumps(request).encode()

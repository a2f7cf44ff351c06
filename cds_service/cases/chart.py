"""The record of a case in the making: FHIR R4 resources with times counted from now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cds_service.cases.lexicon import Lexicon
from cds_service.cases.sheet import Text, Usual

HL7 = "http://terminology.hl7.org/CodeSystem/"
UCUM = "http://unitsofmeasure.org"
PATIENT, STRANGER, ENCOUNTER, PRESCRIBER = "patient-1", "patient-2", "encounter-1", "Practitioner/prescriber-1"


@dataclass
class Chart:
    """The resources of a record and the draft orders of a session, both growing."""

    usual: Usual
    lexicon: Lexicon
    now: datetime
    resources: list[dict[str, Any]] = field(default_factory=list)
    drafts: list[dict[str, Any]] = field(default_factory=list)

    def when(self, hours: float) -> str:
        """A moment so many hours from now."""
        return (self.now + timedelta(hours=hours)).isoformat(timespec="milliseconds")

    def add(self, kind: str, name: str, body: Mapping[str, Any], whose: str = "this") -> dict[str, Any]:
        """A resource of this patient (or of another, or of nobody), filed in the record."""
        resource = {"resourceType": kind, "id": name, **body}
        if kind != "Patient":
            resource |= owner(whose, "patient" if kind == "AllergyIntolerance" else "subject")
        self.resources.append(resource)
        return resource

    def circumstance(self, said: str | Text) -> dict[str, Any]:
        """A problem or a reason by its word, or in free text."""
        return {"text": said.text} if isinstance(said, Text) else self.lexicon.concept("circumstance", said)


def owner(whose: str, element: str = "subject") -> dict[str, Any]:
    """The reference to the patient whom a resource is about; nothing where it does not say."""
    names = {"this": PATIENT, "other": STRANGER}
    return {element: {"reference": f"Patient/{names[whose]}"}} if whose in names else {}


def status(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept of one of HL7's own code systems."""
    return {"coding": [{"system": HL7 + system, "code": code}]}

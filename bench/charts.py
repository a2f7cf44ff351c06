"""Charts of any size: one patient, a few resources that matter, and as many ordinary ones as asked for."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Story = Literal["card", "silent", "out-of-scope"]
HL7 = "http://terminology.hl7.org/CodeSystem/"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PATIENT = "bench-patient"
LABS = (
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 140),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 4),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 95),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 11),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 12),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 210),
    ("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "mg/dL", 1),
    ("1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "mg/L", 88),
)
OTHER_DRUGS = (("6918", "metoprolol"), ("7646", "omeprazole"), ("161", "acetaminophen"), ("5224", "heparin"))


def request(story: Story, resources: int, now: datetime, seed: int = 7) -> bytes:
    """A whole order-sign request whose prefetch holds so many resources."""
    draw = random.Random(seed)
    results, orders = _telling(story, now)
    fixed = len(results) + len(orders) + 1
    for number in range(max(resources - fixed, 0)):
        (orders if number % 5 == 4 else results).append(_order(draw, number, now) if number % 5 == 4 else _lab(draw, number, now))
    drug = ("6918", "metoprolol") if story == "out-of-scope" else ("1664986", "aztreonam 2000 MG Injection")
    body = {
        "hook": "order-sign",
        "hookInstance": "7b6f0c9e-3d53-4a58-9a0e-0f7c6a1f2b11",
        "context": {
            "userId": "Practitioner/bench-prescriber",
            "patientId": PATIENT,
            "encounterId": "bench-encounter",
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": _antibiotic("draft-1", drug, "draft", now)}],
            },
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": PATIENT, "gender": "male", "birthDate": f"{now.year - 68}-01-01"},
            "results": _searchset(results),
            "orders": _searchset(orders),
            "reports": None,
            "vitals": _searchset([_number("weight", "29463-7", "Body weight", 72, "kg", now, "vital-signs")]),
            "specimens": None,
            "conditions": None,
            "allergies": None,
            "procedures": None,
            "requests": None,
            "encounter": None,
        },
    }
    return json.dumps(body, separators=(",", ":")).encode()


def resources_of(body: bytes) -> Iterator[dict[str, Any]]:
    """Every resource of a request, as a service that parses everything would meet it."""
    request_ = json.loads(body)
    for value in request_["prefetch"].values():
        if value and value.get("resourceType") == "Bundle":
            yield from (entry["resource"] for entry in value["entry"])
        elif value:
            yield value
    yield from (entry["resource"] for entry in request_["context"]["draftOrders"]["entry"])


def _telling(story: Story, now: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The resources that decide: a gene in a blood culture, a creatinine, and the partner where the regimen is sound."""
    gene = _laboratory("gene", "73982-1", "Carbapenem resistance blaNDM gene [Presence] by Molecular method", now - timedelta(days=2))
    gene |= {
        "valueCodeableConcept": {
            "coding": [{"system": "http://snomed.info/sct", "code": "260373001", "display": "Detected (qualifier value)"}],
            "text": "Detected",
        }
    }
    culture = _laboratory("culture", "600-7", "Bacteria identified in Blood by Culture", now - timedelta(days=2))
    culture |= {
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "56415008", "display": "Klebsiella pneumoniae"}]},
        "hasMember": [{"reference": "Observation/gene"}],
    }
    creatinine = _number("creatinine", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", 0.8, "mg/dL", now)
    partner = ("1603840", "avibactam 500 MG / ceftazidime 2000 MG Injection")
    running = [_antibiotic("running-1", partner, "active", now, grams=2.5, every=8)] if story == "silent" else []
    return [gene, culture, creatinine], running


def _laboratory(name: str, code: str, display: str, when: datetime, category: str = "laboratory") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "meta": {
            "versionId": "1",
            "lastUpdated": when.isoformat(timespec="milliseconds"),
            "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"],
        },
        "status": "final",
        "category": [
            {"coding": [{"system": HL7 + "observation-category", "code": category, "display": category.title()}], "text": category.title()}
        ],
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": code, "display": display},
                {"system": "urn:oid:1.2.3.4.5.6", "code": f"LAB{code}", "display": display.upper()},
            ],
            "text": display,
        },
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Example, Bench"},
        "encounter": {"reference": "Encounter/bench-encounter", "display": "Inpatient"},
        "effectiveDateTime": when.isoformat(timespec="milliseconds"),
        "issued": when.isoformat(timespec="milliseconds"),
        "performer": [{"reference": "Organization/bench-laboratory", "display": "Central laboratory"}],
    }


def _number(name: str, code: str, display: str, value: float, unit: str, now: datetime, category: str = "laboratory") -> dict[str, Any]:
    found = _laboratory(name, code, display, now - timedelta(hours=6), category)
    return {**found, "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}


def _lab(draw: random.Random, number: int, now: datetime) -> dict[str, Any]:
    code, display, unit, middle = LABS[number % len(LABS)]
    found = _laboratory(f"lab-{number}", code, display, now - timedelta(hours=draw.uniform(1, 4000)))
    value = {"value": round(middle * draw.uniform(0.8, 1.2), 1), "unit": unit, "system": UCUM, "code": unit}
    low, high = ({**value, "value": round(middle * share, 1)} for share in (0.9, 1.1))
    flag = {"coding": [{"system": HL7 + "v3-ObservationInterpretation", "code": "N", "display": "Normal"}], "text": "Normal"}
    return {
        **found,
        "valueQuantity": value,
        "interpretation": [flag],
        "referenceRange": [{"low": low, "high": high, "text": f"{low['value']} - {high['value']} {unit}"}],
    }


def _order(draw: random.Random, number: int, now: datetime) -> dict[str, Any]:
    return _antibiotic(f"order-{number}", draw.choice(OTHER_DRUGS), "active", now, grams=0.05, every=12)


def _antibiotic(name: str, drug: tuple[str, str], status: str, now: datetime, grams: float = 2, every: int = 6) -> dict[str, Any]:
    started = (now - timedelta(hours=4)).isoformat(timespec="milliseconds")
    timing = {"frequency": 1, "period": every, "periodUnit": "h", "duration": 3, "durationUnit": "h"}
    if status == "active":
        timing["boundsPeriod"] = {"start": started}
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "meta": {"versionId": "3", "lastUpdated": started},
        "status": status,
        "intent": "order",
        "category": [
            {"coding": [{"system": HL7 + "medicationrequest-category", "code": "inpatient", "display": "Inpatient"}], "text": "Inpatient"}
        ],
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": drug[0], "display": drug[1]}], "text": drug[1]},
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Example, Bench"},
        "encounter": {"reference": "Encounter/bench-encounter"},
        "authoredOn": started,
        "requester": {"reference": "Practitioner/bench-prescriber", "display": "Prescriber"},
        "dosageInstruction": [
            {
                "text": f"{grams} g every {every} h over 3 h",
                "timing": {"repeat": timing},
                "route": {
                    "coding": [{"system": "http://snomed.info/sct", "code": "47625008", "display": "Intravenous route (qualifier value)"}],
                    "text": "Intravenous",
                },
                "doseAndRate": [{"doseQuantity": {"value": grams, "unit": "g", "system": UCUM, "code": "g"}}],
            }
        ],
    }


def _searchset(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {"fullUrl": f"https://ehr.example.org/fhir/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(resources), **({"entry": entries} if entries else {})}


def moment() -> datetime:
    """The moment that the charts are written for."""
    return datetime.now(UTC).replace(microsecond=0)

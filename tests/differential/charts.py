"""Charts that nobody wrote by hand: the record of a case among resources that must change nothing, some of them odd."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

Resource = dict[str, Any]
LOINC, RXNORM = "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
LABS = (
    ("2951-2", "Sodium", "mmol/L"),
    ("718-7", "Hemoglobin", "g/dL"),
    ("6690-2", "Leukocytes", "10*3/uL"),
    ("8310-5", "Temperature", "Cel"),
)
DRUGS = (("6918", "metoprolol"), ("7646", "omeprazole"), ("5224", "heparin"), ("8163", "phenylephrine"), ("2193", "ceftriaxone"))
WORDS = ("No growth", "Klebsiella pneumoniae", "NDM not detected", "NDM detected", "normal flora", "see report")


def laboratory(draw: random.Random, name: str, patient: str) -> Resource:
    """A number that no rule asks about."""
    code, display, unit = draw.choice(LABS)
    concept = {"coding": [{"system": LOINC, "code": code, "display": display}], "text": display}
    value = {"value": round(draw.uniform(1, 200), 1), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return _observation(name, patient, {"code": concept, "valueQuantity": value})


def words(draw: random.Random, name: str, patient: str) -> Resource:
    """A value or a note in words under a code that nobody knows."""
    said: Resource = draw.choice(
        [
            {"valueString": draw.choice(WORDS)},
            {"note": [{"text": draw.choice(WORDS)}]},
            {"valueCodeableConcept": {"text": draw.choice(WORDS)}},
        ]
    )
    return _observation(
        name, patient, {"code": {"coding": [{"system": "urn:oid:1.2.3", "code": f"L{draw.randrange(99)}"}], "text": "Remark"}, **said}
    )


def panel(draw: random.Random, name: str, patient: str) -> Resource:
    """A heading with components."""
    parts = [{"code": laboratory(draw, "", patient)["code"], "valueString": draw.choice(WORDS)} for _ in range(draw.randrange(1, 4))]
    return _observation(name, patient, {"code": {"text": "Panel"}, "component": parts})


def order(draw: random.Random, name: str, patient: str) -> Resource:
    """An order, mostly for a drug that no rule knows."""
    code, display = draw.choice(DRUGS)
    concept = {"coding": [{"system": RXNORM, "code": code, "display": display}], "text": display}
    status = draw.choice(["active", "active", "completed", "stopped", "on-hold", "draft"])
    dose = [{"text": draw.choice(["once daily", "IV every 8 h", "topical", "inhaled"])}]
    return {
        "resourceType": "MedicationRequest", "id": name, "status": status, "intent": "order", "subject": {"reference": patient},
        "medicationCodeableConcept": concept, "dosageInstruction": dose,
    }  # fmt: skip


def _observation(name: str, patient: str, more: Resource) -> Resource:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "subject": {"reference": patient},
        "effectiveDateTime": "2025-03-02T08:00:00Z",
        **more,
    }


def mangled(draw: random.Random, resource: Resource) -> Resource:
    """The same with one element of another shape, of another patient, or without one element."""
    found = copy.deepcopy(resource)
    name = draw.choice([one for one in found if one != "resourceType"])
    change = draw.choice(["shape", "stranger", "gone", "null"])
    if change == "stranger":
        found["subject"] = {"reference": "Patient/somebody-else"}
    elif change == "gone":
        del found[name]
    else:
        found[name] = None if change == "null" else draw.choice([17, "x", [], {"y": [1]}])
    return found


MAKERS: tuple[Callable[[random.Random, str, str], Resource], ...] = (laboratory, laboratory, words, panel, order, order)
KEYS = {"Observation": "results", "MedicationRequest": "orders"}


def crowded(body: Resource, seed: int) -> bytes:
    """The request of a case with 5 to 40 further resources, in another order; about one in six is odd, and some names occur twice."""
    draw = random.Random(seed)
    found = copy.deepcopy(body)
    patient = f"Patient/{found['context']['patientId']}"
    for number in range(draw.randrange(5, 41)):
        one = draw.choice(MAKERS)(draw, f"noise-{number}", patient)
        one = mangled(draw, one) if draw.random() < 1 / 6 else one
        bundle = found["prefetch"].get(KEYS[one["resourceType"]])
        if bundle and bundle.get("resourceType") == "Bundle":
            bundle.setdefault("entry", []).append({"resource": one})
    for bundle in found["prefetch"].values():
        draw.shuffle(bundle["entry"]) if bundle and bundle.get("entry") else None
    text = json.dumps(found)
    return (text.replace('"id": "noise-3"', '"id": "noise-3", "id": "noise-3"') if draw.random() < 0.2 else text).encode()

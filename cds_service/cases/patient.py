"""The patient of a case: person, place, numbers, problems and allergies."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cds_service.cases.chart import ENCOUNTER, HL7, PATIENT, UCUM, Chart, status
from cds_service.cases.sheet import AllergyLine, Measured, PatientLine
from cds_service.clinical.renal import cockcroft_gault

BEDSIDE = {"weight", "height", "temperature"}
ELEMENTS = {"birth date": "birthDate", "sex": "gender"}


def patient(chart: Chart, line: PatientLine) -> None:
    """Everything that the record says about the patient besides results and orders."""
    usual = chart.usual.patient
    age = line.age if line.age is not None else usual.age or 0.0
    sex = line.sex or usual.sex or "unknown"
    person: dict[str, Any] = {"birthDate": _born(chart.now.date(), age).isoformat(), "gender": sex, "active": True}
    lacking = {ELEMENTS[one] for one in line.lacks if one in ELEMENTS}
    chart.add("Patient", PATIENT, {key: value for key, value in person.items() if key not in lacking})
    place = {"location": [{"location": {"display": "Intensive care unit"}, "status": "active"}]} if line.intensive_care else {}
    chart.add("Encounter", ENCOUNTER, {"status": "in-progress", "class": {"system": HL7 + "v3-ActCode", "code": "IMP"}, **place})
    for test, rows in _numbers(chart, line, age, sex).items():
        for number, row in enumerate(rows, 1):
            _measure(chart, test, number, row)
    _problems(chart, line)
    for number, allergy in enumerate(line.allergies, 1):
        _allergy(chart, number, allergy)


def _born(today: date, age: float) -> date:
    """The birth date of somebody who had the birthday on the first of this month; parts of a year count as days."""
    whole = int(age)
    first = today.replace(year=today.year - whole, day=1)
    return first - timedelta(days=round((age - whole) * 365))


def _numbers(chart: Chart, line: PatientLine, age: float, sex: str) -> dict[str, tuple[Measured, ...]]:
    """The measured numbers; weight and creatinine have a usual value unless the case says otherwise."""
    usual = chart.usual.patient
    weight = line.weight if line.weight is not None else usual.weight or 0.0
    numbers = dict(line.measured)
    if "weight" not in line.lacks:
        numbers.setdefault("weight", (Measured(value=weight),))
    if line.height:
        numbers.setdefault("height", (Measured(value=line.height),))
    if "creatinine" not in line.lacks:
        value = _creatinine(age, sex, weight, line.clearance or usual.clearance or 0.0)
        numbers.setdefault("creatinine", (Measured(value=value),))
    return numbers


def _creatinine(age: float, sex: str, weight: float, clearance: float) -> float:
    """The creatinine that gives this clearance: the clearance of a creatinine of 1 divided by it."""
    return float(cockcroft_gault(int(age), Decimal(str(weight)), sex == "female", Decimal(1)) / Decimal(str(clearance)))


def _measure(chart: Chart, test: str, number: int, row: Measured) -> None:
    unit = row.unit or chart.lexicon.units.get(test, "")
    quantity = {"value": round(row.value, 9), "unit": unit, "system": UCUM, "code": unit}
    body: dict[str, Any] = {
        "status": "final",
        "category": [status("observation-category", "vital-signs" if test in BEDSIDE else "laboratory")],
        "code": chart.lexicon.concept("test", test),
        "effectiveDateTime": chart.when(-row.hours),
        "valueQuantity": quantity,
    }
    if row.upper is not None:
        body["referenceRange"] = [{"high": {**quantity, "value": row.upper}}]
    chart.add("Observation", f"{test}-{number}", body)


def _problems(chart: Chart, line: PatientLine) -> None:
    for number, problem in enumerate(line.conditions, 1):
        known = {"clinicalStatus": status("condition-clinical", "active"), "code": chart.circumstance(problem)}
        chart.add("Condition", f"condition-{number}", {**known, "recordedDate": chart.when(-72)})
    for number, procedure in enumerate(line.procedures, 1):
        body = {"status": "completed", "code": chart.circumstance(procedure), "performedDateTime": chart.when(-72)}
        chart.add("Procedure", f"procedure-{number}", body)


def _allergy(chart: Chart, number: int, line: AllergyLine) -> None:
    kind = next((kind for kind in ("allergen", "drug", "ingredient") if chart.lexicon.known(kind, line.to)), "allergen")
    reaction: dict[str, Any] = {"manifestation": [chart.lexicon.concept("reaction", line.reaction)]} if line.reaction else {}
    if reaction and line.severity:
        reaction["severity"] = line.severity
    body: dict[str, Any] = {
        "clinicalStatus": status("allergyintolerance-clinical", line.status),
        "verificationStatus": status("allergyintolerance-verification", line.verification),
        "code": chart.lexicon.concept(kind, line.to),
    }
    if line.criticality:
        body["criticality"] = line.criticality
    if line.years is not None:
        body["recordedDate"] = (chart.now - timedelta(days=365.25 * line.years)).date().isoformat()
    chart.add("AllergyIntolerance", f"allergy-{number}", {**body, **({"reaction": [reaction]} if reaction else {})})

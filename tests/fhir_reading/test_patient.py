"""The patient's own data: problems, procedures, places, numbers and allergies."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.facts import Allergy, Chart

Read = Callable[..., Chart]
SNOMED, LOINC, RXNORM = "http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
P = {"reference": "Patient/p"}


def words(chart: Chart) -> set[str]:
    """Every circumstance of the chart."""
    return {one.word for one in chart.circumstances}


def coded(system: str, code: str) -> dict[str, Any]:
    """A concept with one code and no words."""
    return {"coding": [{"system": system, "code": code}]}


def condition(**elements: Any) -> dict[str, Any]:
    """A condition of the patient."""
    return {"resourceType": "Condition", "id": "c", "subject": P, **elements}


@pytest.mark.parametrize(
    ("resource", "word"),
    [
        (condition(code=coded(SNOMED, "714749008")), "crrt"),
        (condition(code=coded(ICD10, "Z99.2")), "haemodialysis"),
        (condition(code=coded(ICD10, "Z992")), "haemodialysis"),
        (condition(code=coded("urn:oid:2.16.840.1.113883.6.90", "N17.9")), "acute-kidney-injury"),
        (condition(code={"text": "Pregnant, 22 weeks"}), "pregnancy"),
        (condition(code=coded(ICD10, "Z22.350")), "colonisation"),
        ({"resourceType": "Procedure", "status": "in-progress", "subject": P, "code": {"text": "CVVHDF"}}, "crrt"),
        (
            {
                "resourceType": "Procedure",
                "status": "completed",
                "subject": P,
                "code": coded(SNOMED, "71192002"),
                "performedDateTime": "2026-11-19",
            },
            "peritoneal-dialysis",
        ),
        (
            {
                "resourceType": "ServiceRequest",
                "status": "active",
                "intent": "order",
                "subject": P,
                "code": {"text": "Intermittent hemodialysis"},
            },
            "haemodialysis",
        ),
        (
            {
                "resourceType": "ServiceRequest",
                "status": "active",
                "intent": "order",
                "subject": P,
                "code": {"text": "Comfort measures only"},
            },
            "comfort-care",
        ),
        (
            {
                "resourceType": "Encounter",
                "status": "in-progress",
                "subject": P,
                "location": [{"location": {"display": "Medical ICU, bed 4"}}],
            },
            "intensive-care",
        ),
        ({"resourceType": "Encounter", "status": "in-progress", "subject": P, "serviceType": {"text": "Critical care"}}, "intensive-care"),
    ],
)
def test_a_circumstance_is_read_where_it_stands(read: Read, resource: dict[str, Any], word: str) -> None:
    """Conditions, procedures, requests and places say the same words."""
    assert word in words(read(resource))


@pytest.mark.parametrize(
    ("window", "day", "counts"),
    [(30, "2026-10-21T12:00:00Z", True), (30, "2026-10-21T11:59:59Z", False), (31, "2026-10-21T11:59:59Z", True)],
)
def test_a_finished_procedure_counts_for_the_days_of_the_policy(read: Read, window: int, day: str, counts: bool) -> None:
    """To the second of its last day, and for longer where a site says so."""
    done = {"resourceType": "Procedure", "status": "completed", "subject": P, "code": {"text": "Hemodialysis"}, "performedDateTime": day}
    assert ("haemodialysis" in words(read(done, procedure_days=window))) is counts


@pytest.mark.parametrize(
    "resource",
    [
        condition(code={"text": "Osteomyelitis"}, clinicalStatus=coded("urn:x", "resolved")),
        condition(code={"text": "Osteomyelitis"}, verificationStatus=coded("urn:x", "refuted")),
        condition(code={"text": "Osteomyelitis"}, verificationStatus=coded("urn:x", "entered-in-error")),
        condition(code={"text": "History of osteomyelitis"}),
        condition(code={"text": "Sickle cell carrier"}),
        condition(code={"text": "Osteomyelitis"}, subject={"reference": "Patient/other"}),
        {"resourceType": "Procedure", "status": "not-done", "subject": P, "code": {"text": "Hemodialysis"}},
        {
            "resourceType": "Procedure",
            "status": "completed",
            "subject": P,
            "code": {"text": "Hemodialysis"},
            "performedDateTime": "2025-01-01",
        },
        {"resourceType": "ServiceRequest", "status": "revoked", "intent": "order", "subject": P, "code": {"text": "Hemodialysis"}},
        {"resourceType": "ServiceRequest", "status": "active", "intent": "proposal", "subject": P, "code": {"text": "Hemodialysis"}},
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "doNotPerform": True,
            "subject": P,
            "code": {"text": "Hemodialysis"},
        },
        {"resourceType": "Encounter", "status": "finished", "subject": P, "location": [{"location": {"display": "ICU"}}]},
        {
            "resourceType": "Encounter",
            "status": "in-progress",
            "subject": P,
            "location": [{"status": "completed", "location": {"display": "ICU"}}],
        },
        {
            "resourceType": "Encounter",
            "status": "in-progress",
            "subject": P,
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        },
    ],
)
def test_what_is_past_refuted_or_elsewhere_is_no_circumstance(read: Read, resource: dict[str, Any]) -> None:
    """Only what holds now and for this patient counts."""
    assert words(read(resource)) == set()


def measured(code: dict[str, Any], value: Any, unit: str, **more: Any) -> dict[str, Any]:
    """A laboratory value of this morning."""
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    head = {"resourceType": "Observation", "id": "m", "status": "final", "subject": P, "effectiveDateTime": "2026-11-20T06:00:00Z"}
    return {**head, "code": code, "valueQuantity": quantity, **more}


@pytest.mark.parametrize(
    ("resource", "test", "value"),
    [
        (measured(coded(LOINC, "2160-0"), 1.2, "mg/dL"), "creatinine", "1.2"),
        (measured(coded(LOINC, "14682-9"), 106, "umol/L"), "creatinine", "1.199072"),
        (measured({"text": "Creatinine"}, 106, "µmol/L"), "creatinine", "1.199072"),
        (measured(coded(LOINC, "29463-7"), 72, "kg"), "weight", "72"),
        (measured(coded(LOINC, "29463-7"), 72000, "g"), "weight", "72"),
        (measured(coded(LOINC, "8302-2"), 1.75, "m"), "height", "175"),
        (measured({"text": "Alanine aminotransferase"}, 80, "U/L"), "alt", "80"),
        (measured({"text": "Lactate, arterial"}, 3.4, "mmol/L"), "lactate", "3.4"),
        (measured({"text": "Body temperature"}, 38.9, "Cel"), "temperature", "38.9"),
        (measured({"text": "SOFA score"}, 9, "{score}"), "sofa", "9"),
        (measured({"text": "CRRT effluent rate"}, 2500, "mL/h"), "effluent-rate", "2.5"),
    ],
)
def test_numbers_come_in_the_unit_of_their_test(read: Read, resource: dict[str, Any], test: str, value: str) -> None:
    """Whatever unit a laboratory uses, a test has one."""
    (measure,) = read(resource).measures[test]
    assert measure.value == Decimal(value)


@pytest.mark.parametrize(
    "resource",
    [
        measured({"text": "Creatinine, urine"}, 90, "mg/dL"),
        measured({"coding": [{"system": LOINC, "code": "2161-8", "display": "Creatinine [Mass/volume] in Urine"}]}, 90, "mg/dL"),
        measured({"text": "Creatinine clearance"}, 90, "mL/min"),
        measured(coded(LOINC, "2160-0"), 1.2, "furlong"),
        measured(coded(LOINC, "2160-0"), "1.2", "mg/dL"),
        measured(coded(LOINC, "2160-0"), 1.2, "mg/dL", status="entered-in-error"),
        measured(coded(LOINC, "2160-0"), 1.2, "mg/dL", effectiveDateTime="2026-12-24"),
        measured({"text": "Birth weight"}, 3.1, "kg"),
        measured({"text": "Ideal body weight"}, 60, "kg"),
    ],
)
def test_another_fluid_unit_or_time_is_no_measure(read: Read, resource: dict[str, Any]) -> None:
    """Urine creatinine, clearance, birth weight, a number in words, and a value of next month are not used."""
    assert read(resource).measures == {}


def test_measures_are_newest_first_with_their_limit(read: Read) -> None:
    """The laboratory's own limit of normal stays beside the number."""
    limit = [{"high": {"value": 40, "unit": "U/L"}}]
    first = measured({"text": "ALT"}, 50, "U/L", id="a", effectiveDateTime="2026-11-18T06:00:00Z")
    second = measured({"text": "ALT"}, 130, "U/L", id="b", referenceRange=limit)
    found = read(first, second).measures["alt"]
    assert [(one.value, one.upper) for one in found] == [(Decimal(130), Decimal(40)), (Decimal(50), None)]


def allergy(**elements: Any) -> dict[str, Any]:
    """An allergy of the patient."""
    return {"resourceType": "AllergyIntolerance", "id": "a", "patient": P, **elements}


def only(chart: Chart) -> Allergy:
    """The one allergy of the chart."""
    (found,) = chart.allergies
    return found


@pytest.mark.parametrize(
    ("code", "substances", "groups"),
    [
        (coded(RXNORM, "1272"), {"aztreonam"}, set()),
        (coded(SNOMED, "294565006"), {"aztreonam"}, set()),
        (coded("http://fdasis.nlm.nih.gov", "9M416Z9QNR"), {"ceftazidime"}, set()),
        (coded(RXNORM, "1603834"), {"avibactam"}, set()),
        (coded(RXNORM, "1603839"), {"ceftazidime", "avibactam"}, set()),
        (coded(RXNORM, "1597609"), {"ceftolozane"}, set()),
        ({"text": "Ceftazidime-avibactam"}, {"ceftazidime", "avibactam"}, set()),
        ({"text": "AZACTAM"}, {"aztreonam"}, set()),
        ({"text": "Penicillins"}, set(), {"penicillin"}),
        (coded(SNOMED, "91936005"), set(), {"penicillin"}),
        (coded(ICD10, "Z88.0"), set(), {"penicillin"}),
        ({"text": "Cephalosporins"}, set(), {"cephalosporin"}),
        ({"text": "Sulfa (sulfonamide antibiotics)"}, set(), {"sulfonamide"}),
        ({"text": "Penicillin G"}, {"benzylpenicillin"}, {"penicillin"}),
    ],
)
def test_what_an_allergy_is_to(read: Read, code: dict[str, Any], substances: set[str], groups: set[str]) -> None:
    """Substances by ingredient, classes by class."""
    found = only(read(allergy(code=code)))
    assert (found.substances, found.groups) == (substances, groups)


@pytest.mark.parametrize(
    ("elements", "severe", "mild", "reactions"),
    [
        ({}, False, False, set()),
        ({"criticality": "high"}, True, False, set()),
        ({"reaction": [{"manifestation": [{"text": "Anaphylaxis"}]}]}, True, False, {"anaphylaxis"}),
        ({"reaction": [{"manifestation": [{"text": "Stevens-Johnson syndrome"}], "severity": "moderate"}]}, True, False, {"scar"}),
        ({"reaction": [{"manifestation": [{"text": "DRESS syndrome"}]}]}, True, False, {"scar"}),
        ({"reaction": [{"manifestation": {"text": "Hives"}, "severity": "mild"}]}, False, True, {"urticaria"}),
        ({"criticality": "low", "reaction": [{"description": "maculopapular rash"}]}, False, True, {"rash"}),
        (
            {"reaction": [{"description": "no anaphylaxis, only nausea", "manifestation": [], "severity": "mild"}]},
            False,
            True,
            {"gastrointestinal"},
        ),
        ({"reaction": [{"manifestation": [{"text": "Rash"}], "severity": "severe"}]}, True, False, {"rash"}),
    ],
)
def test_how_bad_an_allergy_was(read: Read, elements: dict[str, Any], severe: bool, mild: bool, reactions: set[str]) -> None:
    """Anaphylaxis, a severe skin reaction and high criticality are severe; nothing recorded is neither."""
    found = only(read(allergy(code={"text": "aztreonam"}, **elements)))
    assert (found.severe, found.mild, found.reactions) == (severe, mild, reactions)


@pytest.mark.parametrize(
    "elements",
    [
        {"clinicalStatus": coded("urn:x", "resolved")},
        {"clinicalStatus": coded("urn:x", "inactive")},
        {"verificationStatus": coded("urn:x", "refuted")},
        {"verificationStatus": coded("urn:x", "entered-in-error")},
        {"patient": {"reference": "Patient/other"}},
        {"code": {"text": "No known allergies"}},
        {"code": {"text": "Peanut"}},
    ],
)
def test_an_allergy_that_does_not_stand_is_none(read: Read, elements: dict[str, Any]) -> None:
    """Refuted, resolved, another patient's, or to something else."""
    assert read(allergy(**{"code": {"text": "aztreonam"}, **elements})).allergies == ()


def test_the_patient_is_read_as_far_as_a_dose_needs(read: Read) -> None:
    """Birth date, sex and death, and nothing else."""
    person = read(
        {"resourceType": "Patient", "id": "p", "birthDate": "1958-03", "gender": "female", "deceasedDateTime": "2026-11-19"}
    ).person
    assert (person.born, person.sex, person.deceased) == (date(1958, 3, 1), "female", True)


def test_another_patient_resource_is_not_the_patient(read: Read) -> None:
    """The context names the patient."""
    assert read({"resourceType": "Patient", "id": "q", "birthDate": "1958-03-01", "gender": "female"}).person.born is None

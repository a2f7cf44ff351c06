"""What names another patient: it is never judged, and never dropped in silence where it could have mattered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from msgspec import Raw

from cds_service.clinical.facts import Order, Unreadable
from cds_service.fhir import laboratory, orders, patient
from cds_service.fhir.laboratory import Laboratory
from cds_service.fhir.orders import Cabinet
from cds_service.fhir.references import ANYWHERE, Home, Subjects
from cds_service.fhir.reports import Witness, reports
from cds_service.fhir.resources import MALFORMED, DiagnosticReport, Glance, MedicationRequest, Observation, Patient, glance, read
from cds_service.fhir.valuesets import Terminology

WHY = "it names another patient"
Strangers = Iterable[tuple[Glance, Raw]]


def drafts(strangers: Strangers, cabinet: Cabinet, terminology: Terminology) -> Iterator[Unreadable]:
    """Drafts of another patient that are antibiotics, or do not say what they are."""
    for seen, raw in strangers:
        if seen.resourceType not in {"MedicationRequest", ""}:
            continue
        request = read(raw, MedicationRequest)
        told = orders.order(request, True, cabinet, terminology) if request else orders.broken(raw, True, terminology)
        if isinstance(told, Unreadable):
            yield replace(told, why=WHY)
        elif isinstance(told, Order) and told.drug.antibacterial:
            yield Unreadable("order", told.reference, told.label, WHY, draft=True)


def results(strangers: Strangers, bench: Laboratory, witness: Witness) -> Iterator[Unreadable]:
    """Results of another patient that found a wanted marker, or may have; their words are somebody else's and stay out."""
    for seen, raw in strangers:
        name, markers = _claimed(seen, raw, bench)
        if witness.wanted(markers):
            yield Unreadable("result", name, "", WHY)


def _claimed(seen: Glance, raw: Raw, bench: Laboratory) -> tuple[str, set[str]]:
    """The reference of a result, and the markers that it found or speaks of in a way that cannot be read."""
    if seen.resourceType == "Observation" and (result := read(raw, Observation)):
        for reading in bench.readings([result]):
            found = {one.marker for one in reading.detections if one.found}
            return reading.reference, found | reading.claims | (reading.suspects if reading.problem else set())
        return "", set()
    if seen.resourceType == "DiagnosticReport" and (report := read(raw, DiagnosticReport)):
        for one in reports([report], bench.specimens, bench.meanings.terminology).all:
            return one.reference, set(one.claims)
        return "", set()
    return ("", laboratory.named(raw, bench.meanings)) if seen.resourceType in laboratory.TELLING else ("", set())


def of_others(patient_id: str, resources: Sequence[Raw], record: Mapping[str, Sequence[Raw]], home: Home = ANYWHERE) -> bool:
    """There are resources, and every one of them is or names another patient; records that the patient's own one links to are no other.

    A person whom nobody can read, or who has no id, is not known to be this one.
    """
    subjects = Subjects(patient_id, home)
    if not resources or not all(_strange(raw, subjects) for raw in resources):
        return False
    for raw in (one for part in record.values() for one in part):
        found = read(raw, Patient)
        for name in patient.linked(found, home) if found and found.id == patient_id else ():
            subjects.link(name)
    return all(_strange(raw, subjects) for raw in resources)


def _strange(raw: Raw, subjects: Subjects) -> bool:
    try:
        seen = glance(raw)
    except MALFORMED:
        return False
    if seen.resourceType == "Patient":
        found = read(raw, Patient)
        return found is None or not subjects.named(found.id)
    return any(subjects.own(one) is False for one in (seen.subject, seen.patient))

"""When what stands under a prefetch key is not this patient's at all, so that it is no answer to the question."""

from collections.abc import Mapping, Sequence

from cds_service.fhir import patient
from cds_service.fhir.references import ANYWHERE, Home, Subjects
from cds_service.fhir.resources import Patient, read
from cds_service.sent import Resource


def of_others(patient_id: str, resources: Sequence[Resource], record: Mapping[str, Sequence[Resource]], home: Home = ANYWHERE) -> bool:
    """There are resources, and every one of them is or names another patient: nobody looked whose record was asked for.

    Orders or reports of one other patient alone are misfiled, and only left out: without them a card says no less, while measured results
    that are left out would be taken for none. Records that the patient's own one links to are no other. A person whom nobody can read, or
    who has no id, is not known to be this one.
    """
    if not resources:
        return False
    subjects = Subjects(patient_id)
    if not _astray(resources, subjects):
        return False
    for one in (one for part in record.values() for one in part):
        found = read(one.raw, Patient)
        for name in patient.linked(found, home) if found and found.id == patient_id else ():
            subjects.link(name)
    return _astray(resources, subjects)


def _astray(resources: Sequence[Resource], subjects: Subjects) -> bool:
    measured, whose = True, set[bytes]()
    for resource in resources:
        kind, others = _stranger(resource, subjects)
        if not others:
            return False
        measured = measured and kind in {"Observation", "Patient"}
        whose |= others
    return len(whose) > 1 or measured


def _stranger(resource: Resource, subjects: Subjects) -> tuple[str, set[bytes]]:
    """The type of a resource, and the other patient that it is or names; nobody for the patient's own."""
    seen = resource.seen
    if seen.resourceType == "Patient":
        found = read(resource.raw, Patient)
        return "Patient", set() if found and subjects.named(found.id) else {b"another person"}
    return seen.resourceType, {bytes(one) for one in (seen.subject, seen.patient) if subjects.own(one) is False}

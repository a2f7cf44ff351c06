"""When what stands under a prefetch key is not this patient's at all, so that it is no answer to the question."""

from collections.abc import Mapping, Sequence

from msgspec import Raw

from cds_service.bundles import MALFORMED
from cds_service.fhir import patient
from cds_service.fhir.references import ANYWHERE, Home, Subjects
from cds_service.fhir.resources import Patient, glance, read


def of_others(patient_id: str, resources: Sequence[Raw], record: Mapping[str, Sequence[Raw]], home: Home = ANYWHERE) -> bool:
    """Another person, or the resources of several other patients and none of this one: nobody looked whose record was asked for.

    A misfiled resource of one other patient is no such sign; it is left out and counted. Records that the patient's own one links to are no
    other. A person whom nobody can read, or who has no id, is not known to be this one.
    """
    subjects = Subjects(patient_id)
    if not resources or not _astray(resources, subjects):
        return False
    for raw in (one for part in record.values() for one in part):
        found = read(raw, Patient)
        for name in patient.linked(found, home) if found and found.id == patient_id else ():
            subjects.link(name)
    return _astray(resources, subjects)


def _astray(resources: Sequence[Raw], subjects: Subjects) -> bool:
    seen: set[bytes] = set()
    for raw in resources:
        whose = _stranger(raw, subjects)
        if not whose:
            return False
        seen |= whose
    return len(seen) > 1


def _stranger(raw: Raw, subjects: Subjects) -> set[bytes]:
    """The other patient whom a resource names; of another person both what was asked for and what came, nothing for the patient's own."""
    try:
        seen = glance(raw)
    except MALFORMED:
        return set()
    if seen.resourceType == "Patient":
        found = read(raw, Patient)
        return set() if found and subjects.named(found.id) else {b"asked for", b"came"}
    return {bytes(one) for one in (seen.subject, seen.patient) if subjects.own(one) is False}

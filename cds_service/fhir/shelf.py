"""The raw resources of one request, sorted by what they are, with the irrelevant and the foreign left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from msgspec import Raw, Struct

from cds_service.fhir.meanings import Meanings
from cds_service.fhir.memory import Memory
from cds_service.fhir.orders import concerns
from cds_service.fhir.references import Subjects
from cds_service.fhir.resources import Envelope, elements, read, string, twice
from cds_service.sent import NOTHING, Glance, Resource, look

READ = {
    "MedicationRequest", "Medication", "DiagnosticReport", "Specimen", "Patient", "Condition", "Procedure",
    "ServiceRequest", "Encounter", "AllergyIntolerance",
}  # fmt: skip
JUDGED = {"Observation", "DiagnosticReport", "MedicationRequest"}
SPELLINGS = {name.casefold(): name for name in (*READ, "Observation", "Bundle")}  # any other spelling is no FHIR, yet not to be passed over
S = TypeVar("S", bound=Struct)


@dataclass(slots=True)
class Shelf:
    """Raw resources by type; `broken` are those whose shape is not FHIR's. `whole` keeps orders of any drug."""

    meanings: Meanings
    subjects: Subjects
    whole: bool = False
    resources: dict[str, list[Raw]] = field(default_factory=dict)
    broken: list[tuple[str, Raw]] = field(default_factory=list)
    strangers: list[Resource] = field(default_factory=list)
    _drugs: Memory[bool] = field(init=False)

    def __post_init__(self) -> None:
        terms = self.meanings.terminology
        self._drugs = terms.memory("drugs", partial(concerns, terminology=terms))

    def put(self, resources: Iterable[Resource]) -> None:
        """By what was seen at a glance; most resources go no further."""
        own, matters, drugs = self.subjects.own, self.meanings.matters, self._concerned
        usual = NOTHING  # nearly all resources name the patient in the same bytes, which are compared faster than looked up
        for resource in resources:
            raw, seen = resource.raw, resource.seen
            if (seen.subject != usual and not own(seen.subject)) or (seen.patient is not NOTHING and not own(seen.patient)):
                self._not_own(resource)
                continue
            usual = seen.subject
            if seen.resourceType == "Observation":
                if matters(seen):
                    self._keep("Observation", raw)
            elif seen.resourceType == "MedicationRequest":
                if drugs(seen):
                    self._keep("MedicationRequest", raw)
            elif seen.resourceType in READ:
                self._keep(seen.resourceType, raw)
            else:
                self._unusual(resource)

    def _unusual(self, resource: Resource) -> None:
        """A Bundle is opened; what does not say what it is, is broken; all other types are none of our business."""
        name = resource.seen.resourceType
        if name == "Bundle":
            self.put(map(look, split(resource)))
        elif not name or name.strip().casefold() in SPELLINGS:
            self._set_aside(resource.raw)

    def _not_own(self, resource: Resource) -> None:
        """Another patient's, unless what should say whose it is can itself not be read."""
        seen = resource.seen
        if False in (self.subjects.own(seen.subject), self.subjects.own(seen.patient)):
            self.strangers.append(resource)
        else:
            self._set_aside(resource.raw)

    def _concerned(self, seen: Glance) -> bool:
        """An order that names its drug by a concept alone goes no further where that is none of our business."""
        if self.whole or seen.medicationReference is not NOTHING or seen.medicationCodeableConcept is NOTHING:
            return True
        return self._drugs[bytes(seen.medicationCodeableConcept)]

    def keep(self, resources: Iterable[Resource]) -> None:
        """Medications, and orders that only point at theirs, whoever they belong to."""
        for resource in resources:
            raw, seen = resource.raw, resource.seen
            if seen.resourceType == "Medication" or (seen.resourceType == "MedicationRequest" and seen.medicationReference is not NOTHING):
                self._keep(seen.resourceType, raw)
            elif seen.resourceType == "Bundle":
                self.keep(map(look, split(resource)))

    def settle(self) -> None:
        """Strangers that a linked record explains come in after all."""
        waiting, self.strangers = self.strangers, []
        self.put(look(one.raw) for one in waiting)

    def read(self, kind: type[S], name: str = "") -> Iterator[S]:
        """Every resource of one type as a struct, each id once; those that cannot be read are set aside as broken."""
        name = name or kind.__name__
        seen: set[str] = set()
        for raw in self.resources.get(name, ()):
            found = read(raw, kind)
            if found is None or (name in JUDGED and twice(raw)):
                self.broken.append((name, raw))
                continue
            identity = getattr(found, "id", None)
            if identity is None or identity not in seen:
                seen.add(identity or "")
                yield found

    def _keep(self, name: str, raw: Raw) -> None:
        self.resources.setdefault(name, []).append(raw)

    def _set_aside(self, raw: Raw) -> None:
        found = elements(raw)
        name = string(found.get("resourceType"))
        name = SPELLINGS.get(name.strip().casefold(), name)
        if False in (self.subjects.own(found[key]) for key in ("subject", "patient") if key in found):
            self.strangers.append(Resource(raw, Glance(resourceType=name)))
        else:
            self.broken.append((name, raw))


def split(bundle: Resource) -> list[Raw]:
    """The resources of a Bundle."""
    envelope = read(bundle.raw, Envelope)
    return [one.resource for one in (envelope.entry if envelope else None) or [] if memoryview(one.resource)]

"""The few FHIR R4 elements that are read, as lean structs; every element is optional, every number is raw."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec import Raw, Struct
from msgspec.json import Decoder, decode

from cds_service.sent import MALFORMED, NOTHING
from cds_service.strict_json import once


class Element(Struct, gc=False, frozen=True):
    """A part of a resource; what is not named here is skipped unread."""


class Coding(Element, frozen=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Element, frozen=True):
    coding: list[Coding] | None = None
    text: str | None = None


class Reference(Element, frozen=True):
    reference: str | None = None
    display: str | None = None


class Period(Element, frozen=True):
    start: str | None = None
    end: str | None = None


class Quantity(Element, frozen=True):
    """The number stays raw until `quantity.number` has looked at it."""

    value: Raw = NOTHING
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Ratio(Element, frozen=True):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Range(Element, frozen=True):
    low: Quantity | None = None
    high: Quantity | None = None


class Note(Element, frozen=True):
    text: str | None = None


Concepts = list[Concept] | Concept | None


class Part(Element, frozen=True):
    """A code with its value: what Observation and Observation.component have in common."""

    code: Concept | None = None
    valueCodeableConcept: Concept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueQuantity: Quantity | None = None
    valueInteger: Raw = NOTHING
    valueRatio: Ratio | None = None
    dataAbsentReason: Concept | None = None
    interpretation: Concepts = None
    referenceRange: list[Range] | None = None


class Observation(Part, frozen=True):
    id: str | None = None
    status: str | None = None
    category: Concepts = None
    effectiveDateTime: str | None = None
    effectiveInstant: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    note: list[Note] | None = None
    method: Concept | None = None
    bodySite: Concept | None = None
    specimen: Reference | None = None
    basedOn: list[Reference] | None = None
    hasMember: list[Reference] | None = None
    derivedFrom: list[Reference] | None = None
    component: list[Part] | None = None
    contained: list[Raw] | None = None
    modifierExtension: list[Raw] | None = None


class Collection(Element, frozen=True):
    collectedDateTime: str | None = None
    collectedPeriod: Period | None = None
    bodySite: Concept | None = None


class Specimen(Element, frozen=True):
    resourceType: str = ""
    id: str | None = None
    type: Concept | None = None
    collection: Collection | None = None
    receivedTime: str | None = None


class DiagnosticReport(Element, frozen=True):
    id: str | None = None
    status: str | None = None
    code: Concept | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    specimen: list[Reference] | None = None
    result: list[Reference] | None = None
    conclusion: str | None = None
    conclusionCode: Concepts = None
    contained: list[Raw] | None = None


class Ingredient(Element, frozen=True):
    itemCodeableConcept: Concept | None = None
    itemReference: Reference | None = None


class Medication(Element, frozen=True):
    resourceType: str = ""
    id: str | None = None
    code: Concept | None = None
    form: Concept | None = None
    ingredient: list[Ingredient] | None = None


class Repeat(Element, frozen=True):
    boundsPeriod: Period | None = None
    boundsDuration: Quantity | None = None
    count: Raw = NOTHING
    duration: Raw = NOTHING
    durationMax: Raw = NOTHING
    durationUnit: str | None = None
    frequency: Raw = NOTHING
    frequencyMax: Raw = NOTHING
    period: Raw = NOTHING
    periodMax: Raw = NOTHING
    periodUnit: str | None = None
    timeOfDay: list[str] | None = None


class Timing(Element, frozen=True):
    event: list[str] | None = None
    repeat: Repeat | None = None
    code: Concept | None = None


class DoseAndRate(Element, frozen=True):
    type: Concept | None = None
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    rateRatio: Ratio | None = None
    rateQuantity: Quantity | None = None


class Dosage(Element, frozen=True):
    """`doseQuantity` stood here before R4, and some clients still send it so."""

    text: str | None = None
    additionalInstruction: Concepts = None
    patientInstruction: str | None = None
    timing: Timing | None = None
    asNeededBoolean: bool | None = None
    asNeededCodeableConcept: Concept | None = None
    route: Concept | None = None
    method: Concept | None = None
    doseAndRate: list[DoseAndRate] | None = None
    doseQuantity: Quantity | None = None


class Dispense(Element, frozen=True):
    expectedSupplyDuration: Quantity | None = None


class MedicationRequest(Element, frozen=True):
    id: str | None = None
    status: str | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    category: Concepts = None
    medicationCodeableConcept: Concept | None = None
    medicationReference: Reference | None = None
    contained: list[Raw] | None = None
    authoredOn: str | None = None
    dosageInstruction: list[Dosage] | None = None
    dispenseRequest: Dispense | None = None
    priorPrescription: Reference | None = None
    reasonCode: Concepts = None
    reasonReference: list[Reference] | None = None
    note: list[Note] | None = None
    modifierExtension: list[Raw] | None = None


class PatientLink(Element, frozen=True):
    other: Reference | None = None


class Patient(Element, frozen=True):
    id: str | None = None
    gender: str | None = None
    birthDate: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None
    link: list[PatientLink] | None = None


class Condition(Element, frozen=True):
    """Also Procedure and ServiceRequest: a coded statement about the patient with a status and a time."""

    resourceType: str = ""
    id: str | None = None
    status: str | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    clinicalStatus: Concept | None = None
    verificationStatus: Concept | None = None
    code: Concept | None = None
    onsetDateTime: str | None = None
    recordedDate: str | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    authoredOn: str | None = None
    note: list[Note] | None = None
    orderDetail: Concepts = None
    specimen: list[Reference] | None = None


class PlaceStay(Element, frozen=True):
    location: Reference | None = None
    status: str | None = None


class Encounter(Element, frozen=True, rename={"kind": "class"}):
    id: str | None = None
    status: str | None = None
    kind: Coding | None = None
    type: Concepts = None
    serviceType: Concept | None = None
    reasonCode: Concepts = None
    location: list[PlaceStay] | None = None
    period: Period | None = None


class Reaction(Element, frozen=True):
    substance: Concept | None = None
    manifestation: Concepts = None
    severity: str | None = None
    onset: str | None = None
    description: str | None = None


class AllergyIntolerance(Element, frozen=True):
    id: str | None = None
    clinicalStatus: Concept | None = None
    verificationStatus: Concept | None = None
    code: Concept | None = None
    criticality: str | None = None
    onsetDateTime: str | None = None
    recordedDate: str | None = None
    lastOccurrence: str | None = None
    reaction: list[Reaction] | None = None


class Entry(Element, frozen=True):
    fullUrl: str | None = None
    resource: Raw = NOTHING


class Envelope(Element, frozen=True):
    entry: list[Entry] | None = None


S = TypeVar("S", bound=Struct)
_DECODERS: dict[type, Decoder[object]] = {}


def read(raw: Raw | bytes, kind: type[S]) -> S | None:
    """The resource as a struct, or None where its shape is not FHIR's; one bad resource never spoils others."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = Decoder(kind)
    try:
        found = decoder.decode(raw)
    except MALFORMED:
        return None
    return found if isinstance(found, kind) else None


def read_all(raw: Raw | bytes, kind: type[S]) -> list[S]:
    """A JSON list of structs, or an empty one."""
    try:
        return decode(raw, type=list[kind])  # type: ignore[valid-type]
    except MALFORMED:
        return []


def string(raw: Raw | bytes | None) -> str:
    """A JSON string, or "" for anything else."""
    try:
        return decode(raw, type=str) if raw is not None else ""
    except MALFORMED:
        return ""


def elements(raw: Raw | bytes) -> dict[str, Raw]:
    """The top-level elements of a resource that could not be read as a whole."""
    try:
        return decode(raw, type=dict[str, Raw])
    except MALFORMED:
        return {}


def twice(raw: Raw | bytes) -> bool:
    """Whether a name occurs twice in one of its objects, so that another reader may see another resource."""
    try:
        once(bytes(raw))
    except (ValueError, RecursionError):
        return True
    return False


def several(found: list[Concept] | Concept | None) -> list[Concept]:
    """Clients send one concept where FHIR has a list."""
    if found is None:
        return []
    return [found] if isinstance(found, Concept) else found


def contained(raws: Iterable[Raw] | None, kind: type[S], type_name: str) -> Iterator[S]:
    """The contained resources of one type."""
    for raw in raws or ():
        found = read(raw, kind)
        if found is not None and getattr(found, "resourceType", type_name) == type_name:
            yield found

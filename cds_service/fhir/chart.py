"""From raw resources to the facts of one request: first the drafts, then the whole chart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from msgspec import Raw, Struct, field
from msgspec.structs import replace

from cds_service.clinical.facts import Allergy, Chart, Circumstance, Order, Person, Unreadable
from cds_service.fhir import effluent, laboratory, orders, patient, words
from cds_service.fhir.isolates import group
from cds_service.fhir.laboratory import Laboratory
from cds_service.fhir.meanings import Meanings
from cds_service.fhir.observations import Reading
from cds_service.fhir.orders import Cabinet, Told
from cds_service.fhir.references import ANYWHERE, Home, Subjects
from cds_service.fhir.reports import Reports, Witness, only_in_words, reports
from cds_service.fhir.resources import (
    AllergyIntolerance,
    Condition,
    DiagnosticReport,
    Encounter,
    Entry,
    Envelope,
    Medication,
    MedicationRequest,
    Observation,
    Patient,
    Specimen,
    read,
)
from cds_service.fhir.shelf import Shelf
from cds_service.fhir.specimens import Specimens
from cds_service.fhir.valuesets import Terminology
from cds_service.sent import Resource, look


class Drafts(Struct, frozen=True):
    """What the draft orders of a hook say before anything else is known.

    `unresolved` are references to medications that the hook did not bring along; `read_chart` reads
    those of the `requests` again that point at something; `alone` is what each of them says by itself. `strangers` name
    another patient, as far as can be known before the record is there.
    """

    orders: tuple[Order, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    unresolved: tuple[str, ...] = ()
    requests: tuple[MedicationRequest, ...] = ()
    alone: tuple[Told, ...] = ()
    broken: tuple[Unreadable, ...] = ()
    wanted: tuple[Condition, ...] = ()
    medications: Mapping[str, Medication] = field(default_factory=dict)
    strangers: tuple[Resource, ...] = ()
    home: Home = ANYWHERE


def read_drafts(
    bundle: Raw | bytes | None, patient_id: str, terminology: Terminology, *, composing: bool = False, home: Home = ANYWHERE
) -> Drafts:
    """The draft orders of the hook's Bundle; without a Bundle there are none.

    `composing`: the user is still choosing, so an order without any medication is not yet one. `home`: the server that the record is on.
    """
    envelope = read(bundle, Envelope) if bundle is not None else None
    sent = (envelope.entry if envelope else None) or []
    entries = [one for one in sent if memoryview(one.resource)]
    shelf = Shelf(Meanings(terminology), Subjects(patient_id), whole=True)
    shelf.put([look(one.resource) for one in entries])
    medications = {**_medications(shelf), **dict(_enclosed(entries, home))}
    requests = tuple(one for one in shelf.read(MedicationRequest) if not composing or orders.begun(one))
    broken = [orders.broken(raw, True, terminology) for name, raw in shelf.broken if name in {"MedicationRequest", ""}]
    hollow = () if composing else (orders.NOT_THERE,) * (len(sent) - len(entries))
    lost = (*(one for one in broken if one), *hollow)
    cabinet = Cabinet(medications, home=home)
    alone = tuple(orders.order(one, True, cabinet, terminology) for one in requests)
    known, unread = _apart(alone)
    return Drafts(
        orders=known,
        unreadable=(*unread, *lost),
        unresolved=_lost(requests, cabinet, terminology),
        requests=requests,
        alone=alone,
        broken=lost,
        wanted=tuple(shelf.read(Condition, "ServiceRequest")),
        medications=medications,
        strangers=tuple(shelf.strangers),
        home=home,
    )


def _enclosed(entries: Iterable[Entry], home: Home) -> Iterator[tuple[str, Medication]]:
    """Medications of the Bundle by the address under which its orders point at them."""
    for one in entries:
        found = read(one.resource, Medication) if one.fullUrl else None
        if found and found.resourceType == "Medication":
            yield home.bare(one.fullUrl), found


def unresolved(drafts: Drafts, parts: Mapping[str, Sequence[Resource]], terminology: Terminology) -> tuple[str, ...]:
    """ "Medication/x" of every draft and running order whose drug is known neither by resource nor by words."""
    shelf = Shelf(Meanings(terminology), Subjects(""))
    shelf.keep(chain.from_iterable(parts.values()))
    medications = {**drafts.medications, **_medications(shelf)}
    running = [one for one in shelf.read(MedicationRequest) if (one.status or "") in orders.RUNNING]
    return _lost([*drafts.requests, *running], Cabinet(medications, home=drafts.home), terminology)


def read_chart(
    patient_id: str,
    drafts: Drafts,
    parts: Mapping[str, Sequence[Resource]],
    missing: frozenset[str],
    terminology: Terminology,
    now: datetime,
    *,
    future_h: int,
    procedure_days: int,
    sought: frozenset[str] | None = None,
) -> Chart:
    """The facts of one request.

    Clocks may differ by `future_h`, a finished procedure counts for `procedure_days`, and of unreadable results only the `sought`
    markers matter, if given.
    """
    shelf = Shelf(Meanings(terminology), Subjects(patient_id))
    person = _filled(shelf, parts, patient_id, drafts.home)
    drafts = _settled(drafts, shelf.subjects, terminology)
    told = _told(shelf, drafts, now, timedelta(days=procedure_days))
    prescribed, lost = _prescribed(shelf, drafts, told)
    bench, readings = _read_bench(shelf, told, now + timedelta(hours=future_h))
    isolates = group(readings, bench.reports.places)
    asked = [one for one in told if one.resourceType == "ServiceRequest"]
    numbers = laboratory.measures(readings)
    return Chart(
        patient_id=patient_id,
        person=person,
        isolates=isolates,
        orders=prescribed,
        unreadable=(*lost, *_unread(shelf, bench, readings, told, Witness(isolates, sought))),
        measures={**effluent.measures(told), **numbers},
        unread_tests=laboratory.unread_tests(readings, numbers),
        circumstances=_circumstances(told, shelf, terminology),
        allergies=_allergies(shelf, terminology),
        cultures=tuple(laboratory.cultures(readings, asked, shelf.meanings)),
        pending_tests=laboratory.pending(readings, asked, shelf.meanings),
        missing=missing,
        foreign=len(drafts.strangers) + len(shelf.strangers),
    )


def _settled(drafts: Drafts, subjects: Subjects, terminology: Terminology) -> Drafts:
    """The drafts with those that turn out to name a linked record of this patient."""
    if not drafts.strangers:
        return drafts
    mine = [one.raw for one in drafts.strangers if subjects.own(one.seen.subject)]
    requests = tuple(found for raw in mine if (found := read(raw, MedicationRequest)))
    told = tuple(orders.order(one, True, Cabinet(drafts.medications, home=drafts.home), terminology) for one in requests)
    left = tuple(one for one in drafts.strangers if not subjects.own(one.seen.subject))
    return replace(drafts, requests=(*drafts.requests, *requests), alone=(*drafts.alone, *told), strangers=left)


def _prescribed(shelf: Shelf, drafts: Drafts, told: Iterable[Condition]) -> tuple[tuple[Order, ...], tuple[Unreadable, ...]]:
    """Drafts and running orders with the medications and reasons that they point at, and those that could not be read."""
    terms = shelf.meanings.terminology
    cabinet = Cabinet({**drafts.medications, **_medications(shelf)}, _reasons(told, terms), drafts.home)
    running, lost_running = _apart([orders.order(one, False, cabinet, terms) for one in shelf.read(MedicationRequest)])
    pairs = zip(drafts.requests, drafts.alone, strict=True)
    drafted, lost_drafts = _apart([orders.order(one, True, cabinet, terms) if orders.points(one) else alone for one, alone in pairs])
    return (*drafted, *running), (*lost_drafts, *drafts.broken, *lost_running)


def _unread(
    shelf: Shelf, bench: Laboratory, readings: Sequence[Reading], told: Iterable[Condition], witness: Witness
) -> Iterator[Unreadable]:
    """Results that matter and could not be understood, stand only in words, or are no FHIR."""
    terms, conditions = shelf.meanings.terminology, [one for one in told if one.resourceType == "Condition"]
    yield from laboratory.unreadable(readings, witness)
    yield from only_in_words(bench.reports, readings, conditions, witness, terms)
    yield from _broken(shelf, shelf.meanings, witness, terms)


def _filled(shelf: Shelf, parts: Mapping[str, Sequence[Resource]], patient_id: str, home: Home) -> Person:
    """The context patient, once the shelf holds everything of this patient's, in linked records too."""
    shelf.put(chain.from_iterable(parts.values()))
    found = next((one for one in shelf.read(Patient) if one.id == patient_id), None)
    for name in patient.linked(found, home) if found else ():
        shelf.subjects.link(name)
    shelf.settle()
    return patient.person(found) if found else Person()


def _told(shelf: Shelf, drafts: Drafts, now: datetime, recent: timedelta) -> list[Condition]:
    """Conditions, procedures and requests that hold now."""
    every = [one for name in ("Condition", "Procedure", "ServiceRequest") for one in shelf.read(Condition, name)]
    return [one for one in (*every, *drafts.wanted) if patient.holds(one, now, recent)]


def _reasons(told: Iterable[Condition], terminology: Terminology) -> dict[str, frozenset[str]]:
    return {f"{one.resourceType}/{one.id}": words.every(terminology, "circumstance", [one.code]) for one in told if one.id}


def _medications(shelf: Shelf) -> dict[str, Medication]:
    return {f"Medication/{one.id}": one for one in shelf.read(Medication) if one.id}


def _apart(found: Sequence[Told]) -> tuple[tuple[Order, ...], tuple[Unreadable, ...]]:
    return tuple(one for one in found if isinstance(one, Order)), tuple(one for one in found if isinstance(one, Unreadable))


def _lost(requests: Iterable[MedicationRequest], cabinet: Cabinet, terminology: Terminology) -> tuple[str, ...]:
    """References that have to be followed, since no words beside them name the drug."""
    labels = [orders.labelled(one, cabinet) for one in requests if one.medicationReference]
    lost = [one.lost for one in labels if one.lost.startswith("Medication/") and orders.nameless(one, terminology)]
    return tuple(dict.fromkeys(lost))


def _read_bench(shelf: Shelf, told: Iterable[Condition], latest: datetime) -> tuple[Laboratory, list[Reading]]:
    """The laboratory and everything that its Observations say."""
    bench = _bench(shelf, told, latest)
    return bench, list(bench.readings(shelf.read(Observation)))


def _bench(shelf: Shelf, told: Iterable[Condition], latest: datetime) -> Laboratory:
    terms = shelf.meanings.terminology
    specimens = Specimens({f"Specimen/{one.id}": one for one in shelf.read(Specimen) if one.id}, terms)
    found: Reports = reports(shelf.read(DiagnosticReport), specimens, terms)
    asked = [one for one in told if one.resourceType == "ServiceRequest" and one.code]
    screens = frozenset(f"ServiceRequest/{one.id}" for one in asked if one.code and shelf.meanings.of_concept(one.code).screening)
    return Laboratory(shelf.meanings, specimens, found, screens, latest)


def _circumstances(told: Iterable[Condition], shelf: Shelf, terminology: Terminology) -> tuple[Circumstance, ...]:
    stays = (found for one in shelf.read(Encounter) for found in patient.stay(one, terminology))
    return (*(found for one in told for found in patient.circumstances(one, terminology)), *stays)


def _allergies(shelf: Shelf, terminology: Terminology) -> tuple[Allergy, ...]:
    found = (patient.allergy(one, terminology) for one in shelf.read(AllergyIntolerance))
    return tuple(one for one in found if one)


def _broken(shelf: Shelf, meanings: Meanings, witness: Witness, terminology: Terminology) -> Iterable[Unreadable]:
    """Resources that are no FHIR, as far as they look like an antibiotic order or a wanted result."""
    for name, raw in shelf.broken:
        found = None
        if name == "MedicationRequest":
            found = orders.broken(raw, False, terminology)
        elif name in laboratory.TELLING:
            found = laboratory.broken(name, raw, meanings, witness) or (None if name else orders.nameless_broken(raw, terminology))
        if found:
            yield found

"""The person and what the record says about them: conditions, procedures, orders, places and allergies."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cds_service.clinical.facts import Allergy, Circumstance, Person
from cds_service.fhir import words
from cds_service.fhir.references import ANYWHERE, Home
from cds_service.fhir.resources import AllergyIntolerance, Concept, Condition, Encounter, Patient, Reaction, several
from cds_service.fhir.times import begins, day, moment
from cds_service.fhir.valuesets import Terminology

PAST = {"inactive", "resolved", "remission"}
UNTRUE = {"refuted", "entered-in-error"}
PRESENT = {"arrived", "triaged", "in-progress", "onleave", ""}
LEFT = {"completed", "reserved", "planned"}
HAPPENED = {"completed", "in-progress", "on-hold", ""}
WANTED = {"active", "draft", "on-hold", ""}
PLANS = {"proposal", "plan", "option"}


def person(found: Patient) -> Person:
    """Birth date, sex and whether the patient has died, as far as the record says."""
    deceased = bool(found.deceasedBoolean) or bool(found.deceasedDateTime)
    return Person(day(found.birthDate), found.gender, deceased)


def linked(found: Patient, home: Home = ANYWHERE) -> Iterator[str]:
    """The ids of the records of the same server that this one names as the same person."""
    for link in found.link or ():
        kind, _, name = home.bare(link.other.reference if link.other else None).rpartition("/")
        if name and kind in {"", "Patient"}:
            yield name


def status(found: Condition) -> str:
    """The status by whichever element the resource has."""
    codes = [code for _, code, _ in words.triples([found.verificationStatus]) if code in UNTRUE]
    clinical = [code for _, code, _ in words.triples([found.clinicalStatus])]
    return next(iter([*codes, *clinical]), found.status or "")


def holds(found: Condition, now: datetime, recent: timedelta) -> bool:
    """The condition is active, the procedure recent, the request still wanted."""
    state = status(found)
    if found.resourceType == "Condition":
        return state not in PAST | UNTRUE
    if found.resourceType == "Procedure":
        ended = moment(found.performedPeriod.end if found.performedPeriod else found.performedDateTime)
        return state in HAPPENED and (ended is None or state == "in-progress" or now - ended <= recent)
    return state in WANTED and found.intent not in PLANS and not found.doNotPerform


def circumstances(found: Condition, terminology: Terminology) -> Iterator[Circumstance]:
    """What a condition, a procedure or a request says, in the words of the rules."""
    reference = f"{found.resourceType}/{found.id}" if found.id else ""
    since = moment(found.onsetDateTime) or moment(found.performedDateTime) or begins(found.performedPeriod)
    since = since or moment(found.recordedDate) or moment(found.authoredOn)
    for word in sorted(words.every(terminology, "circumstance", [found.code, *several(found.orderDetail)])):
        yield Circumstance(word, found.resourceType.lower(), reference, since)


def stay(found: Encounter, terminology: Terminology) -> Iterator[Circumstance]:
    """Where the patient lies now, and why they came."""
    if (found.status or "") not in PRESENT:
        return
    reference = f"Encounter/{found.id}" if found.id else ""
    said = {terminology.code("circumstance", found.kind.system or "", found.kind.code or "") if found.kind else None}
    places = [one.location.display for one in found.location or [] if one.location and one.status not in LEFT]
    spoken = [*places, found.kind.display if found.kind else None]
    said.update(*(words.affirmed(terminology, "circumstance", text) for text in spoken if text))
    said |= words.every(terminology, "circumstance", [*several(found.type), found.serviceType, *several(found.reasonCode)])
    for word in sorted(one for one in said if one):
        yield Circumstance(word, "encounter", reference, begins(found.period))


def allergy(found: AllergyIntolerance, terminology: Terminology) -> Allergy | None:
    """The allergy while it stands; None where it was refuted, has gone, or is to nothing that the service knows."""
    states = {code for _, code, _ in words.triples([found.clinicalStatus, found.verificationStatus])}
    if states & (PAST | UNTRUE):
        return None
    reactions = found.reaction or []
    concepts = [found.code, *(one.substance for one in reactions)]
    substances, groups = _substances(concepts, terminology)
    if not substances and not groups:
        return None
    named = _reactions(reactions, terminology)
    grave = bool(named & terminology.severe_reactions) or found.criticality == "high" or any(one.severity == "severe" for one in reactions)
    faint = bool(reactions) and (found.criticality == "low" or any(one.severity == "mild" for one in reactions))
    return Allergy(
        reference=f"AllergyIntolerance/{found.id}" if found.id else "",
        label=words.label(found.code),
        substances=substances,
        groups=groups,
        reactions=named,
        severe=grave,
        mild=faint and not grave,
        recorded=_reacted(found, reactions),
    )


def _substances(concepts: Sequence[Concept | None], terminology: Terminology) -> tuple[frozenset[str], frozenset[str]]:
    """Ingredients of every drug that is named, and the classes that are named as classes."""
    drugs = words.every(terminology, "drug", concepts)
    ingredients = words.every(terminology, "ingredient", concepts)
    groups = words.every(terminology, "allergen", concepts)
    return ingredients.union(*(terminology.drug(key).ingredients for key in drugs)), groups


def _reactions(reactions: Sequence[Reaction], terminology: Terminology) -> frozenset[str]:
    concepts = [concept for one in reactions for concept in several(one.manifestation)]
    told = [one.description for one in reactions if one.description]
    return words.every(terminology, "reaction", concepts).union(*(words.affirmed(terminology, "reaction", text) for text in told))


def _reacted(found: AllergyIntolerance, reactions: Sequence[Reaction]) -> datetime | None:
    """When the patient last reacted, as far as the record knows; else when it was written down."""
    onsets = [moment(one.onset) for one in reactions]
    known = moment(found.lastOccurrence) or max((one for one in onsets if one), default=None)
    return known or moment(found.onsetDateTime) or moment(found.recordedDate)

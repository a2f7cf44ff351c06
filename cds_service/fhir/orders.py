"""MedicationRequests as orders, or as orders that could not be read."""

from collections.abc import Mapping

from msgspec import Raw, Struct, field

from cds_service.clinical.facts import Order, Route, Setting, Unreadable
from cds_service.fhir import dosage, words
from cds_service.fhir.medicines import Medicine, recognise
from cds_service.fhir.references import ANYWHERE, Home
from cds_service.fhir.resources import (
    Concept,
    Ingredient,
    Medication,
    MedicationRequest,
    Quantity,
    contained,
    elements,
    read,
    several,
    string,
)
from cds_service.fhir.times import moment
from cds_service.fhir.valuesets import Terminology

ENDING = {"stopped", "cancelled", "entered-in-error", "on-hold", "completed", "ended"}
RUNNING = {"active", ""}
ROUTES = {route.value: route for route in Route}
SETTINGS = {setting.value: setting for setting in Setting}
UNRESOLVED = "the medication that it refers to could not be had"
MALFORMED = "it is not a valid FHIR resource"
MODIFIED = "it carries a modifier that this service does not know"
UNNAMED = "it names no medication"
CODE_ONLY = "it names its medication only by a code that this service does not know"
NOT_THERE = Unreadable("order", "", "", MALFORMED, draft=True)
Told = Order | Unreadable | None


class Cabinet(Struct, frozen=True):
    """The Medication resources at hand, by reference, the reasons that references may point at, and whose server references mean."""

    medications: Mapping[str, Medication] = field(default_factory=dict)
    reasons: Mapping[str, frozenset[str]] = field(default_factory=dict)
    home: Home = ANYWHERE


class Label(Struct, frozen=True):
    """What an order calls its medication; `lost` is the reference that could not be followed."""

    concepts: tuple[Concept, ...]
    display: str
    form: Concept | None = None
    ingredients: tuple[Concept, ...] = ()
    lost: str = ""

    @property
    def text(self) -> str:
        return next((found for one in self.concepts if (found := words.label(one))), self.display)

    @property
    def worded(self) -> bool:
        """Words, and not codes alone, say what it is."""
        return bool(self.display or any(words.spoken(one) for one in (*self.concepts, *self.ingredients)))


def order(request: MedicationRequest, draft: bool, cabinet: Cabinet, terminology: Terminology) -> Told:
    """The order, or why it could not be read; None for what is no antibiotic and no drug of interest."""
    label = labelled(request, cabinet)
    medicine = medicine_of(label, terminology)
    reference = f"MedicationRequest/{request.id}" if request.id else ""
    if medicine.drug is None or medicine.problem:
        why = "" if _outside(request, label, terminology) else _unreadable(request, draft, label, medicine, terminology)
        return Unreadable("order", reference, label.text, why, draft) if why else None
    if request.modifierExtension and medicine.drug.antibacterial:
        return Unreadable("order", reference, label.text, MODIFIED, draft)
    return _order(request, draft, reference, label, medicine, cabinet, terminology)


def points(request: MedicationRequest) -> bool:
    """What the order says depends on other resources."""
    return request.medicationReference is not None or bool(request.reasonReference)


def begun(request: MedicationRequest) -> bool:
    """The order says something about its medication, readable or not."""
    return request.medicationCodeableConcept is not None or request.medicationReference is not None


def concerns(raw: bytes, terminology: Terminology) -> bool:
    """Whether an order whose medication is this concept may be an antibiotic or a drug of interest, so that it is worth reading."""
    concept = read(raw, Concept)
    medicine = medicine_of(Label((concept,), ""), terminology) if concept else None
    return medicine is None or medicine.antibacterial or medicine.drug is not None


def broken(raw: Raw, draft: bool, terminology: Terminology) -> Unreadable | None:
    """An order whose shape is not FHIR's matters when it is an antibiotic, or does not even say what it is."""
    found = elements(raw)
    identity = string(found.get("id"))
    if not draft and string(found.get("status")) not in RUNNING:
        return None
    concept = read(found.get("medicationCodeableConcept", Raw()), Concept)
    reference = read(found.get("medicationReference", Raw()), Concept) if concept is None else None
    medicine = medicine_of(Label((concept,), ""), terminology) if concept else None
    if medicine and not (medicine.antibacterial or medicine.drug):
        return None
    name = f"MedicationRequest/{identity}" if identity else ""
    return Unreadable("order", name, words.label(concept or reference), MALFORMED, draft)


def nameless_broken(raw: Raw, terminology: Terminology) -> Unreadable | None:
    """A resource of the record without its type, as far as its elements are those of an order."""
    found = elements(raw)
    return broken(raw, False, terminology) if {"medicationCodeableConcept", "medicationReference"} & found.keys() else None


def labelled(request: MedicationRequest, cabinet: Cabinet) -> Label:
    """The medication by concept, contained resource, resource at hand, or only by the words beside the reference."""
    own = (request.medicationCodeableConcept,) if request.medicationCodeableConcept else ()
    if request.medicationReference is None:
        return Label(own, "")
    reference, display = request.medicationReference.reference or "", request.medicationReference.display or ""
    found = _follow(request, reference, cabinet)
    if found is None:
        return Label(own, display, lost=cabinet.home.bare(reference) or display)
    parts = tuple(part for one in found.ingredient or [] if (part := _part(one, cabinet)))
    return Label((found.code, *own) if found.code else own, display, found.form, parts)


def _part(ingredient: Ingredient, cabinet: Cabinet) -> Concept | None:
    """An ingredient by its concept, by the resource that it points at, or by the words beside the reference."""
    if ingredient.itemCodeableConcept or ingredient.itemReference is None:
        return ingredient.itemCodeableConcept
    found = cabinet.medications.get(cabinet.home.bare(ingredient.itemReference.reference))
    return (found.code if found else None) or Concept(text=ingredient.itemReference.display)


def _follow(request: MedicationRequest, reference: str, cabinet: Cabinet) -> Medication | None:
    if reference.startswith("#"):
        inside = contained(request.contained, Medication, "Medication")
        return next((one for one in inside if one.id == reference[1:]), None)
    return cabinet.medications.get(cabinet.home.bare(reference))


def medicine_of(label: Label, terminology: Terminology) -> Medicine:
    """The drug by the codes and words of its own concept, else by its ingredients."""
    said = [text for text in (*words.texts(label.concepts), label.display) if text]
    found = recognise(words.triples(label.concepts), said, terminology)
    if found.drug is None and not found.problem and label.ingredients:
        return recognise(words.triples(label.ingredients), [*said, *words.texts(label.ingredients)], terminology)
    return found


def nameless(label: Label, terminology: Terminology) -> bool:
    """No words beside the reference tell which drug it is, or that it is none that matters."""
    medicine = medicine_of(label, terminology)
    return not label.text or (medicine.drug is None and medicine.antibacterial) or bool(medicine.problem)


def _outside(request: MedicationRequest, label: Label, terminology: Terminology) -> bool:
    """The words or the stated route say that it stays on the surface of the body, so that nothing in it treats an infection."""
    return _told(request, label, terminology) == Route.TOPICAL


def _unreadable(request: MedicationRequest, draft: bool, label: Label, medicine: Medicine, terminology: Terminology) -> str:
    """Why this order matters although it could not be read, or "" where it does not."""
    if not draft and (request.status or "") not in RUNNING:
        return ""
    if medicine.problem and (medicine.antibacterial or medicine.drug):
        return medicine.problem
    if medicine.antibacterial:
        return medicine.problem or "this service does not know the drug"
    if label.lost and not label.text:
        return UNRESOLVED
    if not draft or label.worded or any(terminology.look.covers(system) for system, _, _ in words.triples(label.concepts)):
        return ""
    return CODE_ONLY if label.text else UNNAMED


def _order(
    request: MedicationRequest,
    draft: bool,
    reference: str,
    label: Label,
    medicine: Medicine,
    cabinet: Cabinet,
    terminology: Terminology,
) -> Order:
    assert medicine.drug is not None
    lines = [dosage.line(one, medicine.drug.ingredients) for one in request.dosageInstruction or []]
    setting = _setting(request)
    span = dosage.span(lines, _supply(request) if draft and setting is not Setting.INPATIENT else None)
    authored = moment(request.authoredOn)
    starts = span.starts or (None if draft else authored)
    return Order(
        reference=reference,
        drug=medicine.drug,
        label=label.text,
        draft=draft,
        status=request.status or "",
        route=_route(request, label, medicine, terminology),
        setting=setting,
        doses=dosage.doses(lines),
        starts=starts,
        ends=span.ends or dosage.after(starts, span.duration_h),
        duration_h=span.duration_h,
        authored=authored,
        intent=request.intent or "order",
        ending=bool(request.doNotPerform) or request.status in ENDING,
        replaces=cabinet.home.bare(request.priorPrescription.reference) if request.priorPrescription else "",
        reasons=_reasons(request, cabinet, terminology),
        reason_text=_reasoned(request),
    )


def _supply(request: MedicationRequest) -> Quantity | None:
    """How long a dispensed prescription lasts; in hospital a supply is what the pharmacy sends, not the end of a course."""
    return request.dispenseRequest.expectedSupplyDuration if request.dispenseRequest else None


def _route(request: MedicationRequest, label: Label, medicine: Medicine, terminology: Terminology) -> Route:
    """Stated route, product, dose form, words; a drug that exists as injection only is given into a vein."""
    stated = _stated(request, terminology)
    if stated:
        return stated
    if medicine.inhaled:
        return Route.INHALED
    told = _told(request, label, terminology)
    if told:
        return told
    return Route.INTRAVENOUS if medicine.drug and medicine.drug.injection_only else Route.UNSTATED


def _stated(request: MedicationRequest, terminology: Terminology) -> Route | None:
    routes = [words.key(terminology, "route", one.route) for one in request.dosageInstruction or []]
    return next((ROUTES[one] for one in routes if one in ROUTES), None)


def _told(request: MedicationRequest, label: Label, terminology: Terminology) -> Route | None:
    """The route by the dose form, the instruction's words, the order's own words, and our name of its product code."""
    instructions = (dosage.texts(one) for one in request.dosageInstruction or [])
    products = (terminology.display(system, code) for system, code, _ in words.triples(label.concepts))
    said = [*words.spoken(label.form), *instructions, label.text, *products]
    found = (terminology.text("route", text) for text in said if text)
    return _stated(request, terminology) or next((ROUTES[one] for one in found if one in ROUTES), None)


def _setting(request: MedicationRequest) -> Setting:
    categories = several(request.category)
    codes = [code for _, code, _ in words.triples(categories)]
    said = [text.lower() for text in words.texts(categories)]
    return next((SETTINGS[one] for one in (*codes, *said) if one in SETTINGS), Setting.INPATIENT)


def _reasoned(request: MedicationRequest) -> bool:
    """A reason is stated, whether it can be understood or not."""
    stated = several(request.reasonCode)
    return bool(words.texts(stated) or words.triples(stated) or request.reasonReference)


def _reasons(request: MedicationRequest, cabinet: Cabinet, terminology: Terminology) -> frozenset[str]:
    """Circumstance words of the stated reasons, of what they point at, and of the instruction's and the order's own words."""
    coded = words.every(terminology, "circumstance", several(request.reasonCode))
    pointed = [cabinet.reasons.get(cabinet.home.bare(one.reference), frozenset()) for one in request.reasonReference or []]
    said = [one.display for one in request.reasonReference or []]
    said += [one.text for one in request.note or []]
    said += [dosage.texts(one) for one in request.dosageInstruction or []]
    return coded.union(*pointed, *[words.affirmed(terminology, "circumstance", text) for text in said if text])

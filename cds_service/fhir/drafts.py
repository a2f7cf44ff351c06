"""The orders that a card offers: whole FHIR R4 resources, filled from typed and bounded values.

`fhir.resources` costs a third of a millisecond a resource, so every shape is validated when the knowledge is loaded and in
the tests; between those a resource is a dictionary whose places only numbers, codes and references of ours can fill.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from cds_service.clinical.figures import figure
from cds_service.suggestion import Code, Product, Request

UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"

Resource = dict[str, Any]


class Place(Struct, frozen=True):
    """Whom an order is for and who signs it: references such as "Patient/x"; `setting` is a category of the order."""

    subject: str
    encounter: str = ""
    requester: str = ""
    setting: str = ""


class Prescribed(Struct, frozen=True):
    """A dose to write: grams of all components together, hours; without an interval it is given once.

    `aside` is said behind the dose in the text; `begins` is when the first dose is due, for a dose that follows another.
    """

    grams: Decimal
    infusion_h: Decimal
    interval_h: Decimal | None = None
    components: str = ""
    aside: str = ""
    begins: datetime | None = None

    def __post_init__(self) -> None:
        bounded = 0 < self.grams <= 20 and 0 < self.infusion_h <= 24 and (self.interval_h is None or 0 < self.interval_h <= 168)
        if not bounded:
            raise ValueError("a dose out of bounds: grams in (0, 20], infusion in (0, 24] h, interval in (0, 168] h")

    @property
    def amount(self) -> str:
        """The whole and its parts: "2.5 g (2 g/0.5 g)"."""
        return f"{figure(self.grams)} g ({self.components})" if self.components else f"{figure(self.grams)} g"

    @property
    def short(self) -> str:
        """ "2.5 g every 8 h over 3 h", as a label says it."""
        often = f"every {figure(self.interval_h)} h" if self.interval_h else "once"
        return f"{figure(self.grams)} g {often} over {figure(self.infusion_h)} h"

    @property
    def text(self) -> str:
        """The whole instruction in words."""
        often = f"every {figure(self.interval_h)} h, each dose" if self.interval_h else "once,"
        said = f"{self.amount} intravenously {often} over {figure(self.infusion_h)} h"
        return f"{said}; {self.aside}" if self.aside else said


def medication_request(
    product: Product, route: Code, dose: Prescribed, place: Place, reasons: tuple[str, ...], rxnorm: str, prior: str = ""
) -> Resource:
    """A draft order of one drug, in the place of the running order `prior` where there is one.

    `rxnorm` is the name that the client knows RxNorm by, `reasons` are Observation references.
    """
    resource: Resource = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": rxnorm, "code": product.code.code, "display": product.code.display}],
            "text": product.name,
        },
        "subject": {"reference": place.subject},
        "dosageInstruction": [instruction(dose, route)],
    }
    if prior:
        resource["priorPrescription"] = {"reference": prior}
    if place.setting:
        resource["category"] = [{"coding": [{"system": CATEGORY, "code": place.setting}]}]
    return _placed(resource, place, reasons)


def service_request(request: Request, place: Place, reasons: tuple[str, ...]) -> Resource:
    """A draft order for a consult or a test."""
    concept: Resource = {"text": request.text}
    if request.codes:
        concept = {"coding": [coding(one) for one in request.codes], "text": request.text}
    resource: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "priority": request.priority,
        "code": concept,
        "subject": {"reference": place.subject},
    }
    return _placed(resource, place, reasons)


def instruction(dose: Prescribed, route: Code) -> Resource:
    """One dosage instruction: words, timing with the infusion time, route and dose."""
    return {
        "text": dose.text,
        "timing": {"repeat": repeat(dose)},
        "route": {"coding": [coding(route)]},
        "doseAndRate": [{"doseQuantity": grams(dose.grams)}],
    }


def repeat(dose: Prescribed) -> Resource:
    """How often and for how long: `count` 1 where the dose is given once."""
    found: Resource = {}
    if dose.begins:
        found["boundsPeriod"] = {"start": moment(dose.begins)}
    if dose.interval_h is None:
        found["count"] = 1
    found |= {"duration": exact(dose.infusion_h), "durationUnit": "h"}
    if dose.interval_h is not None:
        found |= {"frequency": 1, "period": exact(dose.interval_h), "periodUnit": "h"}
    return found


def grams(value: Decimal) -> Resource:
    """A Quantity in UCUM grams."""
    return {"value": exact(value), "unit": "g", "system": UCUM, "code": "g"}


def span(value: int, unit: str) -> Resource:
    """A length of time in hours ("h") or days ("d")."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def coding(code: Code) -> Resource:
    """A Coding."""
    return {"system": code.system, "code": code.code, "display": code.display}


def moment(when: datetime) -> str:
    """A FHIR dateTime to the second; it always carries its offset."""
    return when.isoformat(timespec="seconds")


def exact(value: Decimal) -> int | Decimal:
    """A whole number as such, any other with exactly its digits."""
    return int(value) if value == value.to_integral_value() else value.normalize()


def _placed(resource: Resource, place: Place, reasons: tuple[str, ...]) -> Resource:
    if place.encounter:
        resource["encounter"] = {"reference": place.encounter}
    if place.requester:
        resource["requester"] = {"reference": place.requester}
    if reasons:
        resource["reasonReference"] = [{"reference": one} for one in reasons]
    return resource


def problem(resource: Mapping[str, Any]) -> str | None:
    """Why this is no valid R4 resource, or None; the models load here, since they take longer than most requests last."""
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    try:
        get_fhir_model_class(str(resource["resourceType"])).model_validate(dict(resource))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
    return None

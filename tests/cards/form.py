"""The form that CDS Hooks 2.0.1 asks of an answer, written down once for the tests."""

import json
import re
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from jsonschema import Draft202012Validator

from cds_service.protocol.response import Card, to_json

SAID = {"type": "string", "pattern": r"\S"}
URL = {"type": "string", "pattern": r"^(https://|http://(127\.0\.0\.1|localhost)[:/])[^\s]+$"}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties, "additionalProperties": False}


CODING = _object("code system display", code=SAID, system=SAID, display=SAID)
ACTION = _object(
    "type description",
    type={"enum": ["create", "update", "delete"]},
    description=SAID,
    resource={"type": "object", "required": ["resourceType"]},
    resourceId={"type": "string", "pattern": r"^[A-Z][A-Za-z]+/[A-Za-z0-9\-.]+$"},
)
ACTION["oneOf"] = [
    {"required": ["resource"], "properties": {"type": {"enum": ["create", "update"]}}},
    {"required": ["resourceId"], "properties": {"type": {"const": "delete"}}},
]
CARD = _object(
    "uuid summary indicator source",
    uuid=SAID,
    summary={"type": "string", "pattern": r"\S", "maxLength": 139},
    detail=SAID,
    indicator={"enum": ["info", "warning", "critical"]},
    source=_object("label topic", label=SAID, url=URL, topic=CODING),
    suggestions={
        "type": "array",
        "minItems": 1,
        "items": _object("label uuid actions", label=SAID, uuid=SAID, actions={"type": "array", "minItems": 1, "items": ACTION}),
    },
    selectionBehavior={"enum": ["at-most-one", "any"]},
    overrideReasons={"type": "array", "minItems": 1, "items": CODING},
    links={"type": "array", "minItems": 1, "items": _object("label url type", label=SAID, url=URL, type={"const": "absolute"})},
    extension={"type": "object", "minProperties": 1, "required": ["ndm-cds.rules", "ndm-cds.knowledge"]},
)
CARD["dependentRequired"] = {"suggestions": ["selectionBehavior"], "selectionBehavior": ["suggestions"]}
ANSWER = Draft202012Validator(_object("cards", cards={"type": "array", "items": CARD}))


def checked(cards: tuple[Card, ...], patient: str = "pat1") -> list[dict[str, Any]]:
    """The answer as a client reads it, after everything that the specification and this service promise was looked at."""
    answer = json.loads(to_json(cards))
    problems = [f"{error.json_path}: {error.message}" for error in ANSWER.iter_errors(answer)]
    problems += [f"{path} is empty" for path in hollow(answer, "$")]
    for card in answer["cards"]:
        problems += list(_card(card, patient))
    ids = [one["uuid"] for card in answer["cards"] for one in (card, *card.get("suggestions", []))]
    problems += ["two ids are equal"] if len(set(ids)) < len(ids) else []
    assert not problems, problems
    return list(answer["cards"])


def hollow(value: Any, path: str) -> Iterator[str]:
    """Nulls and empty values, all but an empty list of cards."""
    if value is None or value in ("", {}) or (value == [] and path != "$.cards") or (isinstance(value, str) and not value.strip()):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from hollow(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from hollow(inner, f"{path}[{place}]")


def _card(card: dict[str, Any], patient: str) -> Iterator[str]:
    if len(card["summary"].encode("utf-16-le")) // 2 > 139 or "\n" in card["summary"]:
        yield "the summary is too long, or no line"
    if re.search(r"<[a-z!/]|\]\(|!\[", card.get("detail", ""), re.IGNORECASE):
        yield "the detail holds HTML, a link or an image"
    if card["extension"]["ndm-cds.rules"][0] != card["source"]["topic"]["code"]:
        yield "the topic is not the first rule"
    for suggestion in card.get("suggestions", []):
        for action in suggestion["actions"]:
            yield from _action(action, patient)


def _action(action: dict[str, Any], patient: str) -> Iterator[str]:
    resource = action.get("resource")
    if resource is None:
        return
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    if resource["subject"]["reference"] != f"Patient/{patient}":
        yield "an order for another patient"
    if action["type"] == "create" and (resource["status"], resource["intent"]) != ("draft", "order"):
        yield "a new order that is no draft"
    if action["type"] == "create" and resource["resourceType"] == "MedicationRequest":
        yield from _order(resource)


def _order(resource: dict[str, Any]) -> Iterator[str]:
    concept = resource["medicationCodeableConcept"]
    if not concept["text"] or not concept["coding"][0]["code"].isdigit():
        yield "a drug without RxNorm code or text"
    for dosage in resource["dosageInstruction"]:
        repeat, dose = dosage["timing"]["repeat"], dosage["doseAndRate"][0]["doseQuantity"]
        if repeat.get("count") != 1 and not {"frequency", "period", "periodUnit"} <= set(repeat):
            yield "an order that does not say how often"
        if repeat["durationUnit"] != "h" or f"over {repeat['duration']:g} h" not in dosage["text"]:
            yield "an infusion time that words and timing do not share"
        if dose["system"] != "http://unitsofmeasure.org" or dose["code"] != "g" or not dosage["route"]["coding"]:
            yield "a dose that is not in UCUM grams, or no route"

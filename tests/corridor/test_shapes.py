"""Resources whose shape is not FHIR's: what mattered in them is told, and never silently absent."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.errors import CannotDecide
from tests.terse import Corridor, rules

CODES = ("code", "medicationCodeableConcept")
SHAPES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a subject that is a number": lambda found: {**found, "subject": 5},
    "a code that is a list": lambda found: {key: [value] if key in CODES else value for key, value in found.items()},
    "a type in small letters": lambda found: {**found, "resourceType": found["resourceType"].lower()},
    "a type with a blank": lambda found: {**found, "resourceType": f" {found['resourceType']}"},
    "no resource type": lambda found: {key: value for key, value in found.items() if key != "resourceType"},
}
TOLD: dict[str, Any] = {
    "a gene": ("results", "ndm", {"drafts": ["aztreonam"]}),
    "a report in words": (
        "reports",
        "report",
        {"drafts": ["aztreonam"], "results": [{"specimen": "blood", "text": "Klebsiella pneumoniae with NDM carbapenemase.", "days": 2}]},
    ),
    "a running antibiotic": ("orders", "running-2", {"drafts": ["aztreonam"], "running": [{"text": "metoprolol 50 mg PO"}, "meropenem"]}),
}
NEVER_SILENT = {"ndmUnreadableOrder", "ndmIncompleteData", "results", "orders"}


def outcome(corridor: Corridor, body: dict[str, Any]) -> set[str]:
    """The rules that speak, or the parts that are missing in a refusal."""
    try:
        return {name for names in rules(corridor.decide(body)) for name in names}
    except CannotDecide as refused:
        return set(refused.missing)


@pytest.fixture(params=TOLD)
def told(request: pytest.FixtureRequest, corridor: Corridor) -> tuple[dict[str, Any], dict[str, Any]]:
    """A request, and the entry of it that decides."""
    key, name, line = TOLD[request.param]
    body = corridor.request(**line)
    (entry,) = [one for one in body["prefetch"][key]["entry"] if name in one["resource"]["id"]]
    return body, entry


@pytest.mark.parametrize("shape", SHAPES)
def test_what_decides_is_told_in_whatever_shape_it_is(corridor: Corridor, told: Any, shape: str) -> None:
    """D3, A17: a decisive result, report or running antibiotic of broken shape is a refusal, or said to be unreadable or not all there."""
    body, entry = told
    entry["resource"] = SHAPES[shape](entry["resource"])
    assert NEVER_SILENT & outcome(corridor, body)


HOLLOW = [
    {},
    {"fullUrl": "urn:uuid:1"},
    {"resource": {}},
    {"resource": 0},
    {"resource": "x"},
    {"resource": []},
    {"resource": None},
    {"resource": True},
]


@pytest.mark.parametrize("hollow", HOLLOW, ids=str)
def test_an_entry_without_a_resource_makes_its_part_incomplete(corridor: Corridor, hollow: dict[str, Any]) -> None:
    """A17: a decisive result that was lost inside its entry is a part that could not be had, and not an empty answer."""
    body = corridor.request(drafts=["aztreonam"])
    body["prefetch"]["results"]["entry"] = [
        hollow if "ndm" in one["resource"]["id"] else one for one in body["prefetch"]["results"]["entry"]
    ]
    assert outcome(corridor, body) == {"results"}
    body = corridor.request(drafts=["aztreonam"])
    body["prefetch"]["allergies"] = {"resourceType": "Bundle", "type": "searchset", "entry": [hollow]}
    assert "ndmAztreonamUnprotected" in outcome(corridor, body)
    assert "allergies" in corridor.decide(body).missing


@pytest.mark.parametrize("hollow", HOLLOW, ids=str)
def test_a_draft_without_a_resource_is_told(corridor: Corridor, hollow: dict[str, Any]) -> None:
    """A17: an entry of the drafts without a resource may have been an order, so signing is not silent about it."""
    body = corridor.request(drafts=["aztreonam"])
    body["context"]["draftOrders"]["entry"] = [hollow]
    assert "ndmUnreadableOrder" in outcome(corridor, body)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400, "0", "-2", "1e-400"])
def test_a_dose_beyond_every_bound_leaves_the_drug_known(corridor: Corridor, number: str) -> None:
    """H11: an order whose dose no machine can hold is still an order of its drug, and is judged as one of an unknown dose."""
    body = corridor.request(drafts=["aztreonam"])
    body["context"]["draftOrders"]["entry"][0]["resource"]["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = "QQ"
    decision = corridor.decide(json.dumps(body).replace('"QQ"', number).encode(), service="ndm-order-sign")
    assert "ndmAztreonamUnprotected" in rules(decision)[0]


def test_a_result_inside_one_object_too_many_is_told(corridor: Corridor) -> None:
    """D3: what has no type is searched at every depth for a wanted marker."""
    body = corridor.request(drafts=["aztreonam"])
    entries = body["prefetch"]["results"]["entry"]
    entries[-1]["resource"] = {"Observation": entries[-1]["resource"]}
    assert "ndmUnreadableOrder" in outcome(corridor, body)

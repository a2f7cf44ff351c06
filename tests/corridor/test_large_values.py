"""Charts that were made to take long, and charts in which every part is read."""

import copy
import json
import time
from typing import Any

import pytest

from tests.terse import Corridor

LONG_S = 3.0
LABORATORY = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]
EVERYTHING = {
    "drafts": ["aztreonam"],
    "running": ["meropenem"],
    "patient": {
        "age": 70,
        "weight": 80,
        "clearance": 40,
        "conditions": ["osteomyelitis"],
        "procedures": ["resected"],
        "allergies": [{"to": "aztreonam"}],
        "intensive_care": True,
    },
    "results": [
        {"organism": "klebsiella-pneumoniae", "specimen": "blood", "found": "NDM"},
        {"specimen": "urine", "text": "VIM carbapenemase detected.", "days": 1},
    ],
    "requested": ["culture"],
}


def observation(number: int, **value: Any) -> dict[str, Any]:
    """A laboratory result with this value."""
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": LABORATORY,
        "code": {"text": "Cefiderocol MIC"},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2026-11-18T08:00:00Z",
        **value,
    }


def seconds(corridor: Corridor, results: list[dict[str, Any]]) -> float:
    """The processor time of a decision with these results beside those of the case."""
    body = corridor.request(drafts=["aztreonam"])
    body["prefetch"]["results"]["entry"] += [{"resource": one} for one in results]
    raw = json.dumps(body).encode()
    began = time.process_time()
    assert corridor.decide(raw).cards
    return time.process_time() - began


def test_numbers_of_one_hash_cost_no_more_than_others(corridor: Corridor) -> None:
    """H8: four thousand numbers that CPython hashes alike, as values and in identifiers, are read like any others."""
    same = [number * (2**61 - 1) for number in range(1, 4_001)]
    results = [observation(one, valueQuantity={"value": one, "unit": "mg/L"}) for one in same]
    assert seconds(corridor, results) < LONG_S


@pytest.mark.parametrize("piece", [" ", "1", "1.", "NDM ", "not ", "q8h ", ", ", "\n", "NDM:" + " " * 7_000])
def test_a_long_text_takes_no_longer_than_its_length(corridor: Corridor, piece: str) -> None:
    """H9: a megabyte of any piece, as a value, a comment and a title of a result, is read in a moment."""
    text = (piece * 1_000_000)[:1_000_000]
    written = observation(1, valueString=text, note=[{"text": text}])
    titled = {**observation(2, valueString="4 mg/L"), "code": {"text": text}}
    assert seconds(corridor, [written, titled]) < LONG_S


@pytest.fixture(scope="module")
def whole(corridor: Corridor) -> dict[str, Any]:
    """A request in which every prefetched part holds something."""
    body = corridor.request(**EVERYTHING)
    assert not [key for key, value in body["prefetch"].items() if not value.get("entry") and value["resourceType"] == "Bundle"]
    return body


@pytest.mark.parametrize(
    "part",
    ["patient", "results", "reports", "orders", "vitals", "specimens", "conditions", "allergies", "procedures", "requests", "encounter"],
)
def test_every_part_that_is_asked_for_is_read(corridor: Corridor, whole: dict[str, Any], part: str) -> None:
    """PT-11: with any prefetched part taken out the chart is another one; nothing is asked for in vain."""
    assert set(whole["prefetch"]) == set(corridor.knowledge.services["ndm-order-sign"].sheet.prefetch)
    empty = {**whole, "prefetch": {**whole["prefetch"], part: None}}
    full, less = corridor.decide(whole).bedside, corridor.decide(empty).bedside
    assert full is not None
    assert less is not None
    assert full.chart != less.chart


def drafted(corridor: Corridor, drafts: int) -> float:
    """The processor time of a decision about this many drafts of several drugs and doses."""
    body = corridor.request(drafts=["aztreonam", "ceftazidime-avibactam", "meropenem", "colistin"], running=["aztreonam"])
    entries = body["context"]["draftOrders"]["entry"]
    for number in range(4, drafts):
        order = copy.deepcopy(entries[number % 4]["resource"]) | {"id": f"copy-{number}"}
        order["dosageInstruction"][0]["doseAndRate"] = [{"doseQuantity": {"value": 1 + number / 1000, "unit": "g"}}]
        entries.append({"resource": order})
    raw = json.dumps(body).encode()
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        assert corridor.decide(raw).cards
        best = min(best, time.process_time() - began)
    return best


def test_four_times_the_drafts_take_less_than_eight_times_as_long(corridor: Corridor) -> None:
    """D7: a hundred drafts against four hundred: nothing compares each of them with each other one."""
    assert drafted(corridor, 400) < 8 * drafted(corridor, 100)

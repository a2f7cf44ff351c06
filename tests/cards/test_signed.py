"""What a card offers, once signed, is what the service asks for."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cds_service.cards import Style
from cds_service.decide import decide
from cds_service.knowledge import Knowledge
from cds_service.moments import written

from .form import checked

REQUESTS = sorted((Path(__file__).parents[2] / "fixtures" / "ndm" / "requests").glob("*.json"))


def answer(knowledge: Knowledge, request: dict[str, Any], profile: str = "standard") -> list[dict[str, Any]]:
    """The cards for a request, after their form was looked at; none where it is refused."""
    ids = (f"id-{number}" for number in count(1))
    now = written(request) or datetime(2026, 11, 22, tzinfo=UTC)
    style = Style(new_id=lambda: next(ids), profile=profile, public_url="https://cds.example.org")  # type: ignore[arg-type]
    decision = decide(knowledge, f"ndm-{request['hook']}", json.dumps(request).encode(), fetch=None, now=now, style=style)
    return checked(decision.cards, decision.request.patient_id)


def signed(request: dict[str, Any], suggestion: dict[str, Any]) -> dict[str, Any]:
    """The request after the suggestion was taken."""
    after = json.loads(json.dumps(request))
    entries = after["context"]["draftOrders"]["entry"]
    for number, action in enumerate(suggestion["actions"]):
        name = action.get("resourceId") or f"MedicationRequest/{action['resource'].get('id')}"
        if action["type"] != "create":
            entries[:] = [one for one in entries if f"{one['resource']['resourceType']}/{one['resource'].get('id')}" != name]
        if action["type"] != "delete":
            entries.append({"resource": {"id": f"new-{number}", **action["resource"]}})
    return dict(after)


def offers(cards: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The suggestions that change medication and leave nothing to be done by hand."""
    for card in cards:
        for suggestion in card.get("suggestions", []):
            drugs = any((action.get("resource") or {}).get("resourceType") == "MedicationRequest" for action in suggestion["actions"])
            if drugs and "by hand" not in card.get("detail", ""):
                yield suggestion


@pytest.mark.parametrize("file", [file for file in REQUESTS if "missing" not in file.name], ids=lambda file: file.stem)
def test_whoever_follows_a_card_is_left_in_peace(knowledge: Knowledge, file: Path) -> None:
    """No suggestion of an order-sign card leads to another warning when it is signed."""
    request = json.loads(file.read_text())
    for suggestion in offers(answer(knowledge, request)):
        if request["hook"] == "order-sign":
            after = [card for card in answer(knowledge, signed(request, suggestion)) if card["indicator"] != "info"]
            assert not after, (suggestion["label"], [card["summary"] for card in after])


@pytest.mark.parametrize("file", [file for file in REQUESTS if "missing" not in file.name], ids=lambda file: file.stem)
def test_a_client_of_single_actions(knowledge: Knowledge, file: Path) -> None:
    """For the profile epic every answer has its form too, and no suggestion more than one action or an update."""
    for card in answer(knowledge, json.loads(file.read_text()), "epic"):
        for suggestion in card.get("suggestions", []):
            assert [action["type"] for action in suggestion["actions"]] in (["create"], ["delete"])

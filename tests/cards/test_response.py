"""A card that the specification forbids cannot be built."""

import json
from decimal import Decimal
from typing import Any

import pytest

from cds_service.protocol.response import Action, Card, Coding, Link, Source, Suggestion, to_json

ORDER = {"resourceType": "MedicationRequest", "status": "draft"}
TOPIC = Coding("urn:rules", "ruleOne", "Rule one")


def card(**more: Any) -> Card:
    """A plain card with something changed."""
    usual = {"uuid": "1", "summary": "Something is wrong", "indicator": "info", "source": Source("IDSA 2026", TOPIC)}
    return Card(**{**usual, **more})


def suggestion(uuid: str = "s") -> Suggestion:
    """A suggestion with one action."""
    return Suggestion("Do it", uuid, (Action("delete", "Remove it", resource_id="MedicationRequest/1"),))


@pytest.mark.parametrize(
    "wrong",
    [
        {"summary": "x" * 140},
        {"summary": "\U0001d400" * 70},
        {"summary": " "},
        {"summary": "two\nlines"},
        {"summary": "turned \u202e around"},
        {"indicator": "hard-stop"},
        {"uuid": ""},
        {"detail": " \n"},
        {"detail": "<b>bold</b>"},
        {"detail": "![picture](x)"},
        {"detail": "[link](https://example.org)"},
        {"selection": "all"},
        {"override_reasons": (Coding("urn:x", "a"),)},
        {"suggestions": (suggestion(), suggestion())},
        {"extension": {"ndm-cds.rules": []}},
        {"extension": {"ndm-cds.rules": [None]}},
    ],
)
def test_a_forbidden_card_cannot_be_built(wrong: dict[str, Any]) -> None:
    """Each rule of the specification about a card is held when the card is made (CA-01 to CA-17)."""
    with pytest.raises(ValueError, match="not a valid CDS Hooks response"):
        card(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "delete", "resource": ORDER},
        {"type": "delete", "resource_id": "1"},
        {"type": "delete", "resource_id": "https://ehr/MedicationRequest/1"},
        {"type": "delete", "resource": ORDER, "resource_id": "MedicationRequest/1"},
        {"type": "create"},
        {"type": "create", "resource": {**ORDER, "id": "1"}},
        {"type": "create", "resource": {"status": "draft"}},
        {"type": "create", "resource": {**ORDER, "note": []}},
        {"type": "create", "resource": {**ORDER, "note": [{"text": None}]}},
        {"type": "create", "resource": ORDER, "resource_id": "MedicationRequest/1"},
        {"type": "update", "resource": ORDER},
        {"type": "create", "resource": ORDER, "description": " "},
    ],
)
def test_a_forbidden_action_cannot_be_built(wrong: dict[str, Any]) -> None:
    """A create has a new resource, an update a whole one with its id, a delete a relative reference (AC-01 to AC-05)."""
    with pytest.raises(ValueError, match="not a valid CDS Hooks response"):
        Action(**{"description": "Do it", **wrong})


@pytest.mark.parametrize("url", ["http://example.org", "ftp://example.org", "//example.org", "https://a b", "javascript:alert(1)", ""])
def test_links_are_https_or_on_this_machine(url: str) -> None:
    """A link that could be read by others on the way cannot be built (LI-02)."""
    with pytest.raises(ValueError, match="not a valid CDS Hooks response"):
        Link("About", url)


@pytest.mark.parametrize("url", ["https://cds.example.org/rules/x", "http://127.0.0.1:8000/rules/x", "http://localhost/x"])
def test_a_link_may_be_https_or_lead_to_this_machine(url: str) -> None:
    """A link may be https anywhere, and http on loopback."""
    assert Link("About", url).json() == {"label": "About", "url": url, "type": "absolute"}


@pytest.mark.parametrize("code", ["rule-one", "rule one", "régle", "x" * 101])
def test_topic_codes_are_letters_and_digits(code: str) -> None:
    """Some records refuse any other topic code (CA-06)."""
    with pytest.raises(ValueError, match="topic"):
        Source("IDSA", Coding("urn:x", code))


def test_selection_behaviour_only_with_suggestions() -> None:
    """The behaviour is there exactly when suggestions are (CA-10, CA-12)."""
    assert "selectionBehavior" not in card().json()
    assert card(suggestions=(suggestion(),)).json()["selectionBehavior"] == "at-most-one"


def test_nothing_empty_is_sent() -> None:
    """Optional elements without a value are left out (G-05)."""
    assert set(card().json()) == {"uuid", "summary", "indicator", "source"}


def test_no_cards_is_an_answer() -> None:
    """An empty list of cards is the one thing that may be empty."""
    assert to_json([]) == b'{"cards":[]}'


def test_decimals_keep_their_digits() -> None:
    """0.50 g stays 0.50 g (G-07)."""
    order = {**ORDER, "doseAndRate": {"value": Decimal("0.50")}}
    action = Action("create", "Order", order)
    assert b'"value":0.50' in to_json([card(suggestions=(Suggestion("Do it", "s", (action,)),))])


def test_two_cards_need_two_ids() -> None:
    """Feedback names a card by its id, so that no two may share one (CA-07)."""
    with pytest.raises(ValueError, match="two cards"):
        to_json([card(), card()])


def test_an_answer_is_strict_json() -> None:
    """What is sent is read back as it was meant."""
    found = json.loads(to_json([card(detail="**Calm**", links=(Link("About", "https://x.org/y"),))]))
    assert found["cards"][0]["detail"] == "**Calm**"

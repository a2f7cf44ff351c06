"""Records as the web part hands them in."""

from typing import Any


def decision(number: int, **other: Any) -> dict[str, Any]:
    """A decision with one card."""
    card = {"id": f"card-{number}", "indicator": "critical", "rules": ["ruleA", "ruleB"], "ingredients": ["aztreonam"]}
    usual = {
        "kind": "decision",
        "id": f"decision-{number}",
        "at": 1_000.0 + number,
        "client": "general",
        "service": "order-sign",
        "status": 200,
        "request": f"request-{number}",
        "instance": "instance",
        "patient": "patient",
        "clinician": "clinician",
        "verdicts": {"ruleA": "spoke", "ruleC": "stood down"},
        "missing": [],
        "cards": [card],
        "version": "1+abc",
        "elapsed_ms": 2.5,
    }
    return {**usual, **other}


def feedback(number: int, **other: Any) -> dict[str, Any]:
    """An override with a reason, of the card of the decision with the same number."""
    usual = {
        "kind": "feedback",
        "id": f"feedback-{number}",
        "at": 2_000.0,
        "client": "general",
        "service": "order-sign",
        "card": f"card-{number}",
        "outcome": "overridden",
        "outcome_at": 2_000.0,
        "suggestions": [],
        "reasoned": True,
        "reason_system": "urn:reasons",
        "reason_code": "ast",
        "comment_length": 0,
    }
    return {**usual, **other}

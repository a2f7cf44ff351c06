"""Liver tests that were asked for with aztreonam 8 g a day."""

import pytest

from tests.rules_dosing.ward import answer, body

LONG = [{"order": "ceftazidime-avibactam", "starts": -120}, {"order": "aztreonam", "starts": -120}]


@pytest.mark.parametrize(
    ("text", "quiet"),
    [
        ("ALT", True),
        ("Liver function tests", True),
        ("LFTs", True),
        ("Hepatic panel", True),
        ("Hepatic function panel", True),
        ("Comprehensive metabolic panel", True),
        ("CMP", True),
        ("Basic metabolic panel", False),
        ("Liver biopsy", False),
    ],
)
def test_an_order_for_a_panel_asks_for_its_tests(text: str, quiet: bool) -> None:
    """An active order for a panel that holds ALT and AST counts as an order for them."""
    sent = body({"hook": "patient-view", "running": LONG})
    request = {
        "resourceType": "ServiceRequest",
        "id": "asked",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{sent['context']['patientId']}"},
        "code": {"text": text},
    }
    sent["prefetch"]["requests"] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": request}]}
    assert answer(sent) == (() if quiet else ("ndmAztreonamLiverTests info",))

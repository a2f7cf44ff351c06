"""In which order regimens are offered."""

from tests.rules_dosing.ward import body, decided, offered

SEVERE = {"to": "cefiderocol", "reaction": "dress", "severity": "severe"}


def test_a_regimen_that_an_allergy_speaks_against_is_offered_last() -> None:
    """With a severe cefiderocol reaction the pair, whose ceftazidime resembles it, comes behind aztreonam-avibactam."""
    first, second, *_ = offered(patient={"allergies": [SEVERE]}, drafts=["cefiderocol"])
    assert first.startswith("Change to aztreonam-avibactam")
    assert second.startswith("Change to ceftazidime-avibactam")


def test_without_an_allergy_the_site_preference_holds() -> None:
    """The order of the site's preference is kept where nothing is recorded."""
    first, second, *_ = offered(drafts=["meropenem"])
    assert first.startswith("Change to ceftazidime-avibactam")
    assert second.startswith("Change to aztreonam-avibactam")


def test_peritoneal_dialysis_asks_for_a_pharmacist() -> None:
    """Where the table has no row, no dose is offered, and the card asks for a pharmacist's review."""
    (card, *_) = decided(body({"patient": {"conditions": ["peritoneal-dialysis"]}, "drafts": ["ceftazidime-avibactam"]})).cards
    assert "pharmacist review" in card.detail

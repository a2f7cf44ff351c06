"""What a recorded allergy means for one drug."""

import pytest

from cds_service.clinical.allergies import Reaction, reaction

from .ward import CROSS, DRUGS, NOW, allergy

SEVERE, CROSSED, SAME, RELATED, FORGOTTEN = Reaction.SEVERE, Reaction.CROSS, Reaction.SAME, Reaction.RELATED, Reaction.FORGOTTEN


@pytest.mark.parametrize(
    ("recorded", "drug", "expected"),
    [
        (allergy("aztreonam", severe=True), "aztreonam", SEVERE),
        (allergy("aztreonam", severe=True), "aztreonam-avibactam", SEVERE),
        (allergy("aztreonam", severe=True), "ceftazidime-avibactam", CROSSED),
        (allergy("ceftolozane", severe=True), "aztreonam", CROSSED),
        (allergy("penicillin", severe=True), "aztreonam", None),
        (allergy("aztreonam"), "aztreonam", SAME),
        (allergy("aztreonam"), "ceftazidime-avibactam", RELATED),
        (allergy("aztreonam", mild=True, years=10), "aztreonam", SAME),
        (allergy("aztreonam", mild=True, years=10.01), "aztreonam", FORGOTTEN),
        (allergy("aztreonam", years=20), "aztreonam", SAME),
        (allergy("aztreonam", severe=True, years=20), "aztreonam", SEVERE),
        (allergy("cefiderocol"), "meropenem", None),
    ],
)
def test_how_an_allergy_touches_a_drug(recorded: object, drug: str, expected: Reaction | None) -> None:
    """Severity, ingredients, side chains and time decide; a mild reaction is forgotten after ten years, no other one is."""
    assert reaction(recorded, DRUGS[drug], CROSS, 10, NOW) == expected  # type: ignore[arg-type]

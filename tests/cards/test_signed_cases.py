"""What a card offers in any clinical case, once signed, leads to no critical card."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.cards import Style
from cds_service.cases import Case, Lexicon, Usual, read_cases, read_usual, request
from cds_service.cases.run import numbered, service_for
from cds_service.decide import decide
from cds_service.errors import CannotDecide
from cds_service.knowledge import Knowledge, default_folder
from cds_service.knowledge.site import with_site
from cds_service.protocol.response import to_json

from .test_signed import signed

FIXTURES = Path(__file__).parents[2] / "fixtures"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
FILES = sorted((FIXTURES / "ndm" / "cases").glob("*.yaml"))


def judged(knowledge: Knowledge, service: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards for a request; none where it is refused for what it lacks."""
    try:
        decision = decide(knowledge, service, json.dumps(body).encode(), fetch=None, now=NOW, style=Style(new_id=numbered()))
    except CannotDecide:
        return []
    return list(json.loads(to_json(decision.cards))["cards"])


def critical_after(case: Case, knowledge: Knowledge, usual: Usual, lexicon: Lexicon) -> list[tuple[str, str]]:
    """Label of each suggestion of a case with the critical summary that it leads to; one that only leaves a drug out is no regimen."""
    service = service_for(case, knowledge)
    here = with_site(knowledge, service, case.line.site)
    body = request(case, {key: part.query for key, part in service.sheet.prefetch.items()}, usual, lexicon, NOW)
    offered = [one for card in judged(here, service.id, body) for one in card.get("suggestions", [])]
    regimens = [one for one in offered if any(action["type"] == "create" for action in one["actions"])]
    return [
        (one["label"], after["summary"])
        for one in regimens
        if any(action["resource"]["resourceType"] == "MedicationRequest" for action in one["actions"] if action["type"] == "create")
        for after in judged(here, service.id, signed(body, one))
        if after["indicator"] == "critical"
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_offered_drug_leads_to_a_critical_card(knowledge: Knowledge, file: Path) -> None:
    """Whoever takes an offered order, and does nothing else by hand, meets no critical card when it is signed."""
    usual, lexicon = read_usual(FIXTURES / "defaults.yaml"), Lexicon(default_folder() / "shared")
    for case in read_cases(file):
        if case.line.hook == "order-sign":
            assert not critical_after(case, knowledge, usual, lexicon), case

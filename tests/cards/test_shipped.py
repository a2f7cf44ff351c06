"""The shipped services and sheets fit the cards that are made of them."""

import pytest

from cds_service.cards.text import headline
from cds_service.knowledge import Knowledge
from cds_service.wording import fill

SERVICES = ("ndm-order-sign", "ndm-order-select", "ndm-patient-view")
LONG = {
    "drug": "ceftazidime-avibactam",
    "partner": "piperacillin-tazobactam",
    "other": "ceftazidime-avibactam",
    "enzyme": "NDM",
    "organism": "Klebsiella pneumoniae",
    "dose": "0.94 g every 48 h",
    "kidney": "haemodialysis",
    "ordered": "2.5 g every 8 h over 3 h",
    "allergy": "ceftazidime allergy",
    "why": "OXA-48",
    "hours": "20",
    "n": "150",
    "agent": "aztreonam-avibactam",
    "answer": "non-susceptible",
    "drugs": "meropenem",
    "mic": "16 mg/L",
    "limit": "4 mg/L",
    "missing": "weight, height and vital signs",
}


@pytest.mark.parametrize("name", SERVICES)
def test_every_rule_has_its_group(knowledge: Knowledge, name: str) -> None:
    """A service's sheet says for each of its rules how it becomes a card, and names each in one group."""
    service = knowledge.services[name]
    named = [rule for group in service.sheet.cards.values() for rule in group.rules()]
    assert set(named) >= {rule.id for rule in service.rules}
    assert len(named) == len(set(named))


@pytest.mark.parametrize("name", SERVICES)
def test_summaries_stay_whole(knowledge: Knowledge, name: str) -> None:
    """No summary has to be cut with the usual names in it."""
    for rule in knowledge.services[name].rules:
        for text in (rule.sheet.summary, *rule.sheet.variants.values()):
            assert not headline(fill(text, LONG)).endswith("…"), (rule.id, fill(text, LONG))


@pytest.mark.parametrize("name", SERVICES)
def test_topics_and_reasons_are_complete(knowledge: Knowledge, name: str) -> None:
    """Every rule has a topic with a display, and every override reason a code and a display."""
    for rule in knowledge.services[name].rules:
        assert rule.id.isascii()
        assert rule.id.isalnum()
        assert rule.sheet.title
        for word in rule.sheet.override:
            assert knowledge.overrides.reasons[word].display

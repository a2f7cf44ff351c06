"""The sentences of the sheets for dosing, course, patient and gaps."""

import re

import pytest

from cds_service.rule import Rule, braces, fill
from tests.rules_dosing.ward import known

OWN = {"dosing", "course", "safety", "state", "monitoring"}
LONGEST = {
    "drug": "imipenem-cilastatin-relebactam",
    "partner": "imipenem-cilastatin-relebactam",
    "dose": "0.94 g every 48 h",
    "ordered": "0.675 g every 12 h over 2.5 h",
    "load": "2.67 g",
    "kidney": "CRRT at 12.25 L/h",
    "hours": "119.99",
    "missing": "laboratory results",
    "allergy": "ceftazidime, aztreonam allergy",
    "enzyme": "NDM and VIM and IMP",
    "organism": "Stenotrophomonas maltophilia",
    "specimen": "bronchoalveolar lavage",
    "marker": "OXA-48",
    "n": "1234",
    "collected": "2026-11-22",
}
RULES = {rule.id: rule for service in known().services.values() for rule in service.rules if rule.sheet.group in OWN}


def summaries(rule: Rule) -> list[str]:
    """Every summary that a rule may show."""
    return [rule.sheet.summary, *rule.sheet.variants.values()]


def texts(rule: Rule) -> str:
    """Every sentence of a rule."""
    return " ".join([*summaries(rule), rule.sheet.detail, rule.sheet.limits, *rule.sheet.notes.values()])


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_summary_fits_with_the_longest_names(name: str) -> None:
    """139 characters hold every summary whatever it names."""
    rule = RULES[name]
    assert max(len(fill(text, LONGEST)) for text in summaries(rule)) <= 139
    assert {word for text in summaries(rule) for word in braces(text)} <= set(LONGEST)


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_card_never_presses(name: str) -> None:
    """No card tells the prescriber to act at once, and none strengthens its evidence."""
    assert not re.search(r"\b(at once|immediately|now!|must|urgent(ly)?|reduces mortality|proven to)\b", texts(RULES[name]), re.IGNORECASE)


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_sheet_says_who_stands_for_it(name: str) -> None:
    """Author and checker are roles until a person signs, and the review has a date."""
    reviewed = RULES[name].sheet.reviewed
    assert reviewed is not None
    assert (reviewed.by, reviewed.checked_by) == ("author", "pending")
    assert reviewed.on < reviewed.next


@pytest.mark.parametrize(
    ("name", "hooks", "indicator", "alone"),
    [
        ("ndmCazAviDose", {"order-sign"}, "warning", True),
        ("ndmCazAviInfusion", {"order-sign"}, "warning", True),
        ("ndmAztreonamDose", {"order-sign"}, "warning", True),
        ("ndmSimultaneousInfusion", {"order-sign"}, "info", False),
        ("ndmAztAviDose", {"order-sign"}, "warning", True),
        ("ndmCefiderocolDose", {"order-sign"}, "warning", True),
        ("ndmDuplicateTherapy", {"order-sign"}, "warning", True),
        ("ndmAztreonamLiverTests", {"order-sign", "patient-view"}, "info", False),
        ("ndmRenalDataMissing", {"order-sign"}, "info", True),
        ("ndmBoneDuration", {"order-sign"}, "warning", True),
        ("ndmDurationLong", {"order-sign"}, "info", False),
        ("ndmRepeatCultures", {"order-sign", "patient-view"}, "warning", True),
        ("ndmSusceptibilityMissing", {"order-sign", "patient-view"}, "info", False),
        ("ndmBetaLactamAllergy", {"order-sign", "order-select"}, "critical", True),
        ("ndmPaediatric", {"order-sign"}, "info", True),
        ("ndmPregnancy", {"order-sign"}, "info", False),
        ("ndmCarrier", {"patient-view"}, "info", False),
        ("ndmHistory", {"patient-view"}, "info", False),
        ("ndmConflictingResults", {"order-sign", "patient-view"}, "info", False),
        ("mblSuspected", {"order-sign", "patient-view"}, "info", False),
        ("ndmUnreadableOrder", {"order-sign", "order-select", "patient-view"}, "info", True),
        ("ndmIncompleteData", {"order-sign", "order-select", "patient-view"}, "info", True),
    ],
)
def test_hooks_and_urgency_are_those_that_were_decided(name: str, hooks: set[str], indicator: str, alone: bool) -> None:
    """Where a rule speaks, how urgently, and whether it may stand alone at signing."""
    sheet = RULES[name].sheet
    assert (set(sheet.hooks), sheet.indicator, sheet.stands_alone) == (hooks, indicator, alone)

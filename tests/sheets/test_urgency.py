"""Where rules of dosing, course, patient and gaps speak, and how urgently."""

import pytest

from .test_wording import rules


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
    sheet = rules()[name].sheet
    assert (set(sheet.hooks), sheet.indicator, sheet.stands_alone) == (hooks, indicator, alone)

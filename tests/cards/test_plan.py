"""Which findings share a card, which join one, and which say nothing."""

from collections.abc import Callable

import pytest

from cds_service.cards import ingredients
from cds_service.finding import Finding, Indicator, Overridden

from .form import checked
from .ward import Ward, finding, order

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL


def said(ward: Ward, *findings: Finding, **more: object) -> list[tuple[list[str], str]]:
    """The rules and the indicator of every card."""
    return [(card["extension"]["ndm-cds.rules"], card["indicator"]) for card in checked(ward.cards(*findings, **more))]


def note(rule: str, **more: object) -> Finding:
    """A note that may not stand alone."""
    return finding(rule, INFO, alone=False, **more)


def test_nothing_found_is_silence(ward: Callable[..., Ward]) -> None:
    """Without a finding there is no card."""
    assert said(ward()) == []


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ("ndmResistantToOrdered", "ndmProtectionRemoved"),
        ("ndmProtectionRemoved", "ndmAztreonamUnprotected"),
        ("ndmAztreonamUnprotected", "ndmCazAviWithoutAztreonam"),
        ("ndmAcinetobacter", "mblPseudomonas"),
        ("ndmInactiveBetaLactam", "ndmPolymyxinBackbone"),
        ("ndmAztreonamPartialPartner", "ndmTetracyclineBloodUrine"),
    ],
)
def test_the_first_in_precedence_speaks_about_the_regimen(ward: Callable[..., Ward], stronger: str, weaker: str) -> None:
    """Of two rules about the regimen the first in precedence speaks, in whatever order they were found."""
    assert said(ward(), finding(weaker), finding(stronger)) == [([stronger], "critical")]


def test_resistance_to_everything_joins(ward: Callable[..., Ward]) -> None:
    """The note on dual resistance joins the card about the drug that was ordered."""
    both = finding("ndmDualResistantSalvage", WARNING), finding("ndmResistantToOrdered")
    assert said(ward(), *both) == [(["ndmResistantToOrdered", "ndmDualResistantSalvage"], "critical")]


def test_resistance_to_everything_alone(ward: Callable[..., Ward]) -> None:
    """Without another rule the note on dual resistance has a card of its own."""
    assert said(ward(), finding("ndmDualResistantSalvage", WARNING)) == [(["ndmDualResistantSalvage"], "warning")]


def test_doses_are_one_card(ward: Callable[..., Ward]) -> None:
    """All remarks on doses share a card, the strongest leads it."""
    found = [finding("ndmCazAviDose", INFO), finding("ndmAztreonamDose", WARNING), note("ndmSimultaneousInfusion")]
    assert said(ward(), *found) == [(["ndmAztreonamDose", "ndmCazAviDose", "ndmSimultaneousInfusion"], "warning")]


@pytest.mark.parametrize(
    "rule",
    ["ndmSusceptibilityMissing", "ndmEcoliTesting", "ndmConflictingResults", "mblSuspected", "ndmPregnancy", "ndmSimultaneousInfusion"],
)
def test_a_sound_regimen_signs_in_silence(ward: Callable[..., Ward], rule: str) -> None:
    """A note that may not stand alone is dropped at order-sign when no card is shown."""
    assert said(ward(), note(rule)) == []


def test_a_note_joins_a_card_that_is_shown_anyway(ward: Callable[..., Ward]) -> None:
    """A missing susceptibility is said beside a warning."""
    found = [finding("ndmPolymyxinAddOn", WARNING), note("ndmSusceptibilityMissing")]
    assert said(ward(), *found) == [(["ndmPolymyxinAddOn", "ndmSusceptibilityMissing"], "warning")]


def test_at_chart_opening_notes_stand_alone(ward: Callable[..., Ward]) -> None:
    """What may not interrupt a signature is said when the chart is opened."""
    assert said(ward("patient-view"), note("ndmSusceptibilityMissing")) == [(["ndmSusceptibilityMissing"], "info")]


@pytest.mark.parametrize(
    "rule", ["ndmIncompleteData", "ndmUnreadableOrder", "ndmPaediatric", "ndmPregnancy", "ndmConflictingResults", "ndmProbenecid"]
)
def test_what_survives_beside_a_critical_card(ward: Callable[..., Ward], rule: str) -> None:
    """Notes that change how a critical card is read become lines of it."""
    found = [finding("ndmAztreonamUnprotected"), finding(rule, INFO, summary="A note that matters", isolates=())]
    (card,) = checked(ward().cards(*found))
    assert card["extension"]["ndm-cds.rules"] == ["ndmAztreonamUnprotected", rule]
    assert "**A note that matters.**" in card["detail"]


@pytest.mark.parametrize(
    "rule", ["ndmSusceptibilityMissing", "ndmEcoliTesting", "ndmRenalDataMissing", "ndmCazAviInfusion", "mblSuspected"]
)
def test_what_waits_beside_a_critical_card(ward: Callable[..., Ward], rule: str) -> None:
    """Every other note is dropped beside a critical card."""
    assert said(ward(), finding("ndmAztreonamUnprotected"), finding(rule, INFO)) == [(["ndmAztreonamUnprotected"], "critical")]


def test_a_warning_keeps_its_card_beside_a_critical_one(ward: Callable[..., Ward]) -> None:
    """A warning of another group is a card of its own, behind the critical one."""
    found = [finding("ndmBoneDuration", WARNING), finding("ndmBetaLactamAllergy"), finding("ndmPaediatric", INFO)]
    assert said(ward(), *found) == [(["ndmBetaLactamAllergy", "ndmPaediatric"], "critical"), (["ndmBoneDuration"], "warning")]


def test_notes_of_several_groups_are_one_card(ward: Callable[..., Ward]) -> None:
    """Where nothing but notes is to be said, one card says them."""
    found = [finding("ndmRenalDataMissing", INFO), finding("ndmPaediatric", INFO), finding("ndmIncompleteData", INFO)]
    assert said(ward(), *found) == [(["ndmRenalDataMissing", "ndmPaediatric", "ndmIncompleteData"], "info")]


def test_most_urgent_first(ward: Callable[..., Ward]) -> None:
    """Cards come by urgency, whatever their group."""
    found = [finding("ndmPolymyxinBackbone", WARNING), finding("ndmBetaLactamAllergy"), finding("ndmBoneDuration", WARNING)]
    assert [indicator for _, indicator in said(ward(), *found)] == ["critical", "warning", "warning"]


def test_a_shadow_rule_is_judged_and_not_shown(ward: Callable[..., Ward]) -> None:
    """A rule in shadow opens no card and hides no other."""
    policy = ward().policy
    shadow = type(policy.rules)(off=(), shadow=("ndmAztreonamUnprotected",))
    found = [finding("ndmAztreonamUnprotected"), finding("ndmInactiveBetaLactam")]
    assert said(ward(policy={"rules": shadow}), *found) == [(["ndmInactiveBetaLactam"], "critical")]


def test_an_override_silences_what_it_was_about(ward: Callable[..., Ward]) -> None:
    """After an override the same rule is silent on the same regimen, and so are the lesser ones behind it."""
    bed = ward(orders=(order("aztreonam"),))
    overridden = frozenset({Overridden("ndmAztreonamUnprotected", ingredients(bed.bedside()))})
    found = [finding("ndmAztreonamUnprotected"), finding("ndmInactiveBetaLactam")]
    assert said(bed, *found, overridden=overridden) == []


def test_a_changed_regimen_arms_the_rule_again(ward: Callable[..., Ward]) -> None:
    """An override about other drugs does not count."""
    bed = ward(orders=(order("aztreonam"), order("meropenem")))
    overridden = frozenset({Overridden("ndmAztreonamUnprotected", frozenset({"aztreonam"}))})
    assert said(bed, finding("ndmAztreonamUnprotected"), overridden=overridden) == [(["ndmAztreonamUnprotected"], "critical")]


def test_something_more_urgent_breaks_the_silence(ward: Callable[..., Ward]) -> None:
    """Behind an overridden warning a critical finding still speaks."""
    bed = ward(orders=(order("aztreonam"),))
    overridden = frozenset({Overridden("ndmResistantToOrdered", ingredients(bed.bedside()))})
    found = [finding("ndmResistantToOrdered", WARNING), finding("ndmAztreonamUnprotected")]
    assert said(bed, *found, overridden=overridden) == [(["ndmAztreonamUnprotected"], "critical")]


def test_an_override_of_one_dose_leaves_the_other(ward: Callable[..., Ward]) -> None:
    """In a merged card only the overridden rule falls silent."""
    bed = ward(orders=(order("aztreonam"),))
    overridden = frozenset({Overridden("ndmAztreonamDose", ingredients(bed.bedside()))})
    found = [finding("ndmAztreonamDose", WARNING), finding("ndmCazAviDose", WARNING)]
    assert said(bed, *found, overridden=overridden) == [(["ndmCazAviDose"], "warning")]


def test_while_choosing_everything_is_a_quiet_line(ward: Callable[..., Ward]) -> None:
    """At order-select a critical finding is an info card of two short paragraphs with the same topic."""
    (card,) = checked(ward("order-select").cards(finding("ndmAztreonamUnprotected", detail=("One line.", "Another."))))
    assert (card["indicator"], card["source"]["topic"]["code"]) == ("info", "ndmAztreonamUnprotected")
    assert card["detail"].startswith("One line.\n\nResult: NDM in Klebsiella pneumoniae, blood")
    assert "Another" not in card["detail"]


def test_a_rule_without_a_group_is_not_lost(ward: Callable[..., Ward]) -> None:
    """A finding that no group of the sheet names has a card of its own: failure never looks like silence."""
    assert said(ward(), finding("someNewRule", WARNING)) == [(["someNewRule"], "warning")]

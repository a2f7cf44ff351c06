"""What a rule saw at a bedside, in plain lines for `explain`."""

from collections.abc import Iterator
from typing import Any

from cds_service.clinical import telling
from cds_service.clinical.bedside import Bedside
from cds_service.decide import Decision
from cds_service.service import Verdicts

Row = tuple[str, str]
SILENT = "silent"


def facts(bedside: Bedside) -> Iterator[Row]:
    """The facts that the rules looked at: infection, regimen, kidney, circumstances, gaps."""
    yield from _infection(bedside)
    yield from _regimen(bedside)
    yield "kidney", "; ".join(telling.kidney(bedside))
    yield "patient", ", ".join(_person(bedside))
    if bedside.words:
        yield "circumstances", ", ".join(telling.circumstances(bedside))
    for allergy in bedside.chart.allergies:
        named = ", ".join(sorted(allergy.substances | allergy.groups)) or "substance not recognised"
        yield "allergy", f"{named}, {telling.severity(allergy)}"
    for one in bedside.chart.unreadable:
        yield f"unreadable {one.kind}", f"{one.reference or 'without an id'}: {one.why}"
    if bedside.chart.missing:
        yield "missing", ", ".join(bedside.named_part(part) for part in sorted(bedside.chart.missing))
    if bedside.chart.foreign:
        yield "dropped", f"{bedside.chart.foreign} resources of other patients"


def _infection(bedside: Bedside) -> Iterator[Row]:
    if not bedside.infection.evidence:
        yield "infection", f"no evidence of {bedside.policy.condition.name}"
    for one in bedside.infection.evidence:
        yield "infection", telling.evidence(bedside, one)
    for conflict in bedside.infection.conflicts:
        yield "conflict", f"{conflict.marker}: {conflict.kind}"


def _regimen(bedside: Bedside) -> Iterator[Row]:
    regimen = bedside.regimen
    groups = {"signing": regimen.drafts, "running": regimen.running, "stopping": regimen.endings, "taken over": regimen.replaced}
    for name, orders in {**groups, "take-home": regimen.discharge}.items():
        yield from ((name, f"{telling.ordered(order)}, {order.reference or 'without an id'}") for order in orders)
    if regimen.therapy:
        yield "expected active", ", ".join(telling.works(bedside)) or "nothing"


def _person(bedside: Bedside) -> Iterator[str]:
    yield f"{bedside.years:.0f} years" if bedside.years is not None else "age not known"
    yield bedside.chart.person.sex or "sex not known"
    if bedside.kidney.weight:
        yield f"{bedside.kidney.weight.value:.1f} kg"
    if bedside.chart.person.deceased:
        yield "has died"


def silences(verdicts: Verdicts) -> Iterator[Row]:
    """Each reason for silence, with the rules that had it; the commonest last."""
    reasons: dict[str, list[str]] = {}
    for silence in sorted(verdicts.silences, key=lambda one: one.rule):
        reasons.setdefault(f"{silence.quiet}: {silence.why}", []).append(silence.rule)
    yield from sorted(((reason, ", ".join(rules)) for reason, rules in reasons.items()), key=lambda one: len(one[1]))


def rules(verdicts: Verdicts) -> Iterator[tuple[str, str, str]]:
    """For each rule whether it spoke, and what it said or why not; those that spoke first."""
    for finding in verdicts.findings:
        alone = "" if finding.alone else " (joins another card)"
        yield f"{finding.indicator}", finding.rule, f"{finding.summary}{alone}"
    for silence in sorted(verdicts.silences, key=lambda one: one.rule):
        yield SILENT, silence.rule, f"{silence.quiet}: {silence.why}"


def as_data(decision: Decision) -> dict[str, Any]:
    """The explanation for machines."""
    verdicts, bedside = decision.verdicts, decision.bedside
    return {
        "service": decision.service.id,
        "knowledge": decision.version,
        "missing": sorted(decision.missing),
        "facts": [{"about": about, "fact": fact} for about, fact in facts(bedside)] if bedside else [],
        "rules": [
            {"rule": rule, "spoke": said != SILENT, "indicator": said if said != SILENT else None, "why": why}
            for said, rule, why in rules(verdicts)
        ]
        if verdicts
        else [],
        "cards": len(decision.cards),
    }

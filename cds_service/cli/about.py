"""What a rule saw at a bedside, in plain lines for `explain`."""

from collections.abc import Iterator
from typing import Any

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Dose, Order
from cds_service.clinical.figures import figure
from cds_service.clinical.infection import Evidence
from cds_service.decide import Decision
from cds_service.service import Verdicts

Row = tuple[str, str]
SILENT = "silent"


def facts(bedside: Bedside) -> Iterator[Row]:
    """The facts that the rules looked at: infection, regimen, kidney, circumstances, gaps."""
    yield from _infection(bedside)
    yield from _regimen(bedside)
    yield "kidney", _kidney(bedside)
    yield "patient", ", ".join(_person(bedside))
    if bedside.words:
        yield "circumstances", ", ".join(sorted(bedside.words))
    for allergy in bedside.chart.allergies:
        severity = "severe" if allergy.severe else "mild" if allergy.mild else "severity not stated"
        yield "allergy", f"{', '.join(sorted(allergy.substances | allergy.groups)) or 'substance not recognised'}, {severity}"
    for one in bedside.chart.unreadable:
        yield f"unreadable {one.kind}", f"{one.reference or 'without an id'}: {one.why}"
    if bedside.chart.missing:
        yield "missing", ", ".join(bedside.named_part(part) for part in sorted(bedside.chart.missing))
    if bedside.chart.foreign:
        yield "dropped", f"{bedside.chart.foreign} resources of other patients"


def _infection(bedside: Bedside) -> Iterator[Row]:
    evidence = bedside.infection.evidence
    if not evidence:
        yield "infection", f"no evidence of {bedside.policy.condition.name}"
    for one in evidence:
        yield "infection", _evidence(one)
    for conflict in bedside.infection.conflicts:
        yield "conflict", f"{conflict.marker}: {conflict.kind}"


def _evidence(one: Evidence) -> str:
    isolate = one.isolate
    parts = [
        f"{one.state}: {' and '.join(one.enzymes) or 'mechanism suspected'}",
        *([f"beside {' and '.join(one.companions)}"] if one.companions else []),
        f"in {isolate.organism.name if isolate.organism else 'an organism that is not stated'}",
        f"from {isolate.specimen.name.lower() if isolate.specimen else 'a specimen that is not stated'}",
        f"collected {one.when:%Y-%m-%d}" if one.when else "without a date",
        "preliminary" if one.preliminary else isolate.status,
    ]
    tested = [f"{test.agent} {test.answer}{f' ({figure(test.mic)} mg/L)' if test.mic is not None else ''}" for test in one.susceptibilities]
    return ", ".join([*parts, *tested])


def _regimen(bedside: Bedside) -> Iterator[Row]:
    regimen = bedside.regimen
    groups = {"signing": regimen.drafts, "running": regimen.running, "stopping": regimen.endings, "taken over": regimen.replaced}
    for name, orders in {**groups, "take-home": regimen.discharge}.items():
        yield from ((name, order_text(order)) for order in orders)
    active = [" + ".join(row.drugs) for row, _ in regimen.active_rows]
    supported = [f"{order.drug.name} (tested susceptible)" for order in bedside.supported]
    if regimen.therapy:
        yield "expected active", ", ".join([*active, *supported]) or "nothing"


def order_text(order: Order) -> str:
    """An order in one line, from what was read and not from the client's own text."""
    doses = "; then ".join(filter(None, (_dose(dose) for dose in order.doses)))
    return ", ".join(part for part in (order.drug.name, doses, str(order.route), order.reference) if part)


def _dose(dose: Dose) -> str:
    amount = f"{figure(dose.grams)} g" if dose.grams is not None else ""
    if dose.international_units is not None:
        amount = f"{figure(dose.international_units)} IU"
    interval = "once" if dose.once else "continuous" if dose.continuous else f"every {figure(dose.interval_h)} h" if dose.interval_h else ""
    infusion = f"over {figure(dose.infusion_h)} h" if dose.infusion_h else ""
    return " ".join(part for part in (amount, interval, infusion) if part)


def _kidney(bedside: Bedside) -> str:
    kidney = bedside.kidney
    parts = [f"clearance {kidney.clearance:.0f} mL/min" if kidney.clearance is not None else "clearance not known"]
    if kidney.lacking:
        parts.append(f"lacking {', '.join(kidney.lacking)}")
    if kidney.creatinine and kidney.age_h is not None:
        parts.append(f"creatinine {kidney.creatinine.value:.2f} {kidney.creatinine.unit}, {kidney.age_h:.0f} h old")
    if kidney.change_pct is not None:
        parts.append(f"changed by {kidney.change_pct:.0f} %")
    if kidney.replacement:
        parts.append(kidney.replacement)
    if kidney.injury:
        parts.append("acute injury")
    return ", ".join(parts)


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

"""An explanation for people: the facts that the service read, and for every rule whether it spoke or why it kept silent."""

from collections.abc import Iterable, Iterator
from typing import Any

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Isolate, Order
from cds_service.clinical.infection import Evidence
from cds_service.clinical.renal import Kidney
from cds_service.decide import Decision
from cds_service.finding import Finding, Silence

OUT_OF_SCOPE = (
    "None of the drafts is a systemic antibacterial or another drug that a rule watches, so nothing was read from the record. "
    "Such orders sign without any check and without delay."
)


def explanation(decision: Decision) -> dict[str, Any]:
    """`facts` as sentences, and `verdicts` with rule, title, kind, why, and what the rule saw; null where no rule was asked."""
    if decision.verdicts is None or decision.bedside is None:
        return {"version": decision.version, "verdicts": None, "why": OUT_OF_SCOPE, "facts": None}
    titles = {rule.id: rule.sheet.title for rule in decision.service.rules}
    carded = {rule for card in decision.cards for rule in card.extension.get("ndm-cds.rules", ())}
    said = [_spoke(one, one.rule in carded) for one in decision.verdicts.findings]
    silent = [_silent(one, titles) for one in decision.verdicts.silences]
    return {"version": decision.version, "facts": facts(decision.bedside, decision.missing), "verdicts": [*said, *silent]}


def _spoke(finding: Finding, shown: bool) -> dict[str, Any]:
    saw = [
        *(f"Order: {_order(one)}" for one in finding.remark.orders),
        *(f"Result: {_isolate(one)}" for one in finding.remark.isolates),
    ]
    return {
        "rule": finding.rule,
        "title": finding.title,
        "kind": "spoke",
        "indicator": finding.indicator,
        "why": finding.summary,
        "saw": list(dict.fromkeys(saw)),
        "shown": shown,
    }


def _silent(silence: Silence, titles: dict[str, str]) -> dict[str, Any]:
    return {"rule": silence.rule, "title": titles.get(silence.rule, silence.rule), "kind": silence.quiet, "why": silence.why}


def facts(bedside: Bedside, missing: Iterable[str]) -> dict[str, Any]:
    """What the rules looked at, each a list of short sentences."""
    regimen = bedside.regimen
    return {
        "evidence": [_evidence(one) for one in bedside.infection.evidence] or ["no result of the mechanism"],
        "regimen": [_order(one) for one in regimen.therapy] or ["no systemic antibacterial"],
        "works": _works(bedside),
        "kidney": _kidney(bedside.kidney, bedside.child),
        "circumstances": sorted(word.replace("-", " ") for word in bedside.words),
        "unread": [f"{one.kind}: {one.why}" for one in bedside.chart.unreadable],
        "missing": sorted(bedside.named_part(key) for key in missing),
    }


def _works(bedside: Bedside) -> list[str]:
    rows = [" with ".join(dict.fromkeys(one.drug.name for one in orders)) for _, orders in bedside.regimen.active_rows]
    tested = [f"{one.drug.name}, tested susceptible" for one in bedside.supported]
    return [*rows, *tested] or (["nothing"] if bedside.infection.proven else [])


def _evidence(one: Evidence) -> str:
    enzymes = " and ".join(one.enzymes)
    beside = f", beside {' and '.join(one.companions)}" if one.companions else ""
    preliminary = ", preliminary" if one.preliminary else ""
    return f"{enzymes}{beside} in {_isolate(one.isolate)}: {one.state}{preliminary}"


def _isolate(isolate: Isolate) -> str:
    organism = isolate.organism.name if isolate.organism else "organism not stated"
    specimen = isolate.specimen.name.lower() if isolate.specimen else "specimen not stated"
    moment = isolate.collected or isolate.reported
    return f"{organism}, {specimen}, {f'{moment:%Y-%m-%d}' if moment else 'undated'}"


def _order(order: Order) -> str:
    return ", ".join([order.drug.name, *_dose(order), "draft" if order.draft else "running"])


def _dose(order: Order) -> Iterator[str]:
    for dose in order.doses[:1]:
        amount = f"{dose.grams.normalize():f} g" if dose.grams is not None else ""
        interval = "once" if dose.once else f"every {dose.interval_h.normalize():f} h" if dose.interval_h else ""
        infusion = f"over {round(dose.infusion_h, 2).normalize():f} h" if dose.infusion_h else ""
        said = " ".join(part for part in (amount, order.route.value if order.route != "unstated" else "", interval, infusion) if part)
        if said:
            yield said


def _kidney(kidney: Kidney, child: bool) -> dict[str, Any]:
    """The estimate is for adults with kidneys of their own: for a child and in replacement therapy it is neither used nor shown."""
    said = ["clearance is not estimated for a child"] if child else []
    clearance = f"{kidney.clearance:.0f}" if kidney.clearance is not None and not child and not kidney.replacement else None
    if clearance:
        said.append(f"creatinine clearance {clearance} mL/min (Cockcroft-Gault, {kidney.weight_used:.0f} kg, {kidney.years:.0f} years)")
    if kidney.age_h is not None:
        said.append(f"creatinine {kidney.age_h:.0f} h old")
    if kidney.injury:
        said.append("acute kidney injury: the clearance is not reliable" if clearance else "acute kidney injury")
    replacement = kidney.named() if kidney.replacement else None
    if replacement:
        said.append(f"renal replacement: {replacement}")
    said += [f"not known: {', '.join(kidney.lacking)}"] if kidney.lacking else []
    return {"clearance": clearance, "steady": not kidney.injury, "replacement": replacement, "lacking": list(kidney.lacking), "said": said}

"""An explanation for people: the facts that the service read, and for every rule whether it spoke or why it kept silent."""

from collections.abc import Iterable
from typing import Any

from cds_service.clinical import telling
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Order
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
        *(f"Result: {telling.isolate(one)}" for one in finding.remark.isolates),
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
    """What the rules looked at, each a list of short sentences; `kidney` has the clearance apart, for the chart beside it."""
    infection, regimen = bedside.infection, bedside.regimen
    return {
        "evidence": [telling.evidence(bedside, one) for one in infection.evidence] or ["no result of the mechanism"],
        "regimen": [_order(one) for one in regimen.therapy] or ["no systemic antibacterial"],
        "works": telling.works(bedside) or (["nothing"] if infection.proven else []),
        "kidney": _kidney(bedside),
        "circumstances": telling.circumstances(bedside),
        "unread": [f"{one.kind}: {one.why}" for one in bedside.chart.unreadable],
        "missing": sorted(bedside.named_part(key) for key in missing),
    }


def _order(order: Order) -> str:
    return f"{telling.ordered(order)}, {'draft' if order.draft else 'running'}"


def _kidney(bedside: Bedside) -> dict[str, Any]:
    """In replacement therapy a clearance is neither used nor shown."""
    kidney = bedside.kidney
    clearance = f"{kidney.clearance:.0f}" if kidney.clearance is not None and not kidney.replacement else None
    return {
        "clearance": clearance,
        "steady": not kidney.injury,
        "replacement": kidney.named() if kidney.replacement else None,
        "lacking": list(kidney.lacking),
        "said": telling.kidney(bedside),
    }

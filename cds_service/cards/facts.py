"""What a card was judged on, as short lines: results, tests, orders, kidney, allergies; and what was not known."""

from collections.abc import Sequence

from cds_service.cards.text import quoted
from cds_service.clinical import telling
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Isolate, Order, Setting
from cds_service.clinical.figures import figure
from cds_service.clinical.infection import Evidence, State
from cds_service.finding import Finding

IDLE = {"on-hold", "stopped", "completed", "cancelled"}
MOST_RESULTS, MOST_ORDERS = 3, 8


def known(bedside: Bedside, findings: Sequence[Finding], *, dosed: bool, allergic: bool) -> list[str]:
    """The lines of "Seen": `dosed` asks for kidney function, `allergic` for the recorded allergies."""
    isolates = _isolates(findings)
    lines = [result(bedside, isolate) for isolate in isolates[:MOST_RESULTS]]
    if len(isolates) > MOST_RESULTS:
        lines.append(f"{len(isolates) - MOST_RESULTS} more results of this kind")
    tested = _tested(bedside)
    lines += [f"Tested: {tested}"] if tested else []
    lines += orders(bedside, findings)
    lines += [f"Kidney: {telling.clearance(bedside)}"] if dosed else []
    lines += [f"Recorded allergy: {'; '.join(_allergies(bedside))}"] if allergic and bedside.chart.allergies else []
    return lines


def result(bedside: Bedside, isolate: Isolate) -> str:
    """Enzyme, species, companions, site, date with its age, and status, in one line."""
    evidence = _evidence(bedside, isolate)
    enzymes = " and ".join(evidence.enzymes) if evidence else ""
    species = _species(isolate)
    if evidence and evidence.state is State.SUSPECTED:
        seen = ", ".join(part for part in (species, _site(isolate), _collected(bedside, isolate), isolate.status) if part)
        return f"Result: {seen}: pattern suggests {enzymes.partition(' (')[0]}, no gene test"
    found = f"{enzymes} in {species}" if enzymes else species[:1].upper() + species[1:]
    parts = [found, _site(isolate), _collected(bedside, isolate), "preliminary" if evidence and evidence.preliminary else isolate.status]
    if evidence and evidence.companions:
        parts.insert(1, f"with {' and '.join(evidence.companions)}")
    return "Result: " + ", ".join(part for part in parts if part)


def orders(bedside: Bedside, findings: Sequence[Finding]) -> list[str]:
    """The orders that the card is about and the rest of the regimen, each with dose, route and whether it runs already."""
    concerned = [order for finding in findings for order in finding.remark.orders]
    gone = [order for order in bedside.regimen.ended if order.drug.key in bedside.regimen.directed]
    every = list(dict.fromkeys((*concerned, *bedside.regimen.therapy, *gone)))
    lines = [f"{_whose(bedside, order)}: {telling.ordered(order)}" for order in every[:MOST_ORDERS]]
    return [*lines, f"{len(every) - MOST_ORDERS} further orders"] if len(every) > MOST_ORDERS else lines


def unknown(bedside: Bedside, findings: Sequence[Finding]) -> list[str]:
    """What the card was not told: it says so instead of guessing."""
    isolates = _isolates(findings)
    gaps = [
        "The result is preliminary" if any(_preliminary(bedside, isolate) for isolate in isolates) else "",
        "Specimen not stated: taken as clinical" if any(_unplaced(isolate) for isolate in isolates) else "",
        "Organism not stated" if any(isolate.organism is None and not isolate.organism_text for isolate in isolates) else "",
        "Collection date not stated: taken as current" if any(not (one.collected or one.reported) for one in isolates) else "",
    ]
    missing = sorted(bedside.chart.missing)
    if missing:
        gaps.append(f"Not available: {', '.join(bedside.named_part(key) for key in missing)}")
    unread = [one for one in bedside.chart.unreadable if one.draft or one.kind == "result"]
    gaps += [f"Could not be read: {quoted(one.label)}" for one in unread[:MOST_RESULTS] if quoted(one.label)]
    return [gap for gap in gaps if gap]


def _isolates(findings: Sequence[Finding]) -> list[Isolate]:
    """One for each sample and species."""
    kept: dict[tuple[str, str], Isolate] = {}
    for finding in findings:
        for isolate in finding.remark.isolates:
            kept.setdefault((isolate.sample, isolate.organism.key if isolate.organism else ""), isolate)
    return list(kept.values())


def _preliminary(bedside: Bedside, isolate: Isolate) -> bool:
    evidence = _evidence(bedside, isolate)
    return evidence is not None and evidence.preliminary


def _evidence(bedside: Bedside, isolate: Isolate) -> Evidence | None:
    return next((one for one in bedside.infection.evidence if one.isolate == isolate), None)


def _species(isolate: Isolate) -> str:
    if isolate.organism:
        return isolate.organism.name
    return quoted(isolate.organism_text) or "an organism that is not stated"


def _unplaced(isolate: Isolate) -> bool:
    return isolate.specimen is None and not isolate.specimen_text


def _site(isolate: Isolate) -> str:
    if isolate.specimen:
        return isolate.specimen.name.lower()
    return quoted(isolate.specimen_text) or "specimen not stated"


def _collected(bedside: Bedside, isolate: Isolate) -> str:
    moment = isolate.collected or isolate.reported
    if moment is None:
        return "date not stated"
    days = int((bedside.now - moment).total_seconds() // 86400)
    ago = "today" if days < 1 else "1 day ago" if days == 1 else f"{days} days ago"
    return f"{'collected' if isolate.collected else 'reported'} {moment.date().isoformat()} ({ago})"


def _tested(bedside: Bedside) -> str:
    """The susceptibilities that speak about the active regimens."""
    agents = list(dict.fromkeys(test for row in bedside.policy.regimen.active for test in row.tests))
    found = [one for agent in agents if (one := bedside.laboratory.tested(agent))]
    lines = []
    for one in found:
        mic = f" (MIC {figure(one.mic)} mg/L)" if one.mic is not None else ""
        lines.append(f"{bedside.reference.named(one.agent)} {one.answer.spoken}{mic}")
    return "; ".join(lines)


def _whose(bedside: Bedside, order: Order) -> str:
    if order.draft:
        where = "" if order.setting is Setting.INPATIENT else f" ({order.setting} list)"
        return "Being stopped" if order.ending else f"To be signed{where}"
    if order in bedside.regimen.ended:
        return f"Not running ({order.status})" if order.status in IDLE else "Not running (ended)"
    return "Being stopped" if order in {*bedside.regimen.endings, *bedside.regimen.replaced} else "Running"


def _allergies(bedside: Bedside) -> list[str]:
    return [f"{quoted(one.label) or 'not named'} ({telling.severity(one)})" for one in bedside.chart.allergies[:MOST_RESULTS]]

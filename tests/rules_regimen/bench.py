"""Facts made by hand: drugs, orders, isolates and a small policy that names nothing real."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cds_service.clinical.bedside import Bedside, Reference
from cds_service.clinical.doses import DoseTable
from cds_service.clinical.facts import (
    Answer,
    Chart,
    Circumstance,
    Detection,
    Dose,
    Drug,
    Isolate,
    Order,
    Organism,
    Person,
    Route,
    Setting,
    Specimen,
    Susceptibility,
)
from cds_service.clinical.policy import ActiveRow, Condition, Cystitis, EvidencePolicy, Policy, RegimenPolicy, Severe
from cds_service.clinical.susceptibility import Breakpoint
from tests import shipped

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

POLICY = replace(
    shipped.policy(),
    version="test",
    condition=Condition(key="x", name="X", title="x"),
    evidence=EvidencePolicy(
        genes=("GENE", "TWIN"),
        phenotypes=(("FIRST", "SECOND"),),
        phenotype_name="class (type not determined)",
        phenotype_organism=("rods",),
        companions=("FELLOW",),
        unknown_organism="rods",
        bloodstream=("blood",),
        sterile=("blood",),
        not_carriers=("gram-positive",),
        carriage_words=("carriage",),
    ),
    regimen=RegimenPolicy(
        active=(ActiveRow(drugs=("shield", "sword"), tests=("shield+sword",)), ActiveRow(drugs=("lance",), tests=("lance",))),
        inactive="blunt",
        conditional="spare",
        unevaluated="unknown",
        overlap_h=Decimal(6),
        single_dose_h=Decimal(8),
    ),
    severe=Severe(),
    cystitis=Cystitis(),
    preferences={},
    preference=None,
    intervals={},
    empiric_reasons=("fever",),
    other_reasons=("tooth", "skin"),
    reason_sites={"skin": ("wound",)},
)
SETS = {"blunt": frozenset({"club"}), "spare": frozenset({"net", "rope"}), "unknown": frozenset({"riddle"})}
RODS = Organism("rod", "Rod", "rods")
COCCI = Organism("coccus", "Coccus", "gram-positive")
OTHER = Organism("other", "Other rod", "others")
BLOOD, URINE, WOUND = Specimen("blood", "Blood"), Specimen("urine", "Urine"), Specimen("wound", "Wound")
SCREEN = Specimen("screen", "Screen", surveillance=True)


def hours(number: float) -> datetime:
    """A moment so many hours from now."""
    return NOW + timedelta(hours=number)


def drug(key: str) -> Drug:
    """A drug with one ingredient, itself."""
    return Drug(key, key, frozenset({key}), antibacterial=True, gram_negative=True)


def order(key: str, *, draft: bool = True, name: str = "", **more: Any) -> Order:
    """An intravenous order; a running one is active and began yesterday."""
    status = more.pop("status", "draft" if draft else "active")
    route = more.pop("route", Route.INTRAVENOUS)
    if not draft:
        more.setdefault("starts", hours(-24))
    return Order(f"MedicationRequest/{name or key}", drug(key), key, draft, status, route=route, **more)


def running(key: str, **more: Any) -> Order:
    return order(key, draft=False, **more)


def once(grams: int = 2) -> Dose:
    return Dose(grams=Decimal(grams), once=True)


def every(interval: int) -> Dose:
    return Dose(grams=Decimal(2), interval_h=Decimal(interval))


def isolate(
    *found: str,
    organism: Organism | None = RODS,
    specimen: Specimen | None = BLOOD,
    days: float = 2,
    sample: str = "one",
    absent: Iterable[str] = (),
    tested: dict[str, Answer] | None = None,
    reported: float | None = None,
    status: str = "final",
    **more: Any,
) -> Isolate:
    """An isolate with markers found and absent, and the answers of the laboratory."""
    when = NOW - timedelta(days=days)
    told = hours(-reported) if reported is not None else when
    markers = [(name, True) for name in found] + [(name, False) for name in absent]
    detections = tuple(Detection(name, here, f"Observation/{name}", status, when, told) for name, here in markers)
    answers = tuple(Susceptibility(agent, answer, None, "Observation/s", when) for agent, answer in (tested or {}).items())
    return Isolate(sample, (), organism, "", specimen, "", False, when, told, status, detections, answers, **more)


def bedside(
    orders: Iterable[Order] = (),
    isolates: Iterable[Isolate] = (),
    *,
    words: Iterable[str] = (),
    hook: str = "order-sign",
    selections: Iterable[str] = (),
    policy: Policy = POLICY,
    breakpoints: tuple[Breakpoint, ...] = (),
) -> Bedside:
    """A bedside at NOW; the circumstances are words of the record."""
    told = tuple(Circumstance(word, "condition", "Condition/c") for word in words)
    chart = Chart("p", Person(), isolates=tuple(isolates), orders=tuple(orders), circumstances=told)
    names = {one.drug.key: one.drug for one in chart.orders}
    reference = Reference(policy, SETS, names, DoseTable(()), breakpoints)
    return Bedside(chart, reference, hook, NOW, frozenset(selections))


__all__ = ["Answer", "Setting"]

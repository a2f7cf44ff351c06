"""A patient, a session and a small library, made by hand."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import msgspec

from cds_service.cards import Style, write
from cds_service.clinical.bedside import Bedside, Reference
from cds_service.clinical.facts import (
    Allergy,
    Answer,
    Chart,
    Detection,
    Dose,
    Drug,
    Isolate,
    Measure,
    Order,
    Organism,
    Person,
    Route,
    Specimen,
    Susceptibility,
)
from cds_service.clinical.policy import Policy
from cds_service.finding import Finding, Indicator, Remark
from cds_service.protocol.request import HookRequest
from cds_service.service import Service, Verdicts

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
CODES = {
    "ceftazidime-avibactam": ("1603840", "avibactam 500 MG / ceftazidime 2000 MG Injection"),
    "aztreonam": ("1664986", "aztreonam 2000 MG Injection"),
    "aztreonam-avibactam": ("2705360", "avibactam 500 MG / aztreonam 1500 MG Injection [Emblaveo]"),
    "cefiderocol": ("2265706", "cefiderocol 1000 MG Injection"),
}
CROSS = (("aztreonam", "ceftazidime"), ("ceftazidime", "ceftolozane"), ("aztreonam", "ceftolozane"))


def drug(key: str, ingredients: Iterable[str] = (), classes: Iterable[str] = (), **more: Any) -> Drug:
    """A Gram-negative antibacterial unless said otherwise."""
    usual = {"antibacterial": True, "injection_only": True, "gram_negative": True}
    return Drug(key, more.pop("name", key), frozenset(ingredients or [key]), frozenset(classes), **{**usual, **more})


DRUGS = {
    one.key: one
    for one in (
        drug("ceftazidime-avibactam", ["ceftazidime", "avibactam"], ["cephalosporin"]),
        drug("aztreonam"),
        drug("aztreonam-avibactam", ["aztreonam", "avibactam"]),
        drug("cefiderocol", [], ["cephalosporin"]),
        drug("meropenem", [], ["carbapenem"]),
        drug("colistin"),
        drug("vancomycin", gram_negative=False),
    )
}
USUAL = {"aztreonam": ("2", "6"), "ceftazidime-avibactam": ("2.5", "8"), "cefiderocol": ("2", "8"), "aztreonam-avibactam": ("2", "6")}


class Library(msgspec.Struct):
    """What cards are written from."""

    services: Mapping[str, Service]
    evidence: Mapping[str, Any]
    overrides: Any
    suggestions: Mapping[str, Any]
    version: str = "2026.11.0+abc123def456"


def order(key: str, *, draft: bool = True, name: str | None = None, **more: Any) -> Order:
    """An intravenous order of the usual dose; `name` is its bare id."""
    grams, hours = USUAL.get(key, ("1", "8"))
    identity = f"draft-{key}" if draft else f"run-{key}"
    usual = {
        "status": "draft" if draft else "active",
        "route": Route.INTRAVENOUS,
        "doses": (Dose(Decimal(grams), interval_h=Decimal(hours), infusion_h=Decimal(3)),),
        "starts": None if draft else NOW - timedelta(hours=20),
    }
    reference = f"MedicationRequest/{identity if name is None else name}" if name != "" else ""
    return Order(reference, DRUGS[key], more.pop("label", key), draft, **{**usual, **more})


def isolate(**more: Any) -> Isolate:
    """Klebsiella with NDM from blood, two days old."""
    collected = more.pop("collected", NOW - timedelta(days=2))
    usual: dict[str, Any] = {
        "sample": "Specimen/1",
        "references": ("Observation/ndm-1",),
        "organism": Organism("klebsiella-pneumoniae", "Klebsiella pneumoniae", "enterobacterales"),
        "organism_text": "",
        "specimen": Specimen("blood", "Blood"),
        "specimen_text": "",
        "screening": False,
        "collected": collected,
        "reported": collected,
        "status": "final",
        "detections": (Detection("NDM", True, "Observation/ndm-1", "final", collected, collected),),
    }
    return Isolate(**{**usual, **more})


def verdict(agent: str, answer: Answer, mic: str | None = None) -> Susceptibility:
    """What the laboratory says about one drug, a day ago."""
    return Susceptibility(agent, answer, Decimal(mic) if mic else None, "Observation/ast", NOW - timedelta(days=1))


def allergy(substance: str, *, severe: bool = False, mild: bool = False, years: float = 1, label: str = "") -> Allergy:
    """An allergy to one ingredient, recorded so many years ago."""
    recorded = NOW - timedelta(days=365.25 * years)
    return Allergy("AllergyIntolerance/1", label or substance, frozenset({substance}), frozenset(), frozenset(), severe, mild, recorded)


@dataclass
class Ward:
    """Everything that one test changes about the patient and the session, and the cards that come of it."""

    policy: Policy
    library: Library
    service: Service
    orders: tuple[Order, ...] = ()
    isolates: tuple[Isolate, ...] = field(default_factory=lambda: (isolate(),))
    allergies: tuple[Allergy, ...] = ()
    creatinine: str | None = "1.0"
    weight: str | None = "72"
    person: Person = field(default_factory=lambda: Person(born=datetime(1958, 1, 1, tzinfo=UTC).date(), sex="male"))
    circumstances: tuple[Any, ...] = ()
    missing: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    unreadable: tuple[Any, ...] = ()
    received: list[dict[str, Any]] | None = None
    profile: str = "standard"
    public_url: str | None = None
    user: str = "Practitioner/p1"

    def bedside(self) -> Bedside:
        taken = NOW - timedelta(hours=5)
        measures = {}
        if self.creatinine:
            measures["creatinine"] = (Measure(Decimal(self.creatinine), "mg/dL", taken, "Observation/crea"),)
        if self.weight:
            measures["weight"] = (Measure(Decimal(self.weight), "kg", taken, "Observation/weight"),)
        chart = Chart(
            "pat1",
            self.person,
            self.isolates,
            self.orders,
            self.unreadable,
            measures,
            circumstances=self.circumstances,
            allergies=self.allergies,
            missing=self.missing,
            pending_tests=self.pending,
        )
        return Bedside(chart, self.reference(), self.service.hook, NOW, parts=self.service.parts)

    def reference(self) -> Reference:
        base = self.service.reference
        return Reference(self.policy, base.sets, base.drugs, base.doses, base.breakpoints)

    def request(self) -> HookRequest:
        received = self.received if self.received is not None else [raw(one) for one in self.orders if one.draft]
        bundle = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in received]})
        return HookRequest(self.service.hook, "instance", self.user, "pat1", "enc1", msgspec.Raw(bundle.encode()))

    def cards(self, *findings: Finding, **more: Any) -> tuple[Any, ...]:
        ids = (f"id-{number}" for number in count(1))
        style = Style(profile=self.profile, public_url=self.public_url, new_id=lambda: next(ids))  # type: ignore[arg-type]
        return write(Verdicts(findings, ()), self.bedside(), self.service, self.library, self.request(), style, **more)  # type: ignore[arg-type]


def raw(one: Order) -> dict[str, Any]:
    """The draft as a client would have sent it."""
    repeat = {"boundsPeriod": {"start": "2026-11-22T14:00:00+00:00"}, "frequency": 1, "period": 8, "periodUnit": "h"}
    resource = {
        "resourceType": "MedicationRequest",
        "id": one.reference.partition("/")[2],
        "status": one.status,
        "intent": "order",
        "subject": {"reference": "Patient/pat1"},
        "medicationCodeableConcept": {"text": one.drug.name},
        "dosageInstruction": [{"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": {"value": 2.5, "unit": "g"}}]}],
    }
    return {key: value for key, value in resource.items() if value}


def finding(rule: str, indicator: Indicator = Indicator.CRITICAL, **more: Any) -> Finding:
    """A rule that speaks about these orders and this isolate."""
    remark = {name: more.pop(name) for name in ("orders", "isolates", "removes", "corrections", "words") if name in more}
    usual = {
        "title": f"Title of {rule}",
        "summary": f"Summary of {rule}",
        "detail": (f"Detail of {rule}.",),
        "evidence": ("E8", "E3"),
        "override": ("ast", "allergy"),
    }
    return Finding(rule=rule, indicator=indicator, remark=Remark(**{"isolates": (isolate(),), **remark}), **{**usual, **more})

"""The form of a clinical case: what a clinician writes, checked before anything is made of it."""

from typing import Any, Literal

from msgspec import Struct

Setting = Literal["inpatient", "outpatient", "community", "discharge"]
Part = Literal["dose", "interval", "infusion", "route", "start"]
Urgency = Literal["info", "warning", "critical"]


class Line(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A strict part of a case; a misspelt key is a mistake."""


class Text(Line, frozen=True):
    """A problem or a reason in free text, without a code."""

    text: str


class OrderLine(Line, frozen=True):
    """A medication order.

    `order` is a pharmacist's sentence ("some-drug 2 g iv q6h over 3 h"), what it leaves out is the usual order of the drug;
    `without` names the parts that the order does not say. `text` is an order in free text. `label` is a text beside the
    code. Hours count from now: `starts: -24` began yesterday. A draft `replaces`, `renews` (same id) or `stops` a running order.
    """

    order: str = ""
    text: str | None = None
    label: str | None = None
    id: str | None = None
    starts: float | None = None
    ends: float | None = None
    days: float | None = None
    reason: str | Text | None = None
    setting: Setting = "inpatient"
    status: str | None = None
    intent: str = "order"
    forbids: bool = False
    replaces: str | None = None
    renews: str | None = None
    stops: str | None = None
    without: tuple[Part, ...] = ()
    whose: Literal["this", "other", "unstated"] = "this"


class ResultLine(Line, frozen=True):
    """One isolate, or one direct test of a specimen.

    `found` and `absent` name markers. `tested` gives a drug's answer as a laboratory prints it: "S", "R 16", "MIC 8", "pending",
    or word for word: "says >8".
    `sample` joins several lines to one specimen. `form` is how the laboratory writes the marker. `pending` is a culture
    without a result.
    """

    organism: str | None = None
    specimen: str | None = None
    screening: bool = False
    days: float | None = None
    hours: float | None = None
    reported: float | None = None
    status: str = "final"
    found: str | tuple[str, ...] = ()
    absent: str | tuple[str, ...] = ()
    tested: dict[str, str] = {}
    tested_days: float | None = None
    sample: str | None = None
    form: Literal["gene", "panel", "report", "organism"] = "gene"
    text: str | None = None
    whose: Literal["this", "other", "unstated"] = "this"
    dated: Literal["collected", "specimen", "issued", "nowhere"] = "collected"
    pending: bool = False


class AllergyLine(Line, frozen=True):
    """A recorded allergy; `to` is a drug, an allergen or free text."""

    to: str
    reaction: str | None = None
    severity: Literal["mild", "moderate", "severe"] | None = None
    criticality: Literal["low", "high", "unable-to-assess"] | None = None
    years: float | None = None
    status: str = "active"
    verification: str = "confirmed"


class Measured(Line, frozen=True):
    """A number of the laboratory or of the ward, `hours` ago."""

    value: float
    hours: float = 10
    unit: str | None = None
    upper: float | None = None


class PatientLine(Line, frozen=True):
    """Who the patient is; what is not said comes from the usual patient of `defaults.yaml`.

    `clearance` is turned into the creatinine that gives it. `measured` lists numbers by test; an empty list says that there are none.
    """

    age: float | None = None
    sex: str | None = None
    weight: float | None = None
    height: float | None = None
    clearance: float | None = None
    measured: dict[str, tuple[Measured, ...]] = {}
    conditions: tuple[str | Text, ...] = ()
    procedures: tuple[str | Text, ...] = ()
    allergies: tuple[AllergyLine, ...] = ()
    intensive_care: bool = False
    lacks: tuple[Literal["weight", "creatinine", "birth date", "sex"], ...] = ()


class Expected(Line, frozen=True):
    """A card that the case expects; `rule` may list alternatives.

    `attached`: the rule speaks as a line of another card. `also`: further rules that the same card speaks for. `summary` and
    `mentions` are pieces of text; `omits` must not appear. `offers` and `never_offers` are drugs of suggested orders, `removes` the
    drafts that a suggestion deletes, `doses` pieces of the dosage texts of suggested orders.
    """

    rule: str | tuple[str, ...]
    indicator: Urgency | tuple[Urgency, ...] | None = None
    attached: bool = False
    also: tuple[str, ...] = ()
    summary: str | None = None
    mentions: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    never_offers: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    doses: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        return (self.rule,) if isinstance(self.rule, str) else self.rule


class CaseLine(Line, frozen=True):
    """One case, or with `rows` several that differ in what the rows say."""

    case: str
    hook: Literal["order-sign", "order-select", "patient-view"] = "order-sign"
    patient: PatientLine = PatientLine()
    results: tuple[ResultLine, ...] = ()
    running: tuple[str | OrderLine, ...] = ()
    drafts: tuple[str | OrderLine, ...] = ()
    requested: tuple[str, ...] = ()
    selected: tuple[str, ...] | None = None
    unavailable: tuple[str, ...] = ()
    site: dict[str, Any] = {}
    expect: Literal["silence", "refusal"] | Expected | tuple[Expected, ...] = ()
    forbid: tuple[str, ...] = ()

    @property
    def expected(self) -> tuple[Expected, ...]:
        if isinstance(self.expect, str):
            return ()
        return (self.expect,) if isinstance(self.expect, Expected) else self.expect


class Usual(Line, frozen=True):
    """The usual patient and the usual order sentence of each drug, for what a case leaves unsaid."""

    patient: PatientLine
    orders: dict[str, str] = {}
    result_days: float = 2
    running_since: float = -24

"""The nouns of the bedside: results, orders and the patient, as frozen facts."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct, field


class Route(StrEnum):
    """How a drug enters the body; only the systemic ones can treat an invasive infection."""

    INTRAVENOUS = "intravenous"
    INTRAMUSCULAR = "intramuscular"
    ORAL = "oral"
    INHALED = "inhaled"
    INTRATHECAL = "intrathecal"
    IRRIGATION = "irrigation"
    TOPICAL = "topical"
    UNSTATED = "unstated"


class Setting(StrEnum):
    """The list that an order stands on; the discharge list is judged alone."""

    INPATIENT = "inpatient"
    OUTPATIENT = "outpatient"
    COMMUNITY = "community"
    DISCHARGE = "discharge"


class Answer(StrEnum):
    """What the laboratory says about one drug against one isolate."""

    SUSCEPTIBLE = "susceptible"
    INCREASED_EXPOSURE = "increased-exposure"
    INTERMEDIATE = "intermediate"
    RESISTANT = "resistant"
    NON_SUSCEPTIBLE = "non-susceptible"
    PENDING = "pending"
    UNSTATED = "unstated"

    @property
    def spoken(self) -> str:
        """The answer as a sentence has it."""
        spoken = {Answer.NON_SUSCEPTIBLE: "not susceptible", Answer.INCREASED_EXPOSURE: "susceptible at increased exposure"}
        return spoken.get(self, self.value)


class Drug(Struct, frozen=True):
    """A product by its ingredients, as `hooks/shared/drugs.yaml` describes it."""

    key: str
    name: str
    ingredients: frozenset[str]
    classes: frozenset[str] = frozenset()
    antibacterial: bool = False
    injection_only: bool = False
    oral_absorbed: bool = True
    gram_negative: bool = False


class Dose(Struct, frozen=True):
    """One dosage instruction; grams of all components together, hours; None where the order does not say.

    `in_milligrams` is how the order writes the grams. An order that leaves a range has the least in `grams` and the most in `most_grams`,
    the fewest hours in `interval_h` and the most in `longest_h`.
    """

    grams: Decimal | None = None
    international_units: Decimal | None = None
    grams_per_kg: Decimal | None = None
    interval_h: Decimal | None = None
    infusion_h: Decimal | None = None
    once: bool = False
    continuous: bool = False
    as_needed: bool = False
    in_milligrams: bool = False
    most_grams: Decimal | None = None
    longest_h: Decimal | None = None


class Order(Struct, frozen=True):
    """A medication order whose drug is known.

    `reference` is "MedicationRequest/x", or "" for a draft without an id. `ending` marks a draft that stops, holds or
    forbids instead of ordering. `replaces` is the reference of the order that `priorPrescription` names. `reasons` are
    circumstance words. `label` is the client's own text and may reach a card only inside a code span.
    """

    reference: str
    drug: Drug
    label: str
    draft: bool
    status: str
    route: Route = Route.UNSTATED
    setting: Setting = Setting.INPATIENT
    doses: tuple[Dose, ...] = ()
    starts: datetime | None = None
    ends: datetime | None = None
    duration_h: Decimal | None = None
    authored: datetime | None = None
    intent: str = "order"
    ending: bool = False
    replaces: str = ""
    reasons: frozenset[str] = frozenset()
    reason_text: bool = False

    def among(self, selected: frozenset[str]) -> bool:
        """The user has just selected it; where nothing is selected, every order counts."""
        return not selected or (self.draft and self.reference in selected)


class Unreadable(Struct, frozen=True):
    """An antibiotic order or a result that was found and could not be read; `kind` is "order" or "result".

    `markers` are those that a text names, `when` is its moment; `carriage`: it is about a search for carriage.
    """

    kind: str
    reference: str
    label: str
    why: str
    draft: bool = False
    markers: tuple[str, ...] = ()
    when: datetime | None = None
    carriage: bool = False


class Detection(Struct, frozen=True):
    """One marker (gene, enzyme or phenotype test) looked for in one isolate, and whether it was found."""

    marker: str
    found: bool
    reference: str
    status: str
    collected: datetime | None
    reported: datetime | None
    by_text: bool = False


class Susceptibility(Struct, frozen=True):
    """One drug, or a pair of drugs, tested against one isolate; `mic` in mg/L, `unread` why what was sent could not be read."""

    agent: str
    answer: Answer
    mic: Decimal | None
    reference: str
    collected: datetime | None
    unread: str = ""


class Specimen(Struct, frozen=True):
    """Where an isolate came from, as `hooks/shared/specimens.yaml` describes it; `any_site` materials come from anywhere."""

    key: str
    name: str
    surveillance: bool = False
    any_site: bool = False


class Organism(Struct, frozen=True):
    """A species or genus, as `hooks/shared/organisms.yaml` describes it."""

    key: str
    name: str
    group: str
    traits: frozenset[str] = frozenset()


class Isolate(Struct, frozen=True):
    """What one culture or one direct test found: organism, markers and susceptibilities of one specimen.

    `screening` is true where the order or the specimen is for surveillance. `sample` is equal for isolates of one specimen.
    """

    sample: str
    references: tuple[str, ...]
    organism: Organism | None
    organism_text: str
    specimen: Specimen | None
    specimen_text: str
    screening: bool
    collected: datetime | None
    reported: datetime | None
    status: str
    detections: tuple[Detection, ...] = ()
    susceptibilities: tuple[Susceptibility, ...] = ()


class Culture(Struct, frozen=True):
    """A culture that was taken or ordered, whatever it grew."""

    reference: str
    specimen: str | None
    collected: datetime | None
    pending: bool = False


class Measure(Struct, frozen=True):
    """A number with its time, in the canonical unit of its test; `upper` is the laboratory's limit of normal."""

    value: Decimal
    unit: str
    taken: datetime | None
    reference: str
    upper: Decimal | None = None


class Circumstance(Struct, frozen=True):
    """A condition, procedure, reason or place that a rule asks about, by its word in `hooks/shared/circumstances.yaml`."""

    word: str
    source: str
    reference: str
    since: datetime | None = None


class Allergy(Struct, frozen=True):
    """A recorded allergy: what it is to, and how bad it was.

    `substances` are ingredient keys, `groups` drug classes. `severe` is anaphylaxis, a severe cutaneous reaction or
    criticality high; `mild` a recorded mild reaction; neither means that nothing was recorded.
    """

    reference: str
    label: str
    substances: frozenset[str]
    groups: frozenset[str]
    reactions: frozenset[str]
    severe: bool
    mild: bool
    recorded: datetime | None


class Person(Struct, frozen=True):
    """Who the patient is, as far as a dose depends on it."""

    born: date | None = None
    sex: str | None = None
    deceased: bool = False


class Chart(Struct, frozen=True):
    """Everything that was read for one request.

    `missing` names the parts of the record that could not be had. `foreign` counts resources of other patients that
    were dropped. `measures` are newest first; `unread_tests` are those of which the newest number could not be read.
    """

    patient_id: str
    person: Person
    isolates: tuple[Isolate, ...] = ()
    orders: tuple[Order, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    measures: Mapping[str, tuple[Measure, ...]] = field(default_factory=dict)
    unread_tests: frozenset[str] = frozenset()
    circumstances: tuple[Circumstance, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    cultures: tuple[Culture, ...] = ()
    pending_tests: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    foreign: int = 0

"""What a site may set for one condition: the typed form of `policy.yaml`. No number has a default: a condition states its own."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct, field

from cds_service.clinical.lists import Agent, Circumstance, Drug, DrugOrSet, DrugSet, Group, Marker, Rule, Specimen, Suggestion, Text

Weight = Literal["actual-or-adjusted", "actual"]
Standard = Literal["clsi-fda", "eucast"]


class Sheet(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A strict record of the knowledge: an unknown key is a mistake, not an extra."""


class Condition(Sheet, frozen=True):
    """The condition that a folder of knowledge is about."""

    key: Text
    name: Text
    title: Text


class Suspect(Sheet, frozen=True):
    """A resistance pattern that suggests the mechanism without a genotype; each entry a drug or a drug set."""

    organism: tuple[Group, ...]
    resistant_to: tuple[DrugOrSet, ...]


class EvidencePolicy(Sheet, frozen=True):
    """Which markers prove the mechanism, and what is assumed where the record is silent.

    Organisms of `not_carriers` cannot hold it, so that a marker beside one belongs to an organism that is not stated. Where the
    record names one of `carriage_words`, what grew outside `sterile` specimens counts as carriage.
    """

    genes: tuple[Marker, ...]
    bloodstream: tuple[Specimen, ...]
    sterile: tuple[Specimen, ...]
    not_carriers: tuple[Group, ...]
    carriage_words: tuple[Circumstance, ...]
    phenotypes: tuple[tuple[Marker, ...], ...] = ()
    phenotype_name: str = ""
    phenotype_organism: tuple[Group, ...] = ()
    companions: tuple[Marker, ...] = ()
    unknown_organism: Group | None = None
    suspect: tuple[Suspect, ...] = ()


class Windows(Sheet, frozen=True):
    """How old evidence may be, in elapsed days; a finished procedure still tells something for `procedure_days`.

    An infection of unknown cause is that of an isolate of the last `episode_days`.
    """

    current_days: int
    history_days: int
    remote_days: int
    procedure_days: int
    episode_days: int
    future_h: int


class Clearance(Sheet, frozen=True):
    """How many negative screens, how far apart, end a carrier state."""

    negative_screens: int
    days_apart: int


class ActiveRow(Sheet, frozen=True):
    """Drugs that work together, and the susceptibility tests that speak about them."""

    drugs: tuple[Drug, ...]
    tests: tuple[Agent, ...] = ()


class RegimenPolicy(Sheet, frozen=True):
    """What makes a regimen sound.

    Drugs of `never_by_mouth` given orally do not treat an invasive infection. Drugs of `unevaluated` may work: beside one of them
    nobody is told that nothing does.
    """

    active: tuple[ActiveRow, ...]
    overlap_h: Decimal
    single_dose_h: Decimal
    inactive: DrugSet | None = None
    conditional: DrugSet | None = None
    never_by_mouth: DrugSet | None = None
    unevaluated: DrugSet | None = None


class RenalPolicy(Sheet, frozen=True):
    """How clearance is computed and when it is not trusted."""

    weight: Weight
    adjusted_above_pct: Decimal
    aki_ratio: Decimal
    aki_days: Decimal
    falling_pct: Decimal
    unstable_pct: Decimal
    window_h: Decimal
    stale_h: Decimal
    icu_stale_h: Decimal
    aki_silence_h: Decimal
    session_days: int
    adult_years: int


class Severe(Sheet, frozen=True):
    """What shows that a patient is gravely ill: where they are, or a drug of the set that runs or is ordered."""

    circumstances: tuple[Circumstance, ...] = ()
    drugs: DrugSet | None = None


class Cystitis(Sheet, frozen=True):
    """When an infection is confined to the bladder; some drugs are for it only as a single dose, some only by mouth.

    A body temperature of `fever_c` or more within so many hours shows that it is not.
    """

    reasons: tuple[Circumstance, ...] = ()
    never_with: tuple[Circumstance, ...] = ()
    drugs: DrugSet | None = None
    once_only: DrugSet | None = None
    by_mouth_only: DrugSet | None = None
    fever_c: Decimal | None = None
    fever_h: Decimal | None = None


class Formulary(Sheet, frozen=True):
    """Which products the site does not stock; they are not suggested."""

    not_stocked: tuple[Drug, ...] = ()


class RuleSwitches(Sheet, frozen=True):
    """Which rules are off, and which are judged without a card."""

    off: tuple[Rule, ...] = ()
    shadow: tuple[Rule, ...] = ()


class GoLive(Sheet, frozen=True):
    """When a rule in shadow is ready to speak: so many signings judged, or a waiver recorded by rule with its reason."""

    signings: int
    waived: dict[Rule, str] = field(default_factory=dict)


class Local(Sheet, frozen=True):
    """Site codes: "system|code" to the key of a drug or of a marker."""

    drugs: dict[str, Drug] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)


class Policy(Sheet, frozen=True):
    """Everything that a hospital may change without touching a rule.

    An order that states an infection of `treated` treats it, whatever word of `not_treatment` stands beside that.
    """

    version: Text
    condition: Condition
    evidence: EvidencePolicy
    windows: Windows
    clearance: Clearance
    regimen: RegimenPolicy
    renal: RenalPolicy
    severe: Severe
    breakpoints: Standard
    not_treatment: tuple[Circumstance, ...]
    silent_with: tuple[Circumstance, ...]
    test_dose_pct: Decimal
    go_live: GoLive
    cystitis: Cystitis = Cystitis()
    preference: str | None = None
    preferences: dict[str, tuple[Suggestion, ...]] = field(default_factory=dict)
    intervals: dict[Drug, Decimal] = field(default_factory=dict)
    formulary: Formulary = Formulary()
    treated: tuple[Circumstance, ...] = ()
    empiric_reasons: tuple[Circumstance, ...] = ()
    other_reasons: tuple[Circumstance, ...] = ()
    targeted_reasons: tuple[Circumstance, ...] = ()
    target_reasons: tuple[Circumstance, ...] = ()
    unknown_cause: tuple[Circumstance, ...] = ()
    reason_sites: dict[Circumstance, tuple[Specimen, ...]] = field(default_factory=dict)
    rules: RuleSwitches = RuleSwitches()
    local: Local = field(default_factory=Local)

"""What a site may set for one condition: the typed form of `policy.yaml`."""

from decimal import Decimal

from msgspec import Struct, field


class Sheet(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A strict record of the knowledge: an unknown key is a mistake, not an extra."""


class Condition(Sheet, frozen=True):
    """The condition that a folder of knowledge is about."""

    key: str
    name: str
    title: str


class Suspect(Sheet, frozen=True):
    """A resistance pattern that suggests the mechanism without a genotype; each entry a drug or a drug set."""

    organism: tuple[str, ...]
    resistant_to: tuple[str, ...]


class EvidencePolicy(Sheet, frozen=True):
    """Which markers prove the mechanism, and what is assumed where the record is silent.

    Organisms of `not_carriers` cannot hold it, so that a marker beside one belongs to an organism that is not stated. Where the
    record names one of `carriage_words`, what grew outside `sterile` specimens counts as carriage.
    """

    genes: tuple[str, ...]
    phenotypes: tuple[tuple[str, ...], ...] = ()
    phenotype_name: str = "mechanism (type not determined)"
    phenotype_organism: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    unknown_organism: str | None = None
    suspect: tuple[Suspect, ...] = ()
    bloodstream: tuple[str, ...] = ("blood",)
    sterile: tuple[str, ...] = ("blood",)
    not_carriers: tuple[str, ...] = ("gram-positive", "yeast")
    carriage_words: tuple[str, ...] = ("colonisation",)


class Windows(Sheet, frozen=True):
    """How old evidence may be, in elapsed days."""

    current_days: int = 30
    history_days: int = 365
    remote_days: int = 730
    future_h: int = 24


class Clearance(Sheet, frozen=True):
    """How many negative screens, how far apart, end a carrier state."""

    negative_screens: int = 2
    days_apart: int = 7


class ActiveRow(Sheet, frozen=True):
    """Drugs that work together, and the susceptibility tests that speak about them."""

    drugs: tuple[str, ...]
    tests: tuple[str, ...] = ()


class RegimenPolicy(Sheet, frozen=True):
    """What makes a regimen sound.

    Drugs of `never_by_mouth` given orally do not treat an invasive infection. Drugs of `unevaluated` may work: beside one of them
    nobody is told that nothing does.
    """

    active: tuple[ActiveRow, ...] = ()
    inactive: str | None = None
    conditional: str | None = None
    never_by_mouth: str | None = None
    unevaluated: str | None = None
    overlap_h: Decimal = Decimal(6)
    single_dose_h: Decimal = Decimal(8)


class RenalPolicy(Sheet, frozen=True):
    """How clearance is computed and when it is not trusted."""

    weight: str = "actual-or-adjusted"
    adjusted_above_pct: Decimal = Decimal(120)
    aki_ratio: Decimal = Decimal("1.5")
    aki_days: Decimal = Decimal(7)
    falling_pct: Decimal = Decimal(25)
    unstable_pct: Decimal = Decimal(50)
    window_h: Decimal = Decimal(48)
    stale_h: Decimal = Decimal(48)
    icu_stale_h: Decimal = Decimal(24)
    aki_silence_h: Decimal = Decimal(48)
    session_days: int = 4
    adult_years: int = 18


class Cystitis(Sheet, frozen=True):
    """When an infection is confined to the bladder; some drugs are for it only as a single dose, some only by mouth."""

    reasons: tuple[str, ...] = ()
    never_with: tuple[str, ...] = ()
    drugs: str | None = None
    once_only: str | None = None
    by_mouth_only: str | None = None


class Formulary(Sheet, frozen=True):
    """Which products the site does not stock; they are not suggested."""

    not_stocked: tuple[str, ...] = ()


class RuleSwitches(Sheet, frozen=True):
    """Which rules are off, and which are judged without a card."""

    off: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()


class GoLive(Sheet, frozen=True):
    """When a rule in shadow is ready to speak: so many signings judged, or a waiver recorded by rule with its reason."""

    signings: int = 200
    waived: dict[str, str] = field(default_factory=dict)


class Local(Sheet, frozen=True):
    """Site codes: "system|code" to the key of a drug or of a marker."""

    drugs: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)


class Policy(Sheet, frozen=True):
    """Everything that a hospital may change without touching a rule."""

    version: str
    condition: Condition
    evidence: EvidencePolicy
    windows: Windows = Windows()
    clearance: Clearance = Clearance()
    regimen: RegimenPolicy = RegimenPolicy()
    renal: RenalPolicy = RenalPolicy()
    cystitis: Cystitis = Cystitis()
    preference: str | None = None
    preferences: dict[str, tuple[str, ...]] = field(default_factory=dict)
    intervals: dict[str, Decimal] = field(default_factory=dict)
    formulary: Formulary = Formulary()
    breakpoints: str = "clsi-fda"
    empiric_reasons: tuple[str, ...] = ()
    other_reasons: tuple[str, ...] = ()
    reason_sites: dict[str, tuple[str, ...]] = field(default_factory=dict)
    not_treatment: tuple[str, ...] = ("prophylaxis", "test-dose")
    silent_with: tuple[str, ...] = ("comfort-care",)
    test_dose_pct: Decimal = Decimal(10)
    rules: RuleSwitches = RuleSwitches()
    go_live: GoLive = field(default_factory=GoLive)
    local: Local = field(default_factory=Local)

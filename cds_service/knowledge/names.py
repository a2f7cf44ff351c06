"""The typed headings of the name tables and of a value set, as far as they are read."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct, field

from cds_service.clinical import lists
from cds_service.clinical.policy import Sheet
from cds_service.fhir.vocabulary import Entry


class DrugRow(Sheet, frozen=True):
    """One product of `drugs.yaml`."""

    name: str
    parts: tuple[str, ...] = ()
    classes: tuple[lists.DrugClass, ...] = ()
    texts: tuple[str, ...] = ()
    inhaled: tuple[str, ...] = ()
    lab: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    antibacterial: bool = True
    injection_only: bool = False
    oral_absorbed: bool = True
    gram_negative: bool = False


class PartRow(Sheet, frozen=True):
    """An ingredient that is no drug of its own."""

    texts: tuple[str, ...] = ()
    silent: bool = False


class PairRow(Sheet, frozen=True):
    """A susceptibility test of several drugs at a time."""

    name: str
    parts: tuple[str, ...]


class LookRow(Sheet, frozen=True):
    """What an unknown antibacterial looks like."""

    systems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class DrugSheet(Sheet, frozen=True):
    """The whole of `drugs.yaml`; `classes` are all that a drug may have."""

    classes: tuple[str, ...]
    drugs: dict[str, DrugRow]
    parts: dict[str, PartRow] = field(default_factory=dict)
    pairs: dict[str, PairRow] = field(default_factory=dict)
    open: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    antibacterial: LookRow = LookRow()


class OrganismRow(Sheet, frozen=True):
    """One species, genus or group."""

    name: str
    group: lists.Group
    traits: tuple[lists.Trait, ...] = ()
    texts: tuple[str, ...] = ()


class OrganismSheet(Sheet, frozen=True):
    """The whole of `organisms.yaml`; `groups` and `traits` are all that an organism may have."""

    groups: tuple[str, ...]
    traits: tuple[str, ...]
    organisms: dict[str, OrganismRow]
    never: tuple[str, ...] = ()


class SpecimenRow(Sheet, frozen=True):
    """One place or material that samples come from; a `general` one counts where no other clinical one is named.

    `any_site`: a material that any site of the body may yield, surveillance sites too.
    """

    name: str
    surveillance: bool = False
    any_site: bool = False
    general: bool = False
    texts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def entry(self, key: str) -> Entry:
        """A clinical material outweighs the site that it was taken from."""
        return Entry(key, (self.name, *self.texts), without=self.without, weight=0 if self.surveillance else 1 if self.general else 2)


class ScreeningRow(Sheet, frozen=True):
    """Words of a specimen that say it was taken in search of carriage, and those beside which they do not."""

    texts: tuple[str, ...]
    without: tuple[str, ...] = ()


class SpecimenSheet(Sheet, frozen=True):
    """The whole of `specimens.yaml`."""

    specimens: dict[str, SpecimenRow]
    screening: ScreeningRow
    never: tuple[str, ...] = ()


class WordRow(Sheet, frozen=True):
    """The names of one key; which of the other headings count depends on its kind."""

    name: str = ""
    texts: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    unit: str = ""
    molar_mass: Decimal | None = None
    severe: bool = False
    generic: bool = False

    def entry(self, key: str) -> Entry:
        """The row's own name is one of its texts, unless it counts only alone."""
        named = [self.name] if self.name and self.name.lower() not in self.alone else []
        return Entry(key, (*named, *self.texts), self.alone, self.without)


class CircumstanceSheet(Sheet, frozen=True):
    """The whole of `circumstances.yaml`."""

    circumstances: dict[str, WordRow]
    never: tuple[str, ...] = ()


Said = Literal[
    "before",
    "after",
    "yes",
    "listed",
    "fillers",
    "whole",
    "ends",
    "asked_before",
    "open_before",
    "open_after",
    "past_before",
    "doubt_before",
    "doubt_after",
    "tolerated_before",
    "tolerated_after",
]


class SusceptibilityRow(Sheet, frozen=True):
    """What is no susceptibility result, and what says that a bare number of one is an MIC or a zone; `zones_mm` is least and most."""

    without: tuple[str, ...] = ()
    mic: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    zones_mm: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))


class WordSheet(Sheet, frozen=True):
    """The whole of `words.yaml`."""

    markers: dict[str, WordRow]
    answers: dict[str, WordRow]
    routes: dict[str, WordRow]
    tests: dict[str, WordRow]
    reactions: dict[str, WordRow]
    allergens: dict[lists.DrugClass, WordRow]
    cultures: dict[str, WordRow]
    screening: dict[str, WordRow]
    negation: dict[Said, list[str]]
    susceptibility: SusceptibilityRow = SusceptibilityRow()
    never: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Concept(Struct, frozen=True):
    """A code with its name; other elements of FHIR are not looked at."""

    code: str
    display: str = ""


class Include(Struct, frozen=True):
    """The codes of one system."""

    system: str
    concept: tuple[Concept, ...] = ()


class Compose(Struct, frozen=True):
    """The codes of a value set by system."""

    include: tuple[Include, ...] = ()


class ValueSet(Struct, frozen=True):
    """A FHIR R4 ValueSet as far as it is read."""

    resourceType: Literal["ValueSet"]  # noqa: N815, FHIR's own name
    id: str
    compose: Compose = Compose()

"""What codes and words mean: the value sets and name tables of the knowledge, asked by kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from cds_service.clinical.facts import Drug, Organism, Specimen
from cds_service.fhir import systems
from cds_service.fhir.memory import MOST_TEXTS, SHORT, Answers, Memory, of_codes, of_names
from cds_service.fhir.negation import Negation, Said
from cds_service.fhir.vocabulary import NOTHING, Phrases, Vocabulary, parsed
from cds_service.kept import kept

Triple = tuple[str, str, str]
Wording = tuple[tuple[Triple, ...], tuple[str, ...]]  # how a concept is written: its codings, and its text if it has one
Codes = Mapping[str, Mapping[tuple[str, str], str]]
T = TypeVar("T")
SIGNS = "+- "
SUBSTANCES = {"drug", "ingredient", "allergen"}
FIRM = {"marker": {Said.YES, Said.PAST}, "drug": {Said.YES, Said.PAST, Said.DOUBTED}, "allergen": {Said.YES, Said.PAST, Said.DOUBTED}}


@dataclass(frozen=True, slots=True)
class Test:
    """A laboratory test or vital sign; grams per mole turn an amount of substance into a mass."""

    key: str
    name: str
    unit: str
    molar_mass: Decimal | None = None


@dataclass(frozen=True)
class Ingredients:
    """Which ingredients a name stands for, and which product they make together; `silent` ones may stay unnamed."""

    products: Mapping[str, frozenset[str]]
    pairs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()

    def of(self, key: str) -> frozenset[str]:
        return self.products.get(key) or frozenset({key})

    def together(self, parts: frozenset[str], *, pairs: bool = False) -> str | None:
        """The one product with exactly these ingredients."""
        if not parts:
            return None
        return self._by_parts.get(parts) or (self._pairs.get(parts) if pairs else None) or self._by_spoken.get(parts - self.silent)

    def same(self, one: frozenset[str], other: frozenset[str]) -> bool:
        return one - self.silent == other - self.silent

    @kept
    def _by_parts(self) -> Mapping[frozenset[str], str]:
        return {parts: key for key, parts in self.products.items()}

    @kept
    def _pairs(self) -> Mapping[frozenset[str], str]:
        return {parts: key for key, parts in self.pairs.items()}

    @kept
    def _by_spoken(self) -> Mapping[frozenset[str], str]:
        """Products by what must be named; two that differ in silent ingredients alone cannot be told apart so."""
        found: dict[frozenset[str], list[str]] = {}
        for key, parts in self.products.items():
            found.setdefault(parts - self.silent, []).append(key)
        return {parts: keys[0] for parts, keys in found.items() if len(keys) == 1}


@dataclass(frozen=True)
class AntibacterialLook:
    """What makes a drug that nobody knows look like an antibacterial: code prefixes, words, beginnings and endings."""

    systems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    never: frozenset[str] = frozenset()
    shortest: int = 6

    def of_code(self, system: str, code: str) -> bool:
        prefixes = self.systems.get(system, ())
        return bool(prefixes) and any(one.startswith(prefixes) for one in systems.codes(system, code))

    def covers(self, system: str) -> bool:
        """A code system in which every antibacterial is known by its prefix, so that any other code is none."""
        return systems.canonical(system) in self.systems

    def of_text(self, text: str) -> bool:
        return any(self._of_word(word) for word in parsed(text).words)

    def _of_word(self, word: str) -> bool:
        if word in self.words:
            return True
        if len(word) < self.shortest or word in self.never:
            return False
        return word.startswith(self.beginnings) or word.endswith(self.endings)


@dataclass(frozen=True)
class BareNumbers:
    """How a number without a unit in a susceptibility result is meant: words of either kind, and the smallest and largest zone in mm."""

    concentrations: Phrases = field(default_factory=lambda: Phrases(()))
    diameters: Phrases = field(default_factory=lambda: Phrases(()))
    zones_mm: tuple[Decimal, Decimal] = (Decimal(0), Decimal("Infinity"))

    def concentration(self, value: Decimal, marked: bool, said: Iterable[str]) -> bool | None:
        """Whether it is an MIC or a zone, or None where that is not clear; `marked` numbers are written as only an MIC is."""
        told = [parsed(text).words for text in said]
        mic, zone = any(map(self.concentrations.inside, told)), any(map(self.diameters.inside, told))
        if mic is not zone:
            return mic
        least, most = self.zones_mm
        return True if marked or not least <= value <= most else None


@dataclass(frozen=True)
class Terminology:
    """The kinds are drug, ingredient, partial, susceptibility, marker, producer, test, organism, culture, screening, searched,
    interpretation, answer, circumstance, reaction, allergen, specimen and route; a key means something only in its kind.
    `memories` are what readers have worked out over all requests by the name of the reader: what codes mean, never a value of a patient;
    `meanings` are the same for codes with their words.
    """

    codes: Codes = field(default_factory=dict)
    displays: Mapping[tuple[str, str], str] = field(default_factory=dict)
    names: Mapping[str, Vocabulary] = field(default_factory=dict)
    drugs: Mapping[str, Drug] = field(default_factory=dict)
    organisms: Mapping[str, Organism] = field(default_factory=dict)
    specimens: Mapping[str, Specimen] = field(default_factory=dict)
    tests: Mapping[str, Test] = field(default_factory=dict)
    ingredients: Ingredients = field(default_factory=lambda: Ingredients({}))
    look: AntibacterialLook = AntibacterialLook()
    numbers: BareNumbers = BareNumbers()
    open_words: Phrases = field(default_factory=lambda: Phrases(()))
    partner_words: Phrases = field(default_factory=lambda: Phrases(()))
    negation: Negation = field(default_factory=lambda: Negation({}))
    tolerance: Negation = field(default_factory=lambda: Negation({}))
    severe_reactions: frozenset[str] = frozenset()
    generic_markers: frozenset[str] = frozenset()
    memories: dict[str, Memory[Any]] = field(init=False, repr=False, compare=False)
    meanings: dict[str, Answers[Wording, Any]] = field(init=False, repr=False, compare=False)
    _said: dict[str, Callable[[str], Mapping[str, bool]]] = field(init=False, repr=False, compare=False)
    _coded: Callable[[str, str, str], str | None] = field(init=False, repr=False, compare=False)
    _meant: Answers[tuple[str, Wording], str | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "memories", {})
        object.__setattr__(self, "meanings", {})
        object.__setattr__(self, "_said", {})
        object.__setattr__(self, "_coded", of_codes(MOST_TEXTS)(self._code))
        object.__setattr__(self, "_meant", Answers(self._concept, lambda asked: _brief(asked[1]), MOST_TEXTS))

    def memory(self, reader: str, answer: Callable[[bytes], T]) -> Memory[T]:
        """What this reader remembers over all requests; `answer` may hold nothing of one request."""
        found = self.memories.get(reader)
        return found if found is not None else self.memories.setdefault(reader, Memory(answer))

    def meant(self, reader: str, answer: Callable[[Wording], T]) -> Answers[Wording, T]:
        """The same for ways of writing a concept, as long as no text is so long that it may tell about a person."""
        found = self.meanings.get(reader)
        return found if found is not None else self.meanings.setdefault(reader, Answers(answer, _brief, MOST_TEXTS))

    def code(self, kind: str, system: str, code: str) -> str | None:
        """The key that a code stands for, whichever way its system is spelled."""
        return self._coded(kind, system, code) if code else None

    def _code(self, kind: str, system: str, code: str) -> str | None:
        known = self.codes.get(kind)
        if not known:
            return None
        official = systems.canonical(system)
        return next((found for one in systems.codes(official, code) if (found := known.get((official, one)))), None)

    def display(self, system: str, code: str) -> str:
        """Our own name of a code, "" for one that is in no value set."""
        official = systems.canonical(system)
        return next((found for one in systems.codes(official, code) if (found := self.displays.get((official, one)))), "") if code else ""

    def text(self, kind: str, text: str) -> str | None:
        """The key of the longest name in a text; drugs and susceptibility tests by all ingredients that it names."""
        if kind in {"drug", "susceptibility"}:
            return self.ingredients.together(self.parts(text, kind), pairs=kind == "susceptibility")
        return self.names.get(kind, NOTHING).longest(text)

    def texts(self, kind: str, text: str) -> frozenset[str]:
        """Every key that a text names, affirmed or denied."""
        return self.names.get(kind, NOTHING).named(text)

    def says(self, kind: str, text: str) -> Mapping[str, bool]:
        """Every key that a text names, and whether it affirms it; what is left open is left out."""
        known = self._said.get(kind)
        if known is None:
            known = self._said.setdefault(kind, of_names(partial(self._says, kind)))
        return known(text)

    def _says(self, kind: str, text: str) -> Mapping[str, bool]:
        negation = self.tolerance if kind in SUBSTANCES else self.negation
        said = negation.says(self.names.get(kind, NOTHING), text)
        firm = FIRM.get(kind, {Said.YES, Said.DOUBTED})
        found = {key: one in firm for key, one in said.items() if one in firm or one is Said.NO}
        return self._as_products(found) if kind == "drug" else found

    def _as_products(self, found: Mapping[str, bool]) -> Mapping[str, bool]:
        """Several ingredients that make one product are that product; else each known drug for itself."""
        named = frozenset[str]().union(*(self.ingredients.of(key) for key, positive in found.items() if positive))
        product = self.ingredients.together(named)
        return {product: True} if product else {key: positive for key, positive in found.items() if key in self.drugs}

    def concept(self, kind: str, wording: Wording) -> str | None:
        """The one meaning of a concept: its codes first, then its text, then its displays."""
        return self._meant[kind, wording]

    def _concept(self, asked: tuple[str, Wording]) -> str | None:
        kind, (triples, texts) = asked
        coded = (self.code(kind, system, code) for system, code, _ in triples)
        spoken = (self.text(kind, text) for text in (*texts, *(display for _, _, display in triples)) if text)
        return next((found for found in (*coded, *spoken) if found), None)

    def parts(self, text: str, kind: str = "drug") -> frozenset[str]:
        """All ingredients that a text names."""
        return frozenset[str]().union(*(self.ingredients.of(key) for key in self.texts(kind, text)))

    def contents(self, text: str) -> frozenset[str]:
        """The ingredients that the words of an order name, without one that they deny while they name another."""
        said = self.negation.says(self.names.get("drug", NOTHING), text.rstrip(SIGNS))
        told = {key for key, one in said.items() if one is not Said.NO and (one is not Said.OPEN or key in self.drugs)}
        return frozenset[str]().union(*(self.ingredients.of(key) for key in told or said))

    def split(self, text: str) -> tuple[str, str] | None:
        """What stands before and behind the words that introduce a drug given beside; None without such words."""
        words = parsed(text).words
        sizes = ((place, self.partner_words.at(words, place)) for place in range(len(words)))
        return next(((" ".join(words[:place]), " ".join(words[place + size :])) for place, size in sizes if size), None)

    def opens(self, text: str) -> bool:
        """The text says that a further ingredient is there, and not which."""
        return self.open_words.inside(parsed(text).words)

    def drug(self, key: str) -> Drug:
        return self.drugs[key]

    def organism(self, key: str) -> Organism:
        return self.organisms[key]

    def specimen(self, key: str) -> Specimen | None:
        """The specimen of a key; None for a key that names no place."""
        return self.specimens.get(key)

    def test(self, key: str) -> Test:
        return self.tests[key]

    def generic(self, marker: str) -> bool:
        """A marker that stands for several enzymes."""
        return marker in self.generic_markers

    def with_local(self, codes: Mapping[str, Mapping[tuple[str, str], str]]) -> "Terminology":
        """The same terminology with a site's own codes laid over it, by kind."""
        if not any(codes.values()):
            return self
        return replace(self, codes={**self.codes, **{kind: {**self.codes.get(kind, {}), **own} for kind, own in codes.items()}})


def _brief(wording: Wording) -> bool:
    triples, texts = wording
    return all(len(text) <= SHORT for text in (*texts, *(part for triple in triples for part in triple)))


def texts_of(triples: Sequence[Triple], texts: Sequence[str]) -> list[str]:
    """All words of a concept: its texts and the displays of its codings."""
    return [text for text in (*texts, *(display for _, _, display in triples)) if text]

"""What a laboratory's codes and words mean, looked up once for each distinct way of writing them."""

from collections.abc import Iterator

from msgspec import Raw, Struct
from msgspec.json import decode, encode

from cds_service.fhir import words
from cds_service.fhir.resources import Coding, Concept, Note, read, read_all, string
from cds_service.fhir.valuesets import Terminology
from cds_service.sent import MALFORMED, NOTHING, Glance


class Meaning(Struct, frozen=True):
    """What an Observation or a component is about; there is only one empty meaning, and it is false."""

    markers: tuple[str, ...] = ()
    agent: str | None = None
    test: str | None = None
    organism: str | None = None
    culture: str | None = None
    screening: bool = False

    def __bool__(self) -> bool:
        return self is not NO_MEANING


NO_MEANING = Meaning()
UNCLEAR = Meaning()  # a code that is none: worth a look, since the resource is broken and may yet matter


class Coded(Struct, gc=False, frozen=True):
    """A component as far as its relevance needs it."""

    code: Raw = NOTHING
    valueCodeableConcept: Raw = NOTHING  # noqa: N815, FHIR's own name
    valueString: Raw = NOTHING  # noqa: N815


class Codes:
    """What a code stands for, whoever the patient is."""

    def __init__(self, terminology: Terminology) -> None:
        self.terminology = terminology

    def of_bytes(self, raw: bytes) -> Meaning:
        concept = read(raw, Concept) if raw else None
        return self.of_concept(concept) if concept else NO_MEANING if raw in {b"", b"null"} else UNCLEAR

    def of_concept(self, concept: Concept) -> Meaning:
        """A marker's code names a gene or test, a drug's name a susceptibility; what is neither may be a number or a culture."""
        terms = self.terminology
        coded = self._marker(concept)
        agent = None if coded else words.key(terms, "susceptibility", concept)
        markers = () if agent else self._markers(concept)
        plain = not agent and not markers
        found = Meaning(
            markers=markers,
            agent=agent,
            test=words.key(terms, "test", concept) if plain else None,
            organism=words.key(terms, "organism", concept) if plain or words.by_code(terms, "producer", concept) else None,
            culture=words.key(terms, "culture", concept) if plain else None,
            screening=words.key(terms, "screening", concept) is not None or searching(terms, concept),
        )
        return NO_MEANING if found == NO_MEANING else found

    def _markers(self, concept: Concept) -> tuple[str, ...]:
        """The marker of the code, else every marker that the words name; words may be more exact than a code for several."""
        terms, coded = self.terminology, self._marker(concept)
        if coded and not terms.generic(coded):
            return (coded,)
        named = set[str]().union(*(terms.texts("marker", text) for text in words.spoken(concept)))
        exact = {one for one in named if not terms.generic(one)}
        return tuple(sorted(exact)) or ((coded,) if coded else tuple(sorted(named)))

    def _marker(self, concept: Concept) -> str | None:
        return words.by_code(self.terminology, "marker", concept) or words.by_code(self.terminology, "producer", concept)


def searching(terminology: Terminology, concept: Concept | None) -> bool:
    """The words say that this was a search for carriage."""
    return any(terminology.text("screening", text) for text in words.spoken(concept))


class Meanings:
    """What bytes of a code, value or note mean; codes and short texts are remembered over all requests, values for one."""

    def __init__(self, terminology: Terminology) -> None:
        self.terminology = terminology
        self._codes = terminology.memory("codes", Codes(terminology).of_bytes)
        self._values: dict[bytes, bool] = {b"": False}

    def of_code(self, raw: Raw) -> Meaning:
        return self._codes[bytes(raw)]

    def of_concept(self, concept: Concept) -> Meaning:
        return self._codes[encode(concept)]

    def screening(self, concept: Concept | None) -> bool:
        """The words say that this was a search for carriage."""
        return concept is not None and searching(self.terminology, concept)

    def matters(self, glance: Glance) -> bool:
        """Whether an Observation is worth reading as a whole: its code first, then the few that carry words or parts."""
        if self._codes[bytes(glance.code)] is not NO_MEANING:
            return True
        return (
            glance.hasMember is not NOTHING
            or (glance.valueCodeableConcept is not NOTHING and self._telling(glance.valueCodeableConcept))
            or (glance.valueString is not NOTHING and self._telling(glance.valueString))
            or (glance.note is not NOTHING and self._telling(glance.note))
            or (glance.component is not NOTHING and self._composed(glance.component))
        )

    def _composed(self, raw: Raw) -> bool:
        parts = read_all(raw, Coded)
        if not parts:
            return bool(self.anywhere(raw))
        return any(self.of_code(one.code) or self._telling(one.valueCodeableConcept) or self._telling(one.valueString) for one in parts)

    def _telling(self, raw: Raw) -> bool:
        """A value or a note that names an organism or a marker."""
        key = bytes(raw)
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = self._names(key)
        return found

    def _names(self, raw: bytes) -> bool:
        terms, concept = self.terminology, read(raw, Concept) if raw[:1] == b"{" else None
        return (
            any(terms.texts("organism", text) or terms.texts("marker", text) for text in _said(raw, concept))
            or any(words.by_code(terms, kind, concept) for kind in ("marker", "producer", "organism"))
            or (raw[:1] == b"[" and bool(self.anywhere(raw)))
        )

    def anywhere(self, raw: Raw | bytes) -> frozenset[str]:
        """The markers that any code or word in it names, whatever its shape: for what is no FHIR."""
        try:
            return frozenset(self._inside(decode(raw)))
        except MALFORMED:
            return frozenset()

    def _inside(self, value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield from self.terminology.texts("marker", value)
        elif isinstance(value, list):
            for one in value:
                yield from self._inside(one)
        elif isinstance(value, dict):
            code, system = value.get("code"), value.get("system")
            if isinstance(code, str):
                coding = Coding(system if isinstance(system, str) else None, code)
                yield from self.of_concept(Concept(coding=[coding])).markers
            yield from self._inside(list(value.values()))

    def generic(self, marker: str) -> bool:
        """A marker that stands for several enzymes."""
        return self.terminology.generic(marker)


def _said(raw: bytes, concept: Concept | None) -> list[str]:
    """The words of a concept, a raw string or a raw list of notes."""
    if concept is not None:
        return words.spoken(concept)
    if raw[:1] == b"[":
        return [one.text for one in read_all(raw, Note) if one.text]
    return [text for text in [string(raw)] if text]

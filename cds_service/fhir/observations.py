"""One Observation as facts: what it found, what it tested, what it measured, and where it belongs."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from cds_service.clinical.facts import Answer, Detection, Measure, Organism, Susceptibility
from cds_service.fhir import susceptibility, verdicts, words
from cds_service.fhir.meanings import NO_MEANING, Meaning, Meanings
from cds_service.fhir.quantity import Amount, amount, convert, is_unit, number, written
from cds_service.fhir.references import bare_all
from cds_service.fhir.resources import Observation, Part
from cds_service.fhir.specimens import Sample

PENDING = "registered"
GENERAL = "general"
MODIFIED = "it carries a modifier that this service does not know"
Parts = Sequence[tuple[Part, Meaning]]


class Reading(Struct, frozen=True):
    """What one Observation says, ready to be grouped.

    `unread_tests` gave a number without a unit, or in one that is none. `problem` says why the answer about `suspects` could not be
    read; `claims` are markers that only free text affirms.
    """

    reference: str
    status: str
    collected: datetime | None
    reported: datetime | None
    sample: Sample
    links: tuple[str, ...] = ()
    screening: bool = False
    culture: str | None = None
    organism: Organism | None = None
    organism_text: str = ""
    detections: tuple[Detection, ...] = ()
    susceptibilities: tuple[Susceptibility, ...] = ()
    measures: tuple[tuple[str, Measure], ...] = ()
    unread_tests: frozenset[str] = frozenset()
    problem: str = ""
    suspects: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    label: str = ""
    tests: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()


class Context(Struct, frozen=True):
    """What all parts of one Observation share."""

    meanings: Meanings
    reference: str
    status: str
    collected: datetime | None
    reported: datetime | None
    sample: Sample


def observe(found: Observation, context: Context) -> Reading:
    """Everything that one Observation says, its components included."""
    meanings = context.meanings
    parts = [(one, meanings.of_concept(one.code) if one.code else NO_MEANING) for one in (found, *(found.component or []))]
    asked = [meaning for _, meaning in parts if meaning is not NO_MEANING]
    told = _verdicts(found, parts, context)
    organism, text, marks = _organism(parts, meanings)
    said = marks | {marker: positive for one in told for marker, positive in one.found.items()}
    modified = MODIFIED if found.modifierExtension else ""
    measured = () if modified else tuple(_measures(parts, context))
    return Reading(
        reference=context.reference,
        status=context.status,
        collected=context.collected,
        reported=context.reported,
        sample=context.sample,
        links=tuple(bare_all([*(found.hasMember or []), *(found.derivedFrom or [])])),
        screening=any(one.screening for one in asked) or meanings.screening(found.method),
        culture=next((one.culture for one in asked if one.culture), None),
        organism=organism,
        organism_text=text,
        detections=() if modified else tuple(_detection(one, positive, context, one in marks) for one, positive in said.items()),
        susceptibilities=() if modified else tuple(_susceptibilities(found, parts, context)),
        measures=tuple((test, one) for test, one in measured if one),
        unread_tests=frozenset(test for test, one in measured if one is None),
        problem=modified or next((one.problem for one in told if one.problem), ""),
        suspects=frozenset([*said, *[marker for one in asked for marker in one.markers]]),
        claims=_claims(found, parts, meanings).difference(said),
        label=words.title(meanings.terminology, found.code),
        tests=tuple([one.test for one in asked if one.test]),
        orders=tuple(bare_all(found.basedOn)),
    )


def _verdicts(found: Observation, parts: Parts, context: Context) -> list[verdicts.Verdict]:
    """What every marker among the parts turned out to be; a mere heading and a pending test say nothing yet."""
    heading = bool(found.hasMember or found.component)
    if context.status == PENDING:
        return []
    told = [(part, verdicts.verdict(part, meaning, context.meanings)) for part, meaning in parts if meaning.markers]
    return [one for part, one in told if not (part is found and heading and one.problem == verdicts.EMPTY)]


def _detection(marker: str, positive: bool, context: Context, by_text: bool) -> Detection:
    return Detection(marker, positive, context.reference, context.status, context.collected, context.reported, by_text)


def _organism(parts: Parts, meanings: Meanings) -> tuple[Organism | None, str, dict[str, bool]]:
    """The organism that was found, in the laboratory's words too, and the markers that its name carries."""
    for part, meaning in parts:
        if not (meaning.organism or part.valueCodeableConcept or part.valueString):
            continue
        found, _ = verdicts.answer(part, meanings)
        if found is False and not _grew(part, meanings):
            continue
        if meaning.organism and found:
            return meanings.terminology.organism(meaning.organism), words.title(meanings.terminology, part.code), {}
        named, text = _named(part, meanings)
        if named or (meaning.culture and text):
            return named, text, {} if meaning.markers else _carried(part, meanings)
    return None, "", {}


def _grew(part: Part, meanings: Meanings) -> bool:
    """The words of the value affirm an organism and deny something else."""
    affirmed = any(words.affirmed(meanings.terminology, "organism", text) for text in verdicts.value_texts(part))
    return affirmed and not verdicts.interpreted(part, meanings)


def _named(part: Part, meanings: Meanings) -> tuple[Organism | None, str]:
    """The one organism of a coded or written value."""
    terms = meanings.terminology
    text = words.title(terms, part.valueCodeableConcept) or part.valueString or ""
    coded = words.by_code(terms, "organism", part.valueCodeableConcept)
    if coded:
        return terms.organism(coded), text
    for one in verdicts.value_texts(part):
        found = [terms.organism(key) for key in sorted(words.affirmed(terms, "organism", one))]
        exact = [organism for organism in found if GENERAL not in organism.traits] or found
        if len(exact) == 1:
            return exact[0], text
    return None, text


def _carried(part: Part, meanings: Meanings) -> dict[str, bool]:
    """Markers in the name of an organism: its code as a producer, and what its words affirm or deny."""
    terms = meanings.terminology
    marks: dict[str, bool] = {}
    coded = words.by_code(terms, "producer", part.valueCodeableConcept)
    if coded:
        marks[coded] = True
    for text in verdicts.value_texts(part):
        marks |= terms.says("marker", text)
    return marks


def _claims(found: Observation, parts: Parts, meanings: Meanings) -> frozenset[str]:
    """Markers that a note or a value without a coded question affirms."""
    said = [note.text for note in found.note or [] if note.text]
    said += [text for part, meaning in parts if meaning is NO_MEANING for text in verdicts.value_texts(part)]
    return frozenset([marker for text in said for marker in words.affirmed(meanings.terminology, "marker", text)])


def _susceptibilities(found: Observation, parts: Parts, context: Context) -> Iterator[Susceptibility]:
    """What was tested; of a test that is still under way only that it is."""
    for one in susceptibility.results(parts, found.method, context.meanings):
        if context.status == PENDING:
            yield Susceptibility(one.agent, Answer.PENDING, one.mic, context.reference, context.collected)
        elif one:
            yield Susceptibility(one.agent, one.answer, one.mic, context.reference, context.collected, one.unread)


def _measures(parts: Parts, context: Context) -> Iterator[tuple[str, Measure | None]]:
    """Numbers in the canonical unit, None for one without a unit; "less than" is not a number, "more than" is at least this much."""
    for part, meaning in parts:
        found = _sent(part) if meaning.test else None
        if meaning.test is None or found is None or found.comparator.startswith("<"):
            continue
        test = context.meanings.terminology.test(meaning.test)
        value = convert(found, test.unit, test.molar_mass)
        if value is not None:
            upper = next((one.high for one in part.referenceRange or [] if one.high), None)
            limit = convert(amount(upper), test.unit, test.molar_mass) if upper else None
            yield meaning.test, Measure(value, test.unit, context.collected or context.reported, context.reference, limit)
        elif not found.unit or not is_unit(found.unit):
            yield meaning.test, None


def _sent(part: Part) -> Amount | None:
    """The number of a value, whichever kind of value it is."""
    whole = number(part.valueInteger)
    return amount(part.valueQuantity) or (Amount(whole, "") if whole is not None else written(part.valueString))

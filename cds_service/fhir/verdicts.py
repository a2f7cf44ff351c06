"""Was the marker found? Reads coded, written, boolean and interpreted answers, and values that name the marker themselves."""

from collections.abc import Mapping

from msgspec import Struct, field

from cds_service.fhir import words
from cds_service.fhir.meanings import Meaning, Meanings
from cds_service.fhir.resources import Concept, Part, several

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
VOTES = {"detected": True, "not-detected": False}
CONFLICT = "its value and its interpretation disagree"
UNTYPED = "it does not say which of several was found"
OTHER_TYPE = "its value names another marker than its code"
WORDLESS = "its value could not be understood"
EMPTY = "it has no value"
UNASKED = "not-tested"


class Verdict(Struct, frozen=True):
    """What a value says of each marker; `problem` where it cannot be trusted."""

    found: Mapping[str, bool] = field(default_factory=dict)
    problem: str = ""


def value_texts(part: Part) -> list[str]:
    """The words of a coded or written value."""
    if part.valueCodeableConcept is None and not part.valueString:
        return []
    return [*words.spoken(part.valueCodeableConcept), *([part.valueString] if part.valueString else [])]


def said(concept: Concept | None, meanings: Meanings) -> str | None:
    """The answer that a concept stands for, whether laboratories send it as value or as interpretation."""
    if concept is None:
        return None
    terms, wording = meanings.terminology, words.wording(concept)
    return terms.concept("interpretation", wording) or terms.concept("answer", wording)


def written(text: str | None, meanings: Meanings) -> str | None:
    """The answer that a text stands for; a single letter is an interpretation code."""
    if not text:
        return None
    terms = meanings.terminology
    return terms.code("interpretation", INTERPRETATION, text.strip().upper()) or terms.text("answer", text)


def interpreted(part: Part, meanings: Meanings) -> list[str]:
    """The answers that the interpretation gives."""
    return [found for one in several(part.interpretation) if (found := said(one, meanings) or _bare(one, meanings))]


def _bare(concept: Concept, meanings: Meanings) -> str | None:
    """The answer of a text, or of a code that came without its system."""
    codes = [coding.code for coding in concept.coding or [] if not coding.system]
    return next((found for one in (concept.text, *codes) if (found := written(one, meanings))), None)


def valued(part: Part, meanings: Meanings) -> str | None:
    """The answer that the value gives."""
    return said(part.valueCodeableConcept, meanings) or written(part.valueString, meanings)


def answer(part: Part, meanings: Meanings) -> tuple[bool | None, bool]:
    """Found or not found by value and interpretation, and whether the two disagree."""
    value, flag = _value_vote(part, meanings), _interpreted_vote(part, meanings)
    if value is None or flag is None or value is flag:
        return flag if value is None else value, False
    return None, True


def _value_vote(part: Part, meanings: Meanings) -> bool | None:
    return part.valueBoolean if part.valueBoolean is not None else VOTES.get(valued(part, meanings) or "")


def _interpreted_vote(part: Part, meanings: Meanings) -> bool | None:
    if part.interpretation is None:
        return None
    return next((VOTES[one] for one in interpreted(part, meanings) if one in VOTES), None)


def verdict(part: Part, meaning: Meaning, meanings: Meanings) -> Verdict:
    """What a part whose code names markers says of each of them."""
    typed = _typed(part, meanings)
    if typed:
        return _by_type(typed, meaning, _interpreted_vote(part, meanings), meanings)
    found, disagree = answer(part, meanings)
    if disagree:
        return Verdict(problem=CONFLICT)
    if found is not None and (len(meaning.markers) == 1 or not found):
        return Verdict(dict.fromkeys(meaning.markers, found))
    return Verdict(problem=UNTYPED if found else _why_unsaid(part, meanings))


def _by_type(typed: Mapping[str, bool], meaning: Meaning, vote: bool | None, meanings: Meanings) -> Verdict:
    """The value names markers itself; a code for one marker may not be answered with another alone."""
    if vote is not None and vote is not any(typed.values()):
        return Verdict(problem=CONFLICT)
    asked = [marker for marker in meaning.markers if not meanings.generic(marker)]
    if len(asked) == 1 and asked[0] not in typed:
        return Verdict(problem=OTHER_TYPE)
    return Verdict(typed)


def _typed(part: Part, meanings: Meanings) -> dict[str, bool]:
    """Markers that the value itself names: codes of markers and of producers, else words."""
    terms = meanings.terminology
    found: dict[str, bool] = {}
    for kind in ("marker", "producer"):
        coded = words.by_code(terms, kind, part.valueCodeableConcept)
        if coded:
            found[coded] = True
    for text in value_texts(part):
        for marker, positive in terms.says("marker", text).items():
            found[marker] = found.get(marker, True) and positive
    return found


def _why_unsaid(part: Part, meanings: Meanings) -> str:
    """A test that was not done, or is still under way, says nothing and needs no understanding."""
    if part.dataAbsentReason is not None or UNASKED in {valued(part, meanings), *interpreted(part, meanings)}:
        return ""
    spoken = value_texts(part) or part.valueQuantity or several(part.interpretation)
    return WORDLESS if spoken else EMPTY

"""What a laboratory writes about one drug: its reading, the MIC where the number is one, or why neither could be read."""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from cds_service.clinical.facts import Answer
from cds_service.fhir import verdicts, words
from cds_service.fhir.meanings import NO_MEANING, Meaning, Meanings
from cds_service.fhir.quantity import Amount, amount, convert, exact, number, spelled
from cds_service.fhir.resources import Concept, Part, several
from cds_service.fhir.vocabulary import Phrases, words_of

MIC = "mg/L"
ZONE = "mm"
TWOFOLD = Decimal(2)
LONGEST = 80
NUMBER = r"(?:\d+(?:[.,]\d+)?|[.,]\d+)"
ONE = (
    rf"(?:(?P<sign>[<>]=|=[<>]|[<>≤≥])\s*|(?<![\w.,/]))(?P<n>{NUMBER})(?P<second>\s*/\s*{NUMBER})?(?![\d:%-])"
    r"\s*(?P<unit>(?:mg/l|[uµμ]g/ml|mcg/ml|mm)\b)?"
)
WRITTEN = re.compile(rf"\s*{ONE}(?!\w).{{0,40}}", re.IGNORECASE)
INSIDE = re.compile(ONE, re.IGNORECASE)
SIGNS = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
INCREASED = Answer.INCREASED_EXPOSURE.value
MILDER = {Answer.SUSCEPTIBLE.value, Answer.INTERMEDIATE.value}
ANSWERS = {answer.value for answer in Answer}
NO_UNIT = "its number has no unit and may be an MIC or a zone diameter"
DIAMETER = "it gives a zone diameter without the laboratory's reading"


class Found(Struct, frozen=True):
    """A number as it was sent; `paired` says that a second component stands behind a slash, as only an MIC has it."""

    amount: Amount
    paired: bool = False


class Result(Struct, frozen=True):
    """The laboratory's reading and the MIC in mg/L; `unread` says why there is neither, although something was sent."""

    agent: str
    answer: Answer
    mic: Decimal | None
    unread: str = ""

    def __bool__(self) -> bool:
        return self.mic is not None or self.answer is not Answer.UNSTATED or bool(self.unread)


def results(parts: Sequence[tuple[Part, Meaning]], method: Concept | None, meanings: Meanings) -> Iterator[Result]:
    """One result for each drug of an Observation; a component that names no drug and nothing else belongs to the drug of the whole."""
    whole, look = parts[0][1].agent, meanings.terminology.look
    by_agent: dict[str, list[Part]] = {}
    for part, meaning in parts:
        nameless = meaning is NO_MEANING and not any(look.of_text(text) for text in _spoken(part.code, meanings))
        agent = meaning.agent or (whole if nameless else None)
        if agent:
            by_agent.setdefault(agent, []).append(part)
    yield from (_result(agent, own, method, meanings) for agent, own in by_agent.items())


def _result(agent: str, parts: Sequence[Part], method: Concept | None, meanings: Meanings) -> Result:
    """Readings that disagree are none; a number counts beside a reading, and alone where it is an MIC."""
    votes = _votes(parts, meanings)
    said = [text for concept in (method, *(part.code for part in parts)) for text in _spoken(concept, meanings)]
    said += [text for part in parts for text in verdicts.value_texts(part)]
    found = [_number(one, said, meanings) for part in parts for one in _sent(part, meanings)]
    mic = next((one for one in found if isinstance(one, Decimal)), None)
    if len(votes) > 1:
        return Result(agent, Answer.UNSTATED, None, verdicts.CONFLICT)
    answer = Answer(votes.pop()) if votes else Answer.UNSTATED
    why = next((one for one in found if isinstance(one, str)), "") if mic is None and answer is Answer.UNSTATED else ""
    return Result(agent, answer, mic, why)


def _votes(parts: Sequence[Part], meanings: Meanings) -> set[str]:
    """Every reading that value and interpretation give; EUCAST's letter I with its words is what the words say."""
    found = {one for part in parts for one in (verdicts.valued(part, meanings), *verdicts.interpreted(part, meanings)) if one in ANSWERS}
    concepts = [concept for part in parts for concept in (part.valueCodeableConcept, *several(part.interpretation))]
    texts = [text for concept in concepts for text in words.spoken(concept)]
    if INCREASED in found or any(meanings.terminology.text("answer", text) == INCREASED for text in texts):
        return {INCREASED, *(found - MILDER)}
    return found


def _spoken(concept: Concept | None, meanings: Meanings) -> list[str]:
    return [words.title(meanings.terminology, concept), *words.spoken(concept)] if concept else []


def _sent(part: Part, meanings: Meanings) -> Iterator[Found]:
    """Every number of a value, whichever kind of value it is."""
    found = amount(part.valueQuantity)
    whole = number(part.valueInteger)
    if found:
        yield Found(found)
    if whole is not None:
        yield Found(Amount(whole, ""))
    if part.valueRatio and (first := amount(part.valueRatio.numerator)):
        yield Found(first, paired=True)
    for text in verdicts.value_texts(part):
        written = _written(text, meanings.terminology.numbers.concentrations)
        if written:
            yield written


def _written(text: str, concentrations: Phrases) -> Found | None:
    """The number that a text begins with, or the first one of a text that names the MIC."""
    named = concentrations.inside(words_of(text[:LONGEST]))
    match = INSIDE.search(text[:LONGEST]) if named else WRITTEN.fullmatch(text)
    value = exact(match["n"].replace(",", ".")) if match else None
    if match is None or value is None:
        return None
    sign = SIGNS.get(match["sign"] or "", match["sign"] or "")
    return Found(Amount(value, spelled(match["unit"] or (MIC if named else "")), sign), match["second"] is not None)


def _number(found: Found, said: Iterable[str], meanings: Meanings) -> Decimal | str | None:
    """The MIC; why the number cannot be taken for one; None where it is about something else."""
    one = found.amount
    if one.unit == ZONE:
        return DIAMETER
    if not one.unit:
        mic = meanings.terminology.numbers.concentration(one.value, found.paired or bool(one.comparator), said)
        if not mic:
            return NO_UNIT if mic is None else DIAMETER
    value = convert(Amount(one.value, one.unit or MIC), MIC) if not one.unit or "/" in one.unit else None
    return value * TWOFOLD if value is not None and one.comparator == ">" else value

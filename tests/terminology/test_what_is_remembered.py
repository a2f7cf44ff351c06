"""What is remembered of texts from one request to the next."""

import pytest

from cds_service.fhir.medicines import recognise
from cds_service.fhir.memory import LATELY, LONGEST, SHORT, Answers, of_codes, of_names
from cds_service.fhir.valuesets import Terminology


@pytest.mark.parametrize(("length", "asked"), [(SHORT, 1), (SHORT + 1, 2)])
def test_only_short_texts_are_remembered_for_long(length: int, asked: int) -> None:
    """The name of a test is looked up once; a note about a person is forgotten as soon as a few others were read."""
    seen: list[str] = []
    look_up = of_names(lambda text: seen.append(text) or text.upper())
    told = "n" * length
    for number in range(LATELY + 1):
        assert look_up(told) == told.upper()
        look_up(f"{number} {told}"[:length] + "x" * (SHORT + 1))
    for number in range(LATELY):
        look_up("y" * (SHORT + 2 + number))
    look_up(told)
    assert seen.count(told) == asked


DRUG, TEST = lambda terms, text: recognise([], [text], terms), lambda terms, text: terms.concept("test", ((), (text,)))


@pytest.mark.parametrize("length", [SHORT, SHORT + 1])
@pytest.mark.parametrize("ask", [DRUG, TEST])
def test_a_concept_with_a_long_text_is_not_remembered(ask, length) -> None:
    """The drug and the meaning of a concept are kept for the next request, but no text that may tell about a person."""
    terms, text = Terminology(), "n" * length
    ask(terms, text)
    kept = [*terms.meanings.get("medicine", ()), *(wording for _, wording in terms._meant)]
    assert kept == [((), (text,))] * (length == SHORT)


def test_what_is_remembered_is_bounded() -> None:
    """When there is no more room, everything is forgotten and worked out again."""
    asked: list[str] = []
    answers = Answers(lambda text: asked.append(text) or text.upper(), lambda _: True, 2)
    assert [answers[one] for one in "ababca"] == list("ABABCA")
    assert asked == list("abca")


def test_codes_longer_than_any_are_not_remembered() -> None:
    """A memory bounded in number would hold megabytes if a client sent codes of megabytes."""
    asked = list[str]()
    look_up = of_codes(4)(lambda _system, code: asked.append(code) or code.upper())
    long = "x" * (LONGEST + 1)
    assert [look_up("s", code) for code in ("a", "a", long, long)] == ["A", "A", long.upper(), long.upper()]
    assert asked == ["a", long, long]

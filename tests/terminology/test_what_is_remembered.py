"""What is remembered of texts from one request to the next."""

import pytest

from cds_service.fhir.memory import LATELY, SHORT, of_names


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

"""The table of the specification's items and their tests, held against the tests themselves."""

import pytest

from .conformance import PAGE, items, page, sentences

# What the specification demands or recommends of a service, by the numbers of the checklist.
DEMANDED = {
    "G": (
        1,
        3,
        4,
        5,
    ),
    "DI": (
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        9,
        11,
        14,
    ),
    "PT": (
        1,
        2,
        3,
        4,
        5,
    ),
    "RQ": (
        1,
        2,
        4,
        6,
        7,
        14,
        15,
        16,
        19,
    ),
    "PF": (
        1,
        5,
        8,
        13,
    ),
    "FA": (
        2,
        3,
    ),
    "RS": (
        1,
        2,
        4,
        6,
    ),
    "CA": (
        1,
        2,
        3,
        4,
        6,
        8,
        10,
        11,
        13,
    ),
    "SU": (
        1,
        5,
    ),
    "AC": (
        1,
        2,
        3,
        4,
        5,
    ),
    "LI": (
        1,
        2,
        3,
    ),
    "FB": (
        2,
        3,
        4,
        5,
        8,
    ),
    "SE": (
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        11,
        12,
        13,
        21,
    ),
    "CO": (1,),
    "PE": (1,),
    "EX": (
        1,
        2,
    ),
}
ITEMS = [f"{letters}-{number:02d}" for letters, numbers in DEMANDED.items() for number in numbers]


@pytest.fixture(scope="module")
def held() -> set[str]:
    """All numbers that some test carries."""
    return {item for _, _, sentence in sentences() for item in items(sentence)}


@pytest.mark.parametrize("item", ITEMS)
def test_every_demand_has_a_test(held: set[str], item: str) -> None:
    """A1: each thing that the specification demands or recommends of a service is held by a test with its number."""
    assert item in held


def test_the_page_is_true() -> None:
    """A1: `docs/conformance.md` lists the tests as they are; `python -m tests.conformance` writes it anew."""
    assert PAGE.read_text("utf-8") == page()

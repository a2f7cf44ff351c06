"""A pharmacist's order sentence."""

from decimal import Decimal

import pytest

from cds_service.cases.sentence import Sentence, read_sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aztreonam", Sentence("aztreonam")),
        ("aztreonam 2 g iv q6h over 3 h", Sentence("aztreonam", Decimal(2), "g", "intravenous", Decimal(6), infusion_h=Decimal(3))),
        (
            "ertapenem 1 g iv q24h over 30 min",
            Sentence("ertapenem", Decimal(1), "g", "intravenous", Decimal(24), infusion_h=Decimal("0.5")),
        ),
        ("fosfomycin 3 g po once", Sentence("fosfomycin", Decimal(3), "g", "oral", once=True)),
        ("norepinephrine iv continuous", Sentence("norepinephrine", route="intravenous", continuous=True)),
        ("colistin 4.5 MU iv q12h", Sentence("colistin", Decimal("4.5"), "MU", "intravenous", Decimal(12))),
        ("aztreonam  75 mg   inhaled q8h", Sentence("aztreonam", Decimal(75), "mg", "inhaled", Decimal(8))),
    ],
)
def test_sentences_are_read(text: str, expected: Sentence) -> None:
    """Drug, amount, route, interval and infusion are each read, and what is not said stays unsaid."""
    assert read_sentence(text) == expected


@pytest.mark.parametrize(
    "text", ["", "Aztreonam", "aztreonam 2 grams", "aztreonam q6h 2 g", "aztreonam 2 g every 6 h", "aztreonam 2 g iv q6h over 3"]
)
def test_other_texts_are_refused_with_an_example(text: str) -> None:
    """A text that is no order sentence says so, and shows one."""
    with pytest.raises(ValueError, match="not an order sentence such as"):
        read_sentence(text)


def test_an_order_takes_over_what_it_does_not_say() -> None:
    """A sentence is completed by the usual order of the drug."""
    usual = read_sentence("aztreonam 2 g iv q6h over 3 h")
    assert read_sentence("aztreonam 1 g").over(usual) == read_sentence("aztreonam 1 g iv q6h over 3 h")
    assert read_sentence("aztreonam once").over(usual) == read_sentence("aztreonam 2 g iv once over 3 h")


def test_another_route_has_no_infusion() -> None:
    """The infusion time of the usual order is not that of another route."""
    usual = read_sentence("aztreonam 2 g iv q6h over 3 h")
    assert read_sentence("aztreonam 75 mg inhaled q8h").over(usual).infusion_h is None


def test_without_a_usual_order_the_sentence_stands_alone() -> None:
    """A drug without a usual order is written as it is said."""
    assert read_sentence("metoprolol 50 mg po").over(None) == read_sentence("metoprolol 50 mg po")

"""The usual units that are not metric are converted without the UCUM library, and as it would convert them."""

from decimal import Decimal

import pytest

from cds_service.fhir import quantity


@pytest.mark.parametrize(("unit", "target"), sorted(quantity.LINES))
@pytest.mark.parametrize("value", ["0", "0.1", "1", "37.5", "98.6", "154.3", "999.99"])
def test_a_usual_unit_is_what_the_library_says(unit: str, target: str, value: str) -> None:
    """Pounds, ounces, inches, feet and degrees Fahrenheit give the number that the UCUM library gives."""
    factor, offset = quantity._line(unit, target) or (0.0, 0.0)
    by_library = quantity.exact(repr(round(float(value) * factor + offset, quantity.PLACES)))
    assert quantity.convert(quantity.Amount(Decimal(value), unit), target) == by_library


def test_a_usual_unit_does_not_wait_for_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weight in pounds and a height in inches are read while the library is not there."""
    monkeypatch.setattr(quantity, "_line", lambda *_: pytest.fail("the library was asked"))
    assert quantity.convert(quantity.Amount(Decimal(154), "[lb_av]"), "kg") == Decimal("69.85322498")
    assert quantity.convert(quantity.Amount(Decimal(70), "[in_i]"), "cm") == Decimal("177.8")

"""Intervals for small numbers."""

import pytest

from cds_service.web.intervals import Rate, Share, quantile


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 27.8), (1, 10, 1.8, 40.4), (5, 10, 23.7, 76.3), (10, 10, 72.2, 100.0), (1, 1, 20.7, 100.0)],
)
def test_a_share_has_the_wilson_interval(count: int, of: int, low: float, high: float) -> None:
    """Also nothing of ten, and all of ten, leave room for chance."""
    assert Share(count, of).interval == pytest.approx((low, high), abs=0.05)


def test_a_share_of_nothing_is_not_zero_percent() -> None:
    """Where nothing was counted there is no percentage at all."""
    assert Share(0, 0).json() == {"count": 0, "of": 0, "percent": None, "low": None, "high": None}


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.7), (1, 0.03, 5.6), (10, 4.8, 18.4)])
def test_a_rate_has_the_interval_of_a_poisson_count(count: int, low: float, high: float) -> None:
    """Per hundred signings, close to the exact limits of a Poisson count."""
    found = Rate(count, 100).interval
    assert found == pytest.approx((low, high), abs=0.15)


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 2.5), (1, 4)])
def test_a_quantile_lies_between_its_neighbours(share: float, value: float) -> None:
    """The median of four values is the middle of the two in the middle."""
    assert quantile([4, 1, 3, 2], share) == value


def test_nothing_has_no_quantile() -> None:
    """Without a value there is no median."""
    assert quantile([], 0.5) is None

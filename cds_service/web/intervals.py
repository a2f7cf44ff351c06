"""Intervals for small numbers: a share or a rate never stands without the range that its count allows."""

from dataclasses import dataclass
from math import sqrt

Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the Wilson interval (Wilson 1927); all in percent, None where nothing was counted."""

    count: int
    of: int

    @property
    def percent(self) -> float | None:
        return 100 * self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.of:
            return None
        share, weight = self.count / self.of, Z * Z / self.of
        centre, half = share + weight / 2, Z * sqrt((share * (1 - share) + weight / 4) / self.of)
        low = 0.0 if self.count == 0 else (centre - half) / (1 + weight)
        high = 1.0 if self.count == self.of else (centre + half) / (1 + weight)
        return 100 * low, 100 * high

    def json(self) -> dict[str, object]:
        """Count, total, percent and interval, rounded to one decimal."""
        low, high = self.interval or (None, None)
        return {"count": self.count, "of": self.of, "percent": _round(self.percent), "low": _round(low), "high": _round(high)}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many per hundred, with the interval of a Poisson count (Byar's approximation)."""

    count: int
    of: int

    @property
    def per_hundred(self) -> float | None:
        return 100 * self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.of:
            return None
        low = self.count * (1 - 1 / (9 * self.count) - Z / (3 * sqrt(self.count))) ** 3 if self.count else 0.0
        more = self.count + 1
        high = more * (1 - 1 / (9 * more) + Z / (3 * sqrt(more))) ** 3
        return 100 * low / self.of, 100 * high / self.of

    def json(self) -> dict[str, object]:
        """Count, total, rate and interval, rounded to one decimal."""
        low, high = self.interval or (None, None)
        return {"count": self.count, "of": self.of, "per_hundred": _round(self.per_hundred), "low": _round(low), "high": _round(high)}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def quantile(values: list[float], share: float) -> float | None:
    """The value below which this share of the sorted values lies, between neighbours in proportion; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

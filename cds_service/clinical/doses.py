"""Dose tables: which dose a drug has at this kidney function."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from cds_service.clinical.facts import Dose
from cds_service.clinical.figures import figure
from cds_service.clinical.renal import CONTINUOUS, HAEMODIALYSIS, PERITONEAL, Kidney
from cds_service.kept import kept


class Row(Struct, frozen=True):
    """One line of `doses.csv`: grams, hours, and the band of clearance (mL/min) or of effluent (L/h) that it holds for.

    `source_says` is what the label or the guideline says, in own words with its numbers; `evidence` are the rows that stand behind it.
    """

    agent: str
    replacement: tuple[str, ...]
    lo: Decimal | None
    hi: Decimal | None
    lo_inclusive: bool
    hi_inclusive: bool
    loading: bool
    grams: Decimal | None
    components: str
    intervals_h: tuple[Decimal, ...]
    label_infusion_h: Decimal | None
    infusion_h: Decimal | None
    suggest: bool
    evidence: tuple[str, ...]
    source_says: str

    @property
    def lead_grams(self) -> Decimal | None:
        """Grams of the first component of a combination product, as some prescribers write its dose."""
        return Decimal(self.components.partition(" ")[0]) if self.components else None

    def holds(self, value: Decimal) -> bool:
        above = self.lo is None or value > self.lo or (self.lo_inclusive and value == self.lo)
        below = self.hi is None or value < self.hi or (self.hi_inclusive and value == self.hi)
        return above and below

    @property
    def kidney(self) -> str:
        """Whom the line is for: "CrCl over 30 up to 50 mL/min", "haemodialysis", "CRRT, effluent over 2 up to 3 L/h"."""
        least = f"{'from' if self.lo_inclusive else 'over'} {figure(self.lo)}" if self.lo is not None else ""
        most = f"{'up to' if self.hi_inclusive else 'below'} {figure(self.hi)}" if self.hi is not None else ""
        between = f"{least}{' to ' if least and not self.hi_inclusive else ' '}{most}".strip() if most else least
        said = {
            "none": f"CrCl {between} mL/min" if between else "any CrCl",
            HAEMODIALYSIS: "haemodialysis",
            CONTINUOUS: f"CRRT, effluent {between} L/h" if between else "CRRT",
        }
        return " or ".join(said[one] for one in self.replacement)

    @property
    def amount(self) -> str:
        """The dose, with its components: "1.25 g (1 g/0.25 g)"; one that no card offers says so."""
        if self.grams is None:
            return "none in the sources"
        parts = f" ({self.components})" if self.components else ""
        return f"{figure(self.grams)} g{parts}" + ("" if self.suggest else ", neither judged nor offered")

    @property
    def rhythm(self) -> str:
        """How often: "every 6 or 8 h"; a loading dose is given once, first."""
        if self.loading:
            return "once, first"
        return f"every {' or '.join(map(figure, self.intervals_h))} h" if self.intervals_h else ""

    @property
    def infusion(self) -> str:
        """The infusion time that cards write: "over 3 h"."""
        return f"over {figure(self.infusion_h)} h" if self.infusion_h is not None else ""


class Band(Struct, frozen=True):
    """The dose for one patient: maintenance with every accepted interval, and the loading dose where there is one."""

    maintenance: tuple[Row, ...]
    load: Row | None

    @property
    def grams(self) -> Decimal:
        return self.maintenance[0].grams or Decimal(0)

    @property
    def intervals_h(self) -> tuple[Decimal, ...]:
        return tuple(sorted({hours for row in self.maintenance for hours in row.intervals_h}))

    def interval_h(self, wanted: Decimal | None) -> Decimal:
        """The site's choice where the table accepts it, else the shortest."""
        return wanted if wanted is not None and wanted in self.intervals_h else self.intervals_h[0]

    @property
    def lead_grams(self) -> Decimal | None:
        return self.maintenance[0].lead_grams

    @property
    def hourly(self) -> tuple[Decimal, ...]:
        """Grams per hour of every accepted interval, the least first."""
        return tuple(sorted(self.grams / hours for hours in self.intervals_h))

    @property
    def infusion_h(self) -> Decimal:
        return self.maintenance[0].infusion_h or Decimal(0)

    @property
    def suggest(self) -> bool:
        return all(row.suggest for row in self.maintenance)


class DoseTable(Struct, frozen=True, dict=True):
    """All rows of `doses.csv`."""

    rows: tuple[Row, ...]

    def of(self, agent: str) -> tuple[Row, ...]:
        """The rows of one drug."""
        return self._by_agent.get(agent, ())

    @kept
    def _by_agent(self) -> Mapping[str, tuple[Row, ...]]:
        return {agent: tuple(row for row in self.rows if row.agent == agent) for agent in {row.agent for row in self.rows}}

    @kept
    def limits(self) -> frozenset[Decimal]:
        """Where one band of clearance ends and the next begins, in mL/min."""
        bands = (limit for row in self.rows if "none" in row.replacement for limit in (row.lo, row.hi))
        return frozenset(limit for limit in bands if limit is not None)

    def bands(self, agent: str) -> tuple[Row, ...]:
        """The maintenance of every band of clearance, the full dose first."""
        rows = [row for row in self.of(agent) if "none" in row.replacement and not row.loading]
        return tuple(sorted(rows, key=lambda row: -(row.lo or Decimal(0))))

    def expected(self, agent: str, kidney: Kidney) -> Band | None:
        """The band for this kidney, or None where the table says nothing or the inputs are not known."""
        rows = [row for row in self.of(agent) if self._fits(row, kidney)]
        maintenance = tuple(row for row in rows if not row.loading and row.grams is not None)
        if not maintenance:
            return None
        return Band(maintenance, next((row for row in rows if row.loading), None))

    def _fits(self, row: Row, kidney: Kidney) -> bool:
        if kidney.replacement == PERITONEAL:
            return False
        if kidney.replacement == CONTINUOUS:
            return CONTINUOUS in row.replacement and (
                (row.lo is None and row.hi is None) or (kidney.effluent is not None and row.holds(kidney.effluent))
            )
        if kidney.replacement == HAEMODIALYSIS:
            return HAEMODIALYSIS in row.replacement
        return "none" in row.replacement and kidney.clearance is not None and row.holds(kidney.clearance)


class Fit(StrEnum):
    """How an ordered dose stands to the band; the words are the variants of a sheet."""

    RIGHT = "right"
    BELOW = "below"
    ABOVE = "above"
    OTHERWISE = "other-schedule"
    COMPONENT = "component"
    ABOVE_MAXIMUM = "above-daily-maximum"


class Leeway(Struct, frozen=True):
    """What is not yet a wrong dose.

    `rounding_pct` of grams and hours is rounding. Above `daily_g` grams a day no band is asked; the band that reaches it
    gives least doses. Intervals up to `sessions_h` are accepted where the drug follows dialysis sessions.
    """

    rounding_pct: Decimal
    daily_g: Decimal | None = None
    sessions_h: Decimal | None = None

    def fit(self, dose: Dose, band: Band) -> Fit | None:
        """None where the order does not say enough to be judged; a range is wrong only where all of it is."""
        least, most = (self._fit(one, band) for one in _ends(dose))
        if least is None or least is most or least in {Fit.RIGHT, Fit.ABOVE, Fit.ABOVE_MAXIMUM}:
            return least
        return most if most is Fit.BELOW else Fit.RIGHT

    def _fit(self, dose: Dose, band: Band) -> Fit | None:
        grams, interval = dose.grams, dose.interval_h
        if grams is None or interval is None or interval <= 0 or dose.once:
            return None
        if self.daily_g and grams * 24 > self._more(self.daily_g) * interval:
            return Fit.ABOVE_MAXIMUM
        if dose.continuous or (dose.infusion_h is not None and dose.infusion_h >= interval):
            return None
        often, seldom = self._intervals(band)
        in_time = often <= interval <= seldom
        if in_time and self.near(grams, band.grams):
            return Fit.RIGHT
        if self.daily_g and band.grams * 24 >= self.daily_g * band.intervals_h[0]:
            return Fit.RIGHT if interval <= seldom and grams >= self._less(band.grams) else Fit.BELOW
        if in_time and band.lead_grams is not None and self.near(grams, band.lead_grams):
            return Fit.COMPONENT
        return self._direction(grams / interval, band)

    def enough(self, grams: Decimal, wanted: Decimal) -> bool:
        """At least the wanted grams, but for rounding."""
        return grams >= self._less(wanted)

    def _direction(self, hourly: Decimal, band: Band) -> Fit:
        if hourly > self._more(band.hourly[-1]):
            return Fit.ABOVE
        return Fit.BELOW if hourly < self._less(band.hourly[0]) else Fit.OTHERWISE

    def _intervals(self, band: Band) -> tuple[Decimal, Decimal]:
        shortest, longest = band.intervals_h[0], band.intervals_h[-1]
        return self._less(shortest), self._more(max(longest, self.sessions_h or longest))

    def near(self, value: Decimal, wanted: Decimal) -> bool:
        """The wanted grams or hours, but for rounding."""
        return self._less(wanted) <= value <= self._more(wanted)

    def covers(self, dose: Dose, wanted: Decimal) -> bool:
        """The dose is the wanted grams, or leaves a range with them in it, but for rounding."""
        least = dose.grams or wanted
        return self._less(wanted) <= (dose.most_grams or least) and least <= self._more(wanted)

    def _less(self, value: Decimal) -> Decimal:
        return value * (100 - self.rounding_pct) / 100

    def _more(self, value: Decimal) -> Decimal:
        return value * (100 + self.rounding_pct) / 100


def _ends(dose: Dose) -> tuple[Dose, Dose]:
    """The least and the most that a dose allows a day; the same twice where it leaves no range."""
    return replace(dose, interval_h=dose.longest_h or dose.interval_h), replace(dose, grams=dose.most_grams or dose.grams)


def distance_pct(dose: Dose, band: Band) -> Decimal:
    """How far the amount of a day is from the nearest accepted one, in percent of that; of a range the nearest end counts."""
    ends = [(one.grams or Decimal(0)) / (one.interval_h or Decimal(24)) for one in _ends(dose)]
    return min(abs(given - usual) * 100 / usual for usual in band.hourly for given in ends)


def _amount(dose: Dose) -> str:
    """Grams, below one gram milligrams where the order has them; else units or grams by weight."""
    if dose.grams is not None:
        small = dose.grams < Decimal("0.1") or (dose.in_milligrams and dose.grams < 1)
        least, most = (figure(one * 1000 if small else one) if one is not None else "" for one in (dose.grams, dose.most_grams))
        return f"{least}{f' to {most}' if most else ''} {'mg' if small else 'g'}"
    if dose.international_units is not None:
        return f"{figure(dose.international_units / 1_000_000)} million units"
    return f"{figure(dose.grams_per_kg * 1000)} mg/kg" if dose.grams_per_kg is not None else "dose not stated"


def written(dose: Dose) -> str:
    """A dose as a prescriber writes it: "2 g every 8 h over 3 h"."""
    parts = [_amount(dose)]
    if dose.once:
        parts.append("once")
    elif dose.interval_h:
        most = f" to {figure(dose.longest_h, 1)}" if dose.longest_h else ""
        parts.append(f"every {figure(dose.interval_h, 1)}{most} h")
    elif dose.continuous:
        parts.append("by continuous infusion")
    if dose.infusion_h:
        parts.append(f"over {figure(dose.infusion_h, 2)} h")
    return " ".join(parts)

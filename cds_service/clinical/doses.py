"""Dose tables: which dose a drug has at this kidney function."""

from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical.renal import CONTINUOUS, HAEMODIALYSIS, PERITONEAL, Kidney


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `doses.csv`: grams, hours, and the band of clearance (mL/min) or of effluent (L/h) that it holds for."""

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
    bound: str
    source_text: str
    source: str

    def holds(self, value: Decimal) -> bool:
        above = self.lo is None or value > self.lo or (self.lo_inclusive and value == self.lo)
        below = self.hi is None or value < self.hi or (self.hi_inclusive and value == self.hi)
        return above and below


@dataclass(frozen=True, slots=True)
class Band:
    """The dose for one patient: maintenance with every accepted interval, and the loading dose where there is one."""

    maintenance: tuple[Row, ...]
    load: Row | None

    @property
    def grams(self) -> Decimal:
        return self.maintenance[0].grams or Decimal(0)

    @property
    def intervals_h(self) -> tuple[Decimal, ...]:
        return tuple(sorted({hours for row in self.maintenance for hours in row.intervals_h}))

    @property
    def infusion_h(self) -> Decimal:
        return self.maintenance[0].infusion_h or Decimal(0)

    @property
    def suggest(self) -> bool:
        return all(row.suggest for row in self.maintenance)


@dataclass(frozen=True, slots=True)
class DoseTable:
    """All rows of `doses.csv`."""

    rows: tuple[Row, ...]

    def agents(self) -> frozenset[str]:
        return frozenset(row.agent for row in self.rows)

    def expected(self, agent: str, kidney: Kidney) -> Band | None:
        """The band for this kidney, or None where the table says nothing or the inputs are not known."""
        rows = [row for row in self.rows if row.agent == agent and self._fits(row, agent, kidney)]
        maintenance = tuple(row for row in rows if not row.loading and row.grams is not None)
        if not maintenance:
            return None
        return Band(maintenance, next((row for row in rows if row.loading), None))

    def _fits(self, row: Row, agent: str, kidney: Kidney) -> bool:
        if kidney.replacement == PERITONEAL:
            return False
        if kidney.replacement == CONTINUOUS:
            return CONTINUOUS in row.replacement and (
                (row.lo is None and row.hi is None) or (kidney.effluent is not None and row.holds(kidney.effluent))
            )
        if kidney.replacement == HAEMODIALYSIS:
            return HAEMODIALYSIS in row.replacement
        return "none" in row.replacement and kidney.clearance is not None and row.holds(kidney.clearance)

"""Kidney function for dosing: clearance by Cockcroft-Gault, replacement therapy, and whether the number can be trusted."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from cds_service.clinical.facts import Measure
from cds_service.clinical.figures import figure
from cds_service.clinical.policy import RenalPolicy

HAEMODIALYSIS, PERITONEAL, CONTINUOUS = "IHD", "PD", "CRRT"
REPLACEMENT = {"crrt": CONTINUOUS, "peritoneal-dialysis": PERITONEAL, "haemodialysis": HAEMODIALYSIS}
INJURY = "acute-kidney-injury"
SPOKEN = {HAEMODIALYSIS: "haemodialysis", PERITONEAL: "peritoneal dialysis", CONTINUOUS: "CRRT"}


class Kidney(Struct, frozen=True):
    """Clearance in mL/min with what it was computed from; `lacking` names the inputs that were not known.

    `replacement` is IHD, PD or CRRT; `effluent` in L/h. `change_pct` is the largest creatinine change within the
    policy's window, `injury` whether acute kidney injury buys silence, `age_h` the age of the creatinine in hours.
    """

    clearance: Decimal | None = None
    creatinine: Measure | None = None
    weight: Measure | None = None
    weight_used: Decimal | None = None
    years: float | None = None
    replacement: str | None = None
    effluent: Decimal | None = None
    age_h: Decimal | None = None
    change_pct: Decimal | None = None
    injury: bool = False
    lacking: tuple[str, ...] = ()

    def named(self, limits: Collection[Decimal] = ()) -> str:
        """Kidney function in a few words: "CrCl 42 mL/min", "haemodialysis", "CRRT at 2.5 L/h"; `limits` are those of dose bands."""
        if self.replacement:
            rate = f" at {figure(self.effluent, 2)} L/h" if self.replacement == CONTINUOUS and self.effluent is not None else ""
            return SPOKEN[self.replacement] + rate
        return f"CrCl {plain(self.clearance, limits)} mL/min" if self.clearance is not None else "unknown kidney function"

    def reviewed(self, below: Decimal | None) -> bool:
        """A pharmacist is to look at the intervals: up to this clearance, and in any replacement therapy."""
        if below is None:
            return False
        return self.replacement is not None or (self.clearance is not None and self.clearance <= below)


def plain(clearance: Decimal, limits: Collection[Decimal]) -> str:
    """A clearance in whole mL/min; within 1 of a limit it keeps the digits that tell on which side it is."""
    if all(abs(clearance - limit) >= 1 for limit in limits):
        return figure(clearance, 0)
    return next(
        (said for said in (figure(clearance, 1), figure(clearance, 2)) if clearance in limits or Decimal(said) not in limits),
        figure(clearance, 2),
    )


def kidney(
    measures: Mapping[str, tuple[Measure, ...]],
    years: float | None,
    sex: str | None,
    words: frozenset[str],
    policy: RenalPolicy,
    now: datetime,
) -> Kidney:
    """What the newest numbers say; the clearance is None where one of its four inputs is lacking."""
    creatinines = measures.get("creatinine", ())
    creatinine, weight = next(iter(creatinines), None), next(iter(measures.get("weight", ())), None)
    sex = sex if sex in {"male", "female"} else None
    inputs = {"creatinine": creatinine, "weight": weight, "age": years, "sex": sex}
    used = _dosing_weight(weight, measures.get("height", ()), sex, policy) if weight else None
    return Kidney(
        clearance=_clearance(creatinine, used, years, sex),
        creatinine=creatinine,
        weight=weight,
        weight_used=used,
        years=years,
        replacement=next((code for word, code in REPLACEMENT.items() if word in words), None),
        effluent=_effluent(measures, weight),
        age_h=_hours(now, creatinine.taken) if creatinine and creatinine.taken else None,
        change_pct=_change(creatinines, policy, now),
        injury=INJURY in words or _injured(creatinines, policy, now),
        lacking=tuple(name for name, value in inputs.items() if value is None),
    )


def _clearance(creatinine: Measure | None, weight_kg: Decimal | None, years: float | None, sex: str | None) -> Decimal | None:
    if creatinine is None or creatinine.value <= 0 or not weight_kg or years is None or sex is None:
        return None
    return cockcroft_gault(int(years), weight_kg, sex == "female", creatinine.value)


def cockcroft_gault(years: int, weight_kg: Decimal, female: bool, creatinine: Decimal) -> Decimal:
    """Cockcroft and Gault 1976: (140 - age) x weight x (0.85 if female) / (72 x creatinine in mg/dL), in mL/min."""
    factor = Decimal("0.85") if female else Decimal(1)
    return max((140 - years) * weight_kg * factor / (72 * creatinine), Decimal(0))


def _effluent(measures: Mapping[str, tuple[Measure, ...]], weight: Measure | None) -> Decimal | None:
    """L/h as it was measured or ordered, else by weight where that is known."""
    plain, by_weight = measures.get("effluent-rate", ()), measures.get("effluent-by-weight", ())
    if plain:
        return plain[0].value
    return by_weight[0].value * weight.value / 1000 if by_weight and weight else None


def _dosing_weight(weight: Measure, heights: Sequence[Measure], sex: str | None, policy: RenalPolicy) -> Decimal:
    """Actual weight; above the policy's share of ideal weight the adjusted one, where height is known (Devine 1974)."""
    if policy.weight == "actual" or not heights or sex is None:
        return weight.value
    inches = heights[0].value / Decimal("2.54")
    ideal = (Decimal(50) if sex == "male" else Decimal("45.5")) + Decimal("2.3") * max(inches - 60, Decimal(0))
    if weight.value * 100 <= ideal * policy.adjusted_above_pct:
        return weight.value
    return ideal + Decimal("0.4") * (weight.value - ideal)


def _hours(later: datetime, earlier: datetime) -> Decimal:
    """Completed tenths of an hour: a few minutes between two clocks decide nothing."""
    return Decimal(int((later - earlier).total_seconds() // 360)) / 10


def _within(measures: Sequence[Measure], now: datetime, hours: Decimal) -> list[Measure]:
    oldest = now - timedelta(hours=float(hours))
    return [one for one in measures if one.taken and one.taken >= oldest]


def _change(creatinines: Sequence[Measure], policy: RenalPolicy, now: datetime) -> Decimal | None:
    """The largest change of the newest creatinine against another of the window before it, in percent."""
    if not creatinines or not creatinines[0].taken:
        return None
    newest = creatinines[0]
    earlier = _within(creatinines[1:], newest.taken or now, policy.window_h)
    changes = [abs(newest.value - one.value) * 100 / one.value for one in earlier if one.value > 0]
    return max(changes, default=None)


def _injured(creatinines: Sequence[Measure], policy: RenalPolicy, now: datetime) -> bool:
    """Risen by the policy's ratio within its days, or falling by its share within its window."""
    if len(creatinines) < 2 or not creatinines[0].taken:
        return False
    newest = creatinines[0]
    week = _within(creatinines[1:], newest.taken or now, policy.aki_days * 24)
    recent = _within(creatinines[1:], newest.taken or now, policy.window_h)
    rising = any(newest.value >= policy.aki_ratio * one.value for one in week)
    falling = any(newest.value * 100 <= one.value * (100 - policy.falling_pct) for one in recent)
    return rising or falling

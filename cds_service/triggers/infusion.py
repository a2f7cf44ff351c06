"""For how long a dose is infused, and beside what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Dose, Order
from cds_service.clinical.figures import figure
from cds_service.clinical.infection import Evidence
from cds_service.clinical.regimen import Drugs
from cds_service.finding import Indicator, Remark
from cds_service.triggers.dosing import drafted, shorter
from cds_service.triggers.trigger import Says, names


@dataclass(frozen=True)
class InfusionTooShort:
    """A stated infusion time is shorter than the guidance, or than the label."""

    SAYS: ClassVar = Says("drug hours", variants="unstated below-label", notes="pharmacist-review")
    drugs: Drugs
    label_h: Decimal
    guidance_h: Decimal
    review_below: Decimal | None = None

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        notes = ("pharmacist-review",) if bedside.kidney.reviewed(self.review_below) else ()
        for order in drafted(bedside, self.drugs):
            stated = [dose.infusion_h for dose in order.doses if dose.infusion_h is not None and not dose.continuous]
            words = {"drug": order.drug.name, "hours": figure(min(stated)) if stated else "not stated"}
            if not stated and not any(dose.continuous for dose in order.doses):
                yield Remark((order,), indicator=Indicator.INFO, variant="unstated", words=words, notes=notes, attached=True)
            elif stated and min(stated) < self.label_h:
                yield Remark((order,), indicator=Indicator.WARNING, variant="below-label", words=words, notes=notes)
            elif stated and min(stated) < self.guidance_h:
                yield Remark((order,), indicator=Indicator.INFO, words=words, notes=notes)


@dataclass(frozen=True)
class NotTogether:
    """Two drugs that protect one another are not given at the same time."""

    SAYS: ClassVar = Says("drug partner", variants="apart")
    drugs: Drugs
    beside: Drugs
    apart_h: int
    infusion_h: Decimal

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        active = bedside.regimen.active
        first, second = bedside.regimen.of(self.drugs, active), bedside.regimen.of(self.beside, active)
        if not first or not second or not any(order.draft for order in (*first, *second)):
            return
        short = [one for one in first if shorter(one, self.infusion_h)]
        apart = [one for one in first if all(self._apart(one, two) for two in second)]
        if short or apart:
            orders = short or apart
            yield Remark((*orders, *second), variant=None if short else "apart", words={"drug": names(orders), "partner": names(second)})

    def _apart(self, one: Order, two: Order) -> bool:
        """Started hours apart at different intervals, or at the same interval so that the infusions never meet."""
        if not (one.starts and two.starts):
            return False
        late = abs(one.starts - two.starts)
        mine, other = _usual(one), _usual(two)
        if mine is None or other is None or mine.interval_h != other.interval_h:
            return late > timedelta(hours=self.apart_h)
        if not (mine.interval_h and mine.infusion_h and other.infusion_h):
            return False
        shift = Decimal(str(late.total_seconds())) / 3600 % mine.interval_h
        first, second = (mine, other) if one.starts <= two.starts else (other, mine)
        return (first.infusion_h or 0) <= shift <= mine.interval_h - (second.infusion_h or 0)


def _usual(order: Order) -> Dose | None:
    return next((dose for dose in order.doses if not dose.once), None)

"""Whether every drug that needs a partner has one, and keeps it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.coverage import lapses
from cds_service.clinical.facts import Order, Route
from cds_service.clinical.infection import Evidence, State
from cds_service.clinical.lists import Marker, Trait
from cds_service.clinical.regimen import Drugs, Regimen, treats
from cds_service.finding import Indicator, Remark
from cds_service.triggers.trigger import NONE, Says, names

LONG_H = 72


@dataclass(frozen=True)
class UnprotectedDrug:
    """A drug that works only beside a protector is ordered without one.

    `partly` are partners of which another rule speaks. `touched: false` also judges running orders that this session leaves as they
    are, as long as the evidence is current.
    """

    SAYS: ClassVar = Says(
        "drug partner hours",
        variants="too-late ends-before beside-a-non-protector",
        notes="beside inhibitor-data reported-susceptible inhaled-partner",
    )
    drugs: Drugs
    protectors: Drugs
    stand_ins: Drugs = NONE
    partly: Drugs = NONE
    data_for: Drugs = NONE
    touched: bool = True

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        bare = _bare(regimen, self.drugs, self.protectors)
        if not bare or regimen.of(self.stand_ins) or covering(regimen, self.partly, bare):
            return
        current = any(one.state is State.CURRENT for one in evidence)
        if not any(order.draft for order in bare) and (self.touched or not current):
            return
        untimely = regimen.of(self.protectors)
        apart = {*bare, *untimely}
        beside = [order for order in regimen.therapy if order.drug.gram_negative and order not in apart]
        words = {"drug": names(bare), "partner": names(untimely or beside)}
        delay = min((regimen.delay_h(bare[0], partner) for partner in untimely), default=Decimal(0))
        late = "too-late" if delay > 0 else "ends-before"
        variant = late if untimely else "beside-a-non-protector" if beside else None
        yield Remark(tuple(bare), variant=variant, words={**words, "hours": f"{delay}"}, notes=tuple(self._notes(bedside, bare, beside)))

    def _notes(self, bedside: Bedside, bare: Sequence[Order], beside: Sequence[Order]) -> Iterator[str]:
        if beside:
            yield "beside"
        if any(order in self.data_for for order in beside):
            yield "inhibitor-data"
        if bedside.laboratory.susceptible([order.drug.key for order in bare]):
            yield "reported-susceptible"
        if any(order in self.protectors and order.route is Route.INHALED for order in bedside.chart.orders):
            yield "inhaled-partner"


@dataclass(frozen=True)
class Weakness:
    """What defeats a partial partner: a companion enzyme, or a species with an enzyme of its own."""

    partners: Drugs
    markers: tuple[Marker, ...]
    trait: Trait | None = None


@dataclass(frozen=True)
class PartlyProtectedDrug:
    """A drug is ordered beside a partner that protects it only against part of what the isolate carries."""

    SAYS: ClassVar = Says("drug partner why", variants="defeated", notes="companion species data")
    drugs: Drugs
    partners: Drugs
    protectors: Drugs
    weak: tuple[Weakness, ...]
    tested_days: int
    stand_ins: Drugs = NONE
    data_for: Drugs = NONE

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        bare = _bare(regimen, self.drugs, self.protectors)
        partners = covering(regimen, self.partners, bare)
        orders = (*bare, *partners)
        if not partners or not any(order.draft for order in orders):
            return
        if regimen.of(self.stand_ins) or self._tested(bedside, bare, partners):
            return
        words = {"drug": names(bare), "partner": names(partners)}
        defeat = next(self._defeats(evidence, partners), None)
        data = ("data",) if any(order in self.data_for for order in partners) else ()
        if defeat is None:
            yield Remark(orders=orders, words=words, notes=data)
            return
        why, note = defeat
        yield Remark(orders, indicator=Indicator.CRITICAL, variant="defeated", words={**words, "why": why}, notes=(note, *data))

    def _defeats(self, evidence: Sequence[Evidence], partners: Sequence[Order]) -> Iterator[tuple[str, str]]:
        for weakness in self.weak:
            if not any(order in weakness.partners for order in partners):
                continue
            for one in evidence:
                found = [marker for marker in one.companions if marker in weakness.markers]
                if found:
                    yield " and ".join(found), "companion"
                organism = one.isolate.organism
                if weakness.trait and organism and weakness.trait in organism.traits:
                    yield organism.name, "species"

    def _tested(self, bedside: Bedside, bare: Sequence[Order], partners: Sequence[Order]) -> bool:
        """This very pair was tested together on the isolate, recently, and found susceptible."""
        keys = [(one.drug.key, two.drug.key) for one in bare for two in partners]
        pairs = [f"{one}+{two}" for first, second in keys for one, two in ((first, second), (second, first))]
        return bedside.recently_susceptible(pairs, self.tested_days)


@dataclass(frozen=True)
class ProtectionRemoved:
    """The session takes away, or lets expire, what makes the rest of the regimen work.

    A drug may go on for at most `apart_h` without what makes it work; one without a stated end is taken to run on for `open_h`.
    Where the session touches none of them, an end within `apart_h` from now is news enough.
    """

    SAYS: ClassVar = Says("drug other hours", variants="last-active ends-earlier ends-first pauses", notes="alone")
    apart_h: int
    open_h: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        gone = [*regimen.endings, *self._taken_over(regimen)]
        if not gone or not regimen.therapy or bedside.works:
            yield from self._expires(regimen)
            return
        rows = regimen.before().active_rows
        lost = next((found for _, orders in rows if (found := [one for one in orders if one in gone])), [])
        lost = lost or [order for order in gone if treats(order) and bedside.supports(order)]
        if not lost:
            return
        protected = {key for row, orders in rows if set(orders) & set(lost) for key in row.drugs}
        stays = [order for order in regimen.therapy if order.drug.key in protected]
        words = {"drug": names(lost), "other": names(stays or regimen.therapy)}
        yield Remark((*lost, *(stays or regimen.therapy)), variant=None if stays else "last-active", words=words)

    @staticmethod
    def _taken_over(regimen: Regimen) -> list[Order]:
        """Running orders whose place a draft of another drug takes."""
        drafted = {order.drug.key for order in regimen.drafts}
        return [order for order in regimen.replaced if order.drug.key not in drafted]

    def _expires(self, regimen: Regimen) -> Iterator[Remark]:
        """The regimen works, and one of its drugs goes on for long without what makes it work."""
        touched = any(order.draft and order.drug.key in regimen.directed for order in regimen.therapy)
        apart = timedelta(hours=self.apart_h)
        for lapse in lapses(regimen, self.open_h) if regimen.active_rows else ():
            if lapse.until - lapse.begins > apart and (touched or lapse.begins - regimen.now <= apart):
                variant = "ends-first" if lapse.open else "pauses" if lapse.resumes else "ends-earlier"
                hours = (lapse.begins - regimen.now).total_seconds() / 3600 if lapse.open else lapse.hours
                words = {"drug": names(lapse.ended), "other": names(lapse.left), "hours": _span(hours)}
                orders = (*lapse.ended, *lapse.left)
                yield Remark(orders, variant=variant, words=words, notes=() if regimen.paired(orders) else ("alone",))
                return


def _span(hours: float) -> str:
    """ "16 h", from three days on "7 days"."""
    return f"{hours:.0f} h" if hours < LONG_H else f"{hours / 24:.0f} days"


def covering(regimen: Regimen, partners: Drugs, orders: Sequence[Order]) -> tuple[Order, ...]:
    """The partners that run together with one of these orders."""
    return tuple(one for one in regimen.of(partners) if any(regimen.covers(one, order) for order in orders))


def _bare(regimen: Regimen, drugs: Drugs, protectors: Drugs) -> list[Order]:
    """The orders of these drugs that no protector covers."""
    guards = regimen.of(protectors)
    return [order for order in regimen.of(drugs) if not any(regimen.covers(guard, order) for guard in guards)]

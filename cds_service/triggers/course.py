"""Chapter D of the rule sheet: the course, the patient, and what could not be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cds_service.clinical.allergies import ALERTED, Reaction, reaction, worst
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Allergy, Drug, Measure, Order
from cds_service.clinical.infection import Evidence
from cds_service.clinical.regimen import Drugs
from cds_service.finding import Indicator, Remark
from cds_service.triggers.trigger import names


@dataclass(frozen=True)
class CourseTooShort:
    """A stated end makes the course shorter than this site of infection asks for."""

    days: int
    specimens: tuple[str, ...] = ()
    circumstances: tuple[str, ...] = ()
    excused_by: tuple[str, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        drafts = [order for order in bedside.regimen.active if order.draft and _end(bedside, order)]
        if not drafts or not self._here(bedside, drafts, evidence) or bedside.words & set(self.excused_by):
            return
        began = bedside.therapy_began() or min(bedside.regimen.start(order) for order in drafts)
        shortest = min(end for order in drafts if (end := _end(bedside, order)))
        planned = (shortest - began).total_seconds() / 86400
        if planned < self.days:
            yield Remark(tuple(drafts), words={"n": f"{planned:.0f}", "drug": names(drafts)})

    def _here(self, bedside: Bedside, drafts: Sequence[Order], evidence: Sequence[Evidence]) -> bool:
        sampled = any(one.isolate.specimen and one.isolate.specimen.key in self.specimens for one in evidence)
        return sampled or bool((bedside.words | bedside.stated(drafts)) & set(self.circumstances))


@dataclass(frozen=True)
class CourseTooLong:
    """A drug has run longer than its trials, and nothing on file explains it."""

    drugs: Drugs
    days: int
    excused_by: tuple[str, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.drugs)
        hours = max((bedside.running_h(order) or 0 for order in orders), default=0)
        excused = (bedside.words | bedside.stated(orders)) & set(self.excused_by)
        if orders and not excused and hours > self.days * 24:
            yield Remark(orders, words={"n": f"{hours / 24:.0f}", "drug": names(orders)})


@dataclass(frozen=True)
class Worsening:
    """The patient worsens in the first days of therapy, and nobody has looked again."""

    from_h: int
    to_h: int
    fever_c: Decimal = Decimal("38.3")
    fever_after_h: int = 72
    sofa_rise: int = 2

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        began = bedside.therapy_began()
        hours = bedside.since(began)
        if began is None or hours is None or not self.from_h <= hours <= self.to_h:
            return
        if any(culture.collected and culture.collected > began for culture in bedside.chart.cultures):
            return
        if "culture" in bedside.chart.pending_tests or not self._signs(bedside, began, hours):
            return
        blood = any(one.isolate.specimen and one.isolate.specimen.key in bedside.policy.evidence.bloodstream for one in evidence)
        indicator = Indicator.WARNING if blood else Indicator.INFO
        yield Remark(bedside.regimen.active, indicator=indicator, words={"hours": f"{hours:.0f}"}, attached=not blood)

    def _signs(self, bedside: Bedside, began: datetime, hours: float) -> bool:
        pressors = any(order.starts and order.starts > began for order in bedside.vasopressors())
        lactate, sofa = bedside.chart.measures.get("lactate", ()), bedside.chart.measures.get("sofa", ())
        risen = _risen(lactate, began, Decimal(0)) or _risen(sofa, began, Decimal(self.sofa_rise))
        fevers = [one for one in bedside.chart.measures.get("temperature", ()) if one.taken and one.taken > began]
        hot = any(one.value >= self.fever_c and (bedside.now - one.taken).total_seconds() <= 86400 for one in fevers if one.taken)
        return pressors or risen or (hot and hours > self.fever_after_h)


@dataclass(frozen=True)
class LabWatch:
    """A high daily dose has run for days, and the laboratory was not asked, or has answered badly."""

    drugs: Drugs
    daily_g: Decimal
    after_h: int
    tests: tuple[str, ...]
    within_h: int
    raised: int
    high: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = [order for order in bedside.regimen.of(self.drugs)]
        if not orders:
            return
        results = [one for test in self.tests for one in bedside.chart.measures.get(test, ())]
        fresh = [one for one in results if (age := bedside.since(one.taken)) is not None and age <= self.within_h]
        times = max((one.value / one.upper for one in fresh if one.upper), default=Decimal(0))
        words = {"drug": names(orders), "n": f"{times:.1f}"}
        if times >= self.high:
            yield Remark(tuple(orders), indicator=Indicator.WARNING, variant="high", words=words)
        elif times >= self.raised:
            yield Remark(tuple(orders), indicator=Indicator.INFO, variant="raised", words=words)
        elif not fresh and "liver-tests" not in bedside.chart.pending_tests and self._long(bedside, orders):
            yield Remark(tuple(orders), indicator=Indicator.INFO, words=words)

    def _long(self, bedside: Bedside, orders: Sequence[Order]) -> bool:
        daily = sum(
            (dose.grams * 24 / dose.interval_h for order in orders for dose in order.doses if dose.grams and dose.interval_h),
            Decimal(0),
        )
        return daily >= self.daily_g and any((bedside.running_h(order) or 0) > self.after_h for order in orders)


@dataclass(frozen=True)
class DrugAllergy:
    """A drug is ordered that the patient is recorded to react to, or one that shares its side chain."""

    cross: tuple[tuple[str, ...], ...]
    years_forgotten: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        directed = [order for order in bedside.regimen.signed if order.drug.key in bedside.regimen.directed]
        found = [(verdict, allergy, order) for order in directed for allergy in bedside.chart.allergies if (verdict := self._verdict(bedside, allergy, order))]
        if not found:
            return
        verdict, allergy, order = min(found, key=lambda one: one[0] != "severe")
        orders = tuple(dict.fromkeys(one for _, _, one in found))
        variant = "shared-side-chain" if verdict == "cross" else "severe-skin" if "scar" in allergy.reactions else "same-drug"
        indicator = Indicator.CRITICAL if verdict == "severe" else Indicator.WARNING
        words = {"drug": order.drug.name, "allergy": self._name(bedside, allergy)}
        removes = tuple(one for kind, _, one in found if kind == "severe")
        yield Remark(orders, indicator=indicator, variant=variant, words=words, removes=removes)

    def _verdict(self, bedside: Bedside, allergy: Allergy, order: Order) -> str | None:
        found = reaction(allergy, order.drug, self.cross, self.years_forgotten, bedside.now)
        return found if found in ALERTED else None

    def worst(self, bedside: Bedside, drug: Drug) -> tuple[Reaction, Allergy] | None:
        """What speaks most against a drug that is not ordered yet."""
        return worst(bedside.chart.allergies, drug, self.cross, self.years_forgotten, bedside.now)

    @staticmethod
    def _name(bedside: Bedside, allergy: Allergy) -> str:
        """Our own name of what the allergy is to; the record's words stay out of a sentence."""
        known = bedside.reference.drugs
        named = sorted(known[key].name if key in known else key for key in allergy.substances)
        return ", ".join(named or sorted(allergy.groups)) + " allergy"


@dataclass(frozen=True)
class Child:
    """The patient is a child: regimen logic holds, adult doses do not."""

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        directed = [order for order in bedside.regimen.therapy if order.drug.key in bedside.regimen.directed]
        if bedside.child and (directed or bedside.unsound):
            yield Remark(tuple(directed), words={"n": f"{bedside.years:.0f}"})


@dataclass(frozen=True)
class InCircumstance:
    """The record names a circumstance that the prescriber should weigh."""

    words: tuple[str, ...]

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        directed = [order for order in bedside.regimen.therapy if order.drug.key in bedside.regimen.directed]
        named = sorted(bedside.words & set(self.words))
        if named and directed:
            yield Remark(tuple(directed), words={"circumstance": named[0], "drug": names(directed)})


@dataclass(frozen=True)
class Unread:
    """An antibiotic order or a result of the mechanism was found and could not be read."""

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        proven = bool(bedside.infection.proven)
        orders = [one for one in bedside.chart.unreadable if one.kind == "order" and proven]
        results = [one for one in bedside.chart.unreadable if one.kind == "result"]
        for kind, found in (("result", results), ("order", orders)):
            if found:
                yield Remark(variant=kind, words={"n": str(len(found)), "why": found[0].why}, notes=(kind,))


@dataclass(frozen=True)
class Incomplete:
    """A part of the record could not be had, so that some checks did not run."""

    always: tuple[str, ...] = ()
    with_evidence: tuple[str, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        wanted = set(self.always) | (set(self.with_evidence) if bedside.infection.proven else set())
        missing = sorted(wanted & bedside.chart.missing)
        if missing:
            yield Remark(words={"missing": ", ".join(bedside.named_part(key) for key in missing)})


def _end(bedside: Bedside, order: Order) -> datetime | None:
    """The stated end of a course; a single dose states none."""
    if order.doses and all(dose.once for dose in order.doses):
        return None
    if order.ends:
        return order.ends
    if order.duration_h is not None:
        return bedside.hours_ahead(float(order.duration_h))
    return None


def _risen(measures: Sequence[Measure], began: datetime, least: Decimal) -> bool:
    """The newest value since therapy began is higher than an earlier one."""
    newest = measures[0] if measures else None
    if newest is None or newest.taken is None or newest.taken <= began:
        return False
    return any(newest.value - one.value > least or (least > 0 and newest.value - one.value >= least) for one in measures[1:])

"""Whether anything in this regimen is expected to work, and whether anything is too much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Order, Route
from cds_service.clinical.figures import figure
from cds_service.clinical.infection import Evidence, State
from cds_service.clinical.lists import DRUGS, Circumstance, Group, Specimen
from cds_service.clinical.regimen import Drugs, Regimen
from cds_service.finding import Indicator, Remark
from cds_service.triggers.protection import covering
from cds_service.triggers.trigger import NONE, Says, names


@dataclass(frozen=True)
class InactiveDrug:
    """A drug that the mechanism inactivates is ordered, and nothing else in the regimen is expected to work.

    Where it is ordered as a partner of `partners_of`, the rule of partial partners speaks instead.
    """

    SAYS: ClassVar = Says("drug mic", notes="inhibitor-spares")
    drugs: Drugs
    inhibitors: Drugs = NONE
    partly: Drugs = NONE
    partners_of: Drugs = NONE

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        drafts = regimen.of(self.drugs, regimen.signed)
        if not drafts or bedside.works or self._partners(regimen):
            return
        tested = bedside.tests_of(evidence).susceptible([order.drug.key for order in drafts])
        notes = ["inhibitor-spares"] if any(order in self.inhibitors for order in drafts) else []
        mic = f"MIC {figure(tested.mic)} mg/L" if tested and tested.mic is not None else "no MIC given"
        yield Remark(drafts, words={"drug": names(drafts), "mic": mic}, notes=tuple(notes), removes=drafts)

    def _partners(self, regimen: Regimen) -> bool:
        guarded = regimen.of(self.partners_of)
        partners = covering(regimen, self.partly, guarded)
        return any(order.draft for order in (*guarded, *partners)) and bool(partners)


@dataclass(frozen=True)
class BackboneDrug:
    """A last-resort drug carries a regimen in which the better ones are missing.

    An isolate of `co_isolates` explains it.
    """

    SAYS: ClassVar = Says("drug other", notes="other-active")
    drugs: Drugs
    co_isolates: tuple[Group, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.drugs)
        if not orders or bedside.regimen.active_rows or bedside.unjudged or bedside.other_organism(self.co_isolates):
            return
        others = [order for order in bedside.supported if order not in orders]
        notes = ("other-active",) if others else ()
        words = {"drug": names(orders), "other": names(others) if others else "none"}
        yield Remark(orders, indicator=Indicator.WARNING if others else None, words=words, notes=notes)


@dataclass(frozen=True)
class AddOn:
    """A second agent joins a regimen that is already expected to work.

    A draft speaks, unless it states an end within `empiric_h` of therapy; an order that has run for more than `settled_h` speaks softly
    once the susceptibility is known. In a gravely ill patient the first `empiric_h` are excused while the susceptibility is open. Without
    these hours none of that holds.
    """

    SAYS: ClassVar = Says("drug", notes="untested")
    drugs: Drugs
    settled_h: int | None = None
    empiric_h: int | None = None
    co_isolates: tuple[Group, ...] = ()
    routes: tuple[Route, ...] = ()
    settled_only: bool = False
    softer_untested: bool = False

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        orders = [order for order in regimen.of(self.drugs) if not self.routes or order.route in self.routes]
        tests = [test for row, _ in regimen.active_rows for test in row.tests]
        if not orders or not regimen.active_rows or self._excused(bedside, orders, tests):
            return
        susceptible = bedside.laboratory.susceptible(tests) is not None
        drafts = [] if self.settled_only else [order for order in orders if order.draft and not self._limited(bedside, order)]
        settled = [order for order in orders if susceptible and self._settled(bedside, order)]
        spoken = tuple(drafts or settled)
        if not spoken:
            return
        softer = not drafts or (self.softer_untested and not susceptible)
        removes = tuple(order for order in spoken if order.draft)
        notes = () if susceptible else ("untested",)
        yield Remark(spoken, indicator=Indicator.INFO if softer else None, words={"drug": names(spoken)}, notes=notes, removes=removes)

    def _limited(self, bedside: Bedside, order: Order) -> bool:
        """The draft states an end, and with what ran before it the drug is given for the first hours only."""
        ends = bedside.regimen.end(order) if order.ends or order.duration_h is not None else None
        ahead = (ends - bedside.regimen.start(order)).total_seconds() / 3600 if ends else None
        return ahead is not None and self.empiric_h is not None and ahead + (bedside.running_h(order) or 0) <= self.empiric_h

    def _excused(self, bedside: Bedside, orders: Sequence[Order], tests: Sequence[str]) -> bool:
        if bedside.dual_resistant or bedside.other_organism(self.co_isolates) or bedside.laboratory.against(tests):
            return True
        if self.empiric_h is None or not bedside.severe or bedside.laboratory.decided(tests):
            return False
        return all((bedside.running_h(order) or 0) <= self.empiric_h for order in orders)

    def _settled(self, bedside: Bedside, order: Order) -> bool:
        return self.settled_h is not None and (bedside.running_h(order) or 0) > self.settled_h


@dataclass(frozen=True)
class PoorAtSite:
    """The only drug that may work does not reach the place of the infection."""

    SAYS: ClassVar = Says("drug specimen")
    drugs: Drugs
    specimens: tuple[Specimen, ...]

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.drugs)
        sites = [one.isolate.specimen for one in evidence if one.isolate.specimen and one.isolate.specimen.key in self.specimens]
        others = [order for order in bedside.supported if order not in orders]
        resisted = all(bedside.laboratory.against([order.drug.key]) for order in orders)
        if not orders or not sites or bedside.regimen.active_rows or bedside.unjudged or others or resisted:
            return
        yield Remark(orders, words={"drug": names(orders), "specimen": sites[0].name.lower()})


@dataclass(frozen=True)
class NothingActive:
    """The mechanism is on file, antibiotics are signed, and none of them is expected to work.

    Where nothing is being signed, antibiotics that run and cannot work against a current infection are worth a line.
    """

    SAYS: ClassVar = Says("drug drugs", variants="running")
    sterile: tuple[Specimen, ...]
    recent_days: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        drafts, therapy = bedside.regimen.signed, bedside.regimen.therapy
        if bedside.works or not therapy:
            return
        if not drafts:
            current = all(one.state is State.CURRENT for one in evidence)
            if current and not bedside.ordering:
                yield Remark(therapy, indicator=Indicator.INFO, variant="running", words={"drugs": names(therapy)})
            return
        grave = any(one.isolate.specimen and one.isolate.specimen.key in self.sterile and self._recent(one) for one in evidence)
        words = {"drug": names(drafts), "drugs": names(therapy)}
        yield Remark(drafts, indicator=None if grave else Indicator.WARNING, words=words)

    def _recent(self, evidence: Evidence) -> bool:
        return evidence.days is None or evidence.days <= self.recent_days


@dataclass(frozen=True)
class OralStepDown:
    """An oral drug takes over that was not shown to work against this isolate."""

    SAYS: ClassVar = Says("drug", variants="resistant")
    drugs: Drugs
    specimens: tuple[Specimen, ...]
    circumstances: tuple[Circumstance, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        home = regimen.take_home
        for here in (regimen, home):
            oral = [order for order in here.of(self.drugs) if order.draft and order.route is Route.ORAL]
            if not oral or here.active_rows or any(bedside.supports(order) for order in here.therapy):
                continue
            if not self._urinary(bedside, oral, evidence):
                continue
            against = bedside.laboratory.against([order.drug.key for order in oral])
            yield Remark(tuple(oral), variant="resistant" if against else None, words={"drug": names(oral)})

    def _urinary(self, bedside: Bedside, oral: Sequence[Order], evidence: Sequence[Evidence]) -> bool:
        sampled = any(one.isolate.specimen and one.isolate.specimen.key in self.specimens for one in evidence)
        return sampled or bool(bedside.stated(oral) & set(self.circumstances))


@dataclass(frozen=True)
class DischargeList:
    """The take-home list alone lacks what makes its drugs work."""

    SAYS: ClassVar = Says("drug", variants="inactive")
    drugs: Drugs
    inactive: Drugs = NONE

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        home = bedside.regimen.take_home
        legs, inactive = home.of(self.drugs), home.of(self.inactive)
        supported = any(bedside.supports(order) for order in home.therapy)
        if home.active_rows or supported or not any(order.draft for order in (*legs, *inactive)):
            return
        others = set(bedside.policy.other_reasons)
        if not legs and all(order.reasons & others for order in inactive):
            return
        if legs:
            yield Remark(legs, words={"drug": names(legs)})
        else:
            yield Remark(inactive, indicator=Indicator.WARNING, variant="inactive", words={"drug": names(inactive)})


@dataclass(frozen=True)
class Duplicate:
    """A fixed product runs together with the single drugs that it contains, for longer than a switch takes."""

    SAYS: ClassVar = Says("drug product", of=DRUGS)
    product: Drugs
    singles: Drugs
    crossover_h: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        fixed = regimen.of(self.product)
        courses = [[one for one in regimen.of(self.singles) if one.drug.key == key] for key in sorted(self.singles.keys)]
        doubled = [one for course in courses if fixed and course and self._meet(regimen, fixed, course) for one in course]
        if doubled and any(order.draft for order in (*fixed, *doubled)):
            words = {"drug": names(doubled), "product": names(fixed)}
            notes = tuple(dict.fromkeys(order.drug.key for order in doubled))
            yield Remark((*fixed, *doubled), words=words, notes=notes, removes=tuple(doubled))

    def _meet(self, regimen: Regimen, one: Sequence[Order], other: Sequence[Order]) -> bool:
        """Two courses, each a loading dose with what follows it, run side by side for too long."""
        begins = max(min(regimen.start(order) for order in course) for course in (one, other))
        ends = [max(end for end in found if end) for course in (one, other) if all(found := [regimen.end(order) for order in course])]
        return not ends or min(ends) - begins > timedelta(hours=self.crossover_h)


@dataclass(frozen=True)
class DrugPair:
    """Two drugs meet that should not be given together."""

    SAYS: ClassVar = Says("drug partner")
    drugs: Drugs
    beside: Drugs

    @property
    def watched(self) -> frozenset[str]:
        """The drugs that matter among the drafts although none of them need be an antibacterial."""
        return self.drugs.keys | self.beside.keys

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        every = (*bedside.regimen.drafts, *bedside.regimen.running)
        first, second = bedside.regimen.of(self.drugs, every), bedside.regimen.of(self.beside)
        if first and second and any(order.draft for order in (*first, *second)):
            removes = tuple(order for order in first if order.draft)
            yield Remark((*first, *second), words={"drug": names(first), "partner": names(second)}, removes=removes)

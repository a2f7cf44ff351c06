"""Chapter A of the rule sheet: is anything in this regimen expected to work?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Order, Route
from cds_service.clinical.infection import Evidence
from cds_service.clinical.regimen import Drugs, Regimen
from cds_service.finding import Indicator, Remark
from cds_service.triggers.trigger import names

NONE = Drugs("none", frozenset())


@dataclass(frozen=True)
class UnprotectedDrug:
    """A drug that works only beside a protector is ordered without one."""

    drugs: Drugs
    protectors: Drugs
    within_h: int
    stand_ins: Drugs = NONE
    partly: Drugs = NONE
    data_for: Drugs = NONE

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        bare = _bare(regimen, self.drugs, self.protectors)
        if not any(order.draft for order in bare) or regimen.of(self.stand_ins) or regimen.of(self.partly):
            return
        late = regimen.of(self.protectors)
        beside = [order for order in regimen.therapy if order.drug.gram_negative and order not in (*bare, *late)]
        words = {"drug": names(bare), "partner": names(late or beside)}
        if late:
            words["hours"] = str(min(regimen.delay_h(bare[0], partner) for partner in late))
        variant = "too-late" if late else "beside-a-non-protector" if beside else None
        yield Remark(orders=tuple(bare), variant=variant, words=words, notes=tuple(self._notes(bedside, bare, beside)))

    def _notes(self, bedside: Bedside, bare: Sequence[Order], beside: Sequence[Order]) -> Iterator[str]:
        if any(order in self.data_for for order in beside):
            yield "inhibitor-data"
        if bedside.laboratory.susceptible([order.drug.key for order in bare]):
            yield "reported-susceptible"
        inhaled = [order for order in bedside.chart.orders if order in self.protectors and order.route is Route.INHALED]
        if inhaled:
            yield "inhaled-partner"


@dataclass(frozen=True)
class Weakness:
    """What defeats a partial partner: a companion enzyme, or a species with an enzyme of its own."""

    partners: Drugs
    markers: tuple[str, ...]
    trait: str = ""


@dataclass(frozen=True)
class PartlyProtectedDrug:
    """A drug is ordered beside a partner that protects it only against part of what the isolate carries."""

    drugs: Drugs
    partners: Drugs
    protectors: Drugs
    within_h: int
    weak: tuple[Weakness, ...]
    stand_ins: Drugs = NONE
    tested_days: int = 14

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        bare, partners = _bare(regimen, self.drugs, self.protectors), regimen.of(self.partners)
        orders = (*bare, *partners)
        if not bare or not partners or not any(order.draft for order in orders):
            return
        if regimen.of(self.stand_ins) or self._tested(bedside, bare, partners):
            return
        words = {"drug": names(bare), "partner": names(partners)}
        defeat = next(self._defeats(evidence, partners), None)
        if defeat is None:
            yield Remark(orders=orders, words=words)
            return
        why, note = defeat
        yield Remark(orders, indicator=Indicator.CRITICAL, variant="defeated", words={**words, "why": why}, notes=(note,))

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
                    yield organism.name, f"{weakness.trait}-species"

    def _tested(self, bedside: Bedside, bare: Sequence[Order], partners: Sequence[Order]) -> bool:
        """This very pair was tested together on the isolate, recently, and found susceptible."""
        pairs = [f"{one.drug.key}+{two.drug.key}" for first, second in ((bare, partners), (partners, bare)) for one in first for two in second]
        return bedside.recently_susceptible(pairs, self.tested_days)


@dataclass(frozen=True)
class InactiveDrug:
    """A drug that the mechanism inactivates is ordered, and nothing else in the regimen is expected to work."""

    drugs: Drugs

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        drafts = bedside.regimen.of(self.drugs, bedside.regimen.signed)
        if not drafts or bedside.works:
            return
        tested = bedside.laboratory.susceptible([order.drug.key for order in drafts])
        notes = ["tested-susceptible"] if tested else []
        if any("beta-lactamase-inhibitor-combination" in order.drug.classes for order in drafts):
            notes.append("inhibitor-spares")
        mic = f"{tested.mic} mg/L" if tested and tested.mic is not None else "no MIC given"
        yield Remark(tuple(drafts), words={"drug": names(drafts), "mic": mic}, notes=tuple(notes))


@dataclass(frozen=True)
class BackboneDrug:
    """A last-resort drug carries a regimen in which the better ones are missing."""

    drugs: Drugs

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.drugs)
        if not orders or bedside.regimen.active_rows:
            return
        others = [order for order in bedside.supported if order not in orders]
        yield Remark(orders, indicator=Indicator.WARNING if others else None, words={"drug": names(orders)})


@dataclass(frozen=True)
class AddOn:
    """A second agent joins a regimen that is already expected to work."""

    drugs: Drugs
    settled_h: int = 72
    empiric_h: int = 72
    co_isolates: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    draft_only: bool = False
    susceptible_only: bool = False
    softer_untested: bool = False
    after_h: int = 0

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        orders = [order for order in regimen.of(self.drugs) if not self.routes or order.route in self.routes]
        if not orders or not regimen.active_rows or self._excused(bedside, orders):
            return
        drafts = [order for order in orders if order.draft and not self._renewed(bedside, order)]
        settled = [order for order in orders if (bedside.running_h(order) or 0) > self.settled_h]
        tests = [test for row, _ in regimen.active_rows for test in row.tests]
        susceptible = bedside.laboratory.susceptible(tests) is not None
        if self.susceptible_only and not (susceptible and any((bedside.running_h(one) or 0) > self.after_h for one in orders)):
            return
        if not drafts and (self.draft_only or not (settled and susceptible)):
            return
        softer = not drafts or (self.softer_untested and not susceptible)
        spoken = tuple(drafts or settled)
        yield Remark(spoken, indicator=Indicator.INFO if softer else None, words={"drug": names(spoken)}, removes=tuple(drafts))

    def _renewed(self, bedside: Bedside, order: Order) -> bool:
        """A renewal of an order that has run long enough to be settled is judged as running, not as new."""
        return False if not order.replaces else (bedside.running_h(order) or 0) > self.settled_h

    def _excused(self, bedside: Bedside, orders: Sequence[Order]) -> bool:
        if bedside.dual_resistant or bedside.other_organism(self.co_isolates):
            return True
        tests = [test for row, _ in bedside.regimen.active_rows for test in row.tests]
        if bedside.laboratory.against(tests):
            return True
        fresh = all((bedside.running_h(order) or 0) <= self.empiric_h for order in orders)
        pending = not bedside.laboratory.decided(tests)
        return fresh and pending and bedside.severe


@dataclass(frozen=True)
class PoorAtSite:
    """The only drug that may work does not reach the place of the infection."""

    drugs: Drugs
    specimens: tuple[str, ...]

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.drugs)
        sites = [one for one in evidence if one.isolate.specimen and one.isolate.specimen.key in self.specimens]
        others = [order for order in bedside.supported if order not in orders]
        if not orders or not sites or bedside.regimen.active_rows or others:
            return
        place = sites[0].isolate.specimen
        yield Remark(orders, words={"drug": names(orders), "specimen": place.name.lower() if place else ""})


@dataclass(frozen=True)
class NothingActive:
    """The mechanism is on file, antibiotics are signed, and none of them is expected to work."""

    sterile: tuple[str, ...]
    recent_days: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        if bedside.works:
            return
        if bedside.hook == "patient-view":
            yield from self._untreated(bedside)
            return
        drafts = bedside.regimen.signed
        if not drafts:
            return
        grave = any(one.isolate.specimen and one.isolate.specimen.key in self.sterile and self._recent(one) for one in evidence)
        yield Remark(drafts, indicator=None if grave else Indicator.WARNING, words={"drug": names(drafts), "drugs": names(drafts)})

    def _recent(self, evidence: Evidence) -> bool:
        return evidence.days is None or evidence.days <= self.recent_days

    def _untreated(self, bedside: Bedside) -> Iterator[Remark]:
        running = bedside.regimen.therapy
        yield Remark(running, indicator=Indicator.INFO, variant="no-drug-running", words={"drugs": names(running) if running else "none"})


@dataclass(frozen=True)
class ProtectionRemoved:
    """The session takes away, or lets expire, what makes the rest of the regimen work."""

    apart_h: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        yield from self._expires(regimen)
        gone = [order for order in (*regimen.endings, *self._taken_over(regimen)) if order.drug.key in regimen.directed]
        left = regimen.therapy
        if not gone or not left or bedside.works:
            return
        for row, orders in regimen.before().active_rows:
            lost = [order for order in orders if order in gone]
            if not lost:
                continue
            stays = [order for order in left if order.drug.key in row.drugs]
            words = {"drug": names(lost), "other": names(stays or left)}
            yield Remark((*lost, *stays), variant=None if stays else "last-active", words=words)
            return

    @staticmethod
    def _taken_over(regimen: Regimen) -> list[Order]:
        """Running orders whose place a draft of another drug takes."""
        drafted = {order.drug.key for order in regimen.drafts}
        return [order for order in regimen.replaced if order.drug.key not in drafted]

    def _expires(self, regimen: Regimen) -> Iterator[Remark]:
        for _, orders in regimen.active_rows:
            ends = {drug: [regimen.end(one) for one in orders if one.drug.key == drug] for drug in {one.drug.key for one in orders}}
            last = {drug: max(moments) for drug, moments in ends.items() if all(moments)}  # type: ignore[type-var]
            drafts = {order.drug.key for order in orders if order.draft and order.ends}
            for drug, moment in last.items():
                for other, later in last.items():
                    apart = later - moment if moment and later else timedelta()
                    if {drug, other} & drafts and apart > timedelta(hours=self.apart_h):
                        first = [one for one in orders if one.drug.key == drug]
                        second = [one for one in orders if one.drug.key == other]
                        words = {"drug": names(first), "other": names(second), "hours": str(round(apart.total_seconds() / 3600))}
                        yield Remark((*first, *second), variant="ends-earlier", words=words)
                        return


@dataclass(frozen=True)
class OralStepDown:
    """An oral drug takes over that was not shown to work against this isolate."""

    drugs: Drugs
    specimens: tuple[str, ...]
    circumstances: tuple[str, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        among = (*regimen.signed, *regimen.discharge)
        oral = [order for order in regimen.of(self.drugs, among) if order.route is Route.ORAL]
        stays = bool(regimen.active_rows) and not any(order in regimen.discharge for order in oral)
        if not oral or stays or bedside.supported or not self._urinary(bedside, oral, evidence):
            return
        against = bedside.laboratory.against([order.drug.key for order in oral])
        if all(bedside.laboratory.susceptible([order.drug.key]) for order in oral):
            return
        yield Remark(tuple(oral), variant="resistant" if against else None, words={"drug": names(oral)})

    def _urinary(self, bedside: Bedside, oral: Sequence[Order], evidence: Sequence[Evidence]) -> bool:
        sampled = any(one.isolate.specimen and one.isolate.specimen.key in self.specimens for one in evidence)
        return sampled or bool(bedside.stated(oral) & set(self.circumstances))


@dataclass(frozen=True)
class DischargeList:
    """The take-home list alone lacks what makes its drugs work."""

    drugs: Drugs
    inactive: Drugs = NONE

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        home = bedside.regimen.take_home()
        legs, inactive = home.of(self.drugs), home.of(self.inactive)
        supported = any(bedside.laboratory.susceptible([order.drug.key]) for order in home.therapy if order not in self.inactive)
        if home.active_rows or supported or not (legs or inactive):
            return
        if not legs and bedside.stated(inactive) & set(bedside.policy.other_reasons):
            return
        orders = legs or inactive
        yield Remark(orders, indicator=None if legs else Indicator.WARNING, words={"drug": names(orders)})


@dataclass(frozen=True)
class Duplicate:
    """A fixed product runs together with the single drugs that it contains, for longer than a switch takes."""

    product: Drugs
    singles: Drugs
    crossover_h: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        fixed, singles = regimen.of(self.product), regimen.of(self.singles)
        doubled = [one for one in singles if any(self._meet(bedside, one, other) for other in fixed)]
        if doubled and any(order.draft for order in (*fixed, *doubled)):
            removes = tuple(order for order in doubled if order.draft)
            yield Remark((*fixed, *doubled), words={"drug": names(doubled), "product": names(fixed)}, removes=removes)

    def _meet(self, bedside: Bedside, one: Order, other: Order) -> bool:
        regimen = bedside.regimen
        begins = max(regimen.start(one), regimen.start(other))
        ends = [end for order in (one, other) if (end := regimen.end(order))]
        return not ends or min(ends) - begins > timedelta(hours=self.crossover_h)


@dataclass(frozen=True)
class DrugPair:
    """Two drugs meet that should not be given together."""

    drugs: Drugs
    beside: Drugs

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        every = (*bedside.regimen.drafts, *bedside.regimen.running)
        first, second = bedside.regimen.of(self.drugs, every), bedside.regimen.of(self.beside)
        if first and second and any(order.draft for order in (*first, *second)):
            removes = tuple(order for order in first if order.draft)
            yield Remark((*first, *second), words={"drug": names(first), "partner": names(second)}, removes=removes)


def _bare(regimen: Regimen, drugs: Drugs, protectors: Drugs) -> list[Order]:
    """The orders of these drugs that no protector covers."""
    guards = regimen.of(protectors)
    return [order for order in regimen.of(drugs) if not any(regimen.covers(guard, order) for guard in guards)]

"""The course, the patient, and what could not be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Answer, Measure, Order, Susceptibility, Unreadable
from cds_service.clinical.infection import Evidence
from cds_service.clinical.lists import CIRCUMSTANCE, Circumstance, Part, Specimen, Test
from cds_service.clinical.regimen import Drugs
from cds_service.clinical.susceptibility import Laboratory
from cds_service.finding import Indicator, Remark
from cds_service.triggers.trigger import NONE, Says, names


@dataclass(frozen=True)
class CourseTooShort:
    """A stated end makes the course shorter than this site of infection asks for."""

    SAYS: ClassVar = Says("n drug")
    days: int
    excused_days: int
    specimens: tuple[Specimen, ...] = ()
    circumstances: tuple[Circumstance, ...] = ()
    excused_by: tuple[Circumstance, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        if bedside.lately(self.excused_days) & set(self.excused_by):
            return
        for regimen in (bedside.regimen, bedside.regimen.take_home):
            drafts = [order for order in regimen.active if order.draft and not _single(order)]
            ends = _ends(bedside, drafts)
            if not ends or not self._here(bedside, drafts, evidence):
                continue
            began = bedside.therapy_began or min(order.starts or bedside.now for order in drafts)
            planned = (min(ends) - began).total_seconds() / 86400
            if planned < self.days:
                yield Remark(tuple(drafts), words={"n": f"{int(max(planned, 0))}", "drug": names(drafts)})

    def _here(self, bedside: Bedside, drafts: Sequence[Order], evidence: Sequence[Evidence]) -> bool:
        sampled = any(one.isolate.specimen and one.isolate.specimen.key in self.specimens for one in evidence)
        return sampled or bool((bedside.words | bedside.stated(drafts)) & set(self.circumstances))


@dataclass(frozen=True)
class CourseTooLong:
    """A drug has run longer than its trials, and nothing on file explains it."""

    SAYS: ClassVar = Says("n drug")
    drugs: Drugs
    days: int
    excused_by: tuple[Circumstance, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.drugs)
        hours = max((bedside.running_h(order) or 0 for order in orders), default=0)
        excused = (bedside.words | bedside.stated(orders)) & set(self.excused_by)
        if orders and not excused and hours > self.days * 24:
            yield Remark(orders, words={"n": f"{hours / 24:.0f}", "drug": names(orders)})


@dataclass(frozen=True)
class Worsening:
    """The patient worsens in the first days of therapy, and nobody has looked again.

    Signs and repeat cultures count from `from_h` hours of therapy on. A lactate above `lactate_above` (mmol/L) that rises is a
    sign, and so are a fever, a SOFA that has risen by `sofa_rise`, and a vasopressor that was started after the therapy.
    """

    SAYS: ClassVar = Says("hours sign")
    from_h: int
    to_h: int
    fever_c: Decimal
    lactate_above: Decimal
    sofa_rise: int

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        began = bedside.therapy_began
        hours = bedside.since(began)
        if began is None or hours is None or not self.from_h <= hours <= self.to_h:
            return
        settled = began + timedelta(hours=self.from_h)
        repeated = any(culture.pending or (culture.collected and culture.collected > settled) for culture in bedside.chart.cultures)
        if repeated or "culture" in bedside.chart.pending_tests:
            return
        signs = list(self._signs(bedside, began, settled))
        if not signs:
            return
        blood = any(one.isolate.specimen and one.isolate.specimen.key in bedside.policy.evidence.bloodstream for one in evidence)
        indicator = Indicator.WARNING if blood else Indicator.INFO
        words = {"hours": f"{hours:.0f}", "sign": " and ".join(signs)}
        yield Remark(bedside.regimen.active, indicator=indicator, words=words, attached=not blood)

    def _signs(self, bedside: Bedside, began: datetime, settled: datetime) -> Iterator[str]:
        pressors = bedside.vasopressors()
        new = [one for one in pressors if one.starts and one.starts > began]
        if pressors and (len(new) == len(pressors) or all(one.draft for one in pressors)):
            yield "a vasopressor was started"
        measures = bedside.chart.measures
        lactate, sofa = measures.get("lactate", ()), measures.get("sofa", ())
        if _since(lactate, settled) and len(lactate) > 1 and lactate[0].value > max(self.lactate_above, lactate[1].value):
            yield "lactate is rising"
        if _since(sofa, settled) and any(sofa[0].value - one.value >= self.sofa_rise for one in sofa[1:]):
            yield "SOFA has risen"
        if any(one.value >= self.fever_c for one in _since(measures.get("temperature", ()), settled)):
            yield "fever persists"


@dataclass(frozen=True)
class LabWatch:
    """A high daily dose has run for days, and the laboratory was not asked, or has answered badly.

    `drugs` have the daily dose; a raised result matters beside `raised_with` too. `raised` and `high` are multiples of the
    laboratory's upper limit; a result counts for `remembered_h`. `panels` hold the tests, so that an order for one asks for them.
    """

    SAYS: ClassVar = Says("drug n", variants="raised high")
    drugs: Drugs
    daily_g: Decimal
    after_h: int
    tests: tuple[Test, ...]
    within_h: int
    raised: int
    high: int
    remembered_h: int
    panels: tuple[Test, ...] = ()
    raised_with: Drugs = NONE

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.drugs)
        watched = (*orders, *bedside.regimen.of(self.raised_with))
        if not watched:
            return
        newest = [one for test in self.tests for one in bedside.chart.measures.get(test, ())[:1] if bedside.since(one.taken) is not None]
        recent = [one for one in newest if (bedside.since(one.taken) or 0) <= self.remembered_h]
        times = max((one.value / one.upper for one in recent if one.upper), default=Decimal(0))
        words = {"drug": names(watched), "n": f"{times:.1f}"}
        if times >= self.raised:
            indicator, variant = (Indicator.WARNING, "high") if times >= self.high else (Indicator.INFO, "raised")
            yield Remark(watched, indicator=indicator, variant=variant, words=words)
        elif orders and not self._looked(bedside, newest) and self._long(bedside, orders):
            yield Remark(orders, indicator=Indicator.INFO, words={**words, "drug": names(orders)})

    def _looked(self, bedside: Bedside, newest: Sequence[Measure]) -> bool:
        fresh = any((bedside.since(one.taken) or 0) <= self.within_h for one in newest)
        return fresh or bool(bedside.chart.pending_tests & {*self.tests, *self.panels})

    def _long(self, bedside: Bedside, orders: Sequence[Order]) -> bool:
        daily = [
            max((dose.grams * 24 / dose.interval_h for dose in order.doses if dose.grams and dose.interval_h), default=0)
            for order in orders
        ]
        return max(daily) >= self.daily_g and max(bedside.running_h(order) or 0 for order in orders) > self.after_h


@dataclass(frozen=True)
class Child:
    """The patient is a child: regimen logic holds, adult doses do not."""

    SAYS: ClassVar = Says("n")

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        directed = [order for order in bedside.regimen.therapy if order.drug.key in bedside.regimen.directed]
        if bedside.child and (directed or bedside.unsound):
            yield Remark(tuple(directed), words={"n": f"{bedside.years:.0f}"})


@dataclass(frozen=True)
class InCircumstance:
    """The record names a circumstance that the prescriber should weigh."""

    SAYS: ClassVar = Says("", of=CIRCUMSTANCE)
    words: tuple[Circumstance, ...]

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        directed = [order for order in bedside.regimen.therapy if order.drug.key in bedside.regimen.directed]
        named = [word for word in self.words if word in bedside.words]
        if named and (directed or bedside.unsound):
            yield Remark(tuple(directed), variant=named[0])


@dataclass(frozen=True)
class Unread:
    """An antibiotic order or a result of the mechanism was found and could not be read, or its drug is not judged here."""

    SAYS: ClassVar = Says(
        "n why enzyme collected drug agent",
        variants="result order in-words in-words-undated not-evaluated susceptibility",
        notes="result order not-evaluated susceptibility",
    )

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        proven = bool(bedside.infection.proven)
        orders = [one for one in bedside.chart.unreadable if one.kind == "order" and proven]
        results = [one for one in bedside.chart.unreadable if one.kind == "result" and _matters(bedside, one)]
        for kind, found in (("result", results), ("order", orders)):
            if found:
                first = next((one for one in found if one.markers), found[0])
                words = {"n": str(len(found)), "why": first.why, "enzyme": " and ".join(first.markers)}
                dated = {"collected": first.when.date().isoformat()} if first.when else {}
                told = ("in-words" if dated else "in-words-undated") if first.markers else kind
                yield Remark(variant=told, words={**words, **dated}, notes=(kind,))
        yield from _untold(bedside)
        unjudged = bedside.unjudged if proven and bedside.regimen.signed and not bedside.regimen.active_rows else ()
        if unjudged:
            words = {"n": str(len(unjudged)), "why": "this service does not evaluate the drug", "drug": names(unjudged)}
            yield Remark(unjudged, variant="not-evaluated", words=words, notes=("not-evaluated",))


def _matters(bedside: Bedside, told: Unreadable) -> bool:
    """A coded result of that age and place would have spoken: an old one, or one of carriage, not beside another reason."""
    windows, days = bedside.policy.windows, (bedside.since(told.when) or 0) / 24
    if not told.markers or not bedside.ordering:
        return days <= windows.remote_days
    if told.carriage or days > windows.current_days:
        drafts, others = bedside.regimen.signed, set(bedside.policy.other_reasons)
        meant = any(one.drug.key in bedside.regimen.directed and not one.reasons & others for one in drafts)
        return days <= windows.history_days and (meant or bedside.empiric(drafts))
    return True


def _untold(bedside: Bedside) -> Iterator[Remark]:
    """Unread results of what is ordered, while no other regimen that is ordered tested susceptible."""
    tests = bedside.laboratory
    told = [(orders, row.tests, _unread(tests, row.tests)) for row, orders in bedside.regimen.active_rows]
    if any(not lost and tests.susceptible(agents) for _, agents, lost in told):
        return
    for orders, _, lost in told:
        if lost:
            words = {"n": str(len(lost)), "why": lost[0].unread, "agent": bedside.reference.named(lost[0].agent), "drug": names(orders)}
            yield Remark(orders, variant="susceptibility", words=words, notes=("susceptibility",))


def _unread(tests: Laboratory, agents: Sequence[str]) -> list[Susceptibility]:
    """Results of these agents that could not be read and are of a later day than every one that was."""
    known = [one for agent in agents if (one := tests.tested(agent)) and one.answer not in {Answer.PENDING, Answer.UNSTATED}]
    days = [one.collected.date() if one.collected else date.max for one in known]
    lost = [one for of in tests.evidence for one in of.susceptibilities if one.unread and one.agent in agents]
    return [one for one in lost if all((one.collected.date() if one.collected else date.min) > day for day in days)]


@dataclass(frozen=True)
class Incomplete:
    """A part of the record could not be had, so that some checks did not run.

    `with_evidence` are the parts that matter beside proven evidence, `when_ordering` those that could have held it.
    """

    SAYS: ClassVar = Says("missing")
    when_ordering: tuple[Part, ...] = ()
    with_evidence: tuple[Part, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        ordering = bedside.ordering
        wanted = set(self.with_evidence) if bedside.infection.proven else set(self.when_ordering) if ordering else set()
        missing = sorted(wanted & bedside.chart.missing)
        if missing:
            yield Remark(words={"missing": ", ".join(bedside.named_part(key) for key in missing)})


def _ends(bedside: Bedside, drafts: Sequence[Order]) -> list[datetime]:
    """The end of the last draft of each drug; nothing for a drug of which one draft states no end."""
    courses = [[_end(bedside, one) for one in drafts if one.drug.key == drug] for drug in {one.drug.key for one in drafts}]
    return [max(end for end in ends if end) for ends in courses if all(ends)]


def _end(bedside: Bedside, order: Order) -> datetime | None:
    """The stated end of a course."""
    if order.ends:
        return order.ends
    return bedside.hours_ahead(float(order.duration_h)) if order.duration_h is not None else None


def _single(order: Order) -> bool:
    return bool(order.doses) and all(dose.once for dose in order.doses)


def _since(measures: Sequence[Measure], moment: datetime) -> list[Measure]:
    """The values of a test after a moment, newest first."""
    return [one for one in measures if one.taken and one.taken > moment]

"""One patient at one moment, seen through one condition's policy: what every trigger looks at."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from cds_service.clinical.doses import DoseTable
from cds_service.clinical.facts import Chart, Drug, Isolate, Order, Route
from cds_service.clinical.infection import Evidence, Infection, infection
from cds_service.clinical.policy import Policy
from cds_service.clinical.regimen import Regimen, regimen
from cds_service.clinical.renal import INJURY, Kidney, kidney
from cds_service.clinical.susceptibility import Breakpoint, Laboratory, cultured
from cds_service.kept import kept

# What is worked out for a bedside without a look at its orders.
OF_THE_RECORD = frozenset({"policy", "infection", "laboratory", "dual_resistant", "kidney", "words", "of_procedures", "years"})


class Reference(Struct, frozen=True):
    """The part of the knowledge that is the same for every patient of one condition."""

    policy: Policy
    sets: Mapping[str, frozenset[str]]
    drugs: Mapping[str, Drug]
    doses: DoseTable
    breakpoints: tuple[Breakpoint, ...] = ()

    def named(self, agent: str) -> str:
        """What the laboratory tested, a drug or several together, by name: "a + b"."""
        return " + ".join(self.drugs[part].name if part in self.drugs else part for part in agent.split("+"))


class Bedside(Struct, frozen=True, dict=True):
    """Chart, regimen, infection and kidney of one patient now; `hook` and `selections` say what the user is doing.

    `selections` are references of drafts that were just selected; nothing stands for all.
    """

    chart: Chart
    reference: Reference
    hook: str
    now: datetime
    selections: frozenset[str] = frozenset()
    unsound: frozenset[str] = frozenset()
    parts: Mapping[str, str] = field(default_factory=dict)

    def condemned(self, rule: str) -> "Bedside":
        """The same bedside once a rule has found the regimen unsound; what was worked out holds on, since none of it rests on that."""
        found = replace(self, unsound=self.unsound | {rule})
        found.__dict__.update(self.__dict__)
        return found

    def with_orders(self, orders: tuple[Order, ...]) -> "Bedside":
        """The same patient with other orders; what was worked out from the record alone holds on."""
        found = replace(self, chart=replace(self.chart, orders=orders))
        found.__dict__.update((name, value) for name, value in self.__dict__.items() if name in OF_THE_RECORD)
        return found

    @property
    def ordering(self) -> bool:
        """The user is ordering something; otherwise the chart is only looked at."""
        return self.hook.startswith("order-")

    @kept
    def policy(self) -> Policy:
        return self.reference.policy

    def chosen(self, order: Order) -> bool:
        """The user is ordering it in this very step."""
        return order.among(self.selections)

    @kept
    def infection(self) -> Infection:
        carrier = bool(self.words & set(self.policy.evidence.carriage_words))
        return infection(self.chart.isolates, self.policy, self.reference.sets, self.now, carrier=carrier)

    @kept
    def regimen(self) -> Regimen:
        treating = [order for order in self.chart.orders if not self.no_treatment(order)]
        return regimen(treating, self.policy.regimen, self.now)

    @kept
    def kidney(self) -> Kidney:
        """An injury that was coded long ago, and a dialysis session of last month, say nothing about today; a child has no clearance.

        Cockcroft and Gault measured adults.
        """
        rules = self.policy.renal
        past = (self.of_procedures - self.lately(rules.session_days)) | ({INJURY} - self.lately(rules.aki_days))
        found = kidney(self.chart.measures, self.years, self.chart.person.sex, self.words - past, rules, self.now)
        return replace(found, clearance=None) if self.child else found

    @kept
    def creatinine_fresh(self) -> bool:
        """The creatinine is recent enough for a dose."""
        age = self.kidney.age_h
        return age is not None and age <= self.creatinine_holds_h

    @property
    def creatinine_holds_h(self) -> Decimal:
        """For how many hours a creatinine tells the kidney function of this patient."""
        rules = self.policy.renal
        return rules.icu_stale_h if self.severe else rules.stale_h

    @kept
    def laboratory(self) -> Laboratory:
        """The susceptibilities of the isolates that arm the rules."""
        return self._tests(self.infection.proven)

    @kept
    def words(self) -> frozenset[str]:
        """The circumstances of the record, without what single orders state."""
        return frozenset(one.word for one in self.chart.circumstances)

    @kept
    def of_procedures(self) -> frozenset[str]:
        """What only procedures say: a session of dialysis is no dependence on it."""
        told = [one for one in self.chart.circumstances if one.source == "procedure"]
        return frozenset(one.word for one in told) - {one.word for one in self.chart.circumstances if one not in told}

    def lately(self, days: Decimal | int) -> frozenset[str]:
        """The circumstances that began, or were done, within so many days; an undated one counts."""
        told = ((one.word, self.since(one.since)) for one in self.chart.circumstances)
        return frozenset(word for word, hours in told if hours is None or hours <= float(days) * 24)

    @kept
    def years(self) -> float | None:
        """Age in completed years."""
        born = self.chart.person.born
        if born is None:
            return None
        today = self.now.date()
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    @property
    def child(self) -> bool:
        return self.years is not None and self.years < self.policy.renal.adult_years

    @kept
    def severe(self) -> bool:
        """Intensive care, or a vasopressor that runs or is ordered, as the policy names them."""
        return bool(self.words & set(self.policy.severe.circumstances)) or bool(self.vasopressors())

    def tests_of(self, evidence: Sequence[Evidence]) -> Laboratory:
        """The susceptibilities of some of the evidence; what arms the rules is looked at once."""
        return self.laboratory if evidence == self.infection.proven else self._tests(evidence)

    def tests_on(self, isolates: Iterable[Isolate]) -> Laboratory:
        """The susceptibilities of some isolates, whatever they carry."""
        return self._tests(cultured(one, self.infection.isolates) for one in isolates)

    def _tests(self, evidence: Iterable[Evidence]) -> Laboratory:
        return Laboratory(tuple(evidence), self.reference.breakpoints, self.policy.breakpoints)

    @kept
    def supported(self) -> tuple[Order, ...]:
        """Systemic drugs outside the active rows and the inactive set that a test supports."""
        return tuple(order for order in self.regimen.therapy if self.supports(order))

    def supports(self, order: Order) -> bool:
        """The drug tested susceptible, alone or with another of the regimen, or is one of those left where every better one is resisted."""
        rules, sets = self.policy.regimen, self.reference.sets
        key = order.drug.key
        local = order.route is Route.ORAL and key in sets.get(rules.never_by_mouth or "", frozenset())
        if local or key in sets.get(rules.inactive or "", frozenset()):
            return False
        if self.laboratory.susceptible([key, *(pair for other in self.regimen.keys for pair in (f"{key}+{other}", f"{other}+{key}"))]):
            return True
        left = self.dual_resistant and key in sets.get(rules.conditional or "", frozenset())
        return left and not self.laboratory.against([key])

    @property
    def works(self) -> bool:
        """Something in the regimen is expected to be active, or cannot be judged by this knowledge."""
        return bool(self.regimen.active_rows or self.supported or self.unjudged)

    @kept
    def unjudged(self) -> tuple[Order, ...]:
        """Drugs that may work and that this knowledge does not judge."""
        unknown = self.reference.sets.get(self.policy.regimen.unevaluated or "", frozenset())
        return tuple(order for order in self.regimen.therapy if order.drug.key in unknown)

    @kept
    def dual_resistant(self) -> bool:
        """One species of the evidence was tested against every row of the policy that has a test, and resists each."""
        rows = [row for row in self.policy.regimen.active if row.tests]
        return bool(rows) and any(all(one.against(row.tests) for row in rows) for one in self.by_species(self.infection.proven))

    def by_species(self, evidence: Iterable[Evidence]) -> list[Laboratory]:
        """The susceptibilities of each species for itself; an isolate that is not named stands alone."""
        species: dict[str, list[Evidence]] = {}
        for one in evidence:
            species.setdefault(one.isolate.organism.key if one.isolate.organism else one.isolate.sample, []).append(one)
        return [self.tests_of(some) for some in species.values()]

    def vasopressors(self) -> tuple[Order, ...]:
        """Running or drafted vasopressors, whatever else is ordered."""
        pressors = self.reference.sets.get(self.policy.severe.drugs or "", frozenset())
        return tuple(one for one in self.chart.orders if one.drug.key in pressors and self._live(one))

    def _live(self, order: Order) -> bool:
        running = order.draft or order.status == "active"
        return running and not order.ending and not (order.ends and order.ends <= self.now)

    def no_treatment(self, order: Order) -> bool:
        """Prophylaxis and test doses do not treat; a single dose of a small share of the usual one is a test dose."""
        if order.reasons & set(self.policy.not_treatment) and not order.reasons & set(self.policy.treated):
            return True
        usual = [row.grams for row in self.reference.doses.of(order.drug.key) if row.grams]
        if not usual or not order.doses:
            return False
        limit = max(usual) * self.policy.test_dose_pct / 100
        return all(dose.once and dose.grams is not None and dose.grams <= limit for dose in order.doses)

    def stated(self, orders: Iterable[Order]) -> frozenset[str]:
        """Why these orders are given: their own reasons, else the active problems of the record."""
        own = frozenset(word for order in orders for word in order.reasons)
        spoken = own or any(order.reason_text for order in orders)
        return own if spoken else self.words

    def empiric(self, orders: Iterable[Order]) -> bool:
        """The order states that a serious infection is treated before its cause is known, or a vasopressor runs."""
        return bool(self.stated(orders) & set(self.policy.empiric_reasons)) or bool(self.vasopressors())

    def running_h(self, order: Order) -> float | None:
        """For how many hours the order, or the one that it takes over, has run; None before its start."""
        old = [one for one in self.regimen.replaced if order.draft and one.drug.key == order.drug.key]
        starts = [one.starts or one.authored for one in (*old, order) if not one.draft or one.starts]
        first = min((moment for moment in starts if moment), default=None)
        hours = self.since(first)
        return hours if hours is not None and hours > 0 else None

    def other_organism(self, groups: Iterable[str]) -> bool:
        """A recent clinical isolate of one of these groups stands beside the evidence."""
        wanted = set(groups)
        return any(one.organism is not None and one.organism.group in wanted and self.recent(one) for one in self.infection.isolates)

    def sterile(self, isolate: Isolate) -> bool:
        """It grew in a specimen in which nothing grows without an infection."""
        return isolate.specimen is not None and isolate.specimen.key in self.policy.evidence.sterile

    def recent(self, isolate: Isolate, days: int | None = None) -> bool:
        """A clinical isolate within the window of current evidence, or within so many days; an undated one counts."""
        surveillance = isolate.screening or (isolate.specimen is not None and isolate.specimen.surveillance)
        age = self.since(isolate.collected or isolate.reported)
        return not surveillance and (age is None or age <= (self.policy.windows.current_days if days is None else days) * 24)

    def recently_susceptible(self, agents: Iterable[str], days: int) -> bool:
        """One of these agents tested susceptible within so many days."""
        found = self.laboratory.susceptible(agents)
        hours = self.since(found.collected) if found else None
        return found is not None and (hours is None or hours <= float(days) * 24)

    def since(self, moment: datetime | None) -> float | None:
        """Completed tenths of an hour between a moment and now: a few minutes between two clocks decide nothing."""
        return (self.now - moment).total_seconds() // 360 / 10 if moment else None

    @kept
    def therapy_began(self) -> datetime | None:
        """When the first running order of the regimen that works now, or of what it replaces, was started; other drugs do not count."""
        known = [one for one in (*self.regimen.active, *self.regimen.replaced) if not one.draft and one.drug.key in self.regimen.directed]
        return min((one.starts for one in known if one.starts and one.starts <= self.now), default=None)

    def named_part(self, key: str) -> str:
        """A part of the record in human words."""
        return self.parts.get(key, key)

    def hours_ahead(self, hours: float) -> datetime:
        return self.now + timedelta(hours=hours)

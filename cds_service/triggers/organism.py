"""Which species carries it, and what the laboratory tested."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from cds_service.clinical import lists
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Answer, Order
from cds_service.clinical.figures import figure
from cds_service.clinical.infection import Evidence, State
from cds_service.clinical.lists import GROUP, Agent, Drug, Group, Species
from cds_service.clinical.regimen import Drugs
from cds_service.clinical.susceptibility import Laboratory, Tested
from cds_service.finding import Indicator, Remark
from cds_service.triggers.trigger import NONE, Says, names


@dataclass(frozen=True)
class ResistantToOrdered:
    """One species was tested and found not susceptible to all that is ordered against it, in hospital or on the discharge list."""

    SAYS: ClassVar = Says("drug agent answer mic limit", variants="by-breakpoint")

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        for regimen in (bedside.regimen, bedside.regimen.take_home):
            for tests in bedside.by_species(evidence):
                found = [(orders, tests.against(row.tests)) for row, orders in regimen.active_rows]
                failing = [(orders, tested) for orders, tested in found if tested]
                if failing and len(failing) == len(found):
                    yield self._remark(bedside, failing)

    def _remark(self, bedside: Bedside, failing: Sequence[tuple[tuple[Order, ...], Tested]]) -> Remark:
        orders = tuple(dict.fromkeys(order for some, _ in failing for order in some))
        first, tested = failing[0]
        words = {"drug": names(first), "agent": bedside.reference.named(tested.agent), "answer": tested.answer.spoken, **_number(tested)}
        removes = tuple(order for order in orders if order.draft)
        return Remark(orders, variant="by-breakpoint" if tested.by_breakpoint else None, words=words, removes=removes)


@dataclass(frozen=True)
class ResistantToAll:
    """Every regimen that is expected to work was tested and found wanting."""

    SAYS: ClassVar = Says("drugs")

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        if bedside.dual_resistant:
            yield Remark(bedside.regimen.therapy, words={"drugs": names(bedside.regimen.therapy) if bedside.regimen.therapy else "none"})


@dataclass(frozen=True)
class Outmatched:
    """A regimen relies on drugs to which another is preferred for this species."""

    SAYS: ClassVar = Says("drug", variants="suspected")
    relied: Drugs
    preferred: Drugs
    not_if_organism: tuple[Group, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.relied)
        tests = bedside.tests_of(evidence)
        shared = bedside.infection.of([State.CURRENT], self.not_if_organism)
        enough = [one for one in bedside.regimen.therapy if one not in orders and tests.susceptible([one.drug.key])]
        if not orders or shared or enough or bedside.regimen.of(self.preferred) or tests.against(self.preferred.keys):
            return
        suspected = all(one.state is State.SUSPECTED for one in evidence)
        yield Remark(orders, variant="suspected" if suspected else None, words={"drug": names(orders)})


@dataclass(frozen=True)
class Powerless:
    """A regimen relies on drugs that this species resists by nature, and no drug beside them is expected to work.

    A drug of `expected` excuses it unless a test speaks against it, one of `rescued_by` only by its test; beside `lesser` one that was
    not tested counts. Drugs of `without_susceptible` have no such category: intermediate, or an MIC up to `best_mic` mg/L, is their best.
    """

    SAYS: ClassVar = Says("drug beside", variants="lesser", notes="lesser by-nature untested")
    drugs: Drugs
    lesser: Drugs = NONE
    expected: Drugs = NONE
    rescued_by: Drugs = NONE
    without_susceptible: Drugs = NONE
    best_mic: Decimal | None = None

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen, tests = bedside.regimen, bedside.tests_of(evidence)
        orders, lesser = regimen.of(self.drugs), regimen.of(self.lesser)
        beside = [*regimen.of(self.expected), *regimen.of(self.rescued_by)]
        untested = [one for one in beside if not tests.decided([one.drug.key]) and tests.highest_mic(one.drug.key) is None]
        if not (orders or lesser) or any(self._helps(one, tests) for one in beside) or (lesser and untested):
            return
        words = {"drug": names(lesser or orders), "beside": names(untested) if untested else "none"}
        if lesser:
            yield Remark(lesser, indicator=Indicator.WARNING, variant="lesser", words=words, notes=("lesser",))
        else:
            yield Remark(orders, words=words, notes=("by-nature", *(["untested"] if untested else [])))

    def _helps(self, order: Order, tests: Laboratory) -> bool:
        tested, mic = tests.tested(order.drug.key), tests.highest_mic(order.drug.key)
        answer = tested.answer if tested else None
        if order in self.expected:
            return not (tested and tested.against)
        if order not in self.without_susceptible:
            return answer is Answer.SUSCEPTIBLE
        low = mic is not None and self.best_mic is not None and mic <= self.best_mic
        return answer in {Answer.SUSCEPTIBLE, Answer.INTERMEDIATE} or (low and not (tested and tested.against))


@dataclass(frozen=True)
class SoleAgent:
    """A species is treated with one drug that needs a partner; no proof of the mechanism is asked for.

    A drug of `enough` is, unless this species tested resistant to it.
    """

    SAYS: ClassVar = Says("drug partner organism", variants="in-vitro-pair")
    organism: Group
    drugs: Drugs
    enough: Drugs
    pairs: tuple[tuple[Drug, ...], ...] = ()
    in_vitro: Drugs = NONE

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        recent = [one for one in bedside.infection.isolates if bedside.recent(one)]
        isolates = [one for one in recent if one.organism and one.organism.group == self.organism]
        orders = regimen.of(self.drugs)
        keys = {order.drug.key for order in orders}
        if not isolates or not orders or any(keys >= set(pair) for pair in self.pairs):
            return
        tests = bedside.tests_on(isolates)
        if any(not tests.against([one.drug.key]) for one in regimen.of(self.enough)):
            return
        if set(bedside.policy.evidence.carriage_words) & (bedside.words | bedside.stated(orders)):
            return
        partners = regimen.of(self.in_vitro)
        words = {"drug": names(orders), "partner": names(partners), "organism": isolates[0].organism.name if isolates[0].organism else ""}
        if partners:
            yield Remark((*orders, *partners), tuple(isolates), Indicator.INFO, "in-vitro-pair", words)
        else:
            yield Remark(orders, tuple(isolates), words=words)


@dataclass(frozen=True)
class Untested:
    """The susceptibilities that would decide are neither on file nor under way."""

    SAYS: ClassVar = Says("organism")
    agents: tuple[Agent, ...]
    after_h: int
    organism_key: Species | None = None

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        for one in evidence:
            organism = one.isolate.organism
            if self.organism_key and (organism is None or organism.key != self.organism_key):
                continue
            known = bedside.tests_of([one]).known(self.agents) or "susceptibility" in bedside.chart.pending_tests
            if not known and (one.days is None or one.days * 24 >= self.after_h):
                yield Remark(isolates=(one.isolate,), words={"organism": organism.name if organism else "isolate"})
                return


@dataclass(frozen=True)
class EvidenceOnFile:
    """The chart holds evidence that matters to whoever opens it, although nothing is ordered."""

    SAYS: ClassVar = Says("n")
    state: lists.State
    remote_too: bool = False

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        found = [one for one in bedside.infection.of([self.state]) if bedside.infection.state is not State.CURRENT]
        if not found and self.remote_too and bedside.infection.state is State.REMOTE:
            limit = bedside.policy.windows.remote_days
            found = [one for one in bedside.infection.of([State.REMOTE]) if one.days is not None and one.days <= limit]
        if found:
            days = found[0].days
            yield Remark(isolates=(found[0].isolate,), words={"n": f"{days:.0f}" if days is not None else "an unknown number of"})


CONFLICTS = "preliminary later-negative gene-against-phenotype"


@dataclass(frozen=True)
class ConflictingResults:
    """Two results about one isolate do not agree, or the deciding one is preliminary."""

    SAYS: ClassVar = Says("marker enzyme", variants=CONFLICTS, notes=CONFLICTS)

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        states = {State.CURRENT, State.HISTORY, State.COLONISED}
        proven = {isolate for one in bedside.infection.of(states) for isolate in (one.isolate,)}
        for conflict in bedside.infection.conflicts:
            if conflict.isolate in proven or any(conflict.isolate.sample == isolate.sample for isolate in proven):
                words = {"marker": conflict.marker, "enzyme": conflict.marker}
                yield Remark(isolates=(conflict.isolate,), variant=conflict.kind, words=words, notes=(conflict.kind,))
                return


@dataclass(frozen=True)
class SuspectedByPattern:
    """The susceptibilities suggest the mechanism, and nobody has looked for the gene."""

    SAYS: ClassVar = Says("organism", of=GROUP)

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        found = bedside.infection.of([State.SUSPECTED])
        if found and not bedside.infection.current:
            organism = found[0].isolate.organism
            words = {"organism": organism.name if organism else "isolate"}
            yield Remark(isolates=(found[0].isolate,), variant=found[0].group, words=words, notes=(found[0].group,))


def _number(tested: Tested) -> dict[str, str]:
    mic = f"{figure(tested.mic)} mg/L" if tested.mic is not None else "no MIC given"
    return {"mic": mic, "limit": f"{figure(tested.limit)} mg/L" if tested.limit is not None else "none"}

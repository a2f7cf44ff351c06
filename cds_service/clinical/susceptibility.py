"""What the laboratory tested on the isolates that matter, read with the site's breakpoints where only a number was given."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from cds_service.clinical.facts import Answer, Isolate, Susceptibility
from cds_service.clinical.infection import Evidence, State, same_isolate
from cds_service.kept import kept

AGAINST = {Answer.RESISTANT, Answer.NON_SUSCEPTIBLE, Answer.INTERMEDIATE}


class Breakpoint(Struct, frozen=True):
    """The highest MIC (mg/L) that counts as susceptible; None where the standard has none. The last two say where it was read."""

    agent: str
    organism: str
    standard: str
    susceptible_max: Decimal | None
    evidence: tuple[str, ...] = ()
    source_says: str = ""


class Tested(Struct, frozen=True):
    """The verdict on one agent; `by_breakpoint` says that the number was read by us, not by the laboratory."""

    agent: str
    answer: Answer
    mic: Decimal | None
    reference: str
    collected: datetime | None = None
    limit: Decimal | None = None
    by_breakpoint: bool = False

    @property
    def against(self) -> bool:
        return self.answer in AGAINST


class Laboratory(Struct, frozen=True, dict=True):
    """The susceptibility results of the evidence at hand."""

    evidence: tuple[Evidence, ...]
    breakpoints: tuple[Breakpoint, ...]
    standard: str

    def tested(self, agent: str) -> Tested | None:
        """The newest result of every species and site; a resistant one outweighs a susceptible one, any result a pending one."""
        if agent not in self._agents:
            return None
        results: dict[tuple[str, str], Tested] = {}
        for one in self.evidence:
            found, place = self._newest(one, agent), _place(one)
            if found and (place not in results or _supersedes(found, results[place])):
                results[place] = found
        return min(results.values(), key=_weight, default=None)

    @kept
    def _agents(self) -> frozenset[str]:
        return frozenset(result.agent for one in self.evidence for result in one.susceptibilities)

    def susceptible(self, agents: Iterable[str]) -> Tested | None:
        """The first of the agents that tested susceptible and on no isolate resistant."""
        return self._first(agents, lambda one: one.answer is Answer.SUSCEPTIBLE)

    def against(self, agents: Iterable[str]) -> Tested | None:
        return self._first(agents, lambda one: one.against)

    def known(self, agents: Iterable[str]) -> bool:
        """A result is on file or under way."""
        return any(self.tested(agent) for agent in agents)

    def decided(self, agents: Iterable[str]) -> bool:
        """A result is on file."""
        return self._first(agents, lambda one: one.answer is not Answer.PENDING) is not None

    def highest_mic(self, agent: str) -> Decimal | None:
        """The highest MIC (mg/L) of all these isolates, also where no standard reads it; None where no number was given."""
        return max((one.mic for some in self.evidence for one in some.susceptibilities if one.agent == agent and one.mic), default=None)

    def _first(self, agents: Iterable[str], test: Callable[[Tested], bool]) -> Tested | None:
        for agent in agents:
            one = self.tested(agent)
            if one and test(one):
                return one
        return None

    def _newest(self, evidence: Evidence, agent: str) -> Tested | None:
        results = [one for one in evidence.susceptibilities if one.agent == agent]
        readable = [self._read(one, evidence) for one in sorted(results, key=_moment, reverse=True)]
        decided = [one for one in readable if one.answer not in {Answer.PENDING, Answer.UNSTATED}]
        return next(iter(decided), None) or next((one for one in readable if one.answer is Answer.PENDING), None)

    def _read(self, result: Susceptibility, evidence: Evidence) -> Tested:
        if result.answer is not Answer.UNSTATED or result.mic is None:
            return Tested(result.agent, result.answer, result.mic, result.reference, result.collected)
        limit = self._limit(result.agent, evidence)
        if limit is None:
            return Tested(result.agent, Answer.UNSTATED, result.mic, result.reference, result.collected)
        answer = Answer.SUSCEPTIBLE if result.mic <= limit else Answer.NON_SUSCEPTIBLE
        return Tested(result.agent, answer, result.mic, result.reference, result.collected, limit, by_breakpoint=True)

    def _limit(self, agent: str, evidence: Evidence) -> Decimal | None:
        organism = evidence.isolate.organism
        names = [organism.key, organism.group] if organism else [evidence.group]
        rows = [row for row in self.breakpoints if row.agent == agent and row.standard == self.standard]
        return next((row.susceptible_max for name in names for row in rows if row.organism == name), None)


def cultured(isolate: Isolate, isolates: Iterable[Isolate]) -> Evidence:
    """An isolate with all that was tested on it, whatever it carries."""
    tested = tuple(one for kin in isolates if same_isolate(isolate, kin) for one in kin.susceptibilities)
    group = isolate.organism.group if isolate.organism else ""
    return Evidence(isolate, State.CURRENT, (), False, (), group, False, None, tested)


def _place(evidence: Evidence) -> tuple[str, str]:
    """Species and specimen: a later isolate of both supersedes an earlier one; an isolate that lacks one stands for itself."""
    isolate = evidence.isolate
    if isolate.organism is None or isolate.specimen is None:
        return isolate.sample, isolate.organism.key if isolate.organism else ""
    return isolate.organism.key, isolate.specimen.key


def _supersedes(found: Tested, other: Tested) -> bool:
    """A decided result supersedes an undecided one, then the newer one counts; on the same day the resistant one."""
    if _decided(found) != _decided(other):
        return _decided(found)
    days = [one.collected.date() if one.collected else date.min for one in (found, other)]
    return _weight(found) < _weight(other) if days[0] == days[1] else days[0] > days[1]


def _decided(tested: Tested) -> bool:
    return tested.answer not in {Answer.PENDING, Answer.UNSTATED}


def _weight(tested: Tested) -> int:
    return 0 if tested.against else 1 if tested.answer is Answer.SUSCEPTIBLE else 2


def _moment(result: Susceptibility) -> float:
    return result.collected.timestamp() if result.collected else 0.0

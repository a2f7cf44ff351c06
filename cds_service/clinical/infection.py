"""Whether the record proves the mechanism, how recently, and in what."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from cds_service.clinical.facts import Answer, Detection, Isolate, Susceptibility
from cds_service.clinical.policy import Policy, Suspect
from cds_service.kept import kept


class State(StrEnum):
    """How strong the evidence is, strongest first."""

    CURRENT = "current"
    HISTORY = "history"
    COLONISED = "colonised"
    SUSPECTED = "suspected"
    REMOTE = "remote"


RANKS = {state: rank for rank, state in enumerate(State)}  # the strongest first
UNTOLD = {"unspecified-gram-negative", "unknown"}
USABLE = {"final", "corrected", "amended", "preliminary"}


class Evidence(Struct, frozen=True):
    """One isolate that carries the mechanism: its enzymes by name, its state, its age in days (None when undated)."""

    isolate: Isolate
    state: State
    enzymes: tuple[str, ...]
    typed: bool
    companions: tuple[str, ...]
    group: str
    preliminary: bool
    days: float | None
    susceptibilities: tuple[Susceptibility, ...]

    @property
    def when(self) -> datetime | None:
        return self.isolate.collected or self.isolate.reported


class Conflict(Struct, frozen=True):
    """Two results about one isolate that do not agree; `kind` names the variant of the wording."""

    kind: str
    isolate: Isolate
    marker: str


class Infection(Struct, frozen=True, dict=True):
    """All evidence of the mechanism, strongest and newest first, with what contradicts it."""

    evidence: tuple[Evidence, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    isolates: tuple[Isolate, ...] = ()

    @property
    def state(self) -> State | None:
        return self.evidence[0].state if self.evidence else None

    @kept
    def current(self) -> tuple[Evidence, ...]:
        return self.of([State.CURRENT])

    @kept
    def proven(self) -> tuple[Evidence, ...]:
        """The evidence that arms rules: current, else history and carriage."""
        return self.current or self.of([State.HISTORY, State.COLONISED])

    @kept
    def _found(self) -> dict[tuple[tuple[State, ...], tuple[str, ...]], tuple[Evidence, ...]]:
        return {}

    def strongest(self, states: tuple[State, ...], groups: tuple[str, ...]) -> tuple[Evidence, ...]:
        """The evidence of the first of these states that has any in these groups; many rules ask alike, so it is looked for once."""
        found = self._found.get((states, groups))
        if found is None:
            found = self._found[states, groups] = next((one for state in states if (one := self.of((state,), groups))), ())
        return found

    def of(self, states: Collection[str], groups: Collection[str] = ()) -> tuple[Evidence, ...]:
        """The evidence in one of these states, in one of these groups of organisms where some are named."""
        return tuple(one for one in self.evidence if one.state in states and (not groups or one.group in groups)) if self.evidence else ()


def infection(
    isolates: Sequence[Isolate], policy: Policy, sets: Mapping[str, frozenset[str]], now: datetime, *, carrier: bool = False
) -> Infection:
    """Weighs every isolate; the newest result of one isolate wins, and a negative elsewhere erases nothing.

    `carrier` says that the record calls it carriage.
    """
    usable = [isolate for isolate in isolates if isolate.status in USABLE]
    found: list[Evidence] = []
    conflicts: list[Conflict] = []
    for isolate in usable:
        kin = [other for other in usable if same_isolate(isolate, other)]
        verdicts = _newest(kin)
        one = _weigh(isolate, kin, verdicts, policy, now) or _suspect(isolate, kin, policy, sets, now)
        if one:
            found.append(one)
        conflicts += _conflicts(isolate, verdicts, policy, now)
    kept = _cleared([_carried(one, policy) if carrier else one for one in _without_twins(found)], usable, policy)
    kept.sort(key=lambda one: (RANKS[one.state], one.days if one.days is not None else 0.0))
    return Infection(tuple(kept), tuple(conflicts), tuple(usable))


def same_isolate(one: Isolate, other: Isolate) -> bool:
    """Two results speak of one organism of one sample, as far as they name it."""
    if one.sample != other.sample:
        return False
    return one.organism is None or other.organism is None or one.organism.key == other.organism.key


def _newest(kin: Sequence[Isolate]) -> dict[str, Detection]:
    """The latest word on each marker of one isolate; at the same moment a positive counts, since the miss is worse."""
    latest: dict[str, Detection] = {}
    for isolate in kin:
        for detection in isolate.detections:
            rival = latest.get(detection.marker)
            if rival is None or _outweighs(detection, rival):
                latest[detection.marker] = detection
    return latest


def _outweighs(one: Detection, other: Detection) -> bool:
    """The later word counts, but a preliminary negative takes nothing back."""
    if _hints(one) and other.found and other.status != "preliminary":
        return False
    if _hints(other) and one.found and one.status != "preliminary":
        return True
    return _rank(one) > _rank(other)


def _hints(detection: Detection) -> bool:
    return not detection.found and detection.status == "preliminary"


def _rank(detection: Detection) -> tuple[float, bool, bool]:
    moment = detection.reported or detection.collected
    return (moment.timestamp() if moment else 0.0, detection.status in {"corrected", "amended"}, detection.found)


def _weigh(isolate: Isolate, kin: Sequence[Isolate], verdicts: dict[str, Detection], policy: Policy, now: datetime) -> Evidence | None:
    """The evidence in one isolate; an organism beside a marker that belongs to none of several carries nothing."""
    rules = policy.evidence
    if isolate.organism and not isolate.detections:
        return None
    enzymes = [gene for gene in rules.genes if gene in verdicts and verdicts[gene].found]
    rows = [row for row in rules.phenotypes if all(marker in verdicts and verdicts[marker].found for marker in row)]
    if not enzymes and not rows:
        return None
    group = _group(isolate, kin, policy)
    proof = [verdicts[gene] for gene in enzymes] or [verdicts[marker] for marker in rows[0]]
    days = _days(isolate, now)
    state = _state(isolate, days, policy)
    if not enzymes and rules.phenotype_organism and group not in rules.phenotype_organism:
        state = State.SUSPECTED
    return Evidence(
        isolate=_named(isolate, kin),
        state=state,
        enzymes=tuple(enzymes) or (rules.phenotype_name,),
        typed=bool(enzymes),
        companions=tuple(marker for marker in rules.companions if marker in verdicts and verdicts[marker].found),
        group=group,
        preliminary=all(detection.status == "preliminary" for detection in proof),
        days=days,
        susceptibilities=_susceptibilities([one for one in kin if one.organism is None or one.organism.group == group]),
    )


def _named(isolate: Isolate, kin: Sequence[Isolate]) -> Isolate:
    """The isolate itself, or its twin of the same sample that names the organism."""
    if isolate.organism:
        return isolate
    return next((other for other in kin if other.organism and other.detections), isolate)


def _group(isolate: Isolate, kin: Sequence[Isolate], policy: Policy) -> str:
    """The organism's group; where no one organism can be told, the group that the policy assumes."""
    assumed = policy.evidence.unknown_organism or "unknown"
    own = isolate.organism.group if isolate.organism else None
    impossible = {*policy.evidence.not_carriers, *UNTOLD}
    if own and own not in impossible:
        return own
    beside = {other.organism.group for other in kin if other.organism} - impossible
    return beside.pop() if len(beside) == 1 else assumed


def _days(isolate: Isolate, now: datetime) -> float | None:
    """Age in completed hundredths of a day: a quarter of an hour between two clocks decides nothing."""
    moment = isolate.collected or isolate.reported
    return (now - moment).total_seconds() // 864 / 100 if moment else None


def _state(isolate: Isolate, days: float | None, policy: Policy) -> State:
    """By elapsed time; an undated result counts as current, since the miss is worse."""
    surveillance = isolate.screening or (isolate.specimen is not None and isolate.specimen.surveillance)
    age = days if days is not None else 0.0
    if age > policy.windows.history_days:
        return State.REMOTE
    if surveillance:
        return State.COLONISED
    return State.CURRENT if age <= policy.windows.current_days else State.HISTORY


def _susceptibilities(kin: Sequence[Isolate]) -> tuple[Susceptibility, ...]:
    return tuple(one for isolate in kin for one in isolate.susceptibilities)


def _suspect(
    isolate: Isolate, kin: Sequence[Isolate], policy: Policy, sets: Mapping[str, frozenset[str]], now: datetime
) -> Evidence | None:
    """A resistance pattern without any genotype suggests the mechanism; it never arms a regimen rule."""
    genes, companions = set(policy.evidence.genes), set(policy.evidence.companions)
    looked_for = [detection for other in kin for detection in other.detections]
    if any(one.marker in genes or (one.found and one.marker in companions) for one in looked_for):
        return None
    days = _days(isolate, now)
    if isolate.organism is None or _state(isolate, days, policy) is not State.CURRENT:
        return None
    results = _susceptibilities(kin)
    for pattern in policy.evidence.suspect:
        if isolate.organism.group in pattern.organism and _resists(results, pattern, sets):
            name = policy.evidence.phenotype_name
            return Evidence(isolate, State.SUSPECTED, (name,), False, (), isolate.organism.group, False, days, results)
    return None


def _resists(results: Sequence[Susceptibility], pattern: Suspect, sets: Mapping[str, frozenset[str]]) -> bool:
    resistant = {one.agent for one in results if one.answer in {Answer.RESISTANT, Answer.NON_SUSCEPTIBLE}}
    return all(resistant & sets.get(wanted, frozenset({wanted})) for wanted in pattern.resistant_to)


def _without_twins(found: Sequence[Evidence]) -> list[Evidence]:
    """One piece of evidence for each organism of a sample; the one with its own detections stands for it."""
    kept: dict[tuple[str, str], Evidence] = {}
    for one in found:
        key = (one.isolate.sample, one.isolate.organism.key if one.isolate.organism else "")
        if key not in kept or len(one.isolate.detections) > len(kept[key].isolate.detections):
            kept[key] = one
    return list(kept.values())


def _carried(one: Evidence, policy: Policy) -> Evidence:
    """What the record calls carriage is no infection, except where nothing should grow."""
    specimen = one.isolate.specimen
    if one.state is State.CURRENT and specimen and specimen.key not in policy.evidence.sterile:
        return replace(one, state=State.COLONISED)
    return one


def _cleared(found: Sequence[Evidence], isolates: Sequence[Isolate], policy: Policy) -> list[Evidence]:
    """A carrier with enough later negative screens has a history, no longer a colonisation."""
    cleared = {id(one) for one in found if one.state is State.COLONISED and _screens_clear(one, isolates, policy)}
    return [replace(one, state=State.HISTORY) if id(one) in cleared else one for one in found]


def _screens_clear(one: Evidence, isolates: Sequence[Isolate], policy: Policy) -> bool:
    genes = set(one.enzymes) & set(policy.evidence.genes)
    moments = sorted(
        isolate.collected
        for isolate in isolates
        if isolate.collected
        and one.when
        and isolate.collected > one.when
        and (isolate.screening or (isolate.specimen is not None and isolate.specimen.surveillance))
        and genes
        and genes <= {detection.marker for detection in isolate.detections if not detection.found}
    )
    apart = timedelta(days=policy.clearance.days_apart)
    return len(moments) >= policy.clearance.negative_screens and moments[-1] - moments[0] >= apart


def _conflicts(isolate: Isolate, verdicts: dict[str, Detection], policy: Policy, now: datetime) -> Iterable[Conflict]:
    """What disagrees within one isolate: a later negative, a positive gene without phenotype, a preliminary positive."""
    rules = policy.evidence
    days = _days(isolate, now)
    if days is not None and days > policy.windows.history_days:
        return
    own = {detection.marker for detection in isolate.detections if detection.found}
    for gene in rules.genes:
        verdict = verdicts.get(gene)
        if verdict is None:
            continue
        if not verdict.found and gene in own:
            yield Conflict("later-negative", isolate, gene)
        elif verdict.found and gene in own:
            first = [row[0] for row in rules.phenotypes]
            if any(marker in verdicts and not verdicts[marker].found for marker in first):
                yield Conflict("gene-against-phenotype", isolate, gene)
            elif verdict.status == "preliminary":
                yield Conflict("preliminary", isolate, gene)

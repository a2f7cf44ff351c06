"""Which results belong to one isolate: links first, then the specimen, then the report, never two organisms."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from cds_service.clinical.facts import Isolate
from cds_service.fhir.observations import Reading

RANK = ("final", "corrected", "amended", "preliminary", "registered")


class Bench(Struct, frozen=True):
    """All readings of one chart with what ties them together; readings are named by their place."""

    readings: Sequence[Reading]
    neighbours: Mapping[int, Sequence[int]]
    organisms: frozenset[int]
    reports: Mapping[str, int]

    def owner(self, place: int) -> int | None:
        """The one organism that a marker or a susceptibility belongs to, or None."""
        linked = self._linked(place)
        if linked:
            return self._only(linked)
        sample = self.readings[place].sample.key
        mates = [one for one in self.organisms if sample and self.readings[one].sample.key == sample]
        return self._only(mates) if mates else self._only(self._reported(place))

    def _linked(self, place: int) -> list[int]:
        """The nearest organisms along links; the way never leads through an organism."""
        seen, queue, depth = {place}, deque([(place, 0)]), 0
        found: list[int] = []
        while queue:
            here, steps = queue.popleft()
            if found and steps >= depth:
                break
            for near in self.neighbours.get(here, ()):
                if near in seen:
                    continue
                seen.add(near)
                if near in self.organisms:
                    found.append(near)
                    depth = steps + 1
                else:
                    queue.append((near, steps + 1))
        return found

    def _reported(self, place: int) -> list[int]:
        """Organisms of the same report, unless their specimen is another."""
        mine = self.readings[place]
        report = self.reports.get(mine.reference)
        if report is None:
            return []
        keys = {"", mine.sample.key} if mine.sample.key else None
        mates = (one for one in self.organisms if self.reports.get(self.readings[one].reference) == report)
        return [one for one in mates if keys is None or self.readings[one].sample.key in keys]

    def _only(self, places: Sequence[int]) -> int | None:
        """The newest of several readings of one organism; None for two organisms."""
        named = {self._species(one) for one in places}
        return max(places, key=lambda one: _age(self.readings[one]), default=None) if len(named) == 1 else None

    def _species(self, place: int) -> str:
        organism = self.readings[place].organism
        return organism.key if organism else self.readings[place].organism_text.casefold()

    def cluster(self, place: int) -> str:
        """What a result without an organism is grouped by: its specimen, its report, or its links."""
        reading = self.readings[place]
        if reading.sample.key:
            return reading.sample.key
        report = self.reports.get(reading.reference)
        return f"report {report}" if report is not None else f"links {min(self._reach(place))}"

    def _reach(self, place: int) -> set[int]:
        seen, queue = {place}, [place]
        while queue:
            fresh = [near for near in self.neighbours.get(queue.pop(), ()) if near not in seen and near not in self.organisms]
            seen.update(fresh)
            queue += fresh
        return seen


def group(readings: Sequence[Reading], reports: Mapping[str, int]) -> tuple[Isolate, ...]:
    """The isolates of a chart; `reports` gives the number of the report that a result stands in."""
    bench = _bench(readings, reports)
    readings = bench.readings
    groups: dict[int | str, list[int]] = {place: [place] for place in sorted(bench.organisms)}
    for place, reading in enumerate(readings):
        if place in bench.organisms or not (reading.detections or reading.susceptibilities):
            continue
        owner = bench.owner(place)
        groups.setdefault(bench.cluster(place) if owner is None else owner, []).append(place)
    return tuple(_isolate([readings[place] for place in places]) for places in groups.values())


def _bench(readings: Sequence[Reading], reports: Mapping[str, int]) -> Bench:
    places = {reading.reference: place for place, reading in enumerate(readings) if reading.reference}
    neighbours: dict[int, list[int]] = {}
    for place, reading in enumerate(readings):
        for other in [places[name] for name in reading.links if name in places]:
            neighbours.setdefault(place, []).append(other)
            neighbours.setdefault(other, []).append(place)
    organisms = frozenset([place for place, one in enumerate(readings) if one.organism or one.organism_text])
    return Bench(_inherited(readings, neighbours), neighbours, organisms, reports)


def _inherited(readings: Sequence[Reading], neighbours: Mapping[int, Sequence[int]]) -> list[Reading]:
    """A result without a specimen takes over the one, and the purpose, of what it is linked with; of two it takes none."""
    found = []
    for place, reading in enumerate(readings):
        if reading.sample.specimen or place not in neighbours:
            found.append(reading)
            continue
        kin = [readings[near] for near in _kin(place, neighbours)]
        samples = {one.sample.key: one.sample for one in kin if one.sample.specimen}
        sample = next(iter(samples.values())) if len(samples) == 1 else reading.sample
        found.append(replace(reading, sample=sample, screening=reading.screening or any(one.screening for one in kin)))
    return found


def _kin(place: int, neighbours: Mapping[int, Sequence[int]]) -> set[int]:
    """Everything that links lead to."""
    seen, queue = {place}, [place]
    while queue:
        fresh = [near for near in neighbours.get(queue.pop(), ()) if near not in seen]
        seen.update(fresh)
        queue += fresh
    return seen - {place}


def _isolate(members: Sequence[Reading]) -> Isolate:
    """The group as one isolate; the reading with the organism comes first and speaks first."""
    first = members[0]
    sampled = next((one.sample for one in members if one.sample.specimen), first.sample)
    key = next((one.sample.key for one in members if one.sample.key), "")
    proofs = [one for one in members if one.detections] or members
    return Isolate(
        sample=key or first.reference or f"unnamed {id(first)}",
        references=tuple(one.reference for one in members if one.reference),
        organism=first.organism,
        organism_text=first.organism_text,
        specimen=sampled.specimen,
        specimen_text=sampled.text or next((one.sample.text for one in members if one.sample.text), ""),
        screening=any(one.screening for one in members),
        collected=first.collected or min((one.collected for one in proofs if one.collected), default=None),
        reported=max((one.reported for one in proofs if one.reported), default=None),
        status=min((one.status for one in members), key=lambda one: RANK.index(one) if one in RANK else len(RANK)),
        detections=tuple(one for member in members for one in member.detections),
        susceptibilities=tuple(one for member in members for one in member.susceptibilities),
    )


def _age(reading: Reading) -> float:
    moment: datetime | None = reading.reported or reading.collected
    return moment.timestamp() if moment else 0.0

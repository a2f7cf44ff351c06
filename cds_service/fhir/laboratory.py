"""All Observations of a chart as isolates, cultures, measures and pending tests, and those that could not be read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Raw, Struct
from msgspec.structs import replace

from cds_service.clinical.facts import Culture, Measure, Unreadable
from cds_service.fhir import words
from cds_service.fhir.meanings import Meanings
from cds_service.fhir.observations import PENDING, Context, Reading, observe
from cds_service.fhir.reports import Reports, Witness
from cds_service.fhir.resources import Concept, Condition, Observation, elements, read, string
from cds_service.fhir.specimens import NO_SAMPLE, Sample, Specimens
from cds_service.fhir.times import begins, moment

IGNORED = {"cancelled", "entered-in-error"}
TRUSTED = {"final", "corrected", "amended", "preliminary", PENDING}
UNSURE = "preliminary"
FUTURE = "it is dated in the future"
MALFORMED = "it is not a valid FHIR resource"
TELLING = {"Observation", "DiagnosticReport", "Condition", ""}
SPOKEN = {"code", "valueCodeableConcept", "valueString", "component", "note", "conclusion", "conclusionCode"}


class Laboratory(Struct, frozen=True):
    """What readings need besides the Observation itself; `screens` are requests that ask for surveillance."""

    meanings: Meanings
    specimens: Specimens
    reports: Reports
    screens: frozenset[str]
    latest: datetime

    def readings(self, found: Iterable[Observation]) -> Iterator[Reading]:
        """Every usable Observation; one whose status is not stated counts as preliminary."""
        for one in found:
            if one.status not in IGNORED:
                yield self._reading(one)

    def _reading(self, found: Observation) -> Reading:
        name = f"Observation/{found.id}" if found.id else ""
        report = self.reports.of(name)
        taken = moment(found.effectiveDateTime) or moment(found.effectiveInstant) or begins(found.effectivePeriod)
        sample = self.specimens.of(found.specimen, found.contained, taken) if found.specimen else report.sample if report else NO_SAMPLE
        issued = moment(found.issued) or (report.reported if report else None)
        collected = taken or sample.collected or moment(found.issued) or (report.collected if report else None)
        status = found.status if found.status in TRUSTED else UNSURE
        reading = observe(found, Context(self.meanings, name, status or UNSURE, collected, issued, sample))
        asked = not self.screens.isdisjoint(reading.orders) or bool(report and report.screening)
        screening = reading.screening or asked or sample.screening
        return self._dated(replace(reading, screening=screening, sample=self._placed(found, reading, screening)))

    def _placed(self, found: Observation, reading: Reading, screening: bool) -> Sample:
        """Without a specimen, the culture's code or the body site says where; then only an equal time ties results.

        The culture of pus or tissue tells more than the site of the swab.
        """
        sample, terms = reading.sample, self.meanings.terminology
        culture = terms.specimen(reading.culture) if reading.culture else None
        told = culture if culture and culture.any_site and not screening else None
        if sample.specimen and told and sample.specimen.surveillance:
            return replace(sample, specimen=told)
        if sample.specimen or (reading.measures and not reading.detections):
            return sample
        site = self.specimens.site(found.bodySite)
        kind = told if told and site and site.surveillance else site or culture
        timed = reading.collected and "T" in (found.effectiveDateTime or found.issued or "")
        if sample == NO_SAMPLE and timed and reading.collected:
            sample = Sample(f"{'screen' if screening else 'unnamed'}|{reading.collected.isoformat()}")
        return replace(sample, specimen=kind)

    def _dated(self, reading: Reading) -> Reading:
        """A result from the future is no result."""
        if reading.collected is None or reading.collected <= self.latest:
            return reading
        positive = any(one.found for one in reading.detections)
        return replace(
            reading,
            detections=(),
            susceptibilities=(),
            measures=(),
            unread_tests=frozenset(),
            claims=frozenset(),
            problem=FUTURE if positive else reading.problem,
        )


def measures(readings: Iterable[Reading]) -> dict[str, tuple[Measure, ...]]:
    """Numbers by test, newest first."""
    found: dict[str, list[Measure]] = {}
    for reading in readings:
        for test, measure in reading.measures if reading.status != PENDING else ():
            found.setdefault(test, []).append(measure)
    return {test: tuple(sorted(every, key=_taken, reverse=True)) for test, every in found.items()}


def unread_tests(readings: Iterable[Reading], known: Mapping[str, Sequence[Measure]]) -> frozenset[str]:
    """Tests of which the newest number could not be read."""
    found = set()
    for one in readings:
        when = one.collected or one.reported
        for test in one.unread_tests if one.status != PENDING else ():
            newest = known[test][0].taken if known.get(test) else None
            if test not in known or (when and newest and when > newest):
                found.add(test)
    return frozenset(found)


def _taken(measure: Measure) -> float:
    return measure.taken.timestamp() if measure.taken else 0.0


def cultures(readings: Iterable[Reading], requests: Iterable[Condition], meanings: Meanings) -> Iterator[Culture]:
    """Cultures that were taken or ordered to find an infection; surveillance does not count."""
    for one in readings:
        if one.culture and not one.screening:
            specimen = one.sample.specimen.key if one.sample.specimen else None
            yield Culture(one.reference, specimen, one.collected, one.status == PENDING)
    for request in requests:
        meaning = meanings.of_concept(request.code) if request.code else None
        if meaning and meaning.culture and not meaning.screening:
            place = meanings.terminology.specimen(meaning.culture)
            yield Culture(f"ServiceRequest/{request.id or ''}", place.key if place else None, moment(request.authoredOn), True)


def pending(readings: Iterable[Reading], requests: Sequence[Condition], meanings: Meanings) -> frozenset[str]:
    """What is asked for and not answered: "susceptibility", "culture", and tests by name."""
    found = {name for request in requests if request.code for name in _asked(request.code, meanings)}
    for one in readings:
        if one.status == PENDING:
            found |= {"susceptibility"} if one.susceptibilities else set()
            found |= {"culture"} if one.culture and not one.screening else set()
            found |= set(one.tests)
    return frozenset(found)


def _asked(code: Concept, meanings: Meanings) -> set[str]:
    meaning = meanings.of_concept(code)
    named = {"susceptibility"} if meaning.agent else set[str]()
    if meaning.culture and not meaning.screening:
        named.add("culture")
    return named | ({meaning.test} if meaning.test else set())


def unreadable(readings: Iterable[Reading], witness: Witness) -> Iterator[Unreadable]:
    """Results about a wanted marker that could not be understood."""
    for one in readings:
        if one.problem and witness.wanted(one.suspects):
            yield Unreadable("result", one.reference, one.label, one.problem)


def broken(name: str, raw: Raw, meanings: Meanings, witness: Witness) -> Unreadable | None:
    """A malformed result matters when its code, or the words of its value, name a wanted marker."""
    if not witness.wanted(named(raw, meanings)):
        return None
    found = elements(raw)
    identity, code = string(found.get("id")), found.get("code")
    concept = read(code, Concept) if code is not None else None
    return Unreadable("result", f"{name or 'Observation'}/{identity}" if identity else "", words.label(concept), MALFORMED)


def named(raw: Raw, meanings: Meanings) -> set[str]:
    """The markers that a result names where results speak, whatever the shape of those places is; anywhere, if it has no type."""
    found = elements(raw)
    places = found.keys() & SPOKEN if "resourceType" in found else found.keys()
    return set[str]().union(*(meanings.anywhere(found[place]) for place in places))

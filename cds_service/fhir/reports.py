"""DiagnosticReports: which results stand in one report, when they were taken, and what only their words say."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from cds_service.clinical.facts import Detection, Isolate, Unreadable
from cds_service.fhir import words
from cds_service.fhir.observations import Reading
from cds_service.fhir.references import bare_all
from cds_service.fhir.resources import Condition, DiagnosticReport, several
from cds_service.fhir.specimens import NO_SAMPLE, Sample, Specimens
from cds_service.fhir.times import begins, moment
from cds_service.fhir.valuesets import Terminology

IGNORED = {"registered", "cancelled", "entered-in-error"}
IN_WORDS = "it is written only as free text"


class Report(Struct, frozen=True):
    """One report: its results and specimens by reference, its time, and the markers that its conclusion affirms.

    `sample` is its only specimen, which its results need not repeat.
    """

    reference: str
    label: str
    results: frozenset[str]
    samples: frozenset[str]
    collected: datetime | None
    reported: datetime | None
    screening: bool
    claims: frozenset[str]
    sample: Sample = NO_SAMPLE


class Reports(Struct, frozen=True):
    """All reports of a chart, and the number of the report that each result stands in."""

    all: Sequence[Report] = ()
    places: Mapping[str, int] = field(default_factory=dict)

    def of(self, reference: str) -> Report | None:
        place = self.places.get(reference)
        return None if place is None else self.all[place]


def reports(found: Iterable[DiagnosticReport], specimens: Specimens, terminology: Terminology) -> Reports:
    """Every usable report, and in which one each result stands."""
    every = [_report(one, specimens, terminology) for one in found if one.status not in IGNORED]
    return Reports(every, {name: place for place, one in enumerate(every) for name in one.results})


def _report(found: DiagnosticReport, specimens: Specimens, terminology: Terminology) -> Report:
    taken = moment(found.effectiveDateTime) or begins(found.effectivePeriod)
    samples = [specimens.of(one, found.contained, taken) for one in found.specimen or []]
    reported = moment(found.issued)
    collected = taken or next((one.collected for one in samples if one.collected), None) or reported
    said = [words.every(terminology, "marker", several(found.conclusionCode))]
    said += [frozenset([one]) for concept in several(found.conclusionCode) if (one := words.by_code(terminology, "producer", concept))]
    if found.conclusion:
        said.append(words.affirmed(terminology, "marker", found.conclusion))
    return Report(
        reference=f"DiagnosticReport/{found.id}" if found.id else "",
        label=words.title(terminology, found.code),
        results=frozenset(bare_all(found.result)),
        samples=frozenset(one.key for one in samples if one.key),
        collected=collected,
        reported=reported,
        screening=words.key(terminology, "screening", found.code) is not None,
        claims=frozenset[str]().union(*said),
        sample=samples[0] if len(samples) == 1 else NO_SAMPLE,
    )


class Witness(Struct, frozen=True):
    """The readable results, asked whether they already say what a text says."""

    isolates: Sequence[Isolate]
    sought: frozenset[str] | None

    def wanted(self, markers: Iterable[str]) -> list[str]:
        return sorted(one for one in markers if self.sought is None or one in self.sought)

    def covers(self, marker: str, results: frozenset[str], samples: frozenset[str], since: datetime | None) -> bool:
        """A result of the same report or specimen speaks about the marker, or a positive one is as recent."""
        for isolate in self.isolates:
            for one in isolate.detections:
                if one.marker != marker:
                    continue
                if one.reference in results or isolate.sample in samples or results & set(isolate.references):
                    return True
                if one.found and _as_recent(one, since):
                    return True
        return False


def _as_recent(one: Detection, since: datetime | None) -> bool:
    moment = one.collected or one.reported
    return since is None or moment is None or moment >= since


def _in_words(told: Report | Reading, unseen: Sequence[str], when: datetime | None, carriage: bool) -> Unreadable:
    return Unreadable("result", told.reference, told.label, IN_WORDS, markers=tuple(unseen), when=when, carriage=carriage)


def _searching(sample: Sample, screening: bool) -> bool:
    """Carriage was searched for, by the purpose of the test or the place of the sample."""
    return screening or sample.screening or (sample.specimen is not None and sample.specimen.surveillance)


def only_in_words(
    every: Reports, readings: Iterable[Reading], conditions: Iterable[Condition], witness: Witness, terminology: Terminology
) -> list[Unreadable]:
    """Texts that affirm a marker which no readable result speaks about."""
    found = []
    for one in every.all:
        results = one.results | {one.reference}
        unseen = [marker for marker in witness.wanted(one.claims) if not witness.covers(marker, results, one.samples, one.collected)]
        if unseen:
            found.append(_in_words(one, unseen, one.collected, _searching(one.sample, one.screening)))
    for reading in [one for one in readings if one.claims]:
        samples, results = frozenset({reading.sample.key} - {""}), frozenset({reading.reference, *reading.links})
        unseen = [marker for marker in witness.wanted(reading.claims) if not witness.covers(marker, results, samples, reading.collected)]
        if unseen:
            found.append(_in_words(reading, unseen, reading.collected, _searching(reading.sample, reading.screening)))
    for condition in conditions:
        claims = words.every(terminology, "marker", [condition.code])
        unseen = [marker for marker in witness.wanted(claims) if not witness.covers(marker, frozenset(), frozenset(), None)]
        if unseen:
            reference = f"{condition.resourceType}/{condition.id}" if condition.id else ""
            found.append(Unreadable("result", reference, words.label(condition.code), IN_WORDS, markers=tuple(unseen)))
    return found

"""Where a result came from: the specimen's kind, its time, and what makes two results come from one specimen."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Raw, Struct
from msgspec.structs import replace

from cds_service.clinical import facts
from cds_service.fhir import words
from cds_service.fhir.references import bare
from cds_service.fhir.resources import Collection, Concept, Reference, Specimen, contained
from cds_service.fhir.times import begins, moment
from cds_service.fhir.valuesets import Terminology


class Sample(Struct, frozen=True):
    """`key` is equal for results of one specimen, "" where nothing ties the result to others; `screening`: its words say so."""

    key: str = ""
    specimen: facts.Specimen | None = None
    text: str = ""
    collected: datetime | None = None
    screening: bool = False


NO_SAMPLE = Sample()


class Specimens(Struct, frozen=True):
    """The Specimen resources of the request, by reference."""

    known: Mapping[str, Specimen]
    terminology: Terminology

    def of(self, reference: Reference | None, inside: Sequence[Raw] | None, taken: datetime | None) -> Sample:
        """The specimen that a result points at: contained, a resource at hand, or only named beside the reference."""
        if reference is None:
            return NO_SAMPLE
        name = reference.reference or ""
        if name.startswith("#"):
            return self._inside(name[1:], inside, reference, taken)
        found = self.known.get(bare(name))
        if found:
            return self._known(bare(name), found, reference)
        display = reference.display or ""
        return Sample(bare(name) or _alike(display, taken), self.kind(display), display, None, self._searched([display]))

    def _inside(self, name: str, inside: Sequence[Raw] | None, reference: Reference, taken: datetime | None) -> Sample:
        """A contained specimen has no identity of its own: its kind and its time stand for it."""
        found = next((one for one in contained(inside, Specimen, "Specimen") if one.id == name), None)
        if found is None:
            display = reference.display or ""
            return Sample("", self.kind(display), display, screening=self._searched([display]))
        sample = self._known("", found, reference)
        key = _alike(sample.specimen.key if sample.specimen else sample.text, sample.collected or taken)
        return replace(sample, key=key)

    def _known(self, key: str, found: Specimen, reference: Reference) -> Sample:
        text = words.label(found.type) or reference.display or ""
        sites = found.collection.bodySite if found.collection else None
        kind = self.site(found.type) or self.kind(reference.display or "") or self.site(sites)
        searched = self._searched([*words.spoken(found.type), reference.display or ""])
        return Sample(key, kind, text, _collected(found.collection) or moment(found.receivedTime), searched)

    def _searched(self, texts: Iterable[str]) -> bool:
        """The specimen's own words say that carriage was searched for."""
        return any(self.terminology.text("searched", text) for text in texts if text)

    def kind(self, text: str) -> facts.Specimen | None:
        key = self.terminology.text("specimen", text) if text else None
        return self.terminology.specimen(key) if key else None

    def site(self, concept: Concept | None) -> facts.Specimen | None:
        """The kind of specimen that a concept speaks of: its type, a body site or the code of a culture."""
        key = words.key(self.terminology, "specimen", concept)
        return self.terminology.specimen(key) if key else None


def _collected(collection: Collection | None) -> datetime | None:
    if collection is None:
        return None
    return moment(collection.collectedDateTime) or begins(collection.collectedPeriod)


def _alike(kind: str, taken: datetime | None) -> str:
    return f"{kind}|{taken.isoformat()}" if kind and taken else ""

"""Coded concepts and free text as keys of the terminology."""

from collections.abc import Iterable, Sequence

from cds_service.fhir.resources import Concept
from cds_service.fhir.valuesets import Terminology, Triple, Wording


def triples(concepts: Iterable[Concept | None]) -> list[Triple]:
    """Every coding as (system, code, display), what is missing as an empty text."""
    return [
        (coding.system or "", coding.code or "", coding.display or "") for concept in concepts if concept for coding in concept.coding or []
    ]


def wording(concept: Concept) -> Wording:
    """How the concept is written, as the terminology is asked about it."""
    return tuple(triples([concept])), (concept.text,) if concept.text else ()


def texts(concepts: Iterable[Concept | None]) -> list[str]:
    """The free text of every concept that has one."""
    return [concept.text for concept in concepts if concept and concept.text]


def spoken(concept: Concept | None) -> list[str]:
    """All words of a concept: its text and every display."""
    if concept is None:
        return []
    found = [concept.text, *[coding.display for coding in concept.coding or []]]
    return list(dict.fromkeys([text for text in found if text]))


def label(concept: Concept | None) -> str:
    """What a person would call the concept: its text, else a display, else a code."""
    if concept is None:
        return ""
    if concept.text:
        return concept.text
    return next((shown for coding in concept.coding or [] if (shown := coding.display or coding.code)), "")


def title(terminology: Terminology, concept: Concept | None) -> str:
    """What a person would call the concept, with our own name of a code that came bare."""
    if concept is None or concept.text or any(coding.display for coding in concept.coding or []):
        return label(concept)
    named = (terminology.display(system, code) for system, code, _ in triples([concept]))
    return next((one for one in named if one), label(concept))


def key(terminology: Terminology, kind: str, concept: Concept | None) -> str | None:
    """The one meaning of a concept, by code before text."""
    return terminology.concept(kind, wording(concept)) if concept else None


def by_code(terminology: Terminology, kind: str, concept: Concept | None) -> str | None:
    """The meaning of a concept by its codes alone."""
    for coding in (concept.coding or ()) if concept else ():
        found = terminology.code(kind, coding.system or "", coding.code or "")
        if found:
            return found
    return None


def every(terminology: Terminology, kind: str, concepts: Sequence[Concept | None]) -> frozenset[str]:
    """All meanings of several concepts: each code, and each word that the texts affirm."""
    coded = [found for system, code, _ in triples(concepts) if (found := terminology.code(kind, system, code))]
    return frozenset(coded).union(*[affirmed(terminology, kind, text) for concept in concepts for text in spoken(concept)])


def affirmed(terminology: Terminology, kind: str, text: str) -> frozenset[str]:
    """The meanings that a text names and does not deny."""
    return frozenset([one for one, positive in terminology.says(kind, text).items() if positive])

"""Which drug an order is for: by the whole set of ingredients over all of its codes and words, never by one of them."""

from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from cds_service.clinical.facts import Drug
from cds_service.fhir import systems
from cds_service.fhir.valuesets import Terminology, Triple, Wording, texts_of

CONTRADICTION = "its code and its words name different drugs"
OPEN = "it does not name the second ingredient"
UNKNOWN_MIX = "no known product has the ingredients that it names"
INHALED = "inhaled"


class Medicine(Struct, frozen=True):
    """The drug, or why it could not be told; `antibacterial` also holds for a drug that only looks like one."""

    drug: Drug | None = None
    problem: str = ""
    antibacterial: bool = False
    inhaled: bool = False


class Clue(Struct, frozen=True):
    """Ingredients that one code or text names; `open` where it leaves a further one unnamed."""

    parts: frozenset[str]
    open: bool = False


def recognise(triples: Sequence[Triple], texts: Sequence[str], terminology: Terminology) -> Medicine:
    """The drug that codes and words agree on."""
    return terminology.meant("medicine", partial(_recognised, terminology=terminology))[tuple(triples), tuple(texts)]


def _recognised(wording: Wording, terminology: Terminology) -> Medicine:
    triples, texts = wording
    said = texts_of(triples, texts)
    coded = [clue for system, code, _ in triples if (clue := _coded(system, code, terminology))]
    codes = _union(coded)
    spoken = [Clue(parts, terminology.opens(text)) for text in said if (parts := _named(text, codes, terminology))]
    if not coded and not spoken:
        return Medicine(antibacterial=_looks(triples, said, terminology))
    parts, problem = _agreed(coded, spoken, terminology)
    key = None if problem else terminology.ingredients.together(parts)
    if key is None:
        return Medicine(None, problem or UNKNOWN_MIX, _antibacterial(parts, terminology))
    if any(clue.open and clue.parts == parts for clue in (*coded, *spoken)):
        return Medicine(None, OPEN, _antibacterial(parts, terminology))
    drug = terminology.drug(key)
    return Medicine(drug, "", drug.antibacterial, _inhaled(key, triples, said, terminology))


def _coded(system: str, code: str, terminology: Terminology) -> Clue | None:
    for kind in ("drug", "ingredient", "partial"):
        key = terminology.code(kind, system, code)
        if key:
            return Clue(terminology.ingredients.of(key), kind == "partial")
    return None


def _named(text: str, codes: frozenset[str], terminology: Terminology) -> frozenset[str]:
    """The ingredients that a text names; one that also names another whole drug, to be given beside what is coded, means the coded one."""
    parts = terminology.contents(text)
    halves = terminology.split(text) if codes and codes < parts else None
    if halves is None:
        return parts
    own, other = (terminology.contents(half) for half in halves)
    known = terminology.ingredients
    return own if known.same(own, codes) and known.together(other) else parts


def _union(clues: Sequence[Clue]) -> frozenset[str]:
    return frozenset[str]().union(*(clue.parts for clue in clues))


def _agreed(coded: Sequence[Clue], spoken: Sequence[Clue], terminology: Terminology) -> tuple[frozenset[str], str]:
    """The ingredients that codes and words agree on; one side may say less than the other only where it says that it does."""
    known = terminology.ingredients
    codes, words = _union(coded), _union(spoken)
    if not coded or not spoken or known.same(codes, words):
        return codes | words, ""
    if codes < words and _unfinished(coded, codes, terminology):
        return words, ""
    if words < codes and _unfinished(spoken, words, terminology):
        return codes, ""
    return codes | words, CONTRADICTION


def _unfinished(clues: Sequence[Clue], parts: frozenset[str], terminology: Terminology) -> bool:
    """These ingredients are no whole product: one is left open, or none is sold like that."""
    return any(clue.open and clue.parts == parts for clue in clues) or terminology.ingredients.together(parts) is None


def _antibacterial(parts: frozenset[str], terminology: Terminology) -> bool:
    """An ingredient of an antibacterial product is among them."""
    products = terminology.ingredients.products
    return any(drug.antibacterial and products[key] & parts for key, drug in terminology.drugs.items())


def _looks(triples: Sequence[Triple], said: Sequence[str], terminology: Terminology) -> bool:
    by_code = any(terminology.look.of_code(systems.canonical(system), code) for system, code, _ in triples)
    return by_code or any(terminology.look.of_text(text) for text in said)


def _inhaled(key: str, triples: Sequence[Triple], said: Sequence[str], terminology: Terminology) -> bool:
    """A product that is only inhaled: by its own name, or by the form that its words or the name of its code state."""
    named = [*said, *(terminology.display(system, code) for system, code, _ in triples)]
    return any(key in terminology.texts(INHALED, text) or terminology.text("route", text) == INHALED for text in named if text)

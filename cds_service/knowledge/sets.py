"""The drug sets of one condition, and the drugs that a sheet means by a word."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta, field

from cds_service.clinical.facts import Drug
from cds_service.clinical.lists import DRUGS, Text
from cds_service.clinical.policy import Sheet
from cds_service.clinical.regimen import Drugs
from cds_service.knowledge.known import Known, unknown

CLASS = "class:"


class DrugSet(Sheet, frozen=True):
    """One set: keys of drugs.yaml or "class:x" for every drug of a class, and why these."""

    drugs: Annotated[tuple[str, ...], Meta(min_length=1, description="at least one drug")]
    source: Text


class DrugSetSheet(Sheet, frozen=True):
    """The headings of `drug-sets.yaml`."""

    sets: dict[str, DrugSet] = field(default_factory=dict)


def drug_sets(known: Known, folder: str, drugs: Mapping[str, Drug]) -> dict[str, frozenset[str]]:
    """The drug sets of a condition by name."""
    name = f"{folder}/drug-sets.yaml"
    sheet = known.files.typed(name, DrugSetSheet) or DrugSetSheet()
    return {key: _members(known, name, f"sets.{key}", row.drugs, drugs) for key, row in sheet.sets.items()}


def _members(known: Known, name: str, key: str, members: Iterable[str], drugs: Mapping[str, Drug]) -> frozenset[str]:
    keys: set[str] = set()
    for member in members:
        if member.startswith(CLASS):
            keys |= of_class(known, name, key, member, drugs)
        else:
            if known.words.get("drug") is not None:
                unknown(known.files, name, key, [member], drugs, "a drug of drugs.yaml")
            keys.add(member)
    return frozenset(keys)


def of_class(known: Known, name: str, key: str, member: str, drugs: Mapping[str, Drug]) -> set[str]:
    """Every drug of "class:x"."""
    wanted = {drug.key for drug in drugs.values() if member.removeprefix(CLASS) in drug.classes}
    if not wanted and known.words.get("drug") is not None:
        known.files.problem(name, key, member, "a class that at least one drug of drugs.yaml has")
    return wanted


def named(known: Known, name: str, key: str, value: object, sets: Mapping[str, frozenset[str]], drugs: Mapping[str, Drug]) -> Drugs:
    """A set by its name, a drug by its key, or a list of both."""
    words = [str(word) for word in value] if isinstance(value, list) else [str(value)]
    if not words:
        known.files.problem(name, key, "nothing", "at least one drug")
    keys: set[str] = set()
    for word in words:
        if word in sets:
            keys |= sets[word]
        elif word.startswith(CLASS):
            keys |= of_class(known, name, key, word, drugs)
        else:
            known.check(name, key, word, DRUGS)
            keys.add(word)
    return Drugs(" or ".join(words), keys)

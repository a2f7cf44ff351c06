"""The closed lists that sheets take their words from: a field that holds such words names its list in its type, or that it is prose."""

from dataclasses import dataclass
from typing import Annotated, Any, get_args

from msgspec import Meta


@dataclass(frozen=True, slots=True)
class Words:
    """One closed list: its name, and what a right word is, for whoever wrote a wrong one."""

    name: str
    expected: str


Text = Annotated[str, Meta(pattern=r"\S", description="a text that is not empty")]

DRUGS = Words("drugs", "a drug set or a drug")
GROUP = Words("group", "an organism group")
CIRCUMSTANCE = Words("circumstance", "a circumstance of circumstances.yaml")
PART = Words("part", "a part of the record")

Drug = Annotated[str, Words("drug", "a drug of drugs.yaml")]
DrugSet = Annotated[str, Words("set", "a drug set of drug-sets.yaml")]
DrugOrSet = Annotated[str, DRUGS]
DrugClass = Annotated[str, Words("class", "a class of drugs.yaml")]
Ingredient = Annotated[str, Words("ingredient", "a drug or a part of drugs.yaml")]
Agent = Annotated[str, Words("agent", "a drug or a tested pair of drugs.yaml")]
Species = Annotated[str, Words("species", "an organism of organisms.yaml")]
Group = Annotated[str, GROUP]
Organism = Annotated[str, Words("organism", "an organism, or a group of organisms")]
Trait = Annotated[str, Words("trait", "a trait of organisms.yaml")]
Specimen = Annotated[str, Words("specimen", "a specimen of specimens.yaml")]
Circumstance = Annotated[str, CIRCUMSTANCE]
Marker = Annotated[str, Words("marker", "a marker of words.yaml")]
Test = Annotated[str, Words("test", "a test of words.yaml")]
Reaction = Annotated[str, Words("reaction", "a reaction of words.yaml")]
Pending = Annotated[str, Words("pending", "a word for what may be under way")]
State = Annotated[str, Words("state", "an evidence state")]
Part = Annotated[str, PART]
Hook = Annotated[str, Words("hook", "a hook")]
Unless = Annotated[str, Words("unless", "a reason that rules stand down for")]
Softer = Annotated[str, Words("softer", "a reason that rules speak softly for")]
CardGroup = Annotated[str, Words("card group", "a card group")]
Rule = Annotated[str, Words("rule", "the id of a rule")]
Evidence = Annotated[str, Words("evidence", "an id of evidence.yaml")]
Override = Annotated[str, Words("override", "a reason of overrides.yaml")]
Suggestion = Annotated[str, Words("suggest", "a key of suggestions.yaml")]
Product = Annotated[str, Words("product", "a drug of `products`")]


def words(kind: Any) -> Words:
    """The closed list that a type names."""
    (_, found) = get_args(kind)
    assert isinstance(found, Words)
    return found

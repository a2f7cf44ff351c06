"""Sentences of a sheet and the words that are put into their braces."""

from collections.abc import Mapping, Sequence
from string import Formatter

from cds_service.clinical.infection import Evidence, State
from cds_service.protocol.response import LONGEST_SUMMARY

LISTS = {"drug", "drugs", "partner", "other", "why"}
STANDING_WORDS = {"enzyme", "organism", "specimen", "collected", "status", "companion", "n", "state", "standing"}


class Words(dict[str, str]):
    """An unknown word stays visible as itself, so that a card is never lost for a missing word."""

    def __missing__(self, key: str) -> str:
        return key


def fill(text: str, words: Mapping[str, str]) -> str:
    """Puts words into the braces of a sentence; a brace without a word is a mistake of the knowledge, found by `check`."""
    return text.format_map(words if isinstance(words, Words) else Words(words)).strip() if "{" in text else text.strip()


def summarise(text: str, words: Mapping[str, str]) -> str:
    """A summary, beginning with a capital; where many drugs make it too long, each list is cut to its first."""
    found = fill(text, words)
    for rest in (" and others", ""):
        if len(found) > LONGEST_SUMMARY:
            found = fill(text, {**words, **{key: _first_of(words[key], rest) for key in LISTS & words.keys()}})
    return found[:1].upper() + found[1:]


def _first_of(listed: str, rest: str) -> str:
    first, comma, _ = listed.partition(", ")
    first, both, _ = first.partition(" and ")
    return f"{first}{rest}" if comma or both else first


def braces(text: str) -> set[str]:
    """The words that a sentence asks for."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def evidence_words(evidence: Sequence[Evidence]) -> dict[str, str]:
    """What every sentence may name about the evidence."""
    if not evidence:
        return {}
    first = evidence[0]
    enzymes = list(dict.fromkeys(name for one in evidence for name in one.enzymes))
    organism, specimen = first.isolate.organism, first.isolate.specimen
    companions = list(dict.fromkeys(name for one in evidence for name in one.companions))
    return {
        "enzyme": " and ".join(enzymes),
        "organism": organism.name if organism else "Gram-negative isolate",
        "specimen": specimen.name.lower() if specimen else "specimen not stated",
        "collected": first.when.date().isoformat() if first.when else "date not stated",
        "status": "preliminary" if first.preliminary else first.isolate.status,
        "companion": " and ".join(companions),
        "n": f"{first.days:.0f}" if first.days is not None else "an unknown number of",
        "state": first.state,
        "standing": _standing(first),
    }


def _standing(evidence: Evidence) -> str:
    """How the evidence stands to a current infection, in a phrase."""
    if evidence.state is State.HISTORY and evidence.days is not None:
        return f"found {evidence.days:.0f} days ago"
    return "carrier" if evidence.state is State.COLONISED else evidence.state

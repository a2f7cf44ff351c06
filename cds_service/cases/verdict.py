"""Holds an answer against what a case expects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.cases.lexicon import Lexicon
from cds_service.cases.read import Case
from cds_service.cases.sheet import CaseLine, Expected

SILENCE, REFUSAL = "silence", "refusal"


@dataclass(frozen=True)
class Verdict:
    """What a case got, and each way in which that is not what it expects."""

    case: Case
    got: str
    problems: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return not self.problems


@dataclass(frozen=True)
class Shown:
    """A card as a prescriber would sum it up."""

    rules: tuple[str, ...]
    indicator: str
    summary: str
    text: str
    offers: frozenset[str]
    doses: str
    removes: frozenset[str]

    def __str__(self) -> str:
        return f"{'+'.join(self.rules)} {self.indicator}"


def shown(card: Mapping[str, Any], lexicon: Lexicon) -> Shown:
    """The parts of a card that a case may speak about."""
    topic = card.get("source", {}).get("topic", {}).get("code", "")
    rules = card.get("extension", {}).get("ndm-cds.rules") or [topic]
    actions = [action for one in card.get("suggestions", ()) for action in one.get("actions", ())]
    orders = [one["resource"] for one in actions if one.get("resource", {}).get("resourceType") == "MedicationRequest"]
    created = [one["resource"] for one in actions if one.get("type") == "create" and one.get("resource") in orders]
    return Shown(
        rules=tuple(rules),
        indicator=card["indicator"],
        summary=card["summary"],
        text=f"{card['summary']}\n{card.get('detail', '')}".lower(),
        offers=frozenset(drug_of(one, lexicon) for one in created),
        doses="\n".join(line.get("text", "") for one in orders for line in one.get("dosageInstruction", ())),
        removes=frozenset(str(one.get("resourceId", "")).rpartition("/")[2] for one in actions if one.get("type") == "delete"),
    )


def drug_of(order: Mapping[str, Any], lexicon: Lexicon) -> str:
    """The drug key of a suggested order, or its text."""
    concept = order.get("medicationCodeableConcept", {})
    codes = {(one.get("system"), one.get("code")) for one in concept.get("coding", ())}
    keys = [
        key
        for (kind, key), codings in lexicon.codes.items()
        if kind == "drug" and any((one["system"], one["code"]) in codes for one in codings)
    ]
    return keys[0] if keys else str(concept.get("text", ""))


def judge(case: Case, cards: Sequence[Mapping[str, Any]] | None, lexicon: Lexicon) -> Verdict:
    """The verdict on the cards of an answer; None stands for a refusal to decide."""
    if cards is None:
        wanted = case.line.expect == REFUSAL
        return Verdict(case, REFUSAL, () if wanted else (f"expected {_wish(case.line)}, got a refusal to decide",))
    seen = [shown(card, lexicon) for card in cards]
    got = ", ".join(map(str, seen)) or SILENCE
    if case.line.expect == REFUSAL:
        return Verdict(case, got, (f"expected a refusal to decide, got {got}",))
    return Verdict(case, got, tuple(_problems(case.line, seen, got)))


def _wish(line: CaseLine) -> str:
    lines = [f"{' or '.join(one.rules)} {_urgency(one)}".strip() for one in line.expected]
    return ", ".join(lines) or (line.expect if isinstance(line.expect, str) else SILENCE)


def _urgency(wanted: Expected) -> str:
    return wanted.indicator if isinstance(wanted.indicator, str) else "/".join(wanted.indicator or ())


def _problems(line: CaseLine, seen: Sequence[Shown], got: str) -> Iterator[str]:
    claimed: set[int] = set()
    for wanted in line.expected:
        fitting = [one for one in seen if _fits(wanted, one)]
        if not fitting:
            yield f"expected {' or '.join(wanted.rules)} {_urgency(wanted)}".rstrip() + f", got {got}"
            continue
        claimed.add(id(fitting[0]))
        yield from _content(wanted, fitting[0])
    for one in seen:
        if id(one) not in claimed:
            yield f"unexpected card: {one}: {one.summary}"
    for rule in line.forbid:
        if any(rule in one.rules for one in seen):
            yield f"{rule} must keep silent here"


def _fits(wanted: Expected, card: Shown) -> bool:
    named = card.rules if wanted.attached else card.rules[:1]
    levels = (wanted.indicator,) if isinstance(wanted.indicator, str) else wanted.indicator
    return bool(set(wanted.rules) & set(named)) and (not levels or card.indicator in levels)


def _content(wanted: Expected, card: Shown) -> Iterator[str]:
    name = card.rules[0]
    yield from (f"{name}: the card does not speak for {rule}" for rule in wanted.also if rule not in card.rules)
    if wanted.summary and wanted.summary.lower() not in card.summary.lower():
        yield f"{name}: the summary does not say {wanted.summary!r} but {card.summary!r}"
    yield from (f"{name}: nothing mentions {text!r}" for text in wanted.mentions if text.lower() not in card.text)
    yield from (f"{name}: the card says {text!r}" for text in wanted.omits if text.lower() in card.text)
    offered = _listed(card.offers)
    yield from (f"{name}: does not offer {drug}, offers {offered}" for drug in wanted.offers if drug not in card.offers)
    yield from (f"{name}: offers {drug}, which it must not" for drug in wanted.never_offers if drug in card.offers)
    removed = _listed(card.removes)
    yield from (f"{name}: does not remove {order}, removes {removed}" for order in wanted.removes if order not in card.removes)
    yield from (f"{name}: no suggested dose says {dose!r}, they say {card.doses!r}" for dose in wanted.doses if dose not in card.doses)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"

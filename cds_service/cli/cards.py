"""Cards as a person reads them in a terminal."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cds_service.cli.paper import paint, paragraphs, quiet, strong, wrapped

BAR = " | "
HEADING = re.compile(r"\n\s*\n\*\*[^*\n]+\*\*\s*\n")
ACTIONS = {"create": "+", "update": "~", "delete": "-"}
NOTHING = "No card. The service looked and has nothing to say."


def sheet(cards: Sequence[Mapping[str, Any]], brief: bool = False) -> Iterator[str]:
    """All cards of an answer, line by line; `brief` leaves out what stands below the first heading of the reasons."""
    if not cards:
        yield paint(NOTHING, "good")
    for number, card in enumerate(cards):
        if number:
            yield ""
        yield from one_card(card, brief)


def one_card(card: Mapping[str, Any], brief: bool = False) -> Iterator[str]:
    """One card: urgency and summary, the reasons, what it offers, why one may override it, where it comes from."""
    urgency = str(card.get("indicator", "info"))
    badge = f" {urgency.upper()} "
    lines = wrapped(str(card.get("summary", "")), f"{badge} ", "   ").splitlines()
    yield f"{paint(badge, urgency, bold=True)}{strong(lines[0].removeprefix(badge))}"
    yield from map(strong, lines[1:])
    bar = paint(BAR, urgency)
    yield from (f"{bar}{line}" for block in _blocks(card, brief) for line in block.splitlines())


def _blocks(card: Mapping[str, Any], brief: bool) -> Iterator[str]:
    detail = str(card.get("detail", ""))
    yield from paragraphs(HEADING.split(detail)[0] if brief else detail, "", len(BAR))
    offers = card.get("suggestions") or ()
    if offers:
        choice = ", choose one" if card.get("selectionBehavior") == "at-most-one" and len(offers) > 1 else ""
        yield strong(f"It offers{choice}:")
        for number, offer in enumerate(offers, 1):
            yield from _offer(number, offer)
    reasons = [str(one.get("display") or one.get("code")) for one in card.get("overrideReasons") or ()]
    if reasons and not brief:
        yield _aside(f"To override: {'; '.join(reasons)}")
    yield from (_aside(f"{link.get('label')}: {link.get('url')}") for link in card.get("links") or ())
    yield _aside(_source(card))


def _aside(text: str) -> str:
    return "\n".join(quiet(line) for line in wrapped(text, "", "   ", len(BAR)).splitlines())


def _offer(number: int, offer: Mapping[str, Any]) -> Iterator[str]:
    star = " (recommended)" if offer.get("isRecommended") else ""
    yield wrapped(f"{offer.get('label')}{star}", f"  {number}. ", "     ", len(BAR))
    for action in offer.get("actions") or ():
        sign = ACTIONS.get(str(action.get("type")), "?")
        said = order_line(action) or action.get("description") or action.get("resourceId") or ""
        yield wrapped(str(said), f"     {sign} ", "       ", len(BAR))


def order_line(action: Mapping[str, Any]) -> str:
    """The order of an action in one line; empty where the action carries none."""
    resource = action.get("resource")
    if not isinstance(resource, Mapping):
        return ""
    concept = resource.get("medicationCodeableConcept") or resource.get("code") or {}
    name = concept.get("text") or next((one.get("display", "") for one in concept.get("coding", ())), "")
    doses = [str(one["text"]) for one in resource.get("dosageInstruction") or () if one.get("text")]
    return ": ".join(part for part in (str(name), "; then ".join(doses)) if part)


def _source(card: Mapping[str, Any]) -> str:
    rules = card.get("extension", {}).get("ndm-cds.rules") or []
    about = card.get("extension", {}).get("davinci-crd.associated-resource") or []
    parts = [f"Rule {', '.join(rules)}" if rules else str(card.get("source", {}).get("label", ""))]
    return " · ".join([*parts, *([f"about {', '.join(about)}"] if about else [])])

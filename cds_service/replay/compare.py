"""What differs between two answers, as a person would say it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import SequenceMatcher
from typing import Any

from cds_service.replay.fixtures import Answer

UNCOMPARED = {"uuid", "ndm-cds.knowledge"}
DATES = re.compile(r"\d{4}-\d{2}-\d{2}(?:T[0-9:.]+(?:Z|[+-]\d{2}:\d{2})?)?")
ONE_DAY = timedelta(days=1)
IDENTIFIERS = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{16,32}\b")


@dataclass(frozen=True)
class Difference:
    """One place at which two answers differ: where in human words, what was promised, what came."""

    where: str
    promised: str
    got: str

    def __str__(self) -> str:
        return f"{self.where}: promised {self.promised}, got {self.got}"


def differences(promised: Answer, got: Answer, moved: timedelta = timedelta(0)) -> list[Difference]:
    """Every difference; dates may lie later by `moved`. Random identifiers and the knowledge's version do not count."""
    if promised.status != got.status:
        return [Difference("status", f"{promised.status} {_gist(promised)}".strip(), f"{got.status} {_gist(got)}".strip())]
    if promised.status != 200:
        return list(_deep("answer", _without_id(promised.body), _without_id(got.body), moved))
    return list(_cards(promised.cards, got.cards, moved))


def topic(card: Mapping[str, Any]) -> str:
    """The rule that a card speaks for, or its summary where it names none."""
    source = card.get("source")
    code = source.get("topic", {}).get("code") if isinstance(source, Mapping) and isinstance(source.get("topic"), Mapping) else None
    return str(code or card.get("summary", "a card"))


def _gist(answer: Answer) -> str:
    """The answer in one line."""
    if answer.status == 200:
        return ", ".join(f"{topic(card)} {card.get('indicator')}" for card in answer.cards) or "no card"
    issues = answer.body.get("issue") if isinstance(answer.body, dict) else None
    first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    return str(first.get("diagnostics") or first.get("details", {}).get("text") or first.get("code") or "")


def _without_id(body: Any) -> Any:
    """A refusal without the identifier by which its line in the log is found."""
    return {key: value for key, value in body.items() if key != "id"} if isinstance(body, Mapping) else body


def _cards(promised: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]], moved: timedelta) -> Iterator[Difference]:
    """Cards are matched by topic, so that one lost card is one difference."""
    left = list(got)
    order: list[str] = []
    for card in promised:
        name = topic(card)
        twin = next((one for one in left if topic(one) == name), None)
        if twin is None:
            yield Difference(f"card {name}", f"{card.get('indicator')}: {card.get('summary')}", "nothing")
            continue
        left.remove(twin)
        order.append(name)
        yield from _deep(name, card, twin, moved)
    for card in left:
        yield Difference(f"card {topic(card)}", "nothing", f"{card.get('indicator')}: {card.get('summary')}")
    seen = [topic(card) for card in got if topic(card) in order]
    if seen != order:
        yield Difference("order of the cards", ", ".join(order), ", ".join(seen))


def _deep(where: str, promised: Any, got: Any, moved: timedelta) -> Iterator[Difference]:
    """Walks two values side by side down to the places that differ."""
    if isinstance(promised, Mapping) and isinstance(got, Mapping):
        for key in dict.fromkeys((*promised, *got)):
            if key not in UNCOMPARED:
                yield from _deep(f"{where} {key}", promised.get(key), got.get(key), moved)
    elif isinstance(promised, list) and isinstance(got, list):
        for number in range(max(len(promised), len(got))):
            before, after = (side[number] if number < len(side) else None for side in (promised, got))
            yield from _deep(f"{where} {number + 1}", before, after, moved)
    elif isinstance(promised, str) and isinstance(got, str):
        if not _same(promised, got, moved):
            yield from _lines(where, promised, got, moved)
    elif promised != got:
        yield Difference(where, _short(promised), _short(got))


def _lines(where: str, promised: str, got: str, moved: timedelta) -> Iterator[Difference]:
    """Of a text with several lines only those that differ, so that one changed line of a long card is seen at once."""
    if "\n" not in promised + got:
        yield Difference(where, repr(promised), repr(got))
        return
    before, after = promised.splitlines(), got.splitlines()
    alike = [DATES.sub("#", line) for line in before], [DATES.sub("#", line) for line in after]
    for kind, a, b, c, d in SequenceMatcher(None, *(alike if moved else (before, after)), autojunk=False).get_opcodes():
        if kind != "equal":
            lost, came = (" ".join(filter(None, part)) for part in (before[a:b], after[c:d]))
            yield Difference(where, lost or "nothing", came or "nothing")
        elif moved:
            pairs = zip(before[a:b], after[c:d], strict=True)
            yield from (Difference(where, one, other) for one, other in pairs if not _same(one, other, moved))


def _same(promised: str, got: str, moved: timedelta) -> bool:
    """The same text; a date in it may be later by what the request was moved, give or take a day for its hours."""
    promised, got = IDENTIFIERS.sub("#", promised), IDENTIFIERS.sub("#", got)
    if promised == got or not moved:
        return promised == got
    if DATES.split(promised) != DATES.split(got):
        return False
    pairs = zip(DATES.findall(promised), DATES.findall(got), strict=True)
    return all(_near(before, after, moved) for before, after in pairs)


def _near(before: str, after: str, moved: timedelta) -> bool:
    try:
        apart = date.fromisoformat(after[:10]) - date.fromisoformat(before[:10])
    except ValueError:
        return False
    return abs(apart - moved) <= 2 * ONE_DAY


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 160 else f"{text[:157]}…"

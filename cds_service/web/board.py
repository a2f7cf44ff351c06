"""The numbers of the stewardship dashboard, computed from what happened; counts and intervals, nothing about a person."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp, inf

from cds_service.finding import Indicator
from cds_service.store.statistics import Answered, Happened, Shown, Told
from cds_service.web.intervals import Rate, Share, quantile

SPOKE = "spoke"
SIGN = "order-sign"
DAY = 86_400.0
UNLIKELY = 0.01
ENOUGH = 3


@dataclass(frozen=True)
class Stretch:
    """One stretch of time: when it begins, and its cards by indicator."""

    begins: datetime
    cards: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.cards.values())


@dataclass(frozen=True)
class Column(Stretch):
    """A stretch of time with its in-scope signings."""

    signings: int


@dataclass(frozen=True)
class RuleLine:
    """One rule over the period: cards that it opened, judgements in which it spoke, and what users did with its cards.

    `over_time` are its cards in the stretches of the board's columns; empty where it opened none.
    """

    rule: str
    title: str
    cards: int
    spoke: int
    accepted: Share
    overridden: Share
    unanswered: Share
    last: datetime | None
    quiet_days: float | None
    silent: bool
    shadow: bool
    over_time: tuple[Stretch, ...]


@dataclass(frozen=True)
class Board:
    """Everything that the dashboard shows."""

    since: datetime
    until: datetime
    signings: int
    passed: int
    density: Rate
    interrupted: Share
    accepted: Share
    overridden: Share
    unanswered: Share
    incomplete: Share
    refused: Share
    feedback_minutes: tuple[float, float, float] | None
    answered: int
    latency_ms: tuple[float, float, float] | None
    rules: tuple[RuleLine, ...]
    columns: tuple[Column, ...]
    reasons: tuple[tuple[str, int], ...]
    missing: tuple[tuple[str, int], ...]
    versions: tuple[tuple[datetime, str], ...]


def board(happened: Happened, titles: Mapping[str, str], hooks: Mapping[str, str], shadow: frozenset[str] = frozenset()) -> Board:
    """The numbers of a period; `titles` by rule id, `hooks` by service id."""
    signed = [one for one in happened.answers if hooks.get(one.service) == SIGN]
    judged = [one for one in signed if one.verdicts]
    cards = [one for one in happened.cards if hooks.get(one.service) == SIGN]
    told = last_word(happened.told)
    accepted, overridden, unanswered = became(happened.cards, told)
    delays = [(told[one.id].at - one.at) / 60 for one in happened.cards if one.id in told and told[one.id].at >= one.at]
    times = [one.elapsed_ms for one in happened.answers]
    return Board(
        since=moment(happened.since),
        until=moment(happened.until),
        signings=len(signed),
        passed=happened.passed,
        density=Rate(len(cards), len(signed)),
        interrupted=Share(len({(one.at, one.client) for one in cards}), len(signed)),
        accepted=accepted,
        overridden=overridden,
        unanswered=unanswered,
        incomplete=Share(sum(bool(one.missing) for one in judged), len(judged)),
        refused=Share(sum(one.status != 200 for one in signed), len(signed)),
        feedback_minutes=spread(delays),
        answered=len(delays),
        latency_ms=_latency(times),
        rules=tuple(_lines(happened, told, titles, shadow)),
        columns=tuple(_columns(happened, cards, signed)),
        reasons=tuple(Counter(one.reason_code or "" for one in told.values() if one.outcome == "overridden").most_common()),
        missing=tuple(Counter(key for one in happened.answers for key in one.missing).most_common()),
        versions=tuple(_versions(happened.answers)),
    )


def last_word(told: Sequence[Told]) -> dict[str, Told]:
    """The latest feedback on each card."""
    return {one.card: one for one in sorted(told, key=lambda one: one.at)}


def became(cards: Sequence[Shown], told: Mapping[str, Told]) -> tuple[Share, Share, Share]:
    """Accepted, overridden, and without feedback; the first is a share of the cards that offer something, since no other can be accepted.

    Of a card of which no number of suggestions is kept it is assumed that it had some.
    """
    outcomes = Counter(told[one.id].outcome if one.id in told else "none" for one in cards)
    offered = sum(one.offers != 0 or (one.id in told and told[one.id].outcome == "accepted") for one in cards)
    return Share(outcomes["accepted"], offered), Share(outcomes["overridden"], len(cards)), Share(outcomes["none"], len(cards))


def spread(values: list[float]) -> tuple[float, float, float] | None:
    """Median and quartiles."""
    found = [quantile(values, share) for share in (0.25, 0.5, 0.75)]
    low, middle, high = found
    return None if low is None or middle is None or high is None else (low, middle, high)


def _latency(values: list[float]) -> tuple[float, float, float] | None:
    found = [quantile(values, share) for share in (0.5, 0.95, 1.0)]
    middle, late, last = found
    return None if middle is None or late is None or last is None else (middle, late, last)


def _lines(happened: Happened, told: Mapping[str, Told], titles: Mapping[str, str], shadow: frozenset[str]) -> list[RuleLine]:
    spoken: dict[str, list[float]] = {rule: [] for rule in titles}
    for one in happened.answers:
        for rule, said in one.verdicts.items():
            if said == SPOKE and rule in spoken:
                spoken[rule].append(one.at)
    opened: dict[str, list[Shown]] = {rule: [] for rule in titles}
    for card in happened.cards:
        opened.setdefault(card.rule, []).append(card)
    lines = [_line(rule, titles[rule], opened[rule], spoken[rule], told, happened, rule in shadow) for rule in titles]
    return sorted(lines, key=lambda line: (-line.cards, -line.spoke, line.title))


def _line(
    rule: str, title: str, opened: Sequence[Shown], spoken: Sequence[float], told: Mapping[str, Told], happened: Happened, shadow: bool
) -> RuleLine:
    accepted, overridden, unanswered = became(opened, told)
    last = max(spoken, default=None)
    return RuleLine(
        rule=rule,
        title=title,
        cards=len(opened),
        spoke=len(spoken),
        accepted=accepted,
        overridden=overridden,
        unanswered=unanswered,
        last=moment(last) if last is not None else None,
        quiet_days=(happened.until - last) / DAY if last is not None else None,
        silent=fell_silent(spoken, happened.answers, happened.until),
        shadow=shadow,
        over_time=tuple(_stretches(happened, opened)) if opened else (),
    )


def fell_silent(spoken: Sequence[float], answers: Sequence[Answered], until: float) -> bool:
    """A rule that spoke on enough days, and would be unlikely to keep silent for so many answers by chance.

    Days are counted and not words, since one patient makes a rule speak several times.
    """
    days = len({int(at // DAY) for at in spoken})
    if days < ENOUGH or until <= max(spoken):
        return False
    last = max(spoken)
    before = sum(one.at <= last for one in answers)
    after = sum(one.at > last for one in answers)
    return before > 0 and exp(-days / before * after) < UNLIKELY


def _columns(happened: Happened, cards: Sequence[Shown], signed: Sequence[Answered]) -> list[Column]:
    found = _stretches(happened, cards)
    ends = [one.begins.timestamp() for one in found[1:]] + [inf]
    signings = [sum(one.begins.timestamp() <= answer.at < end for answer in signed) for one, end in zip(found, ends, strict=True)]
    return [Column(one.begins, one.cards, count) for one, count in zip(found, signings, strict=True)]


def _stretches(happened: Happened, cards: Sequence[Shown]) -> list[Stretch]:
    edges = _edges(moment(happened.since), moment(happened.until))
    ends = [edge.timestamp() for edge in edges[1:]] + [inf]
    found = []
    for begins, end in zip(edges, ends, strict=True):
        inside = Counter(card.indicator for card in cards if begins.timestamp() <= card.at < end)
        found.append(Stretch(begins, {indicator.value: inside[indicator.value] for indicator in reversed(Indicator)}))
    return found


def _edges(since: datetime, until: datetime) -> list[datetime]:
    """Months in a long period, weeks in a shorter one, days in a month."""
    days = (until - since) / timedelta(days=1)
    if days > 120:
        first = since.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        months = [first.month - 1 + step for step in range(int(days / 28) + 2)]
        edges = [first.replace(year=first.year + month // 12, month=month % 12 + 1) for month in months]
    else:
        step = timedelta(days=7 if days > 31 else 1)
        first = since.replace(hour=0, minute=0, second=0, microsecond=0)
        edges = [first + step * number for number in range(int((until - first) / step) + 1)]
    return [edge for edge in edges if edge < until]


def _versions(answers: Sequence[Answered]) -> list[tuple[datetime, str]]:
    """When each version of the knowledge first answered."""
    seen: dict[str, float] = {}
    for one in answers:
        seen.setdefault(one.version, one.at)
    return [(moment(at), version) for version, at in seen.items()]


def moment(seconds: float) -> datetime:
    """A moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)

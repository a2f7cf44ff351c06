"""Where the marks of a chart stand; the templates draw them, so that a page needs no script and no library to show numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cds_service.web.board import Board, Stretch
from cds_service.web.intervals import Share

LARGEST_BAR = 46.0
BAR_WIDTH = 220.0
LABEL_WIDTH = 180.0  # a version in the chart's small type


@dataclass(frozen=True)
class Frame:
    """The size of a chart and the margins around what is drawn in it."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    @property
    def floor(self) -> int:
        return self.height - self.bottom

    def y(self, value: float, top: int) -> float:
        """Where a count stands on an axis that ends at `top`."""
        return self.floor - (self.floor - self.top) * value / top

    def step(self, number: int) -> float:
        """How much room each of so many columns has."""
        return (self.width - self.left - self.right) / max(number, 1)

    def middle(self, place: int, number: int) -> float:
        """The middle of one of so many columns."""
        return self.left + self.step(number) * (place + 0.5)


WIDE = Frame(width=960, height=280, left=34, right=8, top=48, bottom=44)
SMALL = Frame(width=320, height=118, left=22, right=4, top=24, bottom=20)


@dataclass(frozen=True)
class Box:
    """A rectangle with the tone that the style sheet colours."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str = ""


@dataclass(frozen=True)
class Text:
    """A text at a place; `anchor` as in SVG."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Rule:
    """A line with an optional label."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: Text | None = None


@dataclass(frozen=True)
class Picture:
    """All marks of a chart over time, and what it says in words."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    texts: tuple[Text, ...]
    grid: tuple[Rule, ...]
    marks: tuple[Rule, ...]
    words: str


def over_time(board: Board) -> Picture:
    """Cards by indicator for each stretch of time, its signings below, versions of the knowledge as dashed lines."""
    top = nice(max((one.total for one in board.columns), default=0))
    boxes, texts = _bars(board.columns, WIDE, top)
    every = max(1, -(-len(board.columns) // 14))
    for place, column in list(enumerate(board.columns))[::every]:
        middle = WIDE.middle(place, len(board.columns))
        texts.append(Text(middle, WIDE.floor + 17, _name(column.begins, board, first=not place)))
        texts.append(Text(middle, WIDE.floor + 34, f"{column.signings} signed"))
    return Picture(WIDE.width, WIDE.height, tuple(boxes), tuple(texts), _grid(WIDE, top), tuple(_marks(board)), in_words(board.columns))


def small_multiples(board: Board) -> Mapping[str, Picture]:
    """For each rule that opened a card, its cards by indicator over time, all on one scale, in the order of the board."""
    lines = [one for one in board.rules if one.over_time]
    top = max((stretch.total for one in lines for stretch in one.over_time), default=0)
    return {one.rule: _small(one.over_time, board, top) for one in lines}


def _small(stretches: Sequence[Stretch], board: Board, top: int) -> Picture:
    boxes, texts = _bars(stretches, SMALL, top)
    ends = ((0, SMALL.left, "start"), (len(stretches) - 1, SMALL.width - SMALL.right, "end"))
    texts += [Text(x, SMALL.floor + 15, _name(stretches[place].begins, board, first=True), anchor) for place, x, anchor in ends]
    marks = tuple(Rule(x, SMALL.top - 8, x, SMALL.floor) for x, _ in _versions(board, SMALL))
    return Picture(SMALL.width, SMALL.height, tuple(boxes), tuple(texts), _grid(SMALL, top), marks, in_words(stretches))


def in_words(stretches: Sequence[Stretch]) -> str:
    """What a chart shows, for those who hear it: the stretches with cards, and how many of which indicator."""
    said = []
    for one in stretches:
        counts = ", ".join(f"{count} {indicator}" for indicator, count in one.cards.items() if count)
        if counts:
            said.append(f"from {one.begins.day} {one.begins:%b %Y} {counts}")
    return "; ".join(said) or "no card"


def nice(value: int) -> int:
    """A round number at or above the largest count."""
    return next((one for one in (2, 4, 6, 8, 10, 20, 30, 40, 50, 100, 200, 500, 1000, 2000, 5000) if one >= value), value)


def _bars(stretches: Sequence[Stretch], frame: Frame, top: int) -> tuple[list[Box], list[Text]]:
    """A stack for each stretch, with its count above it."""
    boxes: list[Box] = []
    texts: list[Text] = []
    width = min(frame.step(len(stretches)) * 0.62, LARGEST_BAR)
    for place, stretch in enumerate(stretches):
        middle = frame.middle(place, len(stretches))
        boxes += _stack(stretch, frame, middle - width / 2, width, top)
        if stretch.total:
            texts.append(Text(middle, frame.y(stretch.total, top) - 5, str(stretch.total)))
    return boxes, texts


def _stack(stretch: Stretch, frame: Frame, x: float, width: float, top: int) -> list[Box]:
    boxes, below = [], 0
    for tone, count in stretch.cards.items():
        if count:
            y = frame.y(below + count, top)
            boxes.append(Box(x, y, width, frame.y(below, top) - y, tone, f"{stretch.begins:%d %b %Y}: {count} {tone}"))
            below += count
    return boxes


def _grid(frame: Frame, top: int) -> tuple[Rule, ...]:
    values = dict.fromkeys((0, top // 2 if top > 1 else 0, top)) if frame is WIDE else (0, top)
    return tuple(
        Rule(
            frame.left,
            frame.y(one, top),
            frame.width - frame.right,
            frame.y(one, top),
            Text(frame.left - 6, frame.y(one, top) + 4, str(one), "end"),
        )
        for one in values
    )


def _name(begins: datetime, board: Board, *, first: bool) -> str:
    """The day, or the month; the year stands where it begins."""
    long = board.until - board.since > timedelta(days=120)
    if not long:
        return f"{begins.day} {begins:%b}"
    return f"{begins:%b %Y}" if first or begins.month == 1 else f"{begins:%b}"


def _versions(board: Board, frame: Frame) -> list[tuple[float, str]]:
    """Where on the axis each version of the knowledge first answered."""
    start = board.columns[0].begins if board.columns else board.since
    span = max((board.until - start).total_seconds(), 1)
    length = frame.width - frame.left - frame.right
    return [(frame.left + length * (at - start).total_seconds() / span, version) for at, version in board.versions]


def _marks(board: Board) -> list[Rule]:
    """A line for each version; of versions too close to be read apart only the last is named."""
    places = _versions(board, WIDE)
    marks = []
    for number, (x, version) in enumerate(places, 1):
        crowded = number < len(places) and places[number][0] - x < LABEL_WIDTH
        late = x > WIDE.width - WIDE.right - LABEL_WIDTH
        label = Text(x - 5 if late else x + 5, 14, version, "end" if late else "start")
        marks.append(Rule(x, 4, x, WIDE.floor, None if crowded else label))
    return marks


def whisker(share: Share, width: float = BAR_WIDTH) -> Mapping[str, float] | None:
    """A share as a dot with its interval on a line from 0 to 100 %."""
    if share.interval is None or share.percent is None:
        return None
    low, high = share.interval
    return {"low": width * low / 100, "at": width * share.percent / 100, "high": width * high / 100}


def parts(shares: Sequence[tuple[str, Share]], largest: int, width: float = BAR_WIDTH) -> tuple[Box, ...]:
    """Counts side by side, on a scale that all rows share."""
    boxes, x = [], 0.0
    for tone, share in shares:
        length = width * share.count / largest if largest else 0.0
        if share.count:
            boxes.append(Box(x, 3, length, 14, tone, f"{share.count} {tone}"))
        x += length
    return tuple(boxes)

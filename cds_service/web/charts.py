"""Where the marks of a chart stand; the templates draw them, so that a page needs no script and no library to show numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cds_service.web.board import Board, Column
from cds_service.web.intervals import Share

WIDTH, HEIGHT = 960, 280
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 48, 44
LARGEST_BAR = 46.0
BAR_WIDTH = 220.0
LABEL_WIDTH = 180.0  # a version in the chart's small type


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
    """All marks of the chart over time."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    texts: tuple[Text, ...]
    grid: tuple[Rule, ...]
    marks: tuple[Rule, ...]


def over_time(board: Board) -> Picture:
    """Cards by indicator for each stretch of time, its signings below, versions of the knowledge as dashed lines."""
    tallest = max((sum(one.cards.values()) for one in board.columns), default=0)
    top = nice(tallest)
    step = (WIDTH - LEFT - RIGHT) / max(len(board.columns), 1)
    bar = min(step * 0.62, LARGEST_BAR)
    boxes: list[Box] = []
    texts: list[Text] = []
    every = max(1, -(-len(board.columns) // 14))
    for place, column in enumerate(board.columns):
        middle = LEFT + step * (place + 0.5)
        boxes += _stack(column, middle - bar / 2, bar, top)
        total = sum(column.cards.values())
        if total:
            texts.append(Text(middle, _y(total, top) - 5, str(total)))
        if place % every == 0:
            texts.append(Text(middle, HEIGHT - BOTTOM + 17, _name(column.begins, board, first=not place)))
            texts.append(Text(middle, HEIGHT - BOTTOM + 34, f"{column.signings} signed"))
    grid = [_grid(value, top) for value in dict.fromkeys((0, top // 2 if top > 1 else 0, top))]
    return Picture(WIDTH, HEIGHT, tuple(boxes), tuple(texts), tuple(grid), tuple(_marks(board)))


def nice(value: int) -> int:
    """A round number at or above the largest count."""
    return next((one for one in (2, 4, 6, 8, 10, 20, 30, 40, 50, 100, 200, 500, 1000, 2000, 5000) if one >= value), value)


def _y(value: float, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _stack(column: Column, x: float, width: float, top: int) -> list[Box]:
    boxes, below = [], 0
    for tone, count in column.cards.items():
        if count:
            y = _y(below + count, top)
            boxes.append(Box(x, y, width, _y(below, top) - y, tone, f"{column.begins:%d %b %Y}: {count} {tone}"))
            below += count
    return boxes


def _grid(value: int, top: int) -> Rule:
    y = _y(value, top)
    return Rule(LEFT, y, WIDTH - RIGHT, y, Text(LEFT - 6, y + 4, str(value), "end"))


def _name(begins: datetime, board: Board, *, first: bool) -> str:
    """The day, or the month; the year stands where it begins."""
    long = board.until - board.since > timedelta(days=120)
    if not long:
        return f"{begins.day} {begins:%b}"
    return f"{begins:%b %Y}" if first or begins.month == 1 else f"{begins:%b}"


def _marks(board: Board) -> list[Rule]:
    """A line for each version; of versions too close to be read apart only the last is named."""
    start = board.columns[0].begins if board.columns else board.since
    span = max((board.until - start).total_seconds(), 1)
    places = [(LEFT + (WIDTH - LEFT - RIGHT) * (at - start).total_seconds() / span, version) for at, version in board.versions]
    marks = []
    for number, (x, version) in enumerate(places, 1):
        crowded = number < len(places) and places[number][0] - x < LABEL_WIDTH
        late = x > WIDTH - RIGHT - LABEL_WIDTH
        label = Text(x - 5 if late else x + 5, 14, version, "end" if late else "start")
        marks.append(Rule(x, 4, x, HEIGHT - BOTTOM, None if crowded else label))
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

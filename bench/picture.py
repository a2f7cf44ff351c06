"""Draws what the corridor costs over the size of the chart, and how long answers take under load, as SVG for the documentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 400, 70, 190, 20, 50
NEAR = 14  # names at the ends of lines closer than this would be printed over one another
TONES = {"card": "#b3261e", "silent": "#1f6f8b", "out-of-scope": "#4d7c0f", "orjson.loads": "#666666"}

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Paper:
    """Two logarithmic axes with their marks; milliseconds upwards."""

    title: str
    under: str
    across: tuple[float, ...]
    upwards: tuple[float, ...]
    furthest: float

    def x(self, value: float) -> float:
        """Where a value stands from left to right."""
        low, high = log10(self.across[0]), log10(self.furthest)
        return LEFT + (log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, milliseconds: float) -> float:
        """Where a duration stands from the top."""
        low, high = log10(self.upwards[0]), log10(self.upwards[-1])
        return HEIGHT - BOTTOM - (log10(milliseconds) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def draw(self, lines: Mapping[str, Points]) -> str:
        """Each line with its name at its end; a name with a percentile beside it is drawn dashed for the 99th."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">'
        drawn = [self._line(name, points) for name, points in lines.items()]
        parts = [f"<title>{self.title}</title>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *self._grid(), *drawn]
        return "\n".join([head, *parts, *self._names(lines), "</svg>", ""])

    def _grid(self) -> list[str]:
        foot, middle = HEIGHT - BOTTOM + 18, (LEFT + WIDTH - RIGHT) / 2
        found = [f'<text x="{self.x(one):.0f}" y="{foot}" text-anchor="middle">{one:,.0f}</text>' for one in self.across]
        for one in self.upwards:
            y = self.y(one)
            found.append(f'<line x1="{LEFT}" y1="{y:.0f}" x2="{WIDTH - RIGHT}" y2="{y:.0f}" stroke="#dddddd"/>')
            found.append(f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{one:g} ms</text>')
        return [*found, f'<text x="{middle:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{self.under}</text>']

    def _line(self, name: str, points: Points) -> str:
        places = " ".join(f"{self.x(across):.1f},{self.y(cost):.1f}" for across, cost in points)
        dashes = ' stroke-dasharray="5 4"' if name.endswith("99 %") else ""
        return f'<polyline points="{places}" fill="none" stroke="{_tone(name)}" stroke-width="2"{dashes}/>'

    def _names(self, lines: Mapping[str, Points]) -> list[str]:
        found, free = [], 0.0
        for name, points in sorted(lines.items(), key=lambda one: self.y(one[1][-1][1])):
            across, cost = points[-1]
            y = max(self.y(cost) + 4, free)
            free = y + NEAR
            found.append(f'<text x="{self.x(across) + 8:.0f}" y="{y:.0f}" fill="{_tone(name)}">{name}: {cost:.0f} ms</text>')
        return found


SIZE = Paper(
    "Milliseconds of one decision over the number of resources of the chart",
    "resources in the request; the grey line is the mere decoding of the same bytes",
    (5, 100, 1_000, 10_000),
    (0.01, 0.1, 1, 10, 100, 1_000, 10_000),
    20_000,
)
LOAD = Paper(
    "Milliseconds until the answer over the number of connections that ask without a pause, 100 resources, two workers",
    "connections that ask without a pause; whole lines are the median, dashed ones the 99th percentile",
    (1, 2, 4, 8, 16, 32),
    (1, 10, 100, 1_000),
    32,
)


def _tone(name: str) -> str:
    return TONES[name.split(",", 1)[0]]


def cost_over_size(rows: Sequence[tuple[str, int, float, float]]) -> Path:
    """Draws (story, resources, seconds of the corridor, seconds of orjson.loads) and gives the file."""
    stories = dict.fromkeys(story for story, *_ in rows)
    lines = {story: [(size, taken * 1_000) for kind, size, taken, _ in rows if kind == story] for story in stories}
    lines["orjson.loads"] = [(size, decode * 1_000) for kind, size, _, decode in rows if kind == "card"]
    return _write("cost-over-size.svg", SIZE.draw(lines))


def latency_over_load(rows: Sequence[tuple[str, int, float, float]]) -> Path:
    """Draws (story, connections, milliseconds at the median, at the 99th percentile) and gives the file."""
    stories = dict.fromkeys(story for story, *_ in rows)
    middle = {story: [(many, p50) for kind, many, p50, _ in rows if kind == story] for story in stories}
    late = {f"{story}, 99 %": [(many, p99) for kind, many, _, p99 in rows if kind == story] for story in stories}
    return _write("latency-over-load.svg", LOAD.draw(middle | late))


def _write(name: str, picture: str) -> Path:
    path = DOCS / name
    path.write_text(picture, encoding="utf-8")
    return path

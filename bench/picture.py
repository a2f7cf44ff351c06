"""Draws what the corridor costs over the size of the chart, as an SVG picture for the documentation."""

from collections.abc import Sequence
from math import log10
from pathlib import Path

from bench.engine import Row

DOCS = Path(__file__).resolve().parent.parent / "docs"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 70, 150, 20, 50
SIZES, COSTS = (5, 20_000), (0.01, 1_000.0)
TONES = {"card": "#b3261e", "silent": "#1f6f8b", "out-of-scope": "#4d7c0f", "orjson.loads": "#888888"}


def cost_over_size(rows: Sequence[Row]) -> str:
    """Milliseconds over the number of resources, both logarithmic; the grey line is the mere decoding of the same bytes."""
    lines = {
        story: [(size, taken * 1_000) for kind, size, taken, _ in rows if kind == story] for story in ("card", "silent", "out-of-scope")
    }
    lines["orjson.loads"] = [(size, decode * 1_000) for kind, size, _, decode in rows if kind == "card"]
    marks = [*_grid(), *(mark for name, points in lines.items() for mark in _line(name, points))]
    title = "Milliseconds of one decision over the number of resources of the chart"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f"<title>{title}</title>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *marks, "</svg>", ""])


def _grid() -> list[str]:
    sizes = (5, 100, 1_000, 10_000)
    found = [f'<text x="{_x(size):.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:,}</text>' for size in sizes]
    for cost in (0.01, 0.1, 1, 10, 100, 1_000):
        y = _y(cost)
        found.append(f'<line x1="{LEFT}" y1="{y:.0f}" x2="{WIDTH - RIGHT}" y2="{y:.0f}" stroke="#dddddd"/>')
        found.append(f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{cost:g} ms</text>')
    return [*found, f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">resources in the request</text>']


def _line(name: str, points: Sequence[tuple[int, float]]) -> list[str]:
    places = " ".join(f"{_x(size):.1f},{_y(cost):.1f}" for size, cost in points)
    size, cost = points[-1]
    drawn = f'<polyline points="{places}" fill="none" stroke="{TONES[name]}" stroke-width="2"/>'
    shift = {"card": -3, "silent": 11}.get(name, 4)
    return [drawn, f'<text x="{_x(size) + 8:.0f}" y="{_y(cost) + shift:.0f}" fill="{TONES[name]}">{name} {cost:.0f} ms</text>']


def _x(size: float) -> float:
    low, high = map(log10, SIZES)
    return LEFT + (log10(size) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(cost: float) -> float:
    low, high = map(log10, COSTS)
    return HEIGHT - BOTTOM - (log10(cost) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def write(rows: Sequence[Row]) -> Path:
    """Writes the picture beside the other documents."""
    file = DOCS / "cost-over-size.svg"
    file.write_text(cost_over_size(rows), "utf-8")
    return file

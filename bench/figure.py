"""The figure of the README: how wrong each candidate is against how long it takes, as an SVG that needs nothing else.

It has a ground of its own, so that it can be read on any page, and a dark one where the reader's system is dark.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import stereo_tables
from stereo_candidates import HEIGHT, NUM_DISPARITIES, PROFILES, THREADS, WIDTH, Row

TARGET = "docs/accuracy.svg"
SIZE = (760, 420)
PLOT = (64, 40, 736, 356)  # left, top, right, bottom
LETTER_PX = 8.8  # mean width of a bold letter, as wide as sans-serif fonts have them at 14 px
LINE_PX = 18
RADIUS = 6
GAP = RADIUS + 5
# Where a label may stand, best first: to the right (1) or left of its point, and so many lines below it.
FARTHER = [(side, rise) for lines in range(1, 7) for rise in (-lines, lines) for side in (1, -1, 0)]
PLACES = [(1, 0), (0, -1), (0, 1), (-1, 0), *FARTHER]
ANCHORS = {1: "start", 0: "middle", -1: "end"}
STYLE = """
 text { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a }
 .ground { fill: #ffffff; stroke: #d0d7de } .grid { stroke: #d8dee4 } circle.theirs { fill: #8c959f }
 .ours { fill: #cf4a14 } text.ours { font-weight: 600 }
 .label { stroke: #ffffff; stroke-width: 4px; paint-order: stroke }
 @media (prefers-color-scheme: dark) {
  text { fill: #9198a1 } .ground { fill: #0d1117; stroke: #3d444d } .grid { stroke: #262c36 }
  circle.theirs { fill: #767e89 } .ours { fill: #ff8a4c } .label { stroke: #0d1117 }
 }
"""

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Point:
    """One candidate."""

    name: str
    ms: float
    bad_percent: float

    @property
    def style(self) -> str:
        return "ours" if self.name in PROFILES else "theirs"


@dataclass(frozen=True, slots=True)
class Axes:
    """Where values lie: milliseconds on a logarithmic scale to the right, percent upwards from 0."""

    ms: tuple[float, float]
    bad_percent: float

    def x(self, ms: float) -> float:
        low, high = self.ms
        return PLOT[0] + (PLOT[2] - PLOT[0]) * math.log(ms / low) / math.log(high / low)

    def y(self, bad_percent: float) -> float:
        return PLOT[3] - (PLOT[3] - PLOT[1]) * bad_percent / self.bad_percent


def update(root: Path, results: Path) -> Iterator[Path]:
    """Draw the figure again if there are results; yield its path."""
    report = results / "stereo.json"
    if report.exists():
        path = root / TARGET
        path.write_text(draw(json.loads(report.read_text())["rows"]))
        yield path


def draw(rows: list[Row]) -> str:
    """Return the figure as SVG."""
    points = points_of(rows)
    axes = axes_for(points)
    width, height = SIZE
    described = f"Percent of wrong pixels against milliseconds: {'; '.join(map(in_words, points))}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img">',
        f"<title>{escape(described)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>',
        *scales(axes),
        *marks(points, axes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def points_of(rows: list[Row]) -> list[Point]:
    """Return what is drawn: means over the real sets, or the simulated one where there is no other."""
    accuracy = stereo_tables.by(stereo_tables.of_kind(rows, "accuracy"), "candidate", "group")
    groups = stereo_tables.groups_of(rows)
    groups = [group for group in groups if group != stereo_tables.SIMULATED] or groups
    times = stereo_tables.at_reference(stereo_tables.of_kind(rows, "time"))
    return [
        Point(name, row["median_ms"], stereo_tables.mean(accuracy[name, group]["bad_2_fill"] for group in groups))
        for row in times
        for name in [row["candidate"]]
    ]


def axes_for(points: list[Point]) -> Axes:
    """Return axes that all points fit on, with room for their labels."""
    times = [point.ms for point in points]
    return Axes((min(times) / 1.7, max(times) * 1.7), math.ceil(max(point.bad_percent for point in points)) + 0.5)


def scales(axes: Axes) -> Iterator[str]:
    """Yield lines and numbers, and what they count."""
    left, top, right, bottom = PLOT
    for ms in ticks(*axes.ms):
        yield f'<path class="grid" d="M{axes.x(ms):.1f} {top}V{bottom}"/>'
        yield text(axes.x(ms), bottom + 20, f"{ms}", "middle")
    for percent in range(0, math.floor(axes.bad_percent) + 1, 2):
        yield f'<path class="grid" d="M{left} {axes.y(percent):.1f}H{right}"/>'
        yield text(left - 10, axes.y(percent) + 5, f"{percent}", "end")
    yield text(left, top - 16, "wrong pixels (off by more than 2 px), %")
    pair = f"ms per pair of {WIDTH}x{HEIGHT}, {NUM_DISPARITIES} disparities, {THREADS} threads"
    yield text(right, bottom + 46, pair, "end")


def ticks(low: float, high: float) -> list[int]:
    """Return 1, 2 and 5 times every power of ten from `low` to `high`."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    return [each for decade in decades for digit in (1, 2, 5) if low <= (each := digit * 10**decade) <= high]


def marks(points: list[Point], axes: Axes) -> Iterator[str]:
    """Yield the dots, then a label for each."""
    dots = [(axes.x(point.ms), axes.y(point.bad_percent)) for point in points]
    names = [stereo_tables.title(point.name) for point in points]
    for point, (x, y) in zip(points, dots, strict=True):
        yield f'<circle class="{point.style}" cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}"/>'
    labels = label_places(dots, [len(name) * LETTER_PX for name in names])
    for point, name, (x, _), (side, box) in zip(points, names, dots, labels, strict=True):
        yield text(x + side * GAP, box[3] - 4, name, ANCHORS[side], f"label {point.style}")


def label_places(dots: list[tuple[float, float]], widths: list[float]) -> list[tuple[int, Box]]:
    """Return at which side of its dot each label stands, and the room that it takes, which nothing else does."""
    taken = [dot_box(x, y) for x, y in dots]
    labels = []
    for (x, y), width in zip(dots, widths, strict=True):
        labels.append(free_place(x, y, width, taken))
        taken.append(labels[-1][1])
    return labels


def free_place(x: float, y: float, width: float, taken: list[Box]) -> tuple[int, Box]:
    """Return the first place beside a dot that is within the plot and free, and at which side it is."""
    for side, rise in PLACES:
        left = x - width * (1 - side) / 2 + side * GAP
        top = y + (rise - 0.5) * LINE_PX
        box = (left, top, left + width, top + LINE_PX)
        if inside(box) and not any(overlap(box, other) for other in taken):
            return side, box
    raise ValueError("there is no room for a label: draw the figure larger")


def dot_box(x: float, y: float) -> Box:
    """Return the room that a dot takes."""
    return x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS


def inside(box: Box) -> bool:
    """Return whether a box lies within the plot."""
    return PLOT[0] <= box[0] and PLOT[1] <= box[1] and box[2] <= PLOT[2] and box[3] <= PLOT[3]


def overlap(a: Box, b: Box) -> bool:
    """Return whether two boxes share room."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def text(x: float, y: float, words: str, anchor: str = "start", style: str = "") -> str:
    """Return words at a place."""
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def in_words(point: Point) -> str:
    """Return a point for those who cannot see it."""
    return f"{stereo_tables.title(point.name)} {point.bad_percent:.2f} % in {point.ms:.0f} ms"

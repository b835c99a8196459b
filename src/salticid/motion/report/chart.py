"""Charts of the stride as SVG text: it prints sharply, scales to a phone, and needs no script and no font of its own.

Left is blue and right is orange everywhere, a pair that all kinds of color vision tell apart (Okabe and Ito 2008); what
lies outside is told by a shape as well, never by color alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from salticid.core.types import Array

INK, FAINT, GRID, BAND, BAND_EDGE = "#1b1f23", "#5b6670", "#e3e7eb", "#d5dbe1", "#8b98a5"
SIDE_COLORS = {"left": "#0067a5", "right": "#b34f00", None: "#3d3d8f"}

_WIDTH, _HEIGHT = 440, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 20, 40  # margins around the axes
_BAR_WIDTH, _BAR_HEIGHT = 300, 26
_BAR_REACH = 4.5  # of a range bar to either side, in own spreads
_LONG = 420  # width of what stands alone
_DUMBBELL_ROW = 44


@dataclass(frozen=True, slots=True)
class CurvePanel:
    """A curve over the stride beside the person's own band."""

    title: str  # "Left"
    unit: str
    color: str
    strides: Array  # (N, 101) of this clip; N may be 0
    center: Array  # (101,) what stands for them: their mean; nan where none was measured
    low: Array  # (101,) the own band; nan where there is none
    high: Array  # (101,)
    mean: Array  # (101,)
    toe_off_percent: float = math.nan  # end of stance; nan where it is not known
    cycle: str = "stride"  # what 100 % are

    @property
    def outside(self) -> Array:
        """(101,) bool: where the center leaves the band."""
        return np.asarray((self.center < self.low) | (self.center > self.high))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where numbers lie on the picture."""

    low: float
    high: float

    def x(self, percent: float) -> float:
        return _LEFT + percent / 100 * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _TOP + (self.high - value) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)


def shared_range(panels: Iterable[CurvePanel]) -> tuple[float, float]:
    """Return the least and largest value that panels beside each other show, with a little air."""
    parts = [np.ravel(part) for panel in panels for part in (panel.center, panel.low, panel.high, panel.strides)]
    values = np.concatenate(parts) if parts else np.empty(0)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    air = max((high - low) * 0.06, 1e-6 + abs(high) * 1e-3)
    return low - air, high + air


def curve_chart(panel: CurvePanel, value_range: tuple[float, float]) -> str:
    """Return the chart of one panel: band, its mean, every stride, their center, and where that leaves the band."""
    scale = _Scale(*value_range)
    parts = [
        _axes(scale, panel),
        _band(scale, panel),
        _phases(scale, panel.toe_off_percent),
        *(_line(scale, stride, panel.color, 1, opacity=0.28) for stride in panel.strides),
        _line(scale, panel.mean, BAND_EDGE, 1.6, dashes="5 4"),
        _excess(scale, panel),
        _line(scale, panel.center, panel.color, 2.8),
        _strip(scale, panel.outside),
    ]
    label = f"{panel.title}: this clip ({len(panel.strides)} {panel.cycle}s) and the own band over the {panel.cycle}"
    return _svg(_WIDTH, _HEIGHT, "".join(parts), label)


def range_bar(
    value: float,
    low: float,
    high: float,
    mean: float,
    spread: float,
    own: Sequence[float] = (),
    *,
    outside: bool = False,
) -> str:
    """Return a bar: the own range as a band, the own clips as ticks, and this clip as a circle, or outside a diamond.

    The axis is in own spreads around the own mean, so that all features can be compared; what lies beyond its end is
    drawn as an arrow there.
    """

    def x(number: float) -> float:
        away = (number - mean) / spread
        return _BAR_WIDTH / 2 + min(max(away, -_BAR_REACH), _BAR_REACH) / _BAR_REACH * (_BAR_WIDTH / 2 - 9)

    middle = _BAR_HEIGHT / 2
    known = [number for number in (low, high, mean, spread) if math.isfinite(number)]
    if len(known) < 4 or spread <= 0:
        return ""
    parts = [
        f'<line x1="4" x2="{_BAR_WIDTH - 4}" y1="{middle}" y2="{middle}" stroke="{GRID}" stroke-width="2"/>',
        f'<rect x="{x(low):.1f}" y="{middle - 7}" width="{max(x(high) - x(low), 1.5):.1f}" height="14" rx="3" '
        f'fill="{BAND}" stroke="{BAND_EDGE}"/>',
        *(
            f'<line x1="{x(number):.1f}" x2="{x(number):.1f}" y1="{middle - 4}" y2="{middle + 4}" stroke="{FAINT}"/>'
            for number in own
            if math.isfinite(number)
        ),
    ]
    if math.isfinite(value):
        beyond = abs(value - mean) / spread > _BAR_REACH
        parts.append(_mark(x(value), middle, outside=outside, beyond=beyond, rising=value > mean))
    said = f"{value:.4g}, own range {low:.4g} to {high:.4g}"
    return _svg(_BAR_WIDTH, _BAR_HEIGHT, "".join(parts), said, css="bar")


def dumbbell(rows: Sequence[tuple[str, str, float, float]]) -> str:
    """Return left against right, a row per feature: its title, its unit, the left and the right value.

    Each row has an axis of its own, from 12 % below the smaller to 12 % above the larger, or around both where they are
    nearly equal; so the distance of the marks shows how far apart the sides are.
    """
    height = _DUMBBELL_ROW * len(rows) + 4
    parts = [_dumbbell_row(_DUMBBELL_ROW * index + 2, *row) for index, row in enumerate(rows)]
    return _svg(_LONG, height, "".join(parts), "left and right beside each other", css="dumbbell")


def gauge(score: float, limit: float, own: Sequence[float]) -> str:
    """Return how far this clip is from the own ones: a line from 0, the limit on it, the own clips and this one."""
    known = [number for number in (score, limit, *own) if math.isfinite(number)]
    if not known or not math.isfinite(limit) or limit <= 0:
        return ""
    width, height, start, end = _LONG, 66, 6, _LONG - 6
    high = max(max(known) * 1.08, limit * 1.5)

    def x(number: float) -> float:
        return start + number / high * (end - start)

    parts = [
        f'<rect x="{start}" y="22" width="{x(limit) - start:.1f}" height="16" rx="3" fill="{BAND}"/>',
        f'<rect x="{x(limit):.1f}" y="22" width="{end - x(limit):.1f}" height="16" rx="3" fill="#f6e3d3"/>',
        f'<line x1="{x(limit):.1f}" x2="{x(limit):.1f}" y1="16" y2="44" stroke="{INK}" stroke-width="2"/>',
        _text(x(limit), 58, f"limit {limit:.2f}", anchor="middle"),
        *(
            f'<circle cx="{x(number):.1f}" cy="30" r="4" fill="#fff" stroke="{FAINT}" stroke-width="2"/>'
            for number in own
            if math.isfinite(number)
        ),
    ]
    if math.isfinite(score):
        parts.append(_mark(x(score), 30, outside=score > limit, beyond=False, rising=True))
        parts.append(_text(x(score), 13, f"this clip {score:.2f}", anchor=_anchor(x(score), width), weight=700))
    return _svg(width, height, "".join(parts), f"score {score:.2f}, limit {limit:.2f}", css="gauge")


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers from `low` to `high`, about as many as asked for.

    >>> ticks(-3, 68)
    [0, 20, 40, 60]
    """
    step = 10 ** math.floor(math.log10((high - low) / about))
    step = min((step * factor for factor in (1, 2, 5, 10)), key=lambda size: abs((high - low) / size - about))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def stretches(flags: Array) -> list[tuple[int, int]]:
    """Return first and last index of every run of true values.

    >>> stretches(np.array([True, True, False, True]))
    [(0, 1), (3, 3)]
    """
    steps = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    return [
        (int(start), int(end) - 1) for start, end in zip(*(np.flatnonzero(steps == s) for s in (1, -1)), strict=True)
    ]


def _axes(scale: _Scale, panel: CurvePanel) -> str:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<rect x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" height="{bottom - _TOP}" fill="#fff" stroke="{GRID}"/>'
    ]
    for value in ticks(scale.low, scale.high):
        y = scale.y(value)
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{value:g}", anchor="end"))
    for percent in (0, 25, 50, 75, 100):
        x = scale.x(percent)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}" stroke="{FAINT}"/>')
        parts.append(_text(x, bottom + 17, str(percent), anchor="middle"))
    parts.append(_text(2, _TOP - 7, panel.unit))
    said = f"% of the {panel.cycle}{', from contact to contact' if panel.cycle == 'stride' else ''}"
    parts.append(_text((_LEFT + right) / 2, _HEIGHT - 6, said, anchor="middle"))
    return "".join(parts)


def _band(scale: _Scale, panel: CurvePanel) -> str:
    """Return the own band, one patch for every stretch in which it is known."""
    patches = []
    for start, end in stretches(np.isfinite(panel.low) & np.isfinite(panel.high)):
        phases = range(start, end + 1)
        upper = [f"{scale.x(phase):.1f},{scale.y(panel.high[phase]):.1f}" for phase in phases]
        lower = [f"{scale.x(phase):.1f},{scale.y(panel.low[phase]):.1f}" for phase in reversed(phases)]
        patches.append(f'<polygon points="{" ".join(upper + lower)}" fill="{BAND}"/>')
    return "".join(patches)


def _excess(scale: _Scale, panel: CurvePanel) -> str:
    """Return what lies between the center and the band where it is outside."""
    middle = panel.center
    edge = np.where(middle > panel.high, panel.high, panel.low)
    patches = []
    for start, end in stretches(panel.outside):
        phases = range(start, end + 1)
        there = [f"{scale.x(phase):.1f},{scale.y(middle[phase]):.1f}" for phase in phases]
        back = [f"{scale.x(phase):.1f},{scale.y(edge[phase]):.1f}" for phase in reversed(phases)]
        patches.append(f'<polygon points="{" ".join(there + back)}" fill="{panel.color}" fill-opacity="0.3"/>')
    return "".join(patches)


def _phases(scale: _Scale, toe_off_percent: float) -> str:
    """Return the line between stance and swing with their names."""
    if not math.isfinite(toe_off_percent):
        return ""
    x, bottom = f"{scale.x(toe_off_percent):.1f}", _HEIGHT - _BOTTOM
    return (
        f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}" stroke="{FAINT}" stroke-dasharray="2 3"/>'
        + _text(scale.x(toe_off_percent / 2), _TOP - 7, "stance", anchor="middle")
        + _text(scale.x((100 + toe_off_percent) / 2), _TOP - 7, "swing", anchor="middle")
    )


def _line(scale: _Scale, values: Array, color: str, width: float, *, opacity: float = 1, dashes: str = "") -> str:
    pieces = []
    for start, end in stretches(np.isfinite(values)):
        points = [f"{scale.x(phase):.1f} {scale.y(float(values[phase])):.1f}" for phase in range(start, end + 1)]
        pieces.append("M" + "L".join(points))
    extra = f' stroke-dasharray="{dashes}"' if dashes else ""
    extra += f' stroke-opacity="{opacity}"' if opacity != 1 else ""
    return f'<path d="{"".join(pieces)}" fill="none" stroke="{color}" stroke-width="{width}"{extra}/>' if pieces else ""


def _strip(scale: _Scale, outside: Array) -> str:
    """Return marks below the axis wherever the center is outside."""
    y = _HEIGHT - _BOTTOM - 4
    return "".join(
        f'<rect x="{scale.x(max(start - 0.5, 0)):.1f}" y="{y}" '
        f'width="{scale.x(min(end + 0.5, 100)) - scale.x(max(start - 0.5, 0)):.1f}" height="5" fill="{INK}"/>'
        for start, end in stretches(outside)
    )


def _mark(x: float, y: float, *, outside: bool, beyond: bool, rising: bool) -> str:
    if beyond:
        tip = 7 if rising else -7
        return f'<polygon points="{x + tip:.1f},{y} {x - tip:.1f},{y - 8} {x - tip:.1f},{y + 8}" fill="{INK}"/>'
    if outside:
        return f'<polygon points="{x:.1f},{y - 8} {x + 8:.1f},{y} {x:.1f},{y + 8} {x - 8:.1f},{y}" fill="{INK}"/>'
    return f'<circle cx="{x:.1f}" cy="{y}" r="6" fill="#fff" stroke="{INK}" stroke-width="3"/>'


def _dumbbell_row(top: float, title: str, unit: str, left: float, right: float) -> str:
    start, end, y = 20, _LONG - 20, top + 30
    low, high = min(left, right), max(left, right)
    air = max(0.12 * max(abs(low), abs(high)), (high - low) * 0.4, 1e-9)

    def x(value: float) -> float:
        return start + (value - low + air) / (high - low + 2 * air) * (end - start)

    marks = [
        f'<line x1="{x(left):.1f}" x2="{x(right):.1f}" y1="{y}" y2="{y}" stroke="{FAINT}" stroke-width="3"/>',
        f'<circle cx="{x(left):.1f}" cy="{y}" r="7" fill="{SIDE_COLORS["left"]}"/>',
        f'<rect x="{x(right) - 6.5:.1f}" y="{y - 6.5}" width="13" height="13" fill="{SIDE_COLORS["right"]}"/>',
    ]
    sides = (("left", left), ("right", right))
    lower, upper = sorted(sides, key=lambda side: side[1])
    return (
        _text(4, top + 12, f"{title} ({unit})", color=INK)
        + f'<line x1="{start}" x2="{end}" y1="{y}" y2="{y}" stroke="{GRID}" stroke-width="2"/>'
        + "".join(marks)
        + _text(x(lower[1]) - 12, y + 4, f"{lower[1]:.3g}", anchor="end", color=SIDE_COLORS[lower[0]])
        + _text(x(upper[1]) + 12, y + 4, f"{upper[1]:.3g}", color=SIDE_COLORS[upper[0]])
    )


def _anchor(x: float, width: float) -> str:
    return "end" if x > width * 0.8 else "start" if x < width * 0.2 else "middle"


def _text(x: float, y: float, text: str, *, anchor: str = "start", color: str = FAINT, weight: int = 400) -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}"{bold}>{escape(text)}</text>'


def _svg(width: int, height: int, content: str, label: str, css: str = "curve") -> str:
    return (
        f'<svg class="{css}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}" '
        f'font-family="system-ui, sans-serif" font-size="12" xmlns="http://www.w3.org/2000/svg">{content}</svg>'
    )

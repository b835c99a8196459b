"""The sections of a report, from the verdict down to how it was computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from salticid.core.types import Image
from salticid.motion.chart import (
    dumbbell,
    gauge,
    range_bar,
)
from salticid.motion.keypoints import Side
from salticid.motion.report_data import ReportData
from salticid.motion.report_page import Cell, Html, facts, figure, picture, section, table
from salticid.motion.report_text import (
    Difference,
    comparison,
    phrase,
    short_amount,
    unit_words,
)

_SHOWN_CHANGES = 8
_COMPARED = 10  # features whose sides are set beside each other
_PHASES = (("contact", "At contact"), ("stance", "Stance"), ("swing", "Swing"), ("whole", "Throughout"))


def head(data: ReportData, title: str) -> str:
    """Return the verdict with what supports it."""
    kind = {True: "inside", False: "outside", None: "unknown"}[data.inside]
    measured = data.measured
    chips = [
        ("Movement", measured.activity),
        ("View", f"{measured.view}{f', facing {measured.direction}' if measured.direction else ''}"),
        (f"{data.cycle.capitalize()}s", str(_cycles(data))),
        ("Time followed", f"{measured.duration_s:.1f} s at {measured.fps:.4g} fps"),
    ]
    if math.isfinite(measured.speed_kmh):
        chips.append(("Speed", f"{measured.speed_kmh:.1f} km/h, {measured.speed_source}"))
    listed = "".join(f"<li>{escape(name)} <b>{escape(value)}</b></li>" for name, value in chips)
    warnings = "".join(f'<p class="warning">{escape(text)}</p>' for text in data.warnings)
    reasons = f'<p class="note">{escape(_sentence(data.reasons))}</p>' if data.reasons else ""
    return (
        f'<header class="{kind}"><h1>{escape(title)}</h1><p class="verdict">{escape(data.verdict)}</p>'
        f"{_gauge(data)}{reasons}"
        f'<ul class="chips">{listed}</ul>{warnings}</header>'
    )


def changes(data: ReportData) -> str:
    """Return what changed, largest first."""
    shown = data.changes[:_SHOWN_CHANGES]
    items = "".join(_change(data, change) for change in shown)
    more = len(data.changes) - len(shown)
    rest = f'<p class="note">{more} smaller changes are in the table of all features.</p>' if more > 0 else ""
    content = f'<ol class="changes">{items}</ol>{rest}' if shown else "<p>Every feature lies within your own range.</p>"
    note = "Largest first, in your own spreads: how much your own clips differ from one another."
    return section("What changed", content, note if shown else "")


def stills(pictures: Sequence[tuple[Image, str]]) -> str:
    """Return pictures of the clip, each (H, W, 3) uint8 with its caption."""
    figures = "".join(picture(image, caption) for image, caption in pictures)
    return section("In the video", f'<div class="stills">{figures}</div>' if figures else "")


def sides(data: ReportData) -> str:
    """Return left against right, the features that differ most first."""
    pairs = [
        (left, right)
        for key, left in data.features.items()
        if left.side == "left" and (right := data.features.get(f"{left.name}.right")) is not None
    ]
    pairs.sort(key=lambda pair: -_apart(*pair))
    rows = [(left.title, unit_words(left.unit), _plain(left), _plain(right)) for left, right in pairs[:_COMPARED]]
    if not rows:
        return ""
    key = (
        '<p class="note"><span class="left">● left</span> &nbsp; <span class="right">■ right</span> &nbsp; '
        "the most different first, measured in your own spreads</p>"
    )
    half = math.ceil(len(rows) / 2)
    charts = "".join(dumbbell(part) for part in (rows[:half], rows[half:]) if part)
    return section("Left and right", f'<div class="keep">{key}<div class="pair">{charts}</div></div>')


def features(data: ReportData) -> str:
    """Return all features with their own ranges, phase by phase."""
    rows: list[tuple[str, Sequence[Cell]]] = []
    for phase, heading in _phases(data):
        members = [(key, one) for key, one in data.features.items() if one.phase == phase]
        rows += [("group", [heading])] if members else []
        rows += [_feature_row(data, key, one) for key, one in members]
    if not rows:
        return ""
    note = (
        "The gray bar is the range of your own clips, the small lines are those clips. A circle is this clip within "
        "the range, a diamond outside of it, a triangle beyond the end of the axis."
    )
    columns = (
        ("Feature", ""),
        ("Unit", "wide"),
        ("This clip", "number"),
        ("Own mean", "number wide"),
        ("Own range", "number wide"),
        ("In own spreads", ""),
        ("", "number"),
    )
    return section("All features", table(columns, rows), note, fresh=True)


def not_measured(data: ReportData) -> str:
    """Return what the clip does not show, with the reasons."""
    rows = [*_by_reason(data.not_measured), *_by_reason(data.coarse)]
    note = "Where a video does not show something, there is no number here rather than a guessed one."
    return section("Not measured, or coarse", table((("Why", ""), ("What", "")), rows) if rows else "", note)


def quality(data: ReportData) -> str:
    """Return how good the clip is, and what its reader should know."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in data.measured.notes)
    listed = f"<ul>{notes}</ul>" if notes else ""
    return section("Quality of the clip", facts(data.quality) + listed if data.quality or notes else "")


def method(data: ReportData, files: Sequence[tuple[str, str]]) -> str:
    """Return how it was computed, and which files lie beside the page."""
    beside = "<h3>Files of this report</h3>" + facts(files) if files else ""
    return section("How it was computed", facts(data.method) + beside)


def _by_reason(missing: Sequence[tuple[str, Side | None, str]]) -> list[tuple[str, Sequence[Cell]]]:
    """Return a row per reason, with all that it is the reason for; a side is named where it is one alone."""
    found: dict[str, dict[str, list[str]]] = {}
    for title, side, reason in missing:
        found.setdefault(reason, {}).setdefault(title, []).append(side or "")
    rows: list[tuple[str, Sequence[Cell]]] = []
    for reason, titles in found.items():
        said = [f"{title} ({sides[0]})" if sides[0] and len(sides) == 1 else title for title, sides in titles.items()]
        rows.append(("", [reason[0].upper() + reason[1:], "; ".join(said)]))
    return rows


def _gauge(data: ReportData) -> str:
    chart = gauge(data.score, data.limit, data.own_scores)
    said = "How far this clip is from your own ones. Circles: each of those, compared with the others."
    return figure(chart, said) if chart else ""


def _cycles(data: ReportData) -> int:
    """Return how many strides or repetitions the clip has."""
    counts = [measurement.count for measurement in data.measured.measurements.values()]
    return len(data.measured.strides) or max(counts, default=0)


def _change(data: ReportData, change: Difference) -> str:
    key = f"{change.name}.{change.side}" if change.side else change.name
    caution = data.cautions.get(key, "")
    careful = f'<p class="note">Careful: {escape(caution)}.</p>' if caution else ""
    said = phrase(change)
    return (
        f'<li><strong>{escape(said[0].upper() + said[1:])}</strong><div class="detail"><div><p class="note">'
        f"{escape(comparison(change))}.</p>{careful}</div>{_bar(data, key, change)}</div></li>"
    )


def _bar(data: ReportData, key: str, one: Difference) -> str:
    spread = one.by / one.deviation if one.deviation else math.nan
    own = data.own_values.get(key, ())
    return range_bar(one.value, one.low, one.high, one.mean, spread, own)


def _feature_row(data: ReportData, key: str, one: Difference) -> tuple[str, Sequence[Cell]]:
    outside = not one.low <= one.value <= one.high
    cells: list[Cell] = [
        Html(_with_side(one.title, one.side) + (" *" if key in data.cautions else "")),
        unit_words(one.unit),
        short_amount(one.value, one.unit),
        short_amount(one.mean, one.unit),
        f"{short_amount(one.low, one.unit)} – {short_amount(one.high, one.unit)}",
        Html(_bar(data, key, one)),
        f"{one.deviation:+.1f}" if math.isfinite(one.deviation) else "–",
    ]
    return "out" if outside else "", cells


def _with_side(title: str, side: Side | None) -> str:
    return f'{escape(title)}, <span class="{side}">{side}</span>' if side else escape(title)


def _phases(data: ReportData) -> Iterable[tuple[str, str]]:
    """Return the phases that there are features of, with their headings."""
    known = [phase for phase, _ in _PHASES]
    others = dict.fromkeys(one.phase for one in data.features.values() if one.phase not in known)
    return (*_PHASES, *((phase, phase.capitalize()) for phase in others))


def _apart(left: Difference, right: Difference) -> float:
    """Return how far apart the sides are beyond how far they always are, in own spreads."""
    spreads = [abs(one.by / one.deviation) for one in (left, right) if one.deviation]
    spread = max(spreads, default=math.nan)
    apart = abs(left.by - right.by) / spread if spread else math.nan
    return apart if math.isfinite(apart) else 0.0


def _plain(one: Difference) -> float:
    return 1000 * one.value if one.unit == "s" else one.value


def _sentence(reasons: Sequence[str]) -> str:
    said = "; ".join(reasons)
    return f"{said[0].upper()}{said[1:]}." if said else ""

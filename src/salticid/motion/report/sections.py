"""What a report says of the movement: the verdict, what changed, left against right, all features, what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from salticid.core.types import Image
from salticid.motion.compare.description import cycle_of, cycles_of
from salticid.motion.keypoints import Side
from salticid.motion.report.chart import dumbbell, gauge, range_bar
from salticid.motion.report.page import Cell, Html, figure, picture, section, table
from salticid.motion.report.text import (
    comparison,
    is_inside,
    phrase,
    short_amount,
    unit_words,
    verdict,
)
from salticid.motion.score import OTHER_SPEED, differs

if TYPE_CHECKING:
    from salticid.motion.baseline import Baseline
    from salticid.motion.score import Change, MotionScore

_SHOWN_CHANGES = 8
_COMPARED = 10  # features whose sides are set beside each other
_PHASES = (("contact", "At contact"), ("stance", "Stance"), ("swing", "Swing"), ("whole", "Throughout"))
_KINDS = {True: "inside", False: "outside", None: "unknown"}


def head(score: MotionScore, title: str) -> str:
    """Return the verdict with what supports it."""
    measured = score.measured
    chips = [
        ("Movement", measured.activity),
        ("View", f"{measured.view}{f', facing {measured.direction}' if measured.direction else ''}"),
        (f"{cycle_of(measured.activity).capitalize()}s", str(len(measured.strides) or cycles_of(measured))),
        ("Time followed", f"{measured.duration_s:.1f} s at {measured.fps:.4g} fps"),
    ]
    if math.isfinite(measured.speed_kmh):
        chips.append(("Speed", f"{measured.speed_kmh:.1f} km/h, {measured.speed_source}"))
    listed = "".join(f"<li>{escape(name)} <b>{escape(value)}</b></li>" for name, value in chips)
    warnings = "".join(f'<p class="warning">{escape(_capital(text))}.</p>' for text in score.warnings)
    limits = f'<p class="note">Not surer because {escape("; ".join(score.reasons))}.</p>' if score.reasons else ""
    return (
        f'<header class="{_KINDS[is_inside(score)]}"><h1>{escape(title)}</h1>'
        f'<p class="verdict">{escape(verdict(score))}</p>{_gauge(score)}{limits}'
        f'<ul class="chips">{listed}</ul>{warnings}</header>'
    )


def changes(score: MotionScore, baseline: Baseline) -> str:
    """Return what changed, largest first."""
    other_speed = differs(score.measured.speed_kmh, baseline.speed_kmh, OTHER_SPEED)
    shown = score.notable[:_SHOWN_CHANGES]
    items = "".join(_change(change, other_speed=other_speed) for change in shown)
    more = len(score.notable) - len(shown)
    rest = f'<p class="note">{more} smaller changes stand out in the table of all features.</p>' if more > 0 else ""
    none = "<p>No feature stands out from your own clips.</p>"
    note = "Largest first. Gray is the range of your own clips, measured in your own spreads: how much those differ."
    content = f'<ol class="changes">{items}</ol>{rest}' if shown else none
    return section("What changed", content, note if shown else "")


def stills(pictures: Sequence[tuple[Image, str]]) -> str:
    """Return pictures of the clip, each (H, W, 3) uint8 with its caption."""
    figures = "".join(picture(image, caption) for image, caption in pictures)
    return section("In the video", f'<div class="stills">{figures}</div>' if figures else "")


def sides(score: MotionScore) -> str:
    """Return left against right, the features that differ most first."""
    by_key = {change.key: change for change in score.changes}
    pairs = [
        (left, by_key[f"{left.name}.right"])
        for left in score.changes
        if left.side == "left" and f"{left.name}.right" in by_key
    ]
    pairs.sort(key=lambda pair: -_apart(*pair))
    rows = [(left.title, unit_words(left.unit), _plain(left), _plain(right)) for left, right in pairs[:_COMPARED]]
    key = (
        '<p class="note"><span class="left">● left</span> &nbsp; <span class="right">■ right</span> &nbsp; '
        "the most different first, measured in your own spreads</p>"
    )
    half = math.ceil(len(rows) / 2)
    charts = "".join(dumbbell(part) for part in (rows[:half], rows[half:]) if part)
    return section("Left and right", f'<div class="keep">{key}<div class="pair">{charts}</div></div>' if rows else "")


def features(score: MotionScore) -> str:
    """Return all features with their own ranges, phase by phase, in the order in which they were measured."""
    order = {key: place for place, key in enumerate(score.measured.measurements)}
    ordered = sorted(score.changes, key=lambda change: order.get(change.key, 0))
    rows: list[tuple[str, Sequence[Cell]]] = []
    for phase, heading in _phases(ordered):
        members = [change for change in ordered if change.phase == phase]
        rows += [("group", [heading])] if members else []
        rows += [_feature_row(change) for change in members]
    columns = (
        ("Feature", ""),
        ("Unit", "wide"),
        ("This clip", "number"),
        ("Own mean", "number wide"),
        ("Own range", "number wide"),
        ("In own spreads", ""),
        ("", "number"),
    )
    note = (
        "The gray bar is the range of your own clips, the small lines are those clips. A circle is this clip; a "
        "diamond, or a triangle at the end of the axis, is a clip that stands out. * is coarse."
    )
    return section("All features", table(columns, rows) if rows else "", note, fresh=True)


def not_measured(score: MotionScore) -> str:
    """Return what the clip does not show, or only coarsely, with the reasons."""
    parts = score.measured.measurements
    missing = [(parts[key].feature.title, parts[key].side, reason) for key, reason in score.not_compared.items()]
    coarse = [(change.title, change.side, change.caution) for change in score.changes if change.caution]
    rows = [*_by_reason(missing), *_by_reason(coarse)]
    note = "Where a video does not show something, there is no number here rather than a guessed one."
    return section("Not measured, or coarse", table((("Why", ""), ("What", "")), rows) if rows else "", note)


def _gauge(score: MotionScore) -> str:
    chart = gauge(score.score, score.limit, score.own_scores)
    said = "How far this clip is from your own ones. Circles: each of those, compared with the others."
    return figure(chart, said) if chart else ""


def _change(change: Change, *, other_speed: bool) -> str:
    careful = [change.caution] if change.caution else []
    if other_speed and change.follows_speed:
        careful.append("it follows speed in everybody, and the speed is another one")
    caution = f'<p class="note">Careful: {escape("; ".join(careful))}.</p>' if careful else ""
    return (
        f'<li><strong>{escape(_capital(phrase(change)))}</strong><div class="detail"><div><p class="note">'
        f"{escape(comparison(change))}.</p>{caution}</div>{_bar(change)}</div></li>"
    )


def _bar(change: Change) -> str:
    bar = (change.value, change.low, change.high, change.mean, change.sd)
    return range_bar(*bar, change.own, outside=change.notable)


def _feature_row(change: Change) -> tuple[str, Sequence[Cell]]:
    value, mean, low, high = (
        short_amount(one, change.unit) for one in (change.value, change.mean, change.low, change.high)
    )
    title = escape(change.title) + (f', <span class="{change.side}">{change.side}</span>' if change.side else "")
    cells: list[Cell] = [
        Html(title + (" *" if change.caution else "")),
        unit_words(change.unit),
        value,
        mean,
        f"{low} – {high}",
        Html(_bar(change)),
        f"{change.z:+.1f}",
    ]
    return "out" if change.notable else "", cells


def _phases(found: Sequence[Change]) -> Iterable[tuple[str, str]]:
    """Return the phases that there are features of, with their headings."""
    known = [phase for phase, _ in _PHASES]
    others = dict.fromkeys(change.phase for change in found if change.phase not in known)
    return (*_PHASES, *((phase, phase.capitalize()) for phase in others))


def _by_reason(missing: Sequence[tuple[str, Side | None, str]]) -> list[tuple[str, Sequence[Cell]]]:
    """Return a row per reason, with all that it is the reason for; a side is named where it is one alone."""
    found: dict[str, dict[str, list[str]]] = {}
    for title, side, reason in missing:
        found.setdefault(reason, {}).setdefault(title, []).append(side or "")
    rows: list[tuple[str, Sequence[Cell]]] = []
    for reason, titles in found.items():
        said = [f"{title} ({of[0]})" if of[0] and len(of) == 1 else title for title, of in titles.items()]
        rows.append(("", [_capital(reason), "; ".join(said)]))
    return rows


def _apart(left: Change, right: Change) -> float:
    """Return how far apart the sides are, in own spreads."""
    return abs(left.value - right.value) / max(left.sd, right.sd, 1e-9)


def _plain(change: Change) -> float:
    return 1000 * change.value if change.unit == "s" else change.value


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

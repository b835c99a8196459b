"""The curves of a clip over the stride beside the person's own bands, left and right, and where they leave them."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from salticid.motion.compare.description import cycle_of
from salticid.motion.keypoints import Side
from salticid.motion.measured import PHASE_POINTS, Measured
from salticid.motion.report.chart import SIDE_COLORS, CurvePanel, curve_chart, shared_range
from salticid.motion.report.page import Cell, Html, figure, section
from salticid.motion.report.text import unit_words, where_outside

if TYPE_CHECKING:
    from salticid.motion.compare.band import ScoredCurve
    from salticid.motion.score import MotionScore

SHOWN = ("knee_flexion", "hip_flexion", "ankle_dorsiflexion", "pelvic_drop", "hip_adduction", "knee_valgus")
SHOWN_OTHERS = 4  # curves beside those, the ones that changed most


def curves(score: MotionScore) -> str:
    """Return the curves, left and right beside each other, those that changed most first."""
    excess: dict[str, float] = {}
    for curve in score.curves.values():
        excess[curve.name] = max(excess.get(curve.name, 0.0), _excess(curve))
    main = sorted((name for name in excess if name in SHOWN), key=lambda name: -excess[name])
    others = sorted((name for name in excess if name not in SHOWN and excess[name] > 0), key=lambda name: -excess[name])
    cycle = cycle_of(score.measured.activity)
    note = (
        f"Every {cycle} of this clip is a thin line, their mean the thick one. Gray is where another clip of yours "
        "would be, the dashed line your own mean. Where this one leaves it, the gap is filled and the axis black."
    )
    pairs = "".join(_pair(score, name) for name in (*main, *others[:SHOWN_OTHERS]))
    return section(f"Over the {cycle}", pairs, note)


def toe_off_percent(measured: Measured, side: Side | None) -> float:
    """Return where stance ends, in percent of the stride: the median over the strides; nan where it was not seen."""
    shares = [
        100 * (stride.toe_off_s - stride.start_s) / (stride.end_s - stride.start_s)
        for stride in measured.strides
        if side in (None, stride.side) and math.isfinite(stride.toe_off_s)
    ]
    return float(np.median(shares)) if shares else math.nan


def _excess(curve: ScoredCurve) -> float:
    """Return how far a curve leaves its band: mean over the stride, in widths of the band."""
    width = np.maximum(curve.band.high - curve.band.low, 1e-9)
    beyond = np.fmax(np.fmax(curve.mean - curve.band.high, curve.band.low - curve.mean), 0.0) / width
    return float(np.nansum(beyond)) / PHASE_POINTS


def _pair(score: MotionScore, name: str) -> str:
    """Return the sides of a curve on one axis, with a sentence for every part that is outside."""
    found = [curve for curve in score.curves.values() if curve.name == name]
    panels = [_panel(score.measured, curve) for curve in found]
    shared = shared_range(panels)
    figures = "".join(
        figure(curve_chart(panel, shared), _caption(panel, curve)) for panel, curve in zip(panels, found, strict=True)
    )
    said = "".join(
        f'<p class="note">{escape(where_outside(curve, part, panel.toe_off_percent, panel.cycle))}.</p>'
        for panel, curve in zip(panels, found, strict=True)
        for part in curve.excursions
    )
    return f'<div class="keep"><h3>{escape(found[0].title)}</h3><div class="pair">{figures}</div>{said}</div>'


def _panel(measured: Measured, curve: ScoredCurve) -> CurvePanel:
    return CurvePanel(
        title=curve.side or curve.title,
        unit=unit_words(curve.unit),
        color=SIDE_COLORS[curve.side],
        strides=np.asarray(curve.strides, np.float64),
        center=curve.mean,
        low=curve.band.low,
        high=curve.band.high,
        mean=curve.band.mean,
        toe_off_percent=toe_off_percent(measured, curve.side),
        cycle=cycle_of(measured.activity),
    )


def _caption(panel: CurvePanel, curve: ScoredCurve) -> Cell:
    share = 100 * float(np.mean(panel.outside))
    side = f'<b class="{curve.side}">{curve.side.capitalize()}</b>, ' if curve.side else ""
    return Html(f"{side}{len(curve.strides)} {panel.cycle}s, outside for {share:.0f} % of the {panel.cycle}")

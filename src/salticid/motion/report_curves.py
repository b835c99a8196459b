"""The curves of a clip over the stride beside the person's own bands, left and right, and where they leave them."""

from __future__ import annotations

from html import escape

import numpy as np

from salticid.core.types import Array
from salticid.motion.chart import SIDE_COLORS, CurvePanel, curve_chart, shared_range, stretches
from salticid.motion.measured import PHASE_POINTS, Curve
from salticid.motion.report_data import ReportData, toe_off_percent
from salticid.motion.report_page import Cell, Html, figure, section
from salticid.motion.report_text import unit_words, where_outside

SHOWN = ("knee_flexion", "hip_flexion", "ankle_dorsiflexion", "pelvic_drop", "hip_adduction", "knee_valgus")
SHOWN_OTHERS = 4  # curves beside those, the ones that changed most
SHORTEST = 3  # percent of the stride: what leaves the band for less is not worth a sentence


def curves(data: ReportData) -> str:
    """Return the curves over the stride, left and right beside each other, those that changed most first."""
    names = list(dict.fromkeys(curve.name for curve in data.measured.curves.values() if curve.key in data.bands))
    excess = {name: _excess(data, name) for name in names}
    names = [name for name in names if name in SHOWN or excess[name] > 0]
    main = sorted((name for name in names if name in SHOWN), key=lambda name: -excess[name])
    others = sorted((name for name in names if name not in SHOWN), key=lambda name: -excess[name])
    ordered = [*main, *others[:SHOWN_OTHERS]]
    note = (
        f"Every {data.cycle} of this clip is a thin line, their median the thick one. Gray is your own range, the "
        "dashed line your own mean. Where the median leaves the range, the space between is filled and the axis black."
    )
    return section(f"Over the {data.cycle}", "".join(_curve_pair(data, name) for name in ordered), note)


def _curve_pair(data: ReportData, name: str) -> str:
    found = [curve for curve in data.measured.curves.values() if curve.name == name and curve.key in data.bands]
    panels = [_panel(data, curve) for curve in found]
    shared = shared_range(panels)
    figures = "".join(
        figure(curve_chart(panel, shared), _panel_caption(panel, curve))
        for panel, curve in zip(panels, found, strict=True)
    )
    sentences = [sentence for panel, curve in zip(panels, found, strict=True) for sentence in _leaves(panel, curve)]
    said = "".join(f'<p class="note">{escape(sentence)}.</p>' for sentence in sentences)
    return f'<div class="keep"><h3>{escape(found[0].title)}</h3><div class="pair">{figures}</div>{said}</div>'


def _panel(data: ReportData, curve: Curve) -> CurvePanel:
    band = data.bands[curve.key]
    return CurvePanel(
        curve.side or curve.title,
        unit_words(curve.unit),
        SIDE_COLORS[curve.side],
        np.asarray(curve.strides, np.float64),
        band.low,
        band.high,
        band.mean,
        toe_off_percent(data.measured, curve.side),
        data.cycle,
    )


def _panel_caption(panel: CurvePanel, curve: Curve) -> Cell:
    share = float(np.mean(panel.outside)) * 100
    side = f'<b class="{curve.side}">{curve.side.capitalize()}</b>, ' if curve.side else ""
    return Html(f"{side}{len(curve.strides)} {panel.cycle}s, outside for {share:.0f} % of the {panel.cycle}")


def _leaves(panel: CurvePanel, curve: Curve) -> list[str]:
    """Return where the curve leaves the band, a sentence each."""
    middle = panel.middle
    beyond = np.where(middle > panel.high, middle - panel.high, np.where(middle < panel.low, middle - panel.low, 0.0))
    sentences = []
    for start, end in stretches(panel.outside):
        if end - start < SHORTEST:
            continue
        most = float(beyond[start + int(np.argmax(np.abs(beyond[start : end + 1])))])
        sentences.append(
            where_outside(curve.title, curve.side, start, end, most, curve.unit, panel.toe_off_percent, panel.cycle)
        )
    return sentences


def _excess(data: ReportData, name: str) -> float:
    """Return how far the curves of a name leave their bands: mean over the stride, in widths of the band."""
    panels = [
        _panel(data, curve) for curve in data.measured.curves.values() if curve.name == name and curve.key in data.bands
    ]
    return max((_mean_excess(panel) for panel in panels), default=0.0)


def _mean_excess(panel: CurvePanel) -> float:
    middle = panel.middle
    width: Array = np.maximum(panel.high - panel.low, 1e-9)
    beyond = np.fmax(np.fmax(middle - panel.high, panel.low - middle), 0.0) / width
    return float(np.nansum(beyond)) / PHASE_POINTS

"""The same as the page, for programs: plain values with their units, null for what is unknown."""

from __future__ import annotations

from typing import Any

import numpy as np

from salticid.core.types import Array
from salticid.motion.measured import Curve, Measurement
from salticid.motion.report_data import ReportData
from salticid.motion.report_text import Difference, phrase

FORMAT_VERSION = 1


def report_json(data: ReportData, title: str) -> dict[str, Any]:
    """Return everything that a report says as dicts, lists, text, numbers, booleans and None.

    Values have the unit beside them; deviations are in the person's own spreads; curves have 101 points, from contact
    to contact.
    """
    measured = data.measured
    return {
        "format_version": FORMAT_VERSION,
        "title": title,
        "verdict": data.verdict,
        "inside": data.inside,
        "score": data.score,
        "limit": data.limit,
        "own_scores": list(data.own_scores),
        "own_clips": data.clips,
        "confidence": data.confidence,
        "reasons": list(data.reasons),
        "warnings": list(data.warnings),
        "clip": {
            "activity": measured.activity,
            "view": measured.view,
            "direction": measured.direction,
            "fps": measured.fps,
            "duration_s": measured.duration_s,
            "speed_kmh": measured.speed_kmh,
            "speed_source": measured.speed_source,
            "height_m": measured.height_m,
            "strides": len(measured.strides),
            "notes": list(measured.notes),
        },
        "changes": [{"says": phrase(change), **_difference(change)} for change in data.changes],
        "features": {key: _feature(data, part) for key, part in measured.measurements.items()},
        "curves": {key: _curve(data, curve) for key, curve in measured.curves.items()},
        "quality": dict(data.quality),
        "method": dict(data.method),
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "feature": one.name,
        "side": one.side,
        "phase": one.phase,
        "unit": one.unit,
        "value": one.value,
        "own_mean": one.mean,
        "own_low": one.low,
        "own_high": one.high,
        "deviation": one.deviation,
    }


def _feature(data: ReportData, part: Measurement) -> dict[str, Any]:
    """Return a measurement, and what it was compared with where the baseline knows it."""
    alone = {
        "title": part.feature.title,
        "unit": part.feature.unit,
        "phase": part.feature.phase,
        "side": part.side,
        "value": part.value,
        "spread_of_strides": part.spread,
        "strides": part.count,
        "reason": part.reason,
        "caution": part.caution,
    }
    if part.key not in data.features:
        return alone
    one = data.features[part.key]
    own = {"own_mean": one.mean, "own_low": one.low, "own_high": one.high, "deviation": one.deviation}
    return {**alone, **own, "own_values": list(data.own_values.get(part.key, ()))}


def _curve(data: ReportData, curve: Curve) -> dict[str, Any]:
    found: dict[str, Any] = {"unit": curve.unit, "side": curve.side, "median": _median(curve.strides)}
    if curve.key in data.bands:
        band = data.bands[curve.key]
        found |= {"own_mean": band.mean.tolist(), "own_low": band.low.tolist(), "own_high": band.high.tolist()}
    return found


def _median(strides: Array) -> list[float | None]:
    """Return the median over the strides, (101,); None where none was measured."""
    known = np.isfinite(strides)
    return [
        float(np.median(column[there])) if there.any() else None
        for column, there in zip(strides.T, known.T, strict=True)
    ]

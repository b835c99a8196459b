"""A clip with its measurements and a baseline's answer to it, small enough to know by heart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from salticid.motion.measured import Curve, Feature, Measured, Measurement, Signals, Stride
from salticid.motion.report_data import Band, ReportData
from salticid.motion.report_text import Difference

KNEE = Feature(
    "knee_swing_peak", "deg", "Most knee flexion in swing", True, ("side",), ("run",), 0, 1.0, "swing", "Souza 2016"
)
CADENCE = Feature("cadence", "steps/min", "Cadence", False, ("side",), ("run",), 0, 0.5, "whole", "Whittle 2007")
CONTACT = Feature("contact_time", "s", "Contact time", True, ("side",), ("run",), 60, 0.006, "stance", "Whittle 2007")
DROP = Feature("pelvic_drop", "deg", "Pelvic drop in stance", True, ("rear",), ("run",), 0, 0.5, "stance", "Souza 2016")


def measured(knee_right=(80.0, 79.0, 81.0), height_m=1.75) -> Measured:
    """Return a run of three strides a side whose right knee bends less than the left."""
    strides = tuple(
        Stride(side, start + number * 0.7, start + number * 0.7 + 0.25, start + (number + 1) * 0.7)
        for side, start in (("left", 0.0), ("right", 0.35))
        for number in range(3)
    )
    parts = [
        Measurement(KNEE, "left", np.array([96.0, 95.0, 97.0])),
        Measurement(KNEE, "right", np.array(knee_right)),
        Measurement(CADENCE, None, np.full(6, 171.4)),
        *(
            Measurement(CONTACT, side, np.full(3, 0.25), caution="coarse: a frame lasts 33 ms")
            for side in ("left", "right")
        ),
        *(Measurement(DROP, side, np.empty(0), "not to be seen from the side") for side in ("left", "right")),
    ]
    shape = 50 - 45 * np.cos(np.linspace(0, 2 * np.pi, 101))
    curves = [
        Curve(
            "knee_flexion", side, "deg", "Knee flexion", np.stack([shape * factor + n for n in range(3)]).astype("f4")
        )
        for side, factor in (("left", 1.0), ("right", 0.8))
    ]
    times = np.arange(150) / 60
    names = ("knee_flexion.left", "knee_flexion.right", "hip_flexion.left", "trunk_lean")
    values = np.stack([50 - 45 * np.cos(9 * times + phase) for phase in range(4)], axis=1).astype(np.float32)
    return Measured(
        activity="run",
        view="side",
        direction="right",
        fps=60.0,
        duration_s=2.5,
        speed_kmh=10.0,
        speed_source="given",
        height_m=height_m,
        strides=strides,
        measurements={part.key: part for part in parts},
        curves={curve.key: curve for curve in curves},
        signals=Signals(times, values, names, ("deg",) * 4),
        proportions={"trunk": 0.3},
        notes=("1 of 7 strides is unlike the others and left out",),
    )


def report_data(inside: bool | None = False, **changes) -> ReportData:
    """Return what a report shows of that clip beside five own ones, of which the right knee bent 96 degrees."""
    clip = measured()
    knee = Difference("knee_swing_peak", "right", KNEE.title, "deg", "swing", 80.0, 94.0, 98.0, 96.0, -6.4)
    left = replace(knee, side="left", value=96.0, deviation=0.0)
    cadence = Difference("cadence", None, "Cadence", "steps/min", "whole", 171.4, 170.0, 173.0, 171.0, 0.4)
    shape = 50 - 45 * np.cos(np.linspace(0, 2 * np.pi, 101))
    known = {
        "measured": clip,
        "inside": inside,
        "score": 3.2,
        "limit": 1.4,
        "own_scores": (0.8, 1.0, 1.1, 0.9, 1.2),
        "clips": 5,
        "confidence": "high",
        "reasons": ("3 strides a side were measured",),
        "warnings": ("the speed is another than that of the own clips",),
        "changes": () if inside else (knee,),
        "features": {"knee_swing_peak.left": left, "knee_swing_peak.right": knee, "cadence": cadence},
        "own_values": {"knee_swing_peak.right": (94.0, 95.0, 96.0, 97.0, 98.0)},
        "cautions": {"knee_swing_peak.right": "coarse: a frame lasts 33 ms"},
        "bands": {f"knee_flexion.{side}": Band(shape - 4, shape + 4, shape) for side in ("left", "right")},
        "quality": (("Person found", "150 of 150 frames"),),
        "method": (("Model", "sha256 0123"),),
    }
    return ReportData(**{**known, **changes})

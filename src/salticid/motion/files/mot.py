"""MOT: joint angles over time with the names of OpenSim's coordinates, as its inverse kinematics writes them.

    Rajagopal 2016 and the models of Pose2Sim    knee_angle positive in flexion, arms
    gait2392, gait2354                           knee_angle negative in flexion, no arms

In both hip_flexion and ankle_angle are positive in flexion and dorsiflexion, pelvis_tilt is positive backwards (a
rotation about the axis to the right) and pelvis_list positive with the right side down (a rotation about the axis
forward), lumbar_extension positive backwards and lumbar_bending positive to the right.

A video shows the trunk but not the tilt of the pelvis, and the hips' angles are measured against the trunk. So trunk
and pelvis are written as one piece: pelvis_tilt is the trunk's, lumbar_extension is 0. Every segment then lies in the
model as it was seen.
"""

from __future__ import annotations

import os
from typing import Literal, get_args

import numpy as np

from salticid.core.atomic import write_bytes
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.keypoints import SIDES
from salticid.motion.measured import Signals

Model = Literal["rajagopal2016", "gait2392"]

LEAST_KNOWN = 0.8  # share of the frames

# The signal behind a coordinate of each leg or arm, and its sign; models without the coordinate are named.
_SIDED = {
    "hip_flexion": "hip_flexion",
    "hip_adduction": "hip_adduction",
    "knee_angle": "knee_flexion",
    "ankle_angle": "ankle_dorsiflexion",
}
_ARMS = {"arm_flex": "arm_swing", "elbow_flex": "elbow_flexion"}
_KNEE_SIGN: dict[Model, float] = {"rajagopal2016": 1.0, "gait2392": -1.0}
_HEADING = (
    "Units are S.I. units (second, meters, Newtons, ...)",
    "If the header above contains a line with 'inDegrees', this indicates whether rotational values are in degrees "
    "(yes) or radians (no).",
)


def write_mot(
    path: str | os.PathLike[str], signals: Signals, *, model: Model = "rajagopal2016", overwrite: bool = True
) -> None:
    """Write the angles of a clip for OpenSim.

    Coordinates that the view does not show, or that are known in less than `LEAST_KNOWN` of the frames, are left out,
    so the model keeps its own value. Then frames in which one of the others is unknown are left out: OpenSim reads
    numbers alone (its Storage stops at a nan) and interpolates between rows itself.

    Raises
    ------
    InputError
        The model is unknown, no angle was measured throughout, or the place cannot be written.
    """
    if model not in get_args(Model):
        raise InputError(f"unknown model {model!r}: choose {', '.join(get_args(Model))}")
    columns = coordinates(signals, model)
    columns = {name: angle for name, angle in columns.items() if np.isfinite(angle).mean() >= LEAST_KNOWN}
    table = np.column_stack([signals.times_s, *columns.values()])
    table = table[np.isfinite(table).all(axis=1)]
    if not columns or not len(table):
        raise InputError("no angle of a joint was measured throughout this clip: there is nothing to write for OpenSim")
    lines = [
        "Coordinates",
        "version=1",
        f"nRows={len(table)}",
        f"nColumns={table.shape[1]}",
        "inDegrees=yes",
        "",
        *_HEADING,
        "",
        "endheader",
        "\t".join(["time", *columns]),
        *("\t".join(f"{value:.8f}" for value in row) for row in table.tolist()),
    ]
    write_bytes(path, ("\n".join(lines) + "\n").encode(), overwrite=overwrite)


def coordinates(signals: Signals, model: Model = "rajagopal2016") -> dict[str, Array]:
    """Return OpenSim's coordinates that a clip tells about, each (T,) float64 in degrees; nan where not known."""
    lean, sway, drop = (_signal(signals, name) for name in ("trunk_lean", "trunk_sway", "pelvic_drop.left"))
    found = {
        "pelvis_tilt": -lean,
        "pelvis_list": drop,
        "lumbar_extension": 0.0 * lean,
        "lumbar_bending": -sway - drop,
    }
    for coordinate, name in {**_SIDED, **(_ARMS if model == "rajagopal2016" else {})}.items():
        sign = _KNEE_SIGN[model] if coordinate == "knee_angle" else 1.0
        for side in SIDES:
            found[f"{coordinate}_{side[0]}"] = sign * _signal(signals, f"{name}.{side}")
    return {name: values for name, values in found.items() if np.isfinite(values).any()}


def _signal(signals: Signals, name: str) -> Array:
    if name not in signals.names:
        return np.full(len(signals.times_s), np.nan)
    return np.asarray(signals.values[:, signals.names.index(name)], np.float64)

"""TRC: positions of markers over time, the file that OpenSim scales models and solves inverse kinematics from.

Layout as in OpenSim's TRCFileAdapter: five heading lines (`PathFileType`, the names and the values of eight properties,
the markers' names, `X1 Y1 Z1 ...`), an empty line, then a row per frame: number, time in seconds, three coordinates per
marker, separated by tabs. X is forward, Y up, Z to the person's right. Markers have the names of Pose2Sim's setup files
(`LHip`, `RBigToe`), so that those scale a model with what is written here.

A marker that was not seen is written as `nan`: every reader of OpenSim takes that, while the older ones drop empty
cells and then find the row too short. A view from the side knows no Z; it is written as 0, as Sports2D does.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from salticid.core.atomic import write_bytes
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.keypoints import Keypoints, Side
from salticid.motion.measure.body import Body
from salticid.motion.measured import View

_PROPERTIES = (
    "DataRate",
    "CameraRate",
    "NumFrames",
    "NumMarkers",
    "Units",
    "OrigDataRate",
    "OrigDataStartFrame",
    "OrigNumFrames",
)

# Forward and to the person's right, in the camera's axes: x to the right, z away from it; by view and direction.
_TURNS: dict[tuple[View, Side | None], tuple[str, str]] = {
    ("side", "right"): ("x", "-z"),
    ("side", "left"): ("-x", "z"),
    ("rear", None): ("z", "x"),
    ("front", None): ("-z", "-x"),
}


def write_trc(
    path: str | os.PathLike[str],
    times_s: Array,
    positions_m: Array,
    names: tuple[str, ...],
    *,
    overwrite: bool = True,
) -> None:
    """Write markers for OpenSim.

    Parameters
    ----------
    times_s
        (T,) float64, rising.
    positions_m
        (T, K, 3) m: forward, up, right. Where an axis is nan in all frames of all markers, the view does not show it.
    names
        Of the K joints, in our spelling; they are written as in Pose2Sim's models.

    Raises
    ------
    InputError
        There is no frame or no marker, shapes do not fit, or the place cannot be written.
    """
    frames, markers = len(times_s), len(names)
    if positions_m.shape != (frames, markers, 3) or frames == 0 or markers == 0:
        raise InputError(f"{frames} times and {markers} names do not fit positions of {positions_m.shape}")
    rate = _rate(times_s)
    values = (rate, rate, frames, markers, "m", rate, 1, frames)
    labels = [f"{axis}{number}" for number in range(1, markers + 1) for axis in "XYZ"]
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{Path(path).name}",
        "\t".join(_PROPERTIES),
        "\t".join(map(str, values)),
        "Frame#\tTime\t" + "\t\t\t".join(marker_name(name) for name in names) + "\t\t",
        "\t\t" + "\t".join(labels),
        "",
        *_rows(times_s, _filled(positions_m)),
    ]
    write_bytes(path, ("\n".join(lines) + "\n").encode(), overwrite=overwrite)


def write_body(path: str | os.PathLike[str], body: Body, *, overwrite: bool = True) -> None:
    """Write a body's joints, filtered and in its own axes; those that were never seen are left out.

    Raises
    ------
    InputError
        The height of the person is not known, so there are no meters; no joint was seen; or the place cannot be
        written.
    """
    if body.unit != "m":
        raise InputError("a TRC file is in meters, which need the person's height: give it (height_m)")
    joints = {name: course for name, course in body.joints.items() if np.isfinite(course).any()}
    if not joints:
        raise InputError("no joint was seen: there is nothing to write as TRC")
    forward_left_up = np.stack(list(joints.values()), axis=1)
    forward_up_right = forward_left_up[..., [0, 2, 1]] * [1, 1, -1]
    write_trc(path, body.times_s, forward_up_right, tuple(joints), overwrite=overwrite)


def write_world(
    path: str | os.PathLike[str],
    keypoints: Keypoints,
    view: View,
    direction: Side | None = None,
    *,
    overwrite: bool = True,
) -> None:
    """Write what a network guesses of the third dimension from one view (`Keypoints.world_m`), around the hips.

    Parameters
    ----------
    view, direction
        Where the camera looks from, and for "side" which way the person faces in the picture: they say which of the
        camera's axes is forward.

    Raises
    ------
    InputError
        The keypoints hold no such guess, the view does not say what is forward, or the place cannot be written.
    """
    turn = _TURNS.get((view, direction if view == "side" else None))
    if keypoints.world_m is None or turn is None:
        raise InputError(f"no places in a room are known for this clip (view {view}, direction {direction})")
    forward, right = turn
    x, y, z = np.moveaxis(np.asarray(keypoints.world_m, np.float64), 2, 0)
    axes = {"x": x, "-x": -x, "z": z, "-z": -z}
    places = np.stack([axes[forward], -y, axes[right]], axis=2)
    write_trc(path, keypoints.times_s, places, keypoints.names, overwrite=overwrite)


def marker_name(joint: str) -> str:
    """Return the name of our joint in Pose2Sim's models.

    >>> marker_name("left_toe"), marker_name("right_small_toe"), marker_name("nose"), marker_name("V.Sacral")
    ('LBigToe', 'RSmallToe', 'Nose', 'V.Sacral')
    """
    if joint in ("nose", "neck", "head", "pelvis"):
        return "CHip" if joint == "pelvis" else joint.capitalize()
    side, _, part = joint.partition("_")
    if side not in ("left", "right") or not part:
        return re.sub(r"\s", " ", joint)  # a tab or a line's end would begin another cell or row
    return side[0].upper() + "".join(word.capitalize() for word in ("big_toe" if part == "toe" else part).split("_"))


def _rate(times_s: Array) -> str:
    """Return frames per second as the heading says them."""
    return f"{1 / np.median(np.diff(times_s)):.10g}" if len(times_s) > 1 else "1"


def _filled(positions_m: Array) -> Array:
    """Return positions with 0 for an axis that the view does not show, and nan in all axes of a marker not seen."""
    filled = np.array(positions_m, np.float64)
    unseen = np.isnan(filled).all(axis=(0, 1))
    filled[..., unseen] = 0.0
    filled[~np.isfinite(filled).all(axis=2)] = np.nan
    return filled


def _rows(times_s: Array, positions_m: Array) -> list[str]:
    flat = positions_m.reshape(len(times_s), -1).tolist()
    return [
        f"{number}\t{time!r}\t" + "\t".join(f"{value:.6f}" for value in values)
        for number, (time, values) in enumerate(zip(times_s.tolist(), flat, strict=True), 1)
    ]

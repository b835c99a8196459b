"""How large a body is in a picture, so that its distance to the camera cancels.

Each limb is a known share of the body's height (Drillis & Contini 1966), so each limb tells the height by its length.
A limb that points towards the camera looks shorter than it is and never longer: from behind, the high end of its
lengths counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES
from salticid.motion.measure.filters import low_pass, low_pass_each
from salticid.motion.measure.proportions import SHANK, THIGH, TRUNK
from salticid.motion.measured import View

WINDOW_S = 2.0  # over which a body is of one size; at least a stride
STEADY = 1.1  # sizes that differ by less than this factor over a clip are one size
SEEN = 0.5  # share of the frames without which a limb does not tell how the size changes
SMOOTH_HZ = 5.0  # noise makes every distance longer, so it is filtered away first

PERCENTILE: Mapping[View, float] = {"side": 50.0, "room": 50.0, "rear": 90.0, "front": 90.0}


def body_height(joints: Mapping[str, Array], rate_hz: float, view: View) -> Array:
    """Return the height of a body in the unit of its joints, frame by frame.

    Parameters
    ----------
    joints
        (T, 2 or 3) positions by name, evenly spaced in time, in any unit.

    Returns
    -------
    Array
        (T,) float64. One number throughout unless the size changes, as that of somebody who walks away from the camera
        does; then it follows slowly. nan throughout where no limb was seen.
    """
    smooth = low_pass_each(joints, rate_hz, SMOOTH_HZ)
    told = _told(smooth)
    relative = np.ones(len(told)) if view == "room" else _relative(_ruler(smooth, told, view), rate_hz)
    return np.asarray(_combined(told / relative[:, None], PERCENTILE[view]) * relative)


def _told(joints: Mapping[str, Array]) -> Array:
    """Return the height that every limb tells in every frame, (T, limbs)."""
    limbs = [(joints[f"{side}_shoulder"] - joints[f"{side}_hip"], TRUNK) for side in SIDES]
    limbs += [(joints[f"{side}_hip"] - joints[f"{side}_knee"], THIGH) for side in SIDES]
    limbs += [(joints[f"{side}_knee"] - joints[f"{side}_ankle"], SHANK) for side in SIDES]
    return np.stack([np.linalg.norm(limb, axis=1) / share for limb, share in limbs], axis=1)


def _ruler(joints: Mapping[str, Array], told: Array, view: View) -> Array:
    """Return a length (T,) that changes with the distance to the camera alone.

    Seen from behind, limbs shorten when they bend; shoulders and hips do not.
    """
    if view == "side":
        limbs = told[:, np.isfinite(told).mean(axis=0) > SEEN]
        return np.median(limbs, axis=1) if limbs.size else np.full(len(told), np.nan)
    breadths = [
        np.linalg.norm(joints[f"left_{part}"] - joints[f"right_{part}"], axis=1) for part in ("shoulder", "hip")
    ]
    return np.asarray(np.sum(breadths, axis=0))


def _relative(ruler: Array, rate_hz: float) -> Array:
    """Return by what factor the body is larger than usual, (T,); 1 throughout where that hardly changes."""
    half = max(1, round(WINDOW_S * rate_hz / 2))
    centers = np.arange(0, len(ruler), max(1, half // 4))
    sizes = np.array([known_median(ruler[max(0, at - half) : at + half + 1]) for at in centers])
    known = np.isfinite(sizes)
    if known.sum() < 2 or sizes[known].max() < STEADY * sizes[known].min():
        return np.ones(len(ruler))
    followed = np.interp(np.arange(len(ruler)), centers[known], sizes[known])
    return np.asarray(low_pass(followed, rate_hz, 1 / WINDOW_S) / np.median(followed))


def known_median(values: Array) -> float:
    """Return the median of what is known; nan where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _combined(told: Array, percentile: float) -> float:
    """Return the height that the limbs agree upon."""
    heights = [np.percentile(limb[np.isfinite(limb)], percentile) for limb in told.T if np.isfinite(limb).any()]
    return float(np.median(heights)) if heights else float("nan")

"""The ground in a picture, level: it rises or falls under somebody who comes nearer, or before a camera that is tilted.

Heights over the ground tell when a foot stands, so what the ground does in the picture is taken out first.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from salticid.core.types import Array
from salticid.engine import packages
from salticid.motion.keypoints import SIDES
from salticid.motion.measure.filters import low_pass

UP = 2
WINDOW_S = 1.0  # within it one of the feet stands, in walking and in running
LOW = 15.0  # percent of the window in which the lower foot is surely on the ground
SLOW_HZ = 0.5
LEAST_DRIFT = 0.02  # of the body's height; less is noise


def leveled(joints: Mapping[str, Array], rate_hz: float) -> dict[str, Array]:
    """Return joints (T, 3) in body heights with the ground at one height; as they are where it hardly moves."""
    feet = [joints[f"{side}_{part}"][:, UP] for side in SIDES for part in ("heel", "toe", "ankle")]
    lowest = np.fmin.reduce(feet)
    known = np.isfinite(lowest)
    if known.sum() < WINDOW_S * rate_hz:
        return dict(joints)
    ground = _ground(lowest, known, rate_hz)
    if np.ptp(ground[known]) < LEAST_DRIFT:
        return dict(joints)
    drift = np.zeros((len(ground), 3))
    drift[:, UP] = ground - np.median(ground[known])
    return {name: course - drift for name, course in joints.items()}


def _ground(lowest: Array, known: Array, rate_hz: float) -> Array:
    """Return how high the ground is, (T,): what the lower foot is seldom below, slowly changing."""
    frames = np.arange(len(lowest))
    whole = np.interp(frames, frames[known], lowest[known])
    size = max(3, round(WINDOW_S * rate_hz))
    envelope = packages.require("scipy").ndimage.percentile_filter(whole, LOW, size=size, mode="nearest")
    return low_pass(envelope[:, None], rate_hz, SLOW_HZ)[:, 0]

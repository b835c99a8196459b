"""Heels for sources that know ankles and toes alone, as most motion capture does.

A foot is rigid from heel to ankle to ball, so its heel is where ankle and toe say: behind and below the ankle by known
shares of the body's height, turned with the foot. Contacts are made by heels, and angles of feet are seen from them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.proportions import HEEL_BEHIND, HEEL_BELOW

FLAT = 25.0  # percent of the time that the foot is flat on the ground, at least

FORWARD, UP = 0, 2


def with_heels(joints: Mapping[str, Array], height: float) -> tuple[dict[str, Array], bool]:
    """Return the (T, 3) joints, forward, left and up, with heels where there were none, and whether any was added."""
    added = {
        f"{side}_heel": _heel(joints[f"{side}_ankle"], joints[f"{side}_toe"], height)
        for side in SIDES
        if _lacks_heel(joints, side)
    }
    return {**joints, **added}, bool(added)


def _lacks_heel(joints: Mapping[str, Array], side: Side) -> bool:
    heel, toe = joints[f"{side}_heel"], joints[f"{side}_toe"]
    return not np.isfinite(heel).any() and bool(np.isfinite(toe[:, FORWARD]).any())


def _heel(ankle: Array, toe: Array, height: float) -> Array:
    """Return the (T, 3) heel; the foot is flat where ankle and toe together are lowest."""
    foot = toe - ankle
    angle = np.arctan2(foot[:, UP], foot[:, FORWARD])
    level = ankle[:, UP] + toe[:, UP]
    known = np.isfinite(angle) & np.isfinite(level)
    if not known.any():
        return np.full_like(ankle, np.nan)
    flat = known & (np.nan_to_num(level, nan=np.inf) <= np.percentile(level[known], FLAT))
    pitch = angle - np.median(angle[flat])
    heel = ankle.copy()
    heel[:, FORWARD] += height * (-HEEL_BEHIND * np.cos(pitch) + HEEL_BELOW * np.sin(pitch))
    heel[:, UP] += height * (-HEEL_BEHIND * np.sin(pitch) - HEEL_BELOW * np.cos(pitch))
    return np.asarray(heel)

"""Which way a body seen from the side faces, frame by frame: who walks to and fro turns round within a clip."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES

WINDOW_S = 1.0  # about a stride: within it a foot points up and down, but forward on the whole
TURNING = 0.4  # share of the feet's usual length in the picture below which a body is about to turn
LEAST_S = 0.75  # that a body faces one way; less is part of a turn


def facing(joints: Mapping[str, Array], rate_hz: float) -> Array:
    """Return +1 where a body faces to the right of the picture, -1 to the left, nan while it turns, (T,) float64.

    Parameters
    ----------
    joints
        (T, 2) pixels by name, even in time. Without feet, or with feet that point nowhere, all is nan.
    """
    ahead = _centered_mean(_ahead(joints), max(1, round(WINDOW_S * rate_hz)))
    known = np.isfinite(ahead)
    if not known.any():
        return ahead
    usual = np.median(np.abs(ahead[known]))
    if usual == 0:
        return np.full(len(ahead), np.nan)
    signs = np.where(np.abs(np.nan_to_num(ahead)) > TURNING * usual, np.sign(ahead), np.nan)
    if len(set(signs[np.isfinite(signs)].tolist())) < 2:
        return np.full(len(signs), np.sign(np.median(ahead[known])))
    return _without_short(signs, round(LEAST_S * rate_hz))


def _ahead(joints: Mapping[str, Array]) -> Array:
    """Return how far the toes are to the right of the heels, or of the ankles where those are unknown, (T,)."""
    feet = []
    for side in SIDES:
        heel, ankle, toe = (joints[f"{side}_{part}"][:, 0] for part in ("heel", "ankle", "toe"))
        feet.append(toe - (heel if np.isfinite(heel).any() else ankle))
    known = np.isfinite(feet)
    count = known.sum(axis=0)
    total = np.where(known, feet, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def _centered_mean(course: Array, length: int) -> Array:
    """Return the mean of what is known in a window around each sample; nan where nothing is."""
    known = np.isfinite(course)
    window = np.ones(min(length, len(course)))
    count = np.convolve(known, window, mode="same")
    total = np.convolve(np.where(known, course, 0.0), window, mode="same")
    return np.asarray(np.divide(total, count, out=np.full(len(course), np.nan), where=count > 0.5))


def _without_short(signs: Array, least: int) -> Array:
    """Return the signs without runs of fewer than `least` samples."""
    kept = signs.copy()
    edges = np.flatnonzero(np.concatenate([[True], signs[1:] != signs[:-1], [True]]))
    for start, stop in pairwise(edges):
        if stop - start < least:
            kept[start:stop] = np.nan
    return kept

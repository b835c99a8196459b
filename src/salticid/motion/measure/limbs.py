"""Lengths of limbs as shares of the body's height: what tells persons apart, and no movement changes."""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES
from salticid.motion.measure.body import Body

LIMBS = (
    ("thigh", "hip", "knee"),
    ("shank", "knee", "ankle"),
    ("foot", "heel", "toe"),
    ("upper_arm", "shoulder", "elbow"),
    ("forearm", "elbow", "wrist"),
)


def proportions_of(body: Body) -> dict[str, float]:
    """Return the lengths of limbs as a share of the body's height, those that the view shows; median over the clip."""
    limbs = {
        f"{name}.{side}": body.joint(f"{side}_{end}") - body.joint(f"{side}_{start}")
        for name, start, end in LIMBS
        for side in SIDES
    }
    lengths = {name: _length(limb) / body.height for name, limb in (limbs | {"trunk": body.neck - body.pelvis}).items()}
    return {name: length for name, length in lengths.items() if np.isfinite(length)}


def _length(limb: Array) -> float:
    """Return the median length of a limb in the axes that are seen."""
    seen = np.isfinite(limb).any(axis=0)
    lengths = np.linalg.norm(limb[:, seen], axis=1)
    known = lengths[np.isfinite(lengths)]
    return float(np.median(known)) if seen.any() and len(known) else float("nan")

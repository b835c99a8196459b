"""Are these clips of one person? By the lengths of the limbs, and by whether the clips differ as one person's do.

Neither is proof. Limbs of two adults differ by some 3-4 % of their length (Drillis and Contini 1966 give the means;
NASA 1978 the spreads), about as much as one video's keypoints are wrong. So only large differences are told, as
warnings that name the clip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from salticid.core.types import Array
from salticid.motion.compare.statistics import Statistics
from salticid.motion.measured import Measured

LEAST_LIMBS = 4
UNLIKE_LIMBS = 0.1  # root of the mean square of the limbs' log ratios to the other clips' medians
UNLIKE_CLIPS = 1.5  # times a person's usual spread, median over the features: up to 1.2 in one person's mocap


def unlike_limbs(clips: Sequence[Measured]) -> dict[int, float]:
    """Return the clips whose limbs have other proportions than the other clips', by number, and by what share."""
    found = {number: _difference(clip, [*clips[:number], *clips[number + 1 :]]) for number, clip in enumerate(clips)}
    return {number: share for number, share in found.items() if share > UNLIKE_LIMBS}


def limb_warning(share: float) -> str:
    """Return the warning for a clip that `unlike_limbs` found."""
    return (
        f"its limbs are {100 * share:.0f} % unlike those of the other clips: is it the same person, seen from the same "
        "place? Limb lengths from one view are good to about 5 %, so this is likely another person or another camera"
    )


def spread_warning(statistics: Statistics) -> str:
    """Return a warning where the clips differ among themselves far more than one person's do; else nothing."""
    ratio = unlike_spread(statistics)
    if not ratio > UNLIKE_CLIPS:
        return ""
    return (
        f"the clips differ from one another {ratio:.1f} times as much as clips of one person usually do: are they the "
        "same person, movement and speed? The own range is so wide that only large changes will be outside"
    )


def unlike_spread(statistics: Statistics) -> float:
    """Return the spread between the clips as a multiple of one person's usual one, median over the features."""
    members = [name.startswith("features/") for name in statistics.names]
    own, usual = _plain_sd(statistics.values[:, members]), statistics.least_sd[members]
    known = np.isfinite(own) & (usual > 0)
    return float(np.median(own[known] / usual[known])) if known.any() else math.nan


def _plain_sd(values: Array) -> Array:
    """Return the standard deviation of each column, not moderated; nan below two clips."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(count, 1)
    square = (np.where(known, values - mean, 0) ** 2).sum(axis=0)
    return np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1)), np.nan)


def _difference(clip: Measured, others: Sequence[Measured]) -> float:
    ratios = []
    for limb, length in clip.proportions.items():
        lengths = [other.proportions[limb] for other in others if other.proportions.get(limb, 0) > 0]
        if lengths and length > 0:
            ratios.append(math.log(length / float(np.median(lengths))))
    return math.sqrt(float(np.mean(np.square(ratios)))) if len(ratios) >= LEAST_LIMBS else 0.0

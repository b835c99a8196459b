"""Where the person's own range ends: from clips that were each left out of what they are compared with.

A clip that took part in a fit lies closer to it than any new one, so errors of training say nothing about new clips.
Each clip is scored by a baseline of the others instead, as many times as there are clips. The limit is the upper
prediction limit of one more such score: Student's t on the logarithm (scores are positive and skewed), its spread
moderated towards what the spread of such scores is anyway:

    exp( mean + t(level, d) s sqrt(1 + 1/n) ),   s^2 = (d0 s0^2 + sum (log x - mean)^2) / d,   d = d0 + n - 1

With five scores this is a line between "as before" and "not as before", not a probability: the scores share clips, and
five cannot show a tail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from salticid.core.types import Array
from salticid.engine import packages

LEVEL = 0.975
PRIOR_SCORES = 4.0  # degrees of freedom of the prior, d0
PRIOR_LOG_SD = 0.2  # s0: how much the logarithms of such scores spread from clip to clip

METHOD = (
    "leave one clip out: each clip scored by a baseline of the others; upper prediction limit of one more such score, "
    "Student's t on its logarithm"
)

Clip = TypeVar("Clip")
Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest score that still counts as the person's own."""

    value: float
    log_spread: float  # of the logarithm of one more score: s sqrt(1 + 1/n)
    scores: int  # that it is from


def leave_one_out(
    clips: Sequence[Clip], fit: Callable[[Sequence[Clip]], Model], score: Callable[[Model, Clip], float | list[float]]
) -> Array:
    """Return the score of each clip by a model of all the others, (N,) float64; or (N, S) where a score is a list."""
    others = ([*clips[:index], *clips[index + 1 :]] for index in range(len(clips)))
    return np.array([score(fit(rest), clip) for rest, clip in zip(others, clips, strict=True)], np.float64)


def upper_limit(scores: Array, level: float = LEVEL) -> Limit:
    """Return the upper prediction limit of one more score.

    Parameters
    ----------
    scores
        (N,) positive; what is not finite tells nothing and is left out. Below two, the limit is nan.
    level
        One-sided, 0.5 to 1.
    """
    logs = np.log(scores[np.isfinite(scores) & (scores > 0)])
    if len(logs) < 2:
        return Limit(math.nan, math.nan, len(logs))
    mean = float(logs.mean())
    freedom = PRIOR_SCORES + len(logs) - 1
    variance = (PRIOR_SCORES * PRIOR_LOG_SD**2 + float(((logs - mean) ** 2).sum())) / freedom
    spread = math.sqrt(variance * (1 + 1 / len(logs)))
    return Limit(math.exp(mean + student_quantile(level, freedom) * spread), spread, len(logs))


def student_quantile(level: float, degrees_of_freedom: float) -> float:
    """Return the value that Student's t stays below with the chance `level`."""
    return float(packages.require("scipy").special.stdtrit(degrees_of_freedom, level))

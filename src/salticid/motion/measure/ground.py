"""The ground below a body: how it moves, on a road and on a treadmill, and how fast the body goes over it.

While a foot is low it moves as the ground does. So nobody has to say whether there is a belt, and the belt's speed is
measured by the feet.
"""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.body import Body
from salticid.motion.measure.signals import FORWARD, UP

LOW = 50.0  # percent of the time: a foot that is higher swings
NEAR = 0.15  # of the pace, around the commonest speed: what counts as standing


def ground_speed(body: Body) -> float:
    """Return how fast the ground moves along the body's forward axis: 0 on a road, negative on a treadmill.

    In the unit of the body per second; nan where the view does not show forward.
    """
    speeds = np.array([_speed_when_low(body, side) for side in SIDES])
    known = speeds[np.isfinite(speeds)]
    return float(known.mean()) if len(known) else float("nan")


def pace_of(body: Body) -> float:
    """Return how fast the body moves over the ground, in body heights / s; nan where the view does not show it."""
    forward = body.pelvis[:, FORWARD]
    known = np.flatnonzero(np.isfinite(forward))
    if len(known) < 2:
        return float("nan")
    own = (forward[known[-1]] - forward[known[0]]) / (body.times_s[known[-1]] - body.times_s[known[0]])
    return abs(float(own - ground_speed(body))) / body.height


def _speed_when_low(body: Body, side: Side) -> float:
    """Return how fast the toe moves while it stands, or the ankle where there is none.

    In the lower half of its heights a foot that stands has one speed, and one that swings low, as that of somebody who
    shuffles, all kinds of them. So it is the commonest of those that are backward against the pelvis.
    """
    pelvis = np.gradient(body.pelvis[:, FORWARD], body.times_s)
    own = float(np.median(pelvis[np.isfinite(pelvis)])) if np.isfinite(pelvis).any() else float("nan")
    for part in ("toe", "ankle"):
        point = body.joint(f"{side}_{part}")
        speed: Array = np.gradient(point[:, FORWARD], body.times_s)
        known = np.isfinite(speed) & np.isfinite(point[:, UP])
        if known.any():
            low = known & (np.nan_to_num(point[:, UP], nan=np.inf) <= np.percentile(point[known, UP], LOW))
            backward = speed[low & (speed < own)]
            return _commonest(backward, own) if len(backward) else float("nan")
    return float("nan")


def _commonest(speeds: Array, own: float) -> float:
    """Return the median of the speeds near their half-sample mode (Bickel and Fruehwirth 2006)."""
    mode = half_sample_mode(speeds)
    near = np.abs(speeds - mode) <= NEAR * abs(mode - own)
    return float(np.median(speeds[near])) if near.any() else mode


def half_sample_mode(values: Array) -> float:
    """Return where values lie closest together: the densest half, of that the densest half, and so on.

    >>> half_sample_mode(np.array([0.0, 4.0, 5.0, 5.1, 5.2, 9.0]))
    5.1
    """
    ordered = np.sort(values)
    while len(ordered) > 3:
        half = (len(ordered) + 1) // 2
        widths = ordered[half - 1 :] - ordered[: len(ordered) - half + 1]
        start = int(widths.argmin())
        ordered = ordered[start : start + half]
    return float(np.median(ordered))

"""The ground below a body: how it moves, on a road and on a treadmill, and how fast the body goes over it.

While a foot is low it moves as the ground does. So nobody has to say whether there is a belt, and the belt's speed is
measured by the feet.
"""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array
from salticid.motion.body import Body
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.signals import FORWARD, UP

LOW = 25.0  # percent of the time that a foot is surely on the ground, also in running


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
    """Return the median speed of the toe, or the ankle where there is none, in its lowest quarter of the time."""
    for part in ("toe", "ankle"):
        point = body.joint(f"{side}_{part}")
        speed: Array = np.gradient(point[:, FORWARD], body.times_s)
        known = np.isfinite(speed) & np.isfinite(point[:, UP])
        if known.any():
            low = known & (np.nan_to_num(point[:, UP], nan=np.inf) <= np.percentile(point[known, UP], LOW))
            return float(np.median(speed[low]))
    return float("nan")

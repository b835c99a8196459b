"""Bodies that are put together joint by joint."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.keypoints import SIDES
from salticid.motion.measure.body import Body

STANDING = {
    "shoulder": 1.44,
    "elbow": 1.1,
    "wrist": 0.8,
    "hip": 0.93,
    "knee": 0.5,
    "ankle": 0.07,
    "heel": 0.0,
    "toe": 0.0,
}
AHEAD = {"heel": -0.07, "toe": 0.18}


def _standing(frames=10, fps=30.0, activity="other", **moved):
    """Return a body of 1.75 m that stands, with joints moved by (forward, left, up) meters, or (T, 3) of them."""
    joints = {}
    for side in SIDES:
        for name, up in STANDING.items():
            place = np.array([AHEAD.get(name, 0.0), 0.09 if side == "left" else -0.09, up])
            joints[f"{side}_{name}"] = np.tile(place, (frames, 1)) + moved.get(f"{side}_{name}", np.zeros(3))
    return Body(np.arange(frames) / fps, joints, joints, "m", 1.75, "room", None, activity, fps, ())


@pytest.fixture(scope="session")
def standing():
    return _standing

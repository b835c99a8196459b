"""From behind, every landing goes to the foot that lands."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.keypoints import SIDES
from salticid.motion.measure.body import read_body
from salticid.motion.measure.events import stride_time_of
from salticid.motion.measure.events_vertical import vertical_contacts
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait


@pytest.mark.parametrize("share", [0.98, 1.02])
def test_in_a_long_clip_too_the_foot_is_the_right_one_though_the_stride_is_known_roughly(share):
    motion = simulate_gait(GaitStyle(treadmill=True), seconds=60, fps=30, seed=1)
    body = read_body(observe(motion, "rear", seed=1), MotionOptions())
    found = vertical_contacts(body, share * stride_time_of(body))
    for side in SIDES:
        assert len(found[side]) > 0.9 * len(motion.contacts_s[side])
        own, other = (
            np.abs(found[side][:, None] - motion.contacts_s[one]).min(axis=1)
            for one in (side, "right" if side == "left" else "left")
        )
        assert (own < other).all()


def test_where_no_foot_is_seen_nobody_knows_which_one_landed():
    motion = simulate_gait(GaitStyle(treadmill=True), seconds=6, fps=30)
    body = read_body(observe(motion, "rear"), MotionOptions())
    for name in body.joints:
        if name.endswith(("heel", "toe", "ankle")):
            body.joints[name][:] = np.nan
    assert all(len(contacts) == 0 for contacts in vertical_contacts(body, motion.stride_time_s["left"].mean()).values())

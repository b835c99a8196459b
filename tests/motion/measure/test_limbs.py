"""Lengths of limbs as shares of the height, from whatever view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from salticid.motion.measure.limbs import proportions_of


def test_limbs_are_shares_of_the_height(standing):
    found = proportions_of(standing())
    assert found["thigh.left"] == pytest.approx((0.93 - 0.5) / 1.75)
    assert found["foot.right"] == pytest.approx(0.25 / 1.75)
    assert found["trunk"] == pytest.approx((1.44 - 0.93) / 1.75)


def test_a_view_shows_the_limbs_in_its_plane_and_a_moment_changes_nothing(standing):
    bent = np.zeros((10, 3))
    bent[:3] = 0.2
    body = standing(left_knee=bent)
    flat = {name: course * [1, np.nan, 1] for name, course in body.joints.items()}
    found = proportions_of(replace(body, joints=flat))
    assert found["thigh.left"] == pytest.approx((0.93 - 0.5) / 1.75)


def test_a_limb_that_is_not_seen_is_left_out(standing):
    found = proportions_of(standing(left_wrist=np.full(3, np.nan)))
    assert "forearm.left" not in found
    assert "forearm.right" in found

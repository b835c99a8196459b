"""A heel that no source knows moves with its foot."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.keypoints import SIDES
from salticid.motion.measure.heel import with_heels

HEIGHT = 1.75


def feet(pitch_deg, heels=False):
    """Return feet without heels that stand flat for a second, and then turn about the ankle to a pitch, toe up."""
    pitch = np.radians(np.concatenate([np.zeros(30), np.full(30, pitch_deg)]))
    ankle = np.tile([0.0, 0.1, 0.07], (60, 1))
    ankle[30:, 2] += 0.2
    turned = {"toe": (0.18, -0.07), "heel": (-0.04 * HEIGHT, -0.039 * HEIGHT)}
    joints = {f"{side}_ankle": ankle for side in SIDES}
    for name, (ahead, up) in turned.items():
        place = np.stack(
            [ahead * np.cos(pitch) - up * np.sin(pitch), 0 * pitch, ahead * np.sin(pitch) + up * np.cos(pitch)], axis=1
        )
        joints |= {f"{side}_{name}": ankle + place for side in SIDES}
    return joints


@pytest.mark.parametrize("pitch_deg", [-50, 0, 20])
def test_it_is_behind_and_below_the_ankle_and_turns_with_the_foot(pitch_deg):
    joints = feet(pitch_deg)
    unknown = {f"{side}_heel": np.full((60, 3), np.nan) for side in SIDES}
    found, added = with_heels(joints | unknown, HEIGHT)
    assert added
    for side in SIDES:
        np.testing.assert_allclose(found[f"{side}_heel"], joints[f"{side}_heel"], atol=1e-9)


def test_a_heel_that_is_known_stays():
    joints = feet(10)
    found, added = with_heels(joints, HEIGHT)
    assert not added
    assert all(found[name] is joints[name] for name in joints)


def test_only_the_foot_that_lacks_one_gets_it_and_gaps_stay():
    joints = feet(10)
    joints["left_heel"] = np.full((60, 3), np.nan)
    joints["left_toe"][20:25] = np.nan
    found, added = with_heels(joints, HEIGHT)
    assert added
    assert found["right_heel"] is joints["right_heel"]
    assert np.isnan(found["left_heel"][20:25, 2]).all()
    assert np.isfinite(found["left_heel"][25:]).all()


def test_from_behind_or_without_toes_there_is_none():
    for hidden, axis in (("toe", slice(None)), ("toe", 0)):
        joints = feet(10)
        for side in SIDES:
            joints[f"{side}_heel"] = np.full((60, 3), np.nan)
            joints[f"{side}_{hidden}"][:, axis] = np.nan
        found, added = with_heels(joints, HEIGHT)
        assert not added
        assert np.isnan(found["left_heel"]).all()

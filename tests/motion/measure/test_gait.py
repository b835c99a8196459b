"""What the definitions of features ask about a stride has one answer, or none."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.measure.events import FootEvents
from salticid.motion.measure.gait import LOADING, gait_of
from salticid.motion.measure.signals import signals_of
from salticid.motion.measure.strides import FoundStrides
from salticid.motion.measured import Stride

FRAMES, FPS = 121, 60.0  # two seconds
LEFT = Stride("left", 0.5, 1.1, 1.5)
LEFT_EVENTS = FootEvents(np.array([0.5, 1.5]), np.array([1.1, np.nan]))


def gait(standing, right, given_kmh=None, **body):
    """Return a gait with the left foot's stride from 0.5 to 1.5 s and the right foot's contacts and toe-offs."""
    made = standing(frames=FRAMES, fps=FPS, **body)
    events = {"left": LEFT_EVENTS, "right": FootEvents(*(np.array(moments, float) for moments in right))}
    return gait_of(made, signals_of(made), FoundStrides((LEFT,), 0, events), given_kmh)


def test_the_other_foot_of_a_walker_leaves_after_the_contact_and_lands_before_the_toe_off(standing):
    walk = gait(standing, ([0.0, 1.0], [0.6, 1.6]))
    assert walk.toe_off_of_other(LEFT) == 0.6
    assert walk.contact_of_other(LEFT) == 1.0
    assert walk.contact_before(LEFT) == 0.0
    assert walk.midstance_of_other(LEFT) == pytest.approx(1.3)


def test_the_other_foot_of_a_runner_has_left_before_the_contact(standing):
    run = gait(standing, ([0.0, 1.0], [0.4, 1.4]))
    assert run.toe_off_of_other(LEFT) == 0.4


def test_what_was_not_seen_is_unknown(standing):
    alone = gait(standing, ([], []))
    answers = (alone.toe_off_of_other, alone.contact_of_other, alone.contact_before, alone.midstance_of_other)
    assert np.isnan([answer(LEFT) for answer in answers]).all()
    long_ago = gait(standing, ([-0.6, 1.0], [0.1, 1.6]))
    assert np.isnan(long_ago.contact_before(LEFT))


def test_a_leg_takes_the_load_in_the_first_part_of_its_stance(standing):
    walk = gait(standing, ([0.0, 1.0], [0.6, 1.6]))
    assert walk.midstance_s(LEFT) == pytest.approx(0.8)
    assert walk.loading_s(LEFT) == pytest.approx((0.5, 0.5 + LOADING * 0.6))


@pytest.mark.parametrize(("activity", "sign"), [("walk", 1), ("run", -1)])
def test_without_a_toe_off_the_pelvis_tells_midstance(standing, activity, sign):
    hips = np.zeros((FRAMES, 3))
    hips[:, 2] = sign * 0.03 * np.cos(2 * np.pi * (np.arange(FRAMES) / FPS - 0.75) / 0.5)
    unseen = Stride("left", 0.5, float("nan"), 1.5)
    walk = gait(standing, ([1.0], [np.nan]), activity=activity, left_hip=hips, right_hip=hips)
    assert walk.midstance_s(unseen) == pytest.approx(0.75, abs=0.01)
    assert walk.midstance_of_other(unseen) == pytest.approx(1.25, abs=0.01)


def travelling(speed_m_s):
    way = np.outer(np.arange(FRAMES) / FPS, [speed_m_s, 0, 0])
    return {f"{side}_hip": way for side in ("left", "right")}


def test_a_given_speed_counts_for_the_way_and_the_measured_one_stays_for_comparison(standing):
    walk = gait(standing, ([1.0], [1.6]), given_kmh=7.2, **travelling(1.5))
    assert walk.advance(LEFT) == pytest.approx(2.0)
    assert walk.measured_advance(LEFT) == pytest.approx(1.5)
    assert gait(standing, ([1.0], [1.6]), **travelling(1.5)).advance(LEFT) == pytest.approx(1.5)

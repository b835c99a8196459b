"""People are followed from frame to frame, found again, and not taken for one another."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from salticid.core.video_planes import Planes
from salticid.motion.pose.blazepose import Region
from salticid.motion.pose.blazepose_network import Pose
from salticid.motion.pose.one_euro import OneEuroFilter
from salticid.motion.pose.track import MOST_PEOPLE, Tracker

PLANES = Planes.of_rgb(np.zeros((480, 640, 3), np.uint8))
SIZE = 200.0  # side of a body's region


def body_at(x: float, y: float, size: float) -> Pose:
    """Return an upright body whose hips are at a place."""
    offsets = np.random.default_rng(5).uniform(-0.25, 0.25, (33, 2))
    points = (np.array([x, y]) + offsets * size).astype(np.float32)
    center = np.array([x, y], np.float32)
    return Pose(
        points, np.ones(33, np.float32), np.zeros((33, 3), np.float32), center, center - (0, np.float32(size / 2.5))
    )


@dataclass
class Stage:
    """Stands in for the networks: people at known places, found where a region is near enough."""

    people: dict[str, tuple[float, float]] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    searches: int = 0

    def _shown(self):
        return [(self.sizes.get(name, SIZE), place) for name, place in self.people.items() if name not in self.hidden]

    def networks(self):
        stage = self

        class Networks:
            def people(self, planes, view):
                stage.searches += 1
                inside = [
                    (size, (x, y))
                    for size, (x, y) in stage._shown()
                    if abs(x - view.x) < view.side / 2 and abs(y - view.y) < view.side / 2
                ]
                return [Region(x, y, size, 0.0) for size, (x, y) in inside]

            def pose(self, planes, region):
                near = [(math.dist((region.x, region.y), place), size, place) for size, place in stage._shown()]
                if not near or min(near)[0] > 0.4 * region.side:
                    return None
                _, size, place = min(near)
                return body_at(*place, size)

        return Networks()


def hips(pose):
    return None if pose is None else tuple(np.round(pose.center, 3).tolist())


def test_one_person_is_found_once_and_then_followed():
    stage = Stage({"anna": (100, 240)})
    tracker = Tracker(stage.networks(), check_every=1000)
    tracker(PLANES)
    at_the_start = stage.searches
    for step in range(1, 50):
        stage.people["anna"] = (100 + 8 * step, 240)
        assert [hips(pose) for pose in tracker(PLANES)] == [(100 + 8 * step, 240)]
    assert stage.searches == at_the_start


def test_nobody_is_no_pose_and_is_looked_for_in_every_frame():
    stage = Stage()
    tracker = Tracker(stage.networks(), check_every=1000)
    for _ in range(5):
        before = stage.searches
        assert tracker(PLANES) == []
        assert stage.searches > before


def test_a_hidden_person_is_none_and_found_again_at_once():
    stage = Stage({"anna": (100, 240)})
    tracker = Tracker(stage.networks(), check_every=1000)
    tracker(PLANES)
    stage.hidden.add("anna")
    assert tracker(PLANES) == [None]
    stage.hidden.clear()
    stage.people["anna"] = (500, 240)
    assert [hips(pose) for pose in tracker(PLANES)] == [(500, 240)]


def test_two_people_keep_their_tracks_when_they_cross():
    stage = Stage({"anna": (100, 200), "ben": (500, 280)})
    tracker = Tracker(stage.networks(), check_every=15)
    for step in range(41):
        stage.people = {"anna": (100 + 10 * step, 200), "ben": (500 - 10 * step, 280)}
        poses = tracker(PLANES)
        assert [hips(pose) for pose in poses] == [stage.people["anna"], stage.people["ben"]]


def test_two_tracks_never_follow_one_body():
    stage = Stage({"anna": (300, 240), "ben": (420, 240)})
    tracker = Tracker(stage.networks(), check_every=5)
    tracker(PLANES)
    stage.hidden.add("ben")
    stage.people["anna"] = (330, 240)  # within reach of where ben was
    for _ in range(20):
        assert [hips(pose) for pose in tracker(PLANES)] == [(330, 240), None]


def test_a_person_who_comes_later_gets_a_track_of_their_own():
    stage = Stage({"anna": (100, 240)})
    tracker = Tracker(stage.networks(), check_every=10)
    counts = []
    for step in range(60):
        if step == 5:
            stage.people["ben"] = (450, 240)
        counts.append(len(tracker(PLANES)))
    assert counts[0] == 1
    assert counts[-1] == 2
    assert tracker(PLANES)[1] is not None


def test_someone_who_left_is_not_taken_for_someone_far_away():
    stage = Stage({"anna": (100, 240), "ben": (300, 240)})
    tracker = Tracker(stage.networks(), check_every=10)
    tracker(PLANES)
    stage.people = {"anna": (100, 240), "carl": (600, 400)}
    assert [hips(pose) for pose in tracker(PLANES)] == [(100, 240), None, (600, 400)]


def test_small_people_in_the_background_are_left_out():
    stage = Stage({"anna": (100, 240), "far": (500, 240)}, sizes={"far": 0.3 * SIZE})
    tracker = Tracker(stage.networks(), check_every=2)
    for _ in range(10):
        assert len(tracker(PLANES)) == 1


def test_no_more_people_are_followed_than_is_said():
    stage = Stage({str(number): (60 + 120 * number, 240) for number in range(5)})
    tracker = Tracker(stage.networks(), check_every=2)
    for _ in range(10):
        assert len(tracker(PLANES)) == MOST_PEOPLE


def test_the_filter_rests_on_noise_and_follows_what_moves():
    noise = np.random.default_rng(0).normal(0, 1.0, (200, 2))
    steady = OneEuroFilter(0.01, 10.0)
    rested = np.array([steady(point, 500.0) for point in 100 + noise])
    assert rested[50:].std() < noise.std() / 2
    moving = OneEuroFilter(0.01, 10.0)
    walked = np.array([moving(np.array([10.0 * step, 0.0]), 500.0) for step in range(60)])
    assert 590 - walked[-1, 0] < 10 * 3  # three frames late at most


def test_the_filter_is_that_of_its_paper():
    rng = np.random.default_rng(2)
    values = rng.normal(0, 30, 40).cumsum()
    steady = OneEuroFilter(0.05, 80.0, step_s=1 / 30)
    found = [float(steady(np.array([value]), 400.0)[0]) for value in values]
    np.testing.assert_allclose(found, one_euro_by_loop(values, 0.05, 80.0, 400.0), rtol=1e-9)


def one_euro_by_loop(values, least_cutoff, beta, size):
    """Return Casiez et al. 2012, algorithm 1, value by value."""
    rate, found, speed, filtered, last = 30.0, [], 0.0, values[0], values[0]

    def alpha(cutoff):
        return 1 / (1 + rate / (2 * math.pi * cutoff))

    for value in values:
        speed += alpha(1.0) * ((value - last) * rate / size - speed)
        share = alpha(least_cutoff + beta * abs(speed))
        filtered += share * (value - filtered)
        found.append(filtered)
        last = value
    return found


@pytest.mark.parametrize("every", [0, -3])
def test_a_video_without_a_rate_is_searched_all_the_same(every):
    stage = Stage({"anna": (100, 240)})
    tracker = Tracker(stage.networks(), check_every=every)
    assert hips(tracker(PLANES)[0]) == (100, 240)

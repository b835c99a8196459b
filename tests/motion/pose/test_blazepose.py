"""What BlazePose's networks say is read as its makers read it: anchors, people, regions, landmarks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.motion.pose import blazepose
from salticid.motion.pose.blazepose import CROP_PX, DETECTOR_PX, Region

NEVER = np.full(2254, -20, np.float32)
CELL_PX = CROP_PX / 64


def seen(*people: tuple[int, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the detector's output for people given as anchor, logit and shift of everything in pixels."""
    boxes, logits = np.zeros((2254, 12), np.float32), NEVER.copy()
    for anchor, logit, shift in people:
        boxes[anchor] = (shift, shift, 40, 40, shift, shift, shift, shift - 80, shift, shift - 40, shift, shift - 60)
        logits[anchor] = logit
    return boxes, logits


def test_anchors_are_the_centers_of_three_grids():
    anchors = blazepose.anchors()
    assert anchors.shape == (2254, 2)
    np.testing.assert_allclose(anchors[[0, 1, 2]] * DETECTOR_PX, [[4, 4], [4, 4], [12, 4]])
    np.testing.assert_allclose(
        anchors[[2 * 28 * 28, -294, -1]] * DETECTOR_PX, [[8, 8], [16, 16], [208, 208]], rtol=1e-6
    )
    assert len(np.unique(anchors[-294:], axis=0)) == 49


def test_nobody_is_found_where_no_score_reaches_a_half():
    found = blazepose.decode_detections(*seen((500, -0.01, 0)))
    assert len(found) == 0
    assert found.points.shape == (0, 4, 2)


def test_boxes_that_overlap_are_one_person_weighted_by_score():
    anchor = 2 * (28 * 14 + 14)
    found = blazepose.decode_detections(*seen((anchor, 2.0, 0.0), (anchor + 1, 0.5, 4.0)))
    weights = 1 / (1 + np.exp(-np.array([2.0, 0.5])))
    assert len(found) == 1
    assert found.scores[0] == pytest.approx(weights[0], rel=1e-5)
    middle = blazepose.anchors()[anchor] * DETECTOR_PX + 4 * weights[1] / weights.sum()
    np.testing.assert_allclose(found.points[0, 0], middle, rtol=1e-5)
    np.testing.assert_allclose(found.points[0, 1], middle - (0, 80), rtol=1e-5)


def test_boxes_apart_are_two_people_the_surest_first():
    found = blazepose.decode_detections(*seen((2 * 28 * 5, 1.0, 0.0), (2 * 28 * 20 + 30, 3.0, 0.0)))
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp([-3.0, -1.0])), rtol=1e-5)


@pytest.mark.parametrize(("rim", "angle"), [((0, -1), 0), ((1, 0), 90), ((0, 1), 180), ((-1, 0), -90)])
def test_a_region_turns_with_the_body(rim, angle):
    center = np.array([100.0, 200.0])
    region = blazepose.region_between(center, center + 40 * np.array(rim))
    assert (region.x, region.y, region.side) == pytest.approx((100, 200, 100))
    assert abs(math.degrees(region.angle)) == pytest.approx(abs(angle))
    top = blazepose.to_picture(np.array([[CROP_PX / 2, CROP_PX / 10]]), region)[0]
    np.testing.assert_allclose(top, center + 40 * np.array(rim), atol=1e-3)


regions = st.builds(
    Region, x=st.floats(-500, 500), y=st.floats(-500, 500), side=st.floats(1, 2000), angle=st.floats(-math.pi, math.pi)
)


@given(regions)
@settings(deadline=None)
def test_a_crop_is_a_turned_square_around_its_center(region):
    corners = blazepose.to_picture(np.array([[0, 0], [CROP_PX, 0], [CROP_PX, CROP_PX], [0, CROP_PX]]), region)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, region.side, rtol=1e-3, atol=2e-2)
    np.testing.assert_allclose(corners.mean(axis=0), (region.x, region.y), atol=1e-2)


def landmark(x_px: float, y_px: float) -> np.ndarray:
    """Return the network's 195 values with every landmark at one place."""
    return np.tile(np.array([x_px, y_px, 0, 1.0, 0], np.float32), 39)


def heat(*peaks: tuple[int, int]) -> np.ndarray:
    """Return heatmaps that are sure of single cells, given as column and row."""
    maps = np.full((64, 64, 39), -20, np.float32)
    for column, row in peaks:
        maps[row, column] = 20
    return maps


def test_a_sure_heatmap_moves_a_landmark_to_its_mean():
    found = blazepose.decode_landmarks(landmark(100, 120), heat((26, 31), (28, 31)))
    np.testing.assert_allclose(found.points, np.tile([27 * CELL_PX, 31 * CELL_PX], (35, 1)), rtol=1e-5)
    np.testing.assert_allclose(found.visibility, 1 / (1 + math.exp(-1)), rtol=1e-5)


def test_a_heatmap_counts_up_to_four_cells_away_and_not_beyond():
    near = blazepose.decode_landmarks(landmark(25 * CELL_PX, 25 * CELL_PX), heat((29, 21)))
    far = blazepose.decode_landmarks(landmark(25 * CELL_PX, 25 * CELL_PX), heat((30, 25)))
    np.testing.assert_allclose(near.points[0], [29 * CELL_PX, 21 * CELL_PX], rtol=1e-5)
    np.testing.assert_allclose(far.points[0], [25 * CELL_PX, 25 * CELL_PX], rtol=1e-5)


def test_an_unsure_heatmap_leaves_a_landmark_where_it_is():
    maps = np.full((64, 64, 39), -0.01, np.float32)
    np.testing.assert_allclose(blazepose.decode_landmarks(landmark(100, 120), maps).points[0], (100, 120), rtol=1e-5)


@given(st.floats(-400, 700), st.floats(-400, 700))
@settings(deadline=None)
def test_landmarks_anywhere_agree_with_a_loop_over_cells(x, y):
    maps = np.random.default_rng(1).normal(0, 3, (64, 64, 39)).astype(np.float32)
    found = blazepose.decode_landmarks(landmark(x, y), maps).points[7]
    np.testing.assert_allclose(found, refined_by_loop(np.float32(x), np.float32(y), maps[..., 7]), rtol=1e-4, atol=1e-3)


def refined_by_loop(x: float, y: float, logits: np.ndarray) -> tuple[float, float]:
    """Return the mean place of 9 x 9 cells, one by one."""
    column, row = int(x / CROP_PX * 64), int(y / CROP_PX * 64)
    if not (0 <= column < 64 and 0 <= row < 64):
        return x, y
    total = across = down = most = 0.0
    for r in range(max(0, row - 4), min(64, row + 5)):
        for c in range(max(0, column - 4), min(64, column + 5)):
            confidence = 1 / (1 + math.exp(-float(logits[r, c])))
            total, most = total + confidence, max(most, confidence)
            across, down = across + c * confidence, down + r * confidence
    return (across / total * CELL_PX, down / total * CELL_PX) if most >= 0.5 else (x, y)


def test_meters_turn_with_the_region():
    values = np.tile(np.array([0.0, -1.0, 0.5], np.float32), 39)
    turned = blazepose.turn_world(values, Region(0, 0, 1, math.pi / 2))
    np.testing.assert_allclose(turned, np.tile([1.0, 0.0, 0.5], (33, 1)), atol=1e-6)


@pytest.mark.parametrize(("width", "height"), [(1080, 1920), (1920, 1080), (640, 480)])
def test_the_views_cover_a_long_picture_from_end_to_end(width, height):
    whole, *parts = blazepose.views(width, height)
    assert (whole.side, whole.x, whole.y) == (max(width, height), width / 2, height / 2)
    middles = [view.x if width > height else view.y for view in parts]
    reach = [(middle - view.side / 2, middle + view.side / 2) for middle, view in zip(middles, parts, strict=True)]
    assert reach[0][0] == 0
    assert reach[-1][1] == max(width, height)
    assert all(before[1] > after[0] for before, after in itertools.pairwise(reach))


def test_a_square_picture_is_searched_as_a_whole_alone():
    assert len(blazepose.views(500, 480)) == 1

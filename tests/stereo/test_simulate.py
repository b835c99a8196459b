"""The simulated truth is exact: the two views, both disparities and the visibility agree with each other."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.core.image import read_image
from salticid.core.pfm import read_pfm
from salticid.errors import InputError
from salticid.stereo.calibration import Calibration
from salticid.stereo.simulate import Plane, Sphere, simulate_pair


@pytest.fixture(scope="module")
def pair():
    return simulate_pair(320, 240, noise=0.0, gain=1.0)


def warped(values, columns):
    """Return `values` at fractional `columns` of each row."""
    low = np.floor(columns).astype(int).clip(0, values.shape[1] - 2)
    share = columns - low
    return (1 - share) * np.take_along_axis(values, low, 1) + share * np.take_along_axis(values, low + 1, 1)


def test_a_visible_point_has_the_same_disparity_in_both_views(pair):
    columns = np.arange(320) - pair.disparity_left_px
    other = warped(pair.disparity_right_px, columns)
    error = np.abs(other - pair.disparity_left_px)[pair.visible]
    assert np.median(error) < 0.01
    assert np.mean(error < 0.5) > 0.98  # the rest straddles an edge of the right view


def test_a_visible_point_has_the_same_color_in_both_views(pair):
    columns = np.arange(320) - pair.disparity_left_px
    error = np.abs(warped(pair.right[..., 1].astype(float), columns) - pair.left[..., 1])
    assert np.median(error[pair.visible]) < 4
    assert np.median(error[~pair.visible]) > 10


def test_depth_from_the_true_disparity_lies_on_the_surfaces(pair):
    points = pair.rig.points_mm(pair.disparity_left_px).reshape(-1, 3)
    sphere = Sphere((110.0, 70.0, 690.0), 120.0)
    distance = np.linalg.norm(points - sphere.center, axis=1) - sphere.radius
    wall = points[:, 2] - (1250 + 0.25 * points[:, 0] - 0.35 * points[:, 1])
    assert np.mean(np.abs(distance) < 0.1) > 0.05
    assert np.mean(np.abs(wall) < 0.1) > 0.5


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_ones():
    one, same, other = simulate_pair(64, 48, seed=3), simulate_pair(64, 48, seed=3), simulate_pair(64, 48, seed=4)
    assert np.array_equal(one.left, same.left)
    assert np.array_equal(one.right, same.right)
    assert not np.array_equal(one.left, other.left)
    assert np.array_equal(one.disparity_left_px, other.disparity_left_px)


def test_the_hint_covers_every_disparity(pair):
    assert pair.disparity_left_px.max() < pair.rig.num_disparities
    assert pair.disparity_right_px.max() < pair.rig.num_disparities


def test_what_is_saved_reads_back_exactly(pair, tmp_path):
    pair.save(tmp_path / "scene")
    assert np.array_equal(read_image(tmp_path / "scene" / "left.png"), pair.left)
    assert np.array_equal(read_pfm(tmp_path / "scene" / "disparity_left.pfm"), pair.disparity_left_px)
    assert Calibration.load(tmp_path / "scene" / "calib.json").focal_px == pair.rig.focal_px


def test_a_plane_and_a_sphere_are_hit_where_geometry_says():
    forward = np.array([[[0.0, 0.0, 1.0]]])
    assert Sphere((0, 0, 100), 10).hit(0.0, forward)[0, 0] == 90
    assert np.isinf(Sphere((0, 0, 100), 10).hit(20.0, forward)[0, 0])
    assert Plane(50, sx=0.5).hit(10.0, forward)[0, 0] == 55
    assert np.isinf(Plane(50, bounds=(1, 2, -1, 1)).hit(0.0, forward)[0, 0])


@pytest.mark.parametrize("size", [(15, 64), (64, 0), (9000, 64)])
def test_a_senseless_size_is_refused(size):
    with pytest.raises(InputError, match="16 to 8192"):
        simulate_pair(*size)

"""The simulated truth is exact: the two views, both disparities and the visibility agree with each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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


def test_the_ball_is_visible_where_its_surface_faces_the_right_camera(pair):
    middle, radius, right_camera = np.array([110.0, 70.0, 690.0]), 120.0, np.array([70.0, 0.0, 0.0])
    points = pair.rig.points_mm(pair.disparity_left_px)
    on_ball = np.abs(np.linalg.norm(points - middle, axis=-1) - radius) < 0.01
    facing = ((points - middle) * (right_camera - points)).sum(-1)
    assert on_ball.sum() > 3000
    clear = on_ball & (np.abs(facing) > 1)  # mm2; float32 points tell no finer
    assert np.array_equal(pair.visible[clear], facing[clear] > 0)


@settings(max_examples=10, deadline=None)
@given(st.integers(16, 600), st.floats(0.25, 4))
@example(16, 4.0)
@example(64, 4.0)
@example(150, 4.0)
@example(600, 0.25)
@example(16, 1.0)
def test_every_ray_hits_something_in_all_allowed_sizes(width, aspect):
    height = min(max(round(width * aspect), 16, -(-width // 4)), 600, 4 * width)
    pair = simulate_pair(width, height, noise=0.0)
    for disparity_px in (pair.disparity_left_px, pair.disparity_right_px):
        assert np.isfinite(disparity_px).all()
        assert (disparity_px > 0).all()
        assert disparity_px.max() <= pair.rig.num_disparities
    assert np.isfinite(pair.rig.depth_mm(pair.disparity_left_px)).all()


@pytest.mark.parametrize("size", [(15, 64), (64, 0), (9000, 64), (64.5, 64)])
def test_a_senseless_size_is_refused(size):
    with pytest.raises(InputError, match="16 to 8192"):
        simulate_pair(*size)


@pytest.mark.parametrize("size", [(64, 512), (64, 257), (512, 64)])
def test_a_size_whose_rays_would_miss_the_scene_is_refused(size):
    with pytest.raises(InputError, match="1:4 to 4:1"):
        simulate_pair(*size)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *[("seed", value) for value in (-1, 2**32, 1.5, "1")],
        *[(name, value) for name in ("noise", "gain") for value in (-0.1, float("nan"), float("inf"), 1e300)],
    ],
)
def test_a_senseless_argument_is_refused(argument, value):
    with pytest.raises(InputError, match=f"{argument} must be"):
        simulate_pair(32, 32, **{argument: value})


def test_the_largest_seed_is_fine():
    assert simulate_pair(16, 16, seed=2**32 - 1).left.shape == (16, 16, 3)


def test_a_folder_that_cannot_be_made_is_an_input_error(pair, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "scene"):
        with pytest.raises(InputError, match="cannot make the folder"):
            pair.save(place)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InputError, match="you are not allowed to"):
        pair.save(tmp_path / "locked")


def test_the_default_scene_stays_as_it_is():
    pair = simulate_pair()
    assert pair.disparity_left_px.mean() == pytest.approx(39.312115, abs=1e-4)
    assert pair.left.mean() == pytest.approx(92.750253, abs=1e-3)
    assert pair.right.mean() == pytest.approx(96.357287, abs=1e-3)
    assert pair.rig.num_disparities == 80

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from salticid.core.geometry import (
    RigidTransform,
    depth_mm,
    fit_rigid,
    project,
    reproject_disparity,
    triangulate,
    undistort_points,
)
from salticid.errors import InputError

K = np.array([[1780.0, 0, 728], [0, 1775, 544], [0, 0, 1]])
BASELINE = np.array([-70.017, 0.3, -0.2])
LENSES = [[-0.42, 0.2, 1e-3, -5e-4], [-0.42, 0.2, 1e-3, -5e-4, -0.03], [0.1, -0.2, 1e-4, 2e-4, 0.1, 0.2, -0.1, 0.05]]

VECTORS = hnp.arrays(np.float64, 3, elements=st.floats(-4, 4))
SHIFTS = hnp.arrays(np.float64, 3, elements=st.floats(-1000, 1000))
TRANSFORMS = st.builds(RigidTransform.from_rotation_vector, VECTORS, SHIFTS)
# What the reference camera sees at 300 to 3000 mm.
SCENES = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).uniform([-0.35, -0.25, 300], [0.35, 0.25, 3000], (20, 3))
)


def seen(points):
    """Spread points of (x / z, y / z, z) over the field of view."""
    return points * np.column_stack([points[:, 2], points[:, 2], np.ones(len(points))])


@settings(max_examples=30)
@given(SCENES, VECTORS.map(lambda v: v / 40))
def test_triangulating_what_two_cameras_see_gives_the_points_back(scene, vector):
    points = seen(scene)
    right = RigidTransform.from_rotation_vector(vector, BASELINE)
    P1, P2 = K @ np.eye(3, 4), K @ np.column_stack([right.R, right.t])
    x1, x2 = project(points, K), project(points, K, right.R, right.t)
    np.testing.assert_allclose(triangulate(P1, P2, x1, x2), points, rtol=1e-7, atol=1e-5)


@settings(max_examples=20)
@given(SCENES, VECTORS, st.sampled_from(LENSES))
def test_projection_is_that_of_opencv(scene, vector, lens):
    pose = RigidTransform.from_rotation_vector(vector, [1.0, 2.0, 3.0])
    points = pose.inverse().apply(seen(scene))
    expected, _ = cv2.projectPoints(points, pose.R, pose.t, K, np.array(lens))
    np.testing.assert_allclose(project(points, K, pose.R, pose.t, lens), expected[:, 0], atol=1e-6)


@settings(max_examples=20)
@given(SCENES, st.sampled_from(LENSES))
def test_undistorting_what_a_lens_bent_gives_the_pinhole_image_back(scene, lens):
    points = seen(scene)
    np.testing.assert_allclose(
        undistort_points(project(points, K, distortion=lens), K, lens), project(points, K), atol=1e-5
    )


def test_a_pixel_that_no_ray_of_the_lens_reaches_is_nan():
    found = undistort_points(np.array([[728.0, 544.0], [1e5, 544.0]]), K, [-0.42, 0, 0, 0])
    np.testing.assert_allclose(found[0], [728, 544])
    assert np.isnan(found[1]).all()


def test_points_at_or_behind_the_camera_are_not_seen():
    pixels = project(np.array([[0.0, 0, 1], [0, 0, 0], [1, 1, -5]]), K)
    np.testing.assert_allclose(pixels[0], [728, 544])
    assert np.isnan(pixels[1:]).all()


def test_a_point_that_is_unknown_in_one_view_is_nan_and_so_is_one_at_infinity():
    P1, P2 = np.eye(3, 4), np.column_stack([np.eye(3), [-1.0, 0, 0]])
    x1 = np.array([[0.1, 0.0], [np.nan, 0.0], [0.3, 0.2]])
    x2 = np.array([[0.0, 0.0], [0.0, 0.0], [0.3, 0.2]])
    points = triangulate(P1, P2, x1, x2)
    np.testing.assert_allclose(points[0], [1, 0, 10], atol=1e-9)
    assert np.isnan(points[1]).all()
    assert np.isnan(points[2]).all() or np.abs(points[2]).max() > 1e12


def test_triangulation_finds_the_middle_when_the_rays_miss_each_other():
    P1, P2 = np.eye(3, 4), np.column_stack([np.eye(3), [-1.0, 0, 0]])
    [point] = triangulate(P1, P2, np.array([[0.1, 0.01]]), np.array([[0.0, -0.01]]))
    np.testing.assert_allclose(point, [1, 0, 10], rtol=1e-3, atol=1e-9)


def test_no_points_are_no_error():
    nothing = np.empty((0, 2))
    assert project(np.empty((0, 3)), K, distortion=LENSES[2]).shape == (0, 2)
    assert undistort_points(nothing, K, LENSES[0]).shape == (0, 2)
    assert triangulate(np.eye(3, 4), np.eye(3, 4), nothing, nothing).shape == (0, 3)


@settings(max_examples=40)
@given(TRANSFORMS, TRANSFORMS, SHIFTS)
def test_transforms_are_a_group(a, b, point):
    there_and_back = a.inverse() @ a
    np.testing.assert_allclose(there_and_back.R, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(there_and_back.t, 0, atol=1e-9)
    np.testing.assert_allclose((a @ b).apply(point), a.apply(b.apply(point)), atol=1e-9)
    np.testing.assert_allclose((RigidTransform.identity() @ a).R, a.R)


@settings(max_examples=40)
@given(VECTORS)
def test_a_rotation_vector_means_what_it_means_to_opencv(vector):
    np.testing.assert_allclose(RigidTransform.from_rotation_vector(vector).R, cv2.Rodrigues(vector)[0], atol=1e-7)


@pytest.mark.parametrize("angle", [0.0, 1e-300, 1e-12, 1e-8, np.pi, 2 * np.pi])
def test_a_rotation_by_a_special_angle_is_exact(angle):
    R = RigidTransform.from_rotation_vector([0, 0, angle]).R
    np.testing.assert_allclose(R[:2, :2], [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], atol=1e-15)


@pytest.mark.parametrize(
    "R", [np.diag([1.0, 1, -1]), np.eye(3) * 1.001, np.zeros((3, 3)), np.eye(4), np.full((3, 3), np.nan)]
)
def test_a_matrix_that_is_no_rotation_is_an_input_error(R):
    with pytest.raises(InputError, match="R "):
        RigidTransform(R, np.zeros(3))


def test_a_transform_does_not_change_with_the_arrays_that_it_was_made_of():
    R, t = np.eye(3), np.zeros((3, 1))
    transform = RigidTransform(R, t)
    t[0] = 5
    assert transform.t.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        transform.R[0, 0] = 2


@settings(max_examples=30)
@given(TRANSFORMS, st.integers(0, 2**32), st.integers(3, 30), st.booleans())
def test_a_fit_finds_the_transform_that_moved_the_points(transform, seed, count, flat):
    points = np.random.default_rng(seed).normal(size=(count, 3)) * 100
    points[:, 2] *= not flat
    found = fit_rigid(points, transform.apply(points))
    np.testing.assert_allclose(found.R, transform.R, atol=1e-6)
    np.testing.assert_allclose(found.apply(points), transform.apply(points), atol=1e-6)


def test_a_fit_of_a_mirrored_cloud_is_a_rotation_and_the_best_one():
    points = np.random.default_rng(0).normal(size=(50, 3))
    mirrored = points * [1, 1, -1]
    found = fit_rigid(points, mirrored)
    assert np.linalg.det(found.R) == pytest.approx(1)
    best = np.square(found.apply(points) - mirrored).sum()
    for vector in np.random.default_rng(1).normal(size=(20, 3)) / 20:
        other = RigidTransform.from_rotation_vector(vector) @ found
        assert np.square(other.apply(points) - mirrored).sum() >= best - 1e-9


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (np.zeros((2, 3)), "3 or more"),
        (np.zeros((5, 3)), "one line"),
        (np.outer(np.arange(5.0), [1, 2, 3]) + 7, "one line"),
        (np.full((4, 3), np.nan), "all known"),
    ],
)
def test_points_that_leave_the_rotation_open_are_an_input_error(a, message):
    with pytest.raises(InputError, match=message):
        fit_rigid(a, a)


def test_clouds_of_two_sizes_do_not_correspond():
    with pytest.raises(InputError, match="as many"):
        fit_rigid(np.zeros((4, 3)), np.zeros((5, 3)))


Q = np.array([[1, 0, 0, -40.0], [0, 1, 0, -30.0], [0, 0, 0, 500.0], [0, 0, 1 / 70.0, 0.02]])


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_reprojection_is_q_times_column_row_disparity_one(seed):
    disparity = np.random.default_rng(seed).uniform(1, 90, (60, 80)).astype(np.float32)
    disparity[::7, ::5] = np.nan
    points = reproject_disparity(disparity, Q)
    row, column = np.mgrid[0:60, 0:80]
    homogeneous = np.stack([column, row, disparity, np.ones((60, 80))], axis=-1) @ Q.T
    expected = homogeneous[..., :3] / homogeneous[..., 3:]
    known = np.isfinite(disparity)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points[known], expected[known], rtol=1e-5, atol=1e-4)
    assert np.isnan(points[~known]).all()


def test_a_point_at_infinity_is_nan_and_never_a_warning():
    points = reproject_disparity(np.float32([[-1.4, 0, np.inf, 7]]), Q)
    assert np.isfinite(points[0, [1, 3]]).all()
    assert np.isnan(points[0, 2]).all()
    at_infinity = reproject_disparity(np.float32([[0.0]]), np.diag([1.0, 1, 1, 0]))
    assert np.isnan(at_infinity).all()
    assert reproject_disparity(np.empty((0, 4), np.float32), Q).shape == (0, 4, 3)


@settings(max_examples=60)
@given(hnp.arrays(np.float32, (3, 4)))
def test_any_disparity_at_all_gives_points_that_are_finite_or_unknown(disparity):
    points = reproject_disparity(disparity, Q)
    assert (np.isfinite(points).all(axis=-1) | np.isnan(points).all(axis=-1)).all()
    depth = depth_mm(disparity, 1780, 70)
    assert ((depth > 0) | np.isnan(depth)).all()
    assert np.isnan(depth[~(disparity > 0)]).all()


def test_depth_is_focal_length_times_baseline_over_disparity():
    depth = depth_mm(np.float32([[100, 50, 0, -5, np.nan, np.inf]]), 1780, 70.017)
    np.testing.assert_allclose(depth[0, :2], [1246.3026, 2492.6052], rtol=1e-6)
    assert np.isnan(depth[0, 2:]).all()
    assert depth.dtype == np.float32
    assert depth_mm(np.float32(90), 1000, 100, doffs_px=10) == 1000


def test_depth_agrees_with_the_third_coordinate_of_the_point():
    disparity = np.float32([[3, 9, 27]])
    z = reproject_disparity(disparity, Q)[..., 2]
    np.testing.assert_allclose(depth_mm(disparity, 500, 70, doffs_px=0.02 * 70), z, rtol=1e-6)


@pytest.mark.parametrize(("focal", "baseline"), [(0, 70), (1000, 0), (-1, 70), (np.nan, 70)])
def test_a_camera_pair_that_cannot_be_is_an_input_error(focal, baseline):
    with pytest.raises(InputError, match="above 0"):
        depth_mm(np.ones(3), focal, baseline)


@pytest.mark.parametrize("lens", [[], [0.1], [0.1] * 6, [0.1] * 14, [np.nan] * 4])
def test_a_lens_that_is_not_modelled_is_an_input_error(lens):
    with pytest.raises(InputError, match="distortion"):
        project(np.ones((1, 3)), K, distortion=lens)


def test_coefficients_beyond_the_model_may_be_there_when_they_are_zero():
    lens = [*LENSES[2], *[0.0] * 6]
    np.testing.assert_array_equal(
        project(np.ones((1, 3)), K, distortion=lens), project(np.ones((1, 3)), K, distortion=LENSES[2])
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: project(np.ones(3), K),
        lambda: project(np.ones((1, 3)), np.eye(4)),
        lambda: undistort_points(np.ones((2, 3)), K, LENSES[0]),
        lambda: triangulate(K, K, np.ones((1, 2)), np.ones((1, 2))),
        lambda: triangulate(np.eye(3, 4), np.eye(3, 4), np.ones((1, 2)), np.ones((2, 2))),
        lambda: reproject_disparity(np.ones((2, 2, 1), np.float32), Q),
        lambda: reproject_disparity(np.ones((2, 2), np.float32), np.eye(3)),
        lambda: RigidTransform.identity().apply(np.ones((3, 2))),
    ],
)
def test_arrays_of_another_shape_are_an_input_error(call):
    with pytest.raises(InputError):
        call()

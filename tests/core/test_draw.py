from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from salticid.core import draw
from salticid.errors import InputError

NAN = np.nan
COLD, WARM = (48, 18, 59), (122, 4, 3)  # the ends of turbo
GRAY = np.full((40, 60), 90, np.uint8)


def test_near_is_warm_far_is_cold_and_unknown_is_gray():
    colors = draw.disparity_colors(np.float32([[0, 10, NAN, np.inf]]), low=0, high=10)
    assert [tuple(color) for color in colors[0]] == [COLD, WARM, draw.UNKNOWN_RGB, draw.UNKNOWN_RGB]


def test_values_beyond_the_range_get_the_color_of_its_end():
    colors = draw.disparity_colors(np.float32([[-1e30, 1e30]]), low=0, high=10)
    assert [tuple(color) for color in colors[0]] == [COLD, WARM]


def test_one_wild_pixel_in_a_thousand_does_not_wash_the_picture_out():
    disparity = np.tile(np.linspace(10, 20, 1000, dtype=np.float32), (2, 1))
    wild = disparity.copy()
    wild[0, 0] = 1e6
    calm, disturbed = draw.disparity_colors(disparity), draw.disparity_colors(wild)
    assert np.abs(calm[1].astype(int) - disturbed[1]).max() < 12


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (3, 0), (2, 2)])
def test_a_map_of_nothing_is_gray_and_of_the_same_size(shape):
    colors = draw.disparity_colors(np.full(shape, NAN, np.float32))
    assert colors.shape == (*shape, 3)
    assert (colors == draw.UNKNOWN_RGB).all()


def test_a_map_of_one_value_has_one_color():
    assert len(np.unique(draw.disparity_colors(np.full((3, 3), 7.0)).reshape(-1, 3), axis=0)) == 1


@settings(max_examples=40)
@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)), st.booleans())
def test_any_float_map_has_a_picture(disparity, fixed):
    colors = draw.disparity_colors(disparity, *[0, 1e-3] if fixed else [])
    assert colors.dtype == np.uint8
    assert colors.shape == (*disparity.shape, 3)
    assert (colors[~np.isfinite(disparity)] == draw.UNKNOWN_RGB).all()


@pytest.mark.parametrize(("low", "high"), [(3, 2), (NAN, 1), (0, NAN)])
def test_a_range_that_is_none_is_an_input_error(low, high):
    with pytest.raises(InputError, match="low"):
        draw.disparity_colors(np.zeros((2, 2)), low, high)


def test_errors_run_from_black_to_bright_whatever_their_sign():
    colors = draw.error_colors(np.float32([[0, 1, -1, 2, 9, NAN]]), 2).astype(int)
    brightness = colors[0].sum(axis=1)
    assert brightness[0] < 20
    assert brightness[0] < brightness[1] == brightness[2] < brightness[3] == brightness[4]
    assert tuple(colors[0, 5]) == draw.UNKNOWN_RGB


@pytest.mark.parametrize("limit", [0, -1, NAN])
def test_a_limit_of_nothing_is_an_input_error(limit):
    with pytest.raises(InputError, match="limit"):
        draw.error_colors(np.zeros((2, 2)), limit)


def test_a_mask_tints_each_pixel_with_the_color_of_its_class():
    image = np.full((1, 4, 3), 100, np.uint8)
    labels = np.int64([[0, 1, 255, -1]])
    palette = np.uint8([[200, 0, 0], [0, 200, 0]])
    tinted = draw.mask_overlay(image, labels, palette, 0.5)
    assert tinted[0].tolist() == [[150, 50, 50], [50, 150, 50], [100, 100, 100], [100, 100, 100]]
    assert draw.mask_overlay(image, labels, palette, 0)[0].tolist() == image[0].tolist()
    assert draw.mask_overlay(image, labels, palette, 1)[0, :2].tolist() == palette.tolist()


def test_a_mask_may_be_bool_and_the_image_gray():
    tinted = draw.mask_overlay(GRAY, GRAY > 100, np.uint8([[0, 0, 0], [255, 0, 0]]), 1.0)
    assert tinted.shape == (40, 60, 3)
    assert (tinted == 0).all()


@pytest.mark.parametrize(
    ("labels", "palette", "opacity"),
    [
        (np.zeros((40, 61), int), np.zeros((2, 3)), 0.5),
        (np.zeros((40, 60)), np.zeros((2, 3)), 0.5),
        (np.zeros((40, 60), int), np.zeros((2, 4)), 0.5),
        (np.zeros((40, 60), int), np.zeros((0, 3)), 0.5),
        (np.zeros((40, 60), int), np.zeros((2, 3)), 1.5),
    ],
)
def test_a_mask_that_does_not_fit_is_an_input_error(labels, palette, opacity):
    with pytest.raises(InputError):
        draw.mask_overlay(GRAY, labels, palette, opacity)


def test_a_skeleton_is_drawn_between_the_points_and_nowhere_else():
    picture = draw.skeleton(GRAY, np.array([[10.0, 20.0], [50.0, 20.0]]), [(0, 1)])
    changed = (picture != 90).any(axis=-1)
    assert changed[20, 10:51].all()
    assert not changed[:17].any()
    assert not changed[24:].any()
    np.testing.assert_allclose(picture[20, 30], draw.EDGE_RGB[0], atol=16)
    assert tuple(picture[20, 10]) == draw.POINT_RGB


def test_points_that_are_unknown_or_unsure_are_left_out_with_their_edges():
    points = np.array([[10.0, 10.0], [50.0, 10.0], [NAN, 30.0], [50.0, 30.0]])
    scores = np.array([0.9, 0.1, 0.9, 0.9])
    picture = draw.skeleton(GRAY, points, [(0, 1), (2, 3)], scores)
    changed = (picture != 90).any(axis=-1)
    assert changed[10, 10]
    assert changed[30, 50]
    assert not changed[:, 15:45].any()


def test_several_bodies_and_a_third_coordinate_are_fine():
    bodies = np.array([[[5.0, 5.0, 1.0], [20.0, 5.0, 1.0]], [[5.0, 35.0, 1.0], [20.0, 35.0, 1.0]]])
    picture = draw.skeleton(GRAY, bodies, [(0, 1)], np.ones((2, 2)))
    assert (picture[5, 12] != 90).any()
    assert (picture[35, 12] != 90).any()


@settings(max_examples=40)
@given(hnp.arrays(np.float64, (3, 2), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_points_anywhere_at_all_are_drawn_without_an_error(points):
    assert draw.skeleton(GRAY, points, [(0, 1), (1, 2)]).shape == (40, 60, 3)


def test_nobody_in_the_picture_leaves_it_as_it_is():
    assert (draw.skeleton(GRAY, np.empty((0, 17, 2)), [(0, 16)]) == 90).all()


@pytest.mark.parametrize(
    ("points", "edges", "scores"),
    [
        (np.zeros((3, 4)), [], None),
        (np.zeros(3), [], None),
        (np.zeros((3, 2)), [(0, 3)], None),
        (np.zeros((3, 2)), [(-1, 0)], None),
        (np.zeros((3, 2)), [], np.zeros(2)),
    ],
)
def test_a_skeleton_that_does_not_fit_is_an_input_error(points, edges, scores):
    with pytest.raises(InputError):
        draw.skeleton(GRAY, points, edges, scores)


def test_images_of_different_sizes_stand_in_one_row():
    row = draw.side_by_side([np.full((10, 20), 7, np.uint8), np.full((30, 5, 3), 9, np.uint8)])
    assert row.shape == (30, 20 + draw.GAP_PX + 5, 3)
    assert (row[:10, :20] == 7).all()
    assert (row[:, -5:] == 9).all()
    assert (row[10:, :20] == draw.MARGIN_RGB).all()


def test_titles_stand_above_their_images():
    plain = draw.side_by_side([GRAY, GRAY])
    titled = draw.side_by_side([GRAY, GRAY], ["left", "Größe 你好"])
    np.testing.assert_array_equal(titled[draw.TITLE_HEIGHT_PX :], plain)
    bar = (titled[: draw.TITLE_HEIGHT_PX] != draw.MARGIN_RGB).any(axis=-1)
    assert bar[:, :60].any()
    assert bar[:, 64:].any()


@pytest.mark.parametrize(("images", "titles"), [([], None), ([GRAY], []), ([GRAY], ["a", "b"]), ([GRAY / 255], None)])
def test_a_row_that_does_not_add_up_is_an_input_error(images, titles):
    with pytest.raises(InputError):
        draw.side_by_side(images, titles)


def test_no_function_changes_what_it_was_given():
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    disparity = np.float32([[1, NAN], [2, 3]])
    before = image.copy(), disparity.copy()
    draw.mask_overlay(image, np.ones((40, 60), int), np.uint8([[0, 0, 0], [255, 0, 0]]), 0.5)
    draw.skeleton(image, np.array([[1.0, 1.0], [30.0, 30.0]]), [(0, 1)])
    draw.side_by_side([image], ["title"])
    draw.disparity_colors(disparity)
    draw.error_colors(disparity, 1)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(disparity, before[1])

"""Matching finds the true disparity, says where it knows nothing, and refuses what is not a pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core import native
from salticid.core.metrics import roc_auc
from salticid.errors import InputError, MissingError
from salticid.runtime import hardware
from salticid.stereo.calibration import Calibration
from salticid.stereo.evaluate import measure
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.simulate import simulate_pair

MODES = ["sgm8", "sgm4", "bm", "sgbm", "3way", "hh", "hh4"]

needs_kernels = pytest.mark.skipif(native.load() is None, reason=native.reason())


@pytest.fixture(scope="module")
def pair():
    return simulate_pair(400, 300)


@pytest.fixture(scope="module")
def found(pair):
    return StereoMatcher(num_disparities=64)(pair.left, pair.right)


@pytest.mark.parametrize(
    ("mode", "most_wrong", "least_known"),
    [
        *(("sgm8", 2, 0.9), ("sgm4", 2, 0.9)),
        *(("bm", 12, 0.75), ("sgbm", 5, 0.9), ("3way", 5, 0.9), ("hh", 5, 0.9), ("hh4", 5, 0.9)),
    ],
)
def test_visible_pixels_are_within_a_pixel_of_the_truth(pair, mode, most_wrong, least_known):
    found = StereoMatcher(mode=mode, num_disparities=64)(pair.left, pair.right)
    figures = measure(found.disparity_px, pair.disparity_left_px, pair.visible)
    assert figures["bad_1_fill"] < most_wrong
    assert figures["density"] > least_known
    assert found.engine == f"{'native' if mode.startswith('sgm') else 'opencv'}:{mode}"


def test_most_of_the_disparities_are_finer_than_whole_pixels(pair, found):
    error = np.abs(found.disparity_px - pair.disparity_left_px)[pair.visible]
    assert np.nanmedian(error) < 0.15


def test_unknown_is_nan_and_has_no_confidence(found):
    unknown = np.isnan(found.disparity_px)
    assert unknown.any()
    assert (found.confidence[unknown] == 0).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


def test_the_confidence_tells_right_from_wrong(pair, found):
    known = np.isfinite(found.disparity_px)
    right = np.abs(found.disparity_px - pair.disparity_left_px) <= 1
    assert roc_auc(found.confidence[known], right[known]) > 0.8


def test_color_and_gray_views_are_both_taken_and_nothing_is_changed(pair):
    views = pair.left.copy(), pair.right.copy()
    StereoMatcher(num_disparities=64)(*views)
    assert np.array_equal(views[0], pair.left)
    gray = StereoMatcher(num_disparities=64)(pair.left[..., 1], pair.right[..., 1])
    assert gray.density > 0.8


def test_the_left_border_is_matched_too_unless_told_otherwise(pair):
    full = StereoMatcher(num_disparities=64)(pair.left, pair.right)
    cut = StereoMatcher(num_disparities=64, full_width=False)(pair.left, pair.right)
    assert np.isfinite(full.disparity_px[:, 32:64]).mean() > 0.7
    assert np.isnan(cut.disparity_px[:, :64]).all()


def test_a_negative_range_finds_points_behind_the_convergence(pair):
    shift = 40
    moved = np.roll(pair.right, shift, axis=1)
    found = StereoMatcher(num_disparities=64, min_disparity=-40)(pair.left, moved)
    error = np.abs(found.disparity_px - (pair.disparity_left_px - shift))[:, 80:-80]
    assert np.nanmedian(error) < 0.2


def test_a_matcher_with_a_rig_rectifies_first(pair):
    bent = np.array([-0.15, 0.05, 0.0, 0.0, 0.0])
    rig = pair.rig
    import cv2

    undistort = cv2.initUndistortRectifyMap(rig.left.K, -bent, None, rig.left.K, rig.image_size, cv2.CV_32FC1)
    views = [cv2.remap(view, *undistort, cv2.INTER_LINEAR) for view in (pair.left, pair.right)]
    without = StereoMatcher(num_disparities=64)(*views)
    from salticid.stereo.calibration import Camera

    bent_rig = Calibration(
        *(Camera(rig.left.K, bent), Camera(rig.right.K, bent), rig.R, rig.t_mm, rig.image_size),
        *(rig.R1, rig.R2, rig.P1, rig.P2),
    )
    rectified = StereoMatcher(bent_rig, num_disparities=64)(*views)
    assert "rectify" in rectified.latency_ms
    middle = np.s_[40:-40, 80:-40]
    errors = [
        np.nanmean(np.abs(result.disparity_px - pair.disparity_left_px)[middle]) for result in (rectified, without)
    ]
    assert errors[0] < 0.7 * errors[1]


def test_views_of_another_size_than_the_rig_are_refused_rectified_or_not(pair):
    rig = Calibration.rectified(focal_px=100, baseline_mm=50, center_px=(50, 50), image_size=(100, 100))
    assert rig.is_rectified
    with pytest.raises(InputError, match="calibration is for views of 100x100, not 400x300"):
        StereoMatcher(rig, num_disparities=16)(pair.left, pair.right)


def test_a_rig_tells_how_far_to_search_unless_the_caller_does(pair):
    assert StereoMatcher(pair.rig).options.num_disparities == pair.rig.num_disparities
    assert StereoMatcher(pair.rig, num_disparities=32).options.num_disparities == 32


def test_a_flat_pair_has_no_confidence_whatever_was_matched():
    flat = np.full((60, 200), 90, np.uint8)
    found = StereoMatcher(num_disparities=32)(flat, flat)
    assert (found.confidence == 0).all()


def test_what_the_right_view_does_not_show_has_no_disparity(found):
    matched = np.arange(found.disparity_px.shape[1]) - found.disparity_px
    assert np.nanmin(matched) >= 0


def test_what_the_left_camera_did_not_see_has_no_disparity(pair):
    from dataclasses import replace

    from salticid.stereo.calibration import Camera

    bent = Camera(pair.rig.left.K, np.array([0.3, 0.0, 0.0, 0.0, 0.0]))
    rig = replace(pair.rig, left=bent, right=bent)
    matcher = StereoMatcher(rig)
    found = matcher(pair.left, pair.right)
    outside = (found.image == 0).all(axis=2)
    assert outside.mean() > 0.05
    assert np.isnan(found.disparity_px[outside]).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 90), st.sampled_from(MODES), st.integers(1, 64), st.integers(-20, 20))
def test_any_size_gives_a_map_of_that_size(height, width, mode, num_disparities, min_disparity):
    random = np.random.default_rng(height * 100 + width)
    left, right = random.integers(0, 256, (2, height, width), np.uint8)
    matcher = StereoMatcher(mode=mode, num_disparities=num_disparities, min_disparity=min_disparity)
    found = matcher(left, right)
    assert found.disparity_px.shape == found.confidence.shape == (height, width)
    known = found.disparity_px[np.isfinite(found.disparity_px)]
    assert ((known >= min_disparity) & (known <= min_disparity + num_disparities + 16)).all()


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (np.zeros((4, 4), np.float32), np.zeros((4, 4), np.uint8), "left view must be a uint8 array, not float32"),
        (np.zeros((4, 4), np.uint8), "right.png", "right view must be a uint8 array, not str"),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8), "differ in size"),
        (np.zeros((0, 4), np.uint8), np.zeros((0, 4), np.uint8), "not empty"),
        (np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), r"\(H, W, 3\)"),
    ],
)
def test_what_is_not_a_pair_is_refused(left, right, message):
    with pytest.raises(InputError, match=message):
        StereoMatcher()(left, right)


@pytest.mark.parametrize("block_size", [4, 3])
def test_a_window_that_the_mode_cannot_take_is_refused_when_the_matcher_is_built(block_size):
    with pytest.raises(InputError, match="block_size must be"):
        StereoMatcher(mode="bm", block_size=block_size)


def test_the_engine_follows_from_the_mode_or_is_native_where_kernels_are(monkeypatch):
    assert StereoMatcher(mode="bm").engine == "opencv:bm"
    assert StereoMatcher(engine="opencv").engine == "opencv:hh4"
    assert StereoMatcher(engine="opencv", profile="speed").engine == "opencv:3way"
    monkeypatch.setattr(native, "load", lambda: None)
    assert StereoMatcher().engine == "opencv:hh4"


def test_an_engine_that_was_named_is_never_replaced(monkeypatch):
    monkeypatch.setattr(native, "load", lambda: None)
    with pytest.raises(MissingError, match="engine native cannot be used"):
        StereoMatcher(engine="native")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "native", "mode": "hh"}, "mode hh is one of engine opencv, not of native"),
        ({"engine": "opencv", "mode": "sgm4"}, "mode sgm4 is one of engine native, not of opencv"),
        ({"mode": "sgm4", "block_size": 5}, "block_size is an option of engine opencv"),
        ({"paths": 5}, "paths must be a multiple of 4"),
    ],
)
def test_options_that_do_not_go_together_are_refused_when_the_matcher_is_built(options, message):
    with pytest.raises(InputError, match=message):
        StereoMatcher(**options)


@needs_kernels
def test_evidence_is_there_when_asked_for_and_changes_nothing(pair, found):
    assert found.evidence is None
    matcher = StereoMatcher(engine="native", num_disparities=64)
    again = matcher(pair.left, pair.right, evidence=True)
    np.testing.assert_array_equal(again.disparity_px, found.disparity_px)
    right = np.abs(again.disparity_px - pair.disparity_left_px) <= 1
    known = np.isfinite(again.disparity_px) & np.isfinite(again.evidence.margin)
    assert roc_auc(again.evidence.margin[known], right[known]) > 0.7
    assert again.evidence.left_right_px[known].max() <= 1


def test_an_engine_without_evidence_says_so(pair):
    with pytest.raises(InputError, match="engine opencv gives no evidence"):
        StereoMatcher(engine="opencv")(pair.left, pair.right, evidence=True)


@needs_kernels
def test_views_that_would_not_fit_the_memory_are_matched_in_bands_with_the_same_result(pair, found, monkeypatch):
    monkeypatch.setattr(hardware, "memory_budget", lambda: 1000)
    short = StereoMatcher(engine="native", num_disparities=64)(pair.left, pair.right)
    np.testing.assert_array_equal(short.disparity_px, found.disparity_px)
    assert short.engine == "native:sgm8 (in bands: memory is short)"
    assert found.engine == "native:sgm8"


@needs_kernels
@pytest.mark.parametrize(("num_disparities", "engine"), [(64, "native:sgm4"), (65, "native:sgm4 (coarse to fine)")])
def test_the_result_says_when_the_search_was_from_coarse_to_fine(pair, num_disparities, engine):
    matcher = StereoMatcher(profile="speed", engine="native", num_disparities=num_disparities)
    assert matcher(pair.left, pair.right).engine == engine


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((17, 16), {"mode": "bm", "min_disparity": 4096, "num_disparities": 16}),
        ((20, 17), {"mode": "bm", "min_disparity": -4096, "num_disparities": 64}),
        ((60, 150), {"mode": "sgbm", "block_size": 51, "full_width": False}),
        ((17, 16), {"mode": "hh", "num_disparities": 16, "full_width": False}),
    ],
)
def test_a_search_that_opencv_has_no_room_for_finds_nothing(size, options):
    left, right = np.random.default_rng(0).integers(0, 256, (2, *size), np.uint8)
    assert np.isnan(StereoMatcher(**options)(left, right).disparity_px).all()


@pytest.mark.parametrize("mode", MODES)
def test_without_a_left_right_check_more_is_known(pair, mode):
    def density(left_right_px):
        options = {"mode": mode, "num_disparities": 64, "left_right_px": left_right_px, "speckle_area_px": 0}
        return StereoMatcher(**options)(pair.left, pair.right).density

    assert density(-1) > density(1)


@pytest.mark.parametrize("options", [{}, {"mode": "hh4"}])
@pytest.mark.parametrize("refine_by", ["network", "classical"])
def test_a_refined_map_has_every_pixel_fewer_wrong_ones_and_tells_what_was_measured(pair, options, refine_by):
    plain = StereoMatcher(num_disparities=64, **options)(pair.left, pair.right)
    refined = StereoMatcher(num_disparities=64, refine=True, refine_by=refine_by, **options)(pair.left, pair.right)
    assert refined.density == 1
    assert plain.measured is None
    np.testing.assert_array_equal(refined.measured, np.isfinite(plain.disparity_px))
    assert refined.engine == f"{plain.engine}, refined by {refine_by}"
    assert list(refined.latency_ms)[-1] == "refine"
    everywhere = np.ones(pair.visible.shape, bool)
    before, after = (measure(found.disparity_px, pair.disparity_left_px, everywhere) for found in (plain, refined))
    assert after["bad_2_fill"] < before["bad_2_fill"]


def test_the_confidence_of_a_refined_map_ranks_all_pixels_better_than_being_measured_does(pair):
    refined = StereoMatcher(num_disparities=64, refine=True)(pair.left, pair.right)
    right = np.abs(refined.disparity_px - pair.disparity_left_px) <= 1
    assert 0 <= refined.confidence.min() <= refined.confidence.max() <= 1
    assert roc_auc(refined.confidence, right) > roc_auc(refined.measured.astype(float), right) + 0.05


def test_a_refined_map_of_a_rectified_view_has_nothing_where_the_left_camera_did_not_see(pair):
    from dataclasses import replace

    from salticid.stereo.calibration import Camera

    bent = Camera(pair.rig.left.K, np.array([0.3, 0.0, 0.0, 0.0, 0.0]))
    found = StereoMatcher(replace(pair.rig, left=bent, right=bent), refine=True)(pair.left, pair.right)
    outside = (found.image == 0).all(axis=2)
    assert outside.mean() > 0.05
    assert np.isnan(found.disparity_px[outside]).all()
    assert (found.confidence[outside] == 0).all()
    assert found.density > 0.8


@pytest.mark.parametrize("range_px", [{"num_disparities": 2048}, {"min_disparity": -2048, "num_disparities": 16}])
def test_a_search_beyond_what_can_be_refined_is_refused_when_the_matcher_is_built(range_px):
    with pytest.raises(InputError, match="refine works up to 2047 px"):
        StereoMatcher(refine=True, **range_px)

"""What the refinement learns from: pairs made worse without touching their truth, and pixels where a choice matters."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from refinement_cases import small_pair

from salticid.engine.patches import gather
from salticid.errors import InputError
from salticid.stereo import refine_samples
from salticid.stereo.evaluate import find_scenes
from salticid.stereo.refine_maps import FAR, FILLED, MAPS, NEAR, ROWS, refinement_maps
from salticid.stereo.refine_network import TAPS
from salticid.stereo.refine_samples import (
    CANDIDATES,
    RARELY,
    Samples,
    draw_pixels,
    read_pair,
    samples_of,
    see,
    simulated_pair,
    training_samples,
    training_views,
    worsened,
)
from salticid.stereo.simulate import simulate_pair


@pytest.fixture(scope="module")
def pair():
    return small_pair()


@pytest.fixture(scope="module")
def view(pair):
    return see(pair)


def views_of(pairs, seed=3, threads=1):
    return [view for views in training_views(pairs, variants=2, seed=seed, threads=threads) for view in views]


def test_a_pair_is_seen_as_it_is_and_then_made_worse_in_every_variant(pair):
    seen = list(training_views([pair, small_pair(1)], variants=2, seed=0, threads=1))
    assert [len(views) for views in seen] == [3, 3]
    assert seen[0][0].pair is pair
    views = [view.pair.right.tobytes() for view in seen[0]]
    assert len(set(views)) == 3


def test_the_same_seed_gives_the_same_views_for_any_number_of_threads(pair):
    first = views_of([pair])
    for again in (views_of([pair]), views_of([pair], threads=2)):
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one.pair.right, other.pair.right)
            for plane, same in zip(one.maps, other.maps, strict=True):
                np.testing.assert_array_equal(plane, same)
    another = views_of([pair], seed=4)
    np.testing.assert_array_equal(first[0].pair.right, another[0].pair.right)
    assert (first[1].pair.right != another[1].pair.right).any()


def test_a_view_holds_the_maps_of_what_the_matcher_found(pair, view):
    assert len(view.maps) == len(MAPS)
    found = refinement_maps(view.disparity_px, view.confidence, pair.left)
    for plane, expected in zip(view.maps, found, strict=True):
        np.testing.assert_array_equal(plane, expected)
    assert np.median(np.abs(view.errors_px())) < 0.2


@pytest.mark.parametrize("gray", [False, True])
def test_a_worse_pair_keeps_its_truth_and_shape_and_has_another_right_view(pair, gray):
    if gray:
        pair = dataclasses.replace(pair, left=pair.left[..., 1], right=pair.right[..., 1])
    before = pair.left.copy(), pair.right.copy()
    for seed in range(5):
        worse = worsened(pair, np.random.default_rng(seed))
        assert (worse.name, worse.group, worse.num_disparities) == (pair.name, pair.group, pair.num_disparities)
        assert worse.truth_px is pair.truth_px
        assert worse.counted is pair.counted
        for name in ("left", "right"):
            assert getattr(worse, name).shape == getattr(pair, name).shape
            assert getattr(worse, name).dtype == np.uint8
        assert (worse.right != pair.right).mean() > 0.3
    np.testing.assert_array_equal(pair.left, before[0])
    np.testing.assert_array_equal(pair.right, before[1])


PERFECT = {"NOISE": 0.0, "GAIN": 1.0, "BLUR_PX": 0.0, "VERTICAL_PX": 0.0}


@pytest.fixture
def spoil(pair, monkeypatch):
    """Return a function that makes a pair worse in the given ways alone."""

    def spoiled(**ways):
        for name, value in (PERFECT | ways).items():
            monkeypatch.setattr(refine_samples, name, (value, value))
        return worsened(pair, np.random.default_rng(0))

    return spoiled


def test_perfect_cameras_leave_a_pair_as_it_is(pair, spoil):
    same = spoil()
    np.testing.assert_array_equal(same.left, pair.left)
    np.testing.assert_array_equal(same.right, pair.right)


def test_a_vertical_error_lowers_the_right_view_alone(pair, spoil):
    lowered = spoil(VERTICAL_PX=1.0)
    np.testing.assert_array_equal(lowered.left, pair.left)
    np.testing.assert_array_equal(lowered.right[1:], pair.right[:-1])
    np.testing.assert_array_equal(lowered.right[0], pair.right[0])
    halfway = (pair.right[1:].astype(int) + pair.right[:-1]) / 2
    assert np.abs(spoil(VERTICAL_PX=0.5).right[1:] - halfway).max() <= 1


def test_exposure_changes_the_right_view_alone_and_noise_both(pair, spoil):
    darker = spoil(GAIN=0.8)
    np.testing.assert_array_equal(darker.left, pair.left)
    assert np.abs(darker.right - 0.8 * pair.right).max() <= 0.51
    noisy = spoil(NOISE=4.0)
    for name in ("left", "right"):
        before = getattr(pair, name).astype(float)
        amid = (before > 30) & (before < 225)
        assert (getattr(noisy, name) - before)[amid].std() == pytest.approx(4, rel=0.1)
    assert (noisy.left.astype(int) - pair.left != noisy.right.astype(int) - pair.right).any()


def test_blur_is_that_of_a_gaussian(pair, spoil):
    blurred = spoil(BLUR_PX=1.0)
    for name in ("left", "right"):
        expected = cv2.GaussianBlur(getattr(pair, name), (0, 0), 1.0)
        np.testing.assert_array_equal(getattr(blurred, name), expected)
    np.testing.assert_array_equal(spoil(BLUR_PX=0.2).left, pair.left)  # too little to tell


def test_errors_are_what_each_map_is_off_by(pair, view):
    off = view.errors_px()
    truth_px, counted = pair.truth_px[pair.counted], pair.counted
    assert off.shape == (counted.sum(), 3)
    assert off.dtype == np.float32
    measured_px = view.disparity_px[counted]
    known = np.isfinite(measured_px)
    assert 0.1 < known.mean() < 1
    np.testing.assert_array_equal(off[known, 0], (measured_px - truth_px)[known])  # as measured, not in sixteenths
    np.testing.assert_array_equal(off[~known, 0], (view.maps[FILLED][counted] / np.float32(16) - truth_px)[~known])
    for column, plane in ((1, NEAR), (2, FAR)):
        np.testing.assert_array_equal(off[:, column], view.maps[plane][counted] / np.float32(16) - truth_px)
    one = view.errors_px((ROWS,))
    np.testing.assert_allclose(one[:, 0], view.maps[ROWS][counted] / 16 - truth_px, atol=1 / 32 + 1e-5)


ERRORS_PX = np.float32(
    [
        [0.5, 1.5, 0.2],  # on both sides of 1 px
        [-1.5, 0.5, 0.5],
        [1.5, 2.5, 1.5],  # on both sides of 2 px
        [0.1, 0.2, -0.3],
        [1.5, -1.6, 1.7],
        [3, 4, -50],
    ]
)
DECIDES = np.array([True, True, True, False, False, False])


def decisive(errors_px):
    off = np.abs(errors_px)
    return ((off > 1).any(axis=1) & (off <= 1).any(axis=1)) | ((off > 2).any(axis=1) & (off <= 2).any(axis=1))


def test_pixels_where_the_choice_matters_are_drawn_more_often():
    random = np.random.default_rng(0)
    times = np.zeros(6)
    for _ in range(4000):
        drawn, _ = draw_pixels(ERRORS_PX, 1, random)
        times[drawn] += 1
    assert times[DECIDES] == pytest.approx(times[DECIDES].mean(), rel=0.1)
    assert times[~DECIDES].sum() / times[DECIDES].sum() == pytest.approx(RARELY, rel=0.3)


def share_that_decides(count, draws):
    """Return the share of pixels where the choice matters: in truth, as drawn, and by the weights of what was drawn."""
    random = np.random.default_rng(0)
    errors_px = ERRORS_PX[random.choice(6, 20_000, p=[0.05, 0.03, 0.02, 0.7, 0.1, 0.1])]
    matters = decisive(errors_px)
    plain, weighted = [], []
    for _ in range(draws):
        drawn, weights = draw_pixels(errors_px, count, random)
        assert weights.dtype == np.float32
        plain.append(matters[drawn].mean())
        weighted.append((matters[drawn] * weights).mean())
    return matters.mean(), np.mean(plain), np.mean(weighted)


def test_the_weights_undo_that_on_average():
    share, drawn, weighted = share_that_decides(count=50, draws=300)
    assert drawn > 5 * share
    assert weighted == pytest.approx(share, rel=0.05)


def test_the_weights_undo_that_also_where_most_pixels_that_decide_are_drawn():
    share, drawn, weighted = share_that_decides(count=3000, draws=3)
    assert drawn > 3 * share
    assert weighted == pytest.approx(share, rel=0.05)


def test_a_pixel_is_drawn_once_and_no_more_than_there_are():
    drawn, weights = draw_pixels(ERRORS_PX, 100, np.random.default_rng(0))
    assert drawn.tolist() == list(range(6))
    assert (weights == 1).all()


def test_about_as_many_are_drawn_as_were_asked_for():
    drawn, _ = draw_pixels(ERRORS_PX.repeat(3000, axis=0), 1000, np.random.default_rng(0))
    assert len(drawn) == pytest.approx(1000, rel=0.15)
    assert len(set(drawn)) == len(drawn)


def test_where_no_choice_matters_every_pixel_weighs_the_same():
    drawn, weights = draw_pixels(ERRORS_PX[~DECIDES].repeat(10, axis=0), 12, np.random.default_rng(0))
    assert 0 < len(drawn) < 30
    assert weights == pytest.approx(np.ones(len(drawn)))


def test_a_scene_without_any_pixel_that_counts_is_named_as_the_trouble():
    with pytest.raises(InputError, match="no pixel with a truth"):
        draw_pixels(ERRORS_PX[:0], 10, np.random.default_rng(0))


def test_samples_of_all_pixels_are_in_the_order_of_the_view(view):
    samples = samples_of([view], TAPS, 10**9, CANDIDATES)
    np.testing.assert_array_equal(samples.errors_px, view.errors_px())
    np.testing.assert_array_equal(samples.inputs, gather(TAPS, view.maps, view.pair.counted))
    assert (samples.weights == 1).all()


def test_a_sample_is_a_pixel_with_its_own_error_inputs_and_weight(view):
    everything = samples_of([view], TAPS, 10**9, CANDIDATES)
    few = samples_of([view], TAPS, 400, CANDIDATES)
    assert len(few.inputs) == len(few.errors_px) == len(few.weights) == pytest.approx(400, abs=60)
    rows = {row.tobytes() for row in np.hstack([everything.inputs.astype(np.float32), everything.errors_px])}
    assert {row.tobytes() for row in np.hstack([few.inputs.astype(np.float32), few.errors_px])} <= rows
    matters = decisive(few.errors_px)
    assert matters.mean() > 5 * decisive(everything.errors_px).mean()
    assert few.weights[matters].max() < few.weights[~matters].min()
    again = samples_of([view], TAPS, 400, CANDIDATES)
    np.testing.assert_array_equal(few.inputs, again.inputs)
    np.testing.assert_array_equal(few.weights, again.weights)


def test_the_samples_of_several_views_and_pairs_come_one_after_the_other(view):
    views = [view, see(worsened(view.pair, np.random.default_rng(0)))]
    one, both = (samples_of(some, TAPS, 100, CANDIDATES) for some in (views[:1], views))
    first = len(one.inputs)
    assert len(both.inputs) > first
    np.testing.assert_array_equal(both.errors_px[:first], one.errors_px)
    together = training_samples([views, views[:1]], 100)
    assert together.inputs.shape == (len(both.inputs) + first, 49)
    assert together.errors_px.shape == (len(both.inputs) + first, 3)
    np.testing.assert_array_equal(together.inputs[: len(both.inputs)], both.inputs)
    joined = Samples.joined([both, both])
    np.testing.assert_array_equal(joined.weights, np.tile(both.weights, 2))


def test_a_scene_on_disk_is_a_pair_with_its_truth(tmp_path):
    made = simulate_pair(120, 90)
    made.save(tmp_path / "set" / "scene")
    (scene,) = find_scenes(tmp_path)
    pair = read_pair(scene)
    assert (pair.group, pair.name) == ("set", "scene")
    np.testing.assert_array_equal(pair.left, made.left)
    np.testing.assert_array_equal(pair.right, made.right)
    np.testing.assert_array_equal(pair.truth_px, made.disparity_left_px)
    np.testing.assert_array_equal(pair.counted, made.visible)
    assert pair.num_disparities >= made.disparity_left_px.max()


def test_a_simulated_pair_is_searched_far_enough_and_the_same_for_the_same_seed(monkeypatch):
    def quarter(width, height, **options):
        return simulate_pair(width // 4, height // 4, **options)

    monkeypatch.setattr(refine_samples, "simulate_pair", quarter)
    pair, again, other = simulated_pair(1), simulated_pair(1), simulated_pair(2)
    assert pair.left.shape == (90, 120, 3)
    assert pair.num_disparities % 16 == 0
    assert 0 <= pair.num_disparities - pair.truth_px.max() < 16
    np.testing.assert_array_equal(pair.right, again.right)
    assert (pair.right != other.right).any()
    assert pair.name != other.name

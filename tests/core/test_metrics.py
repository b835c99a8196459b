from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from salticid.core.metrics import (
    bad_n,
    confusion_matrix,
    density,
    epe,
    iou,
    miou,
    pixel_accuracy,
    psnr_db,
    roc_auc,
    ssim,
)
from salticid.errors import InputError

NAN = np.nan
IMAGES = hnp.arrays(np.uint8, st.tuples(st.integers(11, 20), st.integers(11, 20)))


def test_a_pixel_counts_as_bad_when_it_is_off_by_more_than_the_threshold_or_unknown():
    truth = np.float32([[10, 10, 10, 10, NAN]])
    found = np.float32([[10, 12, 12.5, NAN, 3]])
    assert bad_n(found, truth, 2) == 50
    assert bad_n(found, truth, 2, mask=np.isfinite(found)) == pytest.approx(100 / 3)
    assert bad_n(np.full_like(truth, np.inf), truth, 2) == 100


def test_epe_is_the_mean_over_pixels_known_in_both_maps():
    truth = np.float32([[10, 10, 10, NAN]])
    found = np.float32([[11, 13, NAN, 3]])
    assert epe(found, truth) == 2
    assert density(found, truth) == pytest.approx(100 * 2 / 3)
    assert epe(found, truth, mask=np.array([[True, False, True, True]])) == 1


def bad_1(*maps):
    return bad_n(*maps[:2], 1, *maps[2:])


@pytest.mark.parametrize("metric", [bad_1, epe, density])
def test_a_disparity_metric_over_nothing_is_nan(metric):
    nothing, something = np.full((2, 2), NAN, np.float32), np.ones((2, 2), np.float32)
    assert math.isnan(metric(something, nothing))
    assert math.isnan(metric(something, something, np.zeros((2, 2), bool)))
    assert math.isnan(metric(np.empty((0, 3)), np.empty((0, 3))))
    assert math.isnan(epe(nothing, something))


@pytest.mark.parametrize("metric", [bad_1, epe, density])
def test_maps_of_two_shapes_are_an_input_error_and_never_broadcast(metric):
    with pytest.raises(InputError, match=r"\(2, 2\)"):
        metric(np.ones((2, 2)), np.ones((2, 1)))


def test_a_mask_of_another_shape_is_an_input_error():
    with pytest.raises(InputError, match="mask"):
        epe(np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 1), bool))


def test_the_confusion_matrix_has_the_truth_in_rows_and_leaves_the_void_out():
    truth = np.uint8([[0, 0, 1, 255]])
    labels = np.uint8([[0, 1, 1, 2]])
    np.testing.assert_array_equal(confusion_matrix(labels, truth, 3, void=255), [[1, 1, 0], [0, 1, 0], [0, 0, 0]])


@settings(max_examples=30)
@given(st.integers(1, 5), st.data())
def test_the_confusion_matrix_counts_each_pair_as_a_loop_would(classes, data):
    labels, truth = (data.draw(hnp.arrays(np.uint8, 12, elements=st.integers(0, classes - 1))) for _ in range(2))
    expected = np.zeros((classes, classes), int)
    for was, said in zip(truth, labels, strict=True):
        expected[was, said] += 1
    np.testing.assert_array_equal(confusion_matrix(labels, truth, classes), expected)


def test_classes_that_do_not_occur_are_nan_and_do_not_pull_the_mean_down():
    confusion = np.array([[2, 1, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(iou(confusion), [0.5, 0, NAN])
    assert miou(confusion) == 0.25
    assert math.isnan(miou(np.zeros((3, 3), int)))


def test_pixel_accuracy_is_the_share_of_pixels_with_a_truth_that_are_right():
    truth, labels = np.array([0, 0, 1, 2, 255]), np.array([0, 1, 1, 2, 0])
    assert pixel_accuracy(confusion_matrix(labels, truth, 3, void=255)) == 0.75
    assert math.isnan(pixel_accuracy(np.zeros((3, 3), int)))


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3], [0, 255]])
def test_a_label_that_is_no_class_is_an_input_error_that_shows_the_range(labels):
    with pytest.raises(InputError, match=f"{min(labels)} to {max(1, *labels)}"):
        confusion_matrix(np.array(labels), np.array([0, 1]), 3)
    with pytest.raises(InputError):
        confusion_matrix(np.array([0, 1]), np.array(labels), 3)


def test_psnr_of_an_error_of_one_level_is_48_db():
    image = np.full((8, 8, 3), 100, np.uint8)
    assert psnr_db(image, image + 1) == pytest.approx(48.1308, abs=1e-4)
    assert psnr_db(image / 255, (image + 1) / 255, peak=1) == pytest.approx(48.1308, abs=1e-4)
    assert psnr_db(image, image) == math.inf


def test_the_border_can_be_left_out():
    image = np.zeros((20, 20), np.uint8)
    framed = image.copy()
    framed[0] = framed[:, -1] = 255
    assert psnr_db(image, framed) < 20
    assert psnr_db(image, framed, crop=1) == math.inf
    assert ssim(image, framed) < 1
    assert ssim(image, framed, crop=1) == 1


def test_differences_of_unsigned_pixels_do_not_wrap_around():
    dark, light = np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)
    assert psnr_db(dark, light) == psnr_db(light, dark) == 0


def test_an_unknown_pixel_makes_the_image_metrics_nan():
    image = np.ones((12, 12))
    broken = image.copy()
    broken[3, 3] = NAN
    assert math.isnan(psnr_db(image, broken))
    assert math.isnan(ssim(image, broken))


def reference_ssim(a, b):
    """Return the SSIM of two gray images, window by window from the paper's equations."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for top in range(a.shape[0] - 10):
        for left in range(a.shape[1] - 10):
            x, y = (image[top : top + 11, left : left + 11].astype(float) for image in (a, b))
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            values.append((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    return np.mean(values)


@settings(max_examples=15)
@given(st.integers(11, 15), st.integers(11, 15), st.integers(0, 2**32))
def test_ssim_is_that_of_the_papers_equations(height, width, seed):
    draw = np.random.default_rng(seed)
    a = draw.integers(0, 256, (height, width), np.uint8)
    b = np.clip(a + draw.integers(-60, 60, a.shape), 0, 255).astype(np.uint8)
    assert ssim(a, b) == pytest.approx(reference_ssim(a, b), abs=1e-9)


@settings(max_examples=20)
@given(IMAGES)
def test_an_image_is_identical_to_itself_and_similarity_is_symmetric(image):
    other = image[::-1, ::-1].copy()
    assert ssim(image, image) == pytest.approx(1)
    assert ssim(image, other) == pytest.approx(ssim(other, image))
    assert ssim(image, other) <= 1 + 1e-12


def test_ssim_of_color_is_the_mean_over_channels():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    assert ssim(a, b) == pytest.approx(np.mean([ssim(a[..., c], b[..., c]) for c in range(3)]))


@pytest.mark.parametrize(
    ("metric", "shape", "crop"), [(ssim, (10, 40), 0), (ssim, (12, 12), 1), (psnr_db, (4, 4), 2), (psnr_db, (4,), 0)]
)
def test_images_with_too_few_pixels_are_an_input_error(metric, shape, crop):
    with pytest.raises(InputError, match="at least"):
        metric(np.zeros(shape), np.zeros(shape), crop=crop)


@pytest.mark.parametrize("metric", [ssim, psnr_db])
def test_images_of_two_shapes_are_an_input_error(metric):
    with pytest.raises(InputError, match="one shape"):
        metric(np.zeros((20, 20)), np.zeros((20, 20, 1)))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=25))
def test_roc_auc_is_the_share_of_pairs_in_order_with_ties_as_half(items):
    scores, labels = (np.array(part) for part in zip(*items, strict=True))
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[labels] for n in scores[~labels]]
    assert roc_auc(scores, labels) == pytest.approx(np.mean(pairs) if pairs else NAN, nan_ok=True)


def test_roc_auc_keeps_its_precision_over_millions_of_items():
    scores = np.arange(2_000_000) % 1_000
    assert roc_auc(scores.reshape(1_000, 2_000), (scores >= 500).reshape(1_000, 2_000)) == 1
    assert roc_auc(scores, np.arange(2_000_000) >= 1_000_000) == 0.5


@pytest.mark.parametrize("labels", [[0, 0], [1, 1], []])
def test_roc_auc_of_one_class_is_nan(labels):
    assert math.isnan(roc_auc(np.zeros(len(labels)), np.array(labels)))


def test_a_score_without_a_rank_is_an_input_error():
    with pytest.raises(InputError, match="nan"):
        roc_auc(np.array([1, NAN]), np.array([0, 1]))
    assert roc_auc(np.array([-np.inf, np.inf]), np.array([0, 1])) == 1

"""How good a result is, for disparity, labels, images and scores.

What is unknown in the truth never counts. A metric over nothing is nan, never 0 and never perfect.
"""

from __future__ import annotations

import cv2
import numpy as np

from salticid.core.types import Array, FloatMap, Mask
from salticid.errors import InputError

SSIM_RADIUS = 5  # an 11 x 11 window
SSIM_SIGMA = 1.5
SSIM_K1, SSIM_K2 = 0.01, 0.03


def bad_n(disparity_px: FloatMap, truth_px: FloatMap, threshold_px: float, mask: Mask | None = None) -> float:
    """Return the percentage of pixels whose disparity is wrong by more than `threshold_px`.

    A pixel without a disparity is wrong. To ask about those with one alone, give a `mask` of them.

    Parameters
    ----------
    disparity_px, truth_px
        (H, W); nan where unknown.
    threshold_px
        The N of bad-N.
    mask
        (H, W) bool, the pixels to look at; all by default.

    Returns
    -------
    float
        0 to 100; nan when no pixel has a truth.
    """
    error = _errors(disparity_px, truth_px, mask)
    return 100.0 * float(np.mean(~(error <= threshold_px))) if error.size else float("nan")


def epe(disparity_px: FloatMap, truth_px: FloatMap, mask: Mask | None = None) -> float:
    """Return the mean absolute error in pixels (end-point error) where both maps are known.

    It says nothing about how many pixels that is: give `density` with it. nan when there are none.
    """
    error = _errors(disparity_px, truth_px, mask)
    known = error[np.isfinite(error)]
    return float(known.mean()) if known.size else float("nan")


def density(disparity_px: FloatMap, truth_px: FloatMap, mask: Mask | None = None) -> float:
    """Return the percentage of the pixels with a truth that have a disparity; nan when none has a truth."""
    error = _errors(disparity_px, truth_px, mask)
    return 100.0 * float(np.isfinite(error).mean()) if error.size else float("nan")


def confusion_matrix(labels: Array, truth: Array, classes: int, void: int | None = None) -> Array:
    """Count how often each class was labelled as each.

    Parameters
    ----------
    labels, truth
        Integers of one shape.
    classes
        Labels run from 0 to classes - 1.
    void
        Value of `truth` that does not count.

    Returns
    -------
    Array
        (classes, classes) int64; row: truth, column: label. Matrices of several images add up.

    Raises
    ------
    InputError
        Shapes differ, or a label that counts is no class.
    """
    _check_shapes("labels", labels, "truth", truth)
    counts = np.ones(truth.shape, bool) if void is None else truth != void
    pairs = np.stack([truth[counts], labels[counts]]).astype(np.int64)
    if pairs.size and not 0 <= pairs.min() <= pairs.max() < classes:
        raise InputError(f"labels run from {pairs.min()} to {pairs.max()}, not from 0 to {classes - 1}: name the void")
    counted = np.bincount(pairs[0] * classes + pairs[1], minlength=classes**2)
    return counted.reshape(classes, classes)


def iou(confusion: Array) -> Array:
    """Return intersection over union per class, (C,) float64; nan for a class in neither truth nor labels."""
    hits = np.diag(confusion).astype(np.float64)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - hits
    return np.asarray(np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0))


def miou(confusion: Array) -> float:
    """Return the mean of `iou` over the classes that occur; nan when none does."""
    per_class = iou(confusion)
    known = per_class[~np.isnan(per_class)]
    return float(known.mean()) if known.size else float("nan")


def pixel_accuracy(confusion: Array) -> float:
    """Return the share of the pixels with a truth that were labelled right, 0 to 1; nan when there are none."""
    total = int(confusion.sum())
    return float(np.trace(confusion) / total) if total else float("nan")


def psnr_db(a: Array, b: Array, peak: float = 255, crop: int = 0) -> float:
    """Return the peak signal-to-noise ratio in dB; infinite for equal images.

    Parameters
    ----------
    a, b
        Images of one shape, (H, W) or (H, W, C). Super-resolution is judged by luma: `color.rgb_to_y`.
    peak
        Largest value that a pixel can have.
    crop
        Pixels at each border that do not count.

    Raises
    ------
    InputError
        Shapes differ, or `crop` leaves nothing.
    """
    a, b = _cropped(a, b, crop, least=1)
    error = float(np.mean((a - b) ** 2))
    return float(10 * np.log10(peak**2 / error)) if error > 0 else float("inf") if error == 0 else float("nan")


def ssim(a: Array, b: Array, peak: float = 255, crop: int = 0) -> float:
    """Return the structural similarity, at most 1; the mean over channels for color.

    Wang, Bovik, Sheikh and Simoncelli 2004: a Gaussian window of 11 x 11 with sigma 1.5, over the
    positions where it lies inside the image. Parameters are those of `psnr_db`.

    Raises
    ------
    InputError
        Shapes differ, or less than 11 x 11 pixels are left.
    """
    a, b = _cropped(a, b, crop, least=2 * SSIM_RADIUS + 1)
    c1, c2 = (SSIM_K1 * peak) ** 2, (SSIM_K2 * peak) ** 2
    mean_a, mean_b = _windowed(a), _windowed(b)
    variance_a = _windowed(a * a) - mean_a**2
    variance_b = _windowed(b * b) - mean_b**2
    covariance = _windowed(a * b) - mean_a * mean_b
    # Equation 13.
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structure = (2 * covariance + c2) / (variance_a + variance_b + c2)
    return float(np.mean(luminance * structure))


def roc_auc(scores: Array, labels: Array) -> float:
    """Return the chance that a positive scores higher than a negative; a tie counts half.

    Computed from mid-ranks (Mann and Whitney 1947), without a threshold.

    Parameters
    ----------
    scores
        Numbers of any shape, higher for positive.
    labels
        Of the same shape; what is not 0 is positive.

    Returns
    -------
    float
        0 to 1; nan when there are no positives or no negatives.

    Raises
    ------
    InputError
        Shapes differ, or a score is nan.
    """
    scores, positive = np.asarray(scores), np.asarray(labels) != 0
    _check_shapes("scores", scores, "labels", positive)
    if np.isnan(scores).any():
        raise InputError("a score is nan, which has no rank: leave those items out of scores and labels")
    positives = int(positive.sum())
    negatives = positive.size - positives
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(scores.reshape(-1), return_inverse=True, return_counts=True)
    mid_ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = mid_ranks[inverse.reshape(-1)][positive.reshape(-1)].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def _errors(disparity_px: FloatMap, truth_px: FloatMap, mask: Mask | None) -> Array:
    """Return |disparity - truth| of the pixels that have a truth; nan for those without a disparity."""
    _check_shapes("disparity", disparity_px, "truth", truth_px)
    counts = np.isfinite(truth_px)
    if mask is not None:
        _check_shapes("mask", mask, "truth", truth_px)
        counts &= mask
    found = disparity_px[counts].astype(np.float64)
    return np.abs(np.where(np.isfinite(found), found, np.nan) - truth_px[counts])


def _check_shapes(name_a: str, a: Array, name_b: str, b: Array) -> None:
    if a.shape != b.shape:
        raise InputError(f"{name_a} is {a.shape} and {name_b} is {b.shape}: give arrays of one shape")


def _cropped(a: Array, b: Array, crop: int, least: int) -> tuple[Array, Array]:
    """Return both images as float64 without their borders, and with `least` pixels a side or more."""
    _check_shapes("one image", a, "the other", b)
    if a.ndim not in (2, 3) or crop < 0 or min(a.shape[:2]) - 2 * crop < least:
        raise InputError(
            f"images of {a.shape} less {crop} pixels at each border: {least} x {least} at least are needed"
        )
    inside = (slice(crop, a.shape[0] - crop), slice(crop, a.shape[1] - crop))
    return a[inside].astype(np.float64), b[inside].astype(np.float64)


def _windowed(image: Array) -> Array:
    """Return the weighted mean of each window that lies inside the image."""
    window = cv2.getGaussianKernel(2 * SSIM_RADIUS + 1, SSIM_SIGMA, cv2.CV_64F)
    means = cv2.sepFilter2D(image, cv2.CV_64F, window, window)
    return means[SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS]

"""Give an image the colors of another one: what generated detail needs, whose hue drifts.

`wavelet_color_fix` keeps the detail of the image and takes everything coarser than 32 pixels from the reference;
`adain_color_fix` keeps the image and moves the mean and the spread of each channel.
"""

from __future__ import annotations

import cv2
import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError

WAVELET_LEVELS = 5
ADAIN_EPSILON = 1e-5  # for values of 0 to 1

# ITU-R BT.601 with head and foot room, as MATLAB's rgb2ycbcr: for values of 0 to 255.
_LUMA = np.array([65.481, 128.553, 24.966]) / 255
_LUMA_BLACK = 16.0


def wavelet_color_fix(image: Array, reference: Array) -> Array:
    """Return the detail of `image` on the colors of `reference`.

    Both are split by an à-trous wavelet transform (Holschneider et al. 1989): five times a binomial
    filter of 3 x 3 whose taps lie 1, 2, 4, 8 and 16 pixels apart, the border pixels repeated.

    Parameters
    ----------
    image, reference
        (H, W, C) of one shape, both uint8 or both float.

    Returns
    -------
    Array
        (H, W, C); uint8 is rounded and clipped, float is float32 and is not clipped.

    Raises
    ------
    InputError
        Shapes differ, or a dtype is neither uint8 nor float.
    """
    _check(image, reference)
    if image.shape != reference.shape:
        raise InputError(f"image is {image.shape} and reference is {reference.shape}: resize the reference")
    ours, theirs = image.astype(np.float32), reference.astype(np.float32)
    return _like(image, ours - _coarse(ours) + _coarse(theirs))


def adain_color_fix(image: Array, reference: Array) -> Array:
    """Return `image` with the mean and standard deviation of each channel of `reference`.

    Adaptive instance normalization, Huang and Belongie 2017, equation 8.

    Parameters
    ----------
    image, reference
        (H, W, C) and (h, w, C), both uint8 or both float of 0 to 1.

    Returns
    -------
    Array
        (H, W, C); uint8 is rounded and clipped, float is float32 and is not clipped.

    Raises
    ------
    InputError
        The numbers of channels differ, an image has less than two pixels, or a dtype is neither
        uint8 nor float.
    """
    _check(image, reference)
    if image.shape[2] != reference.shape[2] or min(image[..., 0].size, reference[..., 0].size) < 2:
        raise InputError(f"image is {image.shape} and reference is {reference.shape}: channels must be the same")
    peak = 255.0 if image.dtype == np.uint8 else 1.0
    (mean, spread), (wanted_mean, wanted_spread) = (_moments(one, peak) for one in (image, reference))
    return _like(image, (image - mean) / spread * wanted_spread + wanted_mean)


def rgb_to_y(image: Array) -> Array:
    """Return luma in 16 to 235, as super-resolution is judged by it.

    Parameters
    ----------
    image
        (H, W, 3) RGB in 0 to 255, or (H, W), which is returned as it is.

    Returns
    -------
    Array
        (H, W) float64, not rounded.
    """
    if image.ndim == 2:
        return image.astype(np.float64)
    if image.ndim != 3 or image.shape[2] != 3:
        raise InputError(f"image must be (H, W, 3) or (H, W), not {image.shape}")
    return np.asarray(image.astype(np.float64) @ _LUMA + _LUMA_BLACK)


def _check(image: Array, reference: Array) -> None:
    for name, one in (("image", image), ("reference", reference)):
        if one.ndim != 3 or not one.size:
            raise InputError(f"{name} must be (H, W, C) and not empty, not {one.shape}")
    is_bytes = [one.dtype == np.uint8 for one in (image, reference)]
    is_float = [one.dtype.kind == "f" for one in (image, reference)]
    if not (all(is_bytes) or all(is_float)):
        raise InputError(f"image is {image.dtype} and reference is {reference.dtype}: give both as uint8 or as float")


def _coarse(image: Array) -> Array:
    """Return what is left of an image after its detail of up to 2^WAVELET_LEVELS pixels is taken away."""
    for level in range(WAVELET_LEVELS):
        step = 2**level
        taps = np.zeros(2 * step + 1, np.float32)
        taps[[0, step, -1]] = 0.25, 0.5, 0.25
        image = cv2.sepFilter2D(image, cv2.CV_32F, taps, taps, borderType=cv2.BORDER_REPLICATE)
    return image


def _moments(image: Array, peak: float) -> tuple[Array, Array]:
    """Return mean and standard deviation of each channel."""
    flat = image.reshape(-1, image.shape[2]).astype(np.float64)
    return flat.mean(axis=0), np.sqrt(flat.var(axis=0, ddof=1) + ADAIN_EPSILON * peak**2)


def _like(image: Array, values: Array) -> Array:
    """Return `values` in the dtype for results that belong to `image`."""
    if image.dtype == np.uint8:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return values.astype(np.float32, copy=False)

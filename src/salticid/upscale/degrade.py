"""What happens to an image before somebody wants it larger: it was blurred, reduced by any means, noisy, compressed.

    small = degraded(large, 4, rng)           # (4H, 4W, 3) uint8 -> (H, W, 3) uint8

Each happens with a chance of its own and as much as chance says, from nothing to what a phone in the evening or a
picture that was sent on twice shows. One order, that of the light: lens, sampling, sensor, file.

Source: the order and kinds of Wang et al. 2021 ("Real-ESRGAN", fig. 2), one round instead of two and of less strength,
for a network that small cannot make up what is lost.
"""

from __future__ import annotations

import cv2
import numpy as np

from salticid.core.resample import bicubic_uint8
from salticid.core.types import Array, Image

BLURRED, RESIZED_TWICE, NOISY, COMPRESSED = 0.7, 0.4, 0.6, 0.7  # the share of images that it happens to
BLUR_SIGMA = 0.5  # largest, px of the small image
NOISE_SIGMA = 12.0  # largest, of 255
GRAY_NOISE = 0.4  # share of noise that is the same in all colors
QUALITY = (40, 95)  # of JPEG
BLOCK = 8  # px of JPEG
KINDS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)


def degraded(large: Image, scale: int, rng: np.random.Generator) -> Image:
    """Return what is left of (scale H, scale W, 3) uint8 at 1/scale, (H, W, 3) uint8."""
    seen = _blurred(large, scale, rng) if rng.random() < BLURRED else large
    small = _reduced(seen, scale, rng)
    if rng.random() < NOISY:
        small = _noisy(small, rng)
    return _compressed(small, rng) if rng.random() < COMPRESSED else small


def _blurred(image: Image, scale: int, rng: np.random.Generator) -> Image:
    """Blur, in two directions by different amounts: out of focus, or moved."""
    wide, tall = rng.uniform(0.1, BLUR_SIGMA * scale, 2)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), wide, sigmaY=tall))


def _reduced(image: Image, scale: int, rng: np.random.Generator) -> Image:
    """Reduce by one of the ways that programs have, for some by way of a size in between."""
    height, width = image.shape[0] // scale, image.shape[1] // scale
    if rng.random() < RESIZED_TWICE:
        share = rng.uniform(1, scale)
        between = max(1, round(width * share)), max(1, round(height * share))
        image = np.asarray(cv2.resize(image, between, interpolation=_kind(rng)))
    kind = _kind(rng)
    if kind == cv2.INTER_CUBIC:  # as programs for photos do; OpenCV's own takes every fourth pixel
        return bicubic_uint8(image, height, width)
    return np.asarray(cv2.resize(image, (width, height), interpolation=kind))


def _noisy(image: Image, rng: np.random.Generator) -> Image:
    """Add noise, more of it where there is more light."""
    level = rng.uniform(1, NOISE_SIGMA)
    channels = 1 if rng.random() < GRAY_NOISE else 3
    noise = rng.standard_normal((*image.shape[:2], channels), np.float32)
    strength = level * (0.5 + 0.5 * np.sqrt(image.astype(np.float32) / 255))
    return np.clip(np.rint(image + noise * strength), 0, 255).astype(np.uint8)


def _compressed(image: Image, rng: np.random.Generator) -> Image:
    """Write as JPEG and read again; blocks begin anywhere, for an image is a piece of another."""
    top, left = rng.integers(BLOCK, size=2)
    wider = cv2.copyMakeBorder(image, top, 0, left, 0, cv2.BORDER_REPLICATE)
    quality = int(rng.integers(QUALITY[0], QUALITY[1] + 1))
    _, data = cv2.imencode(".jpg", wider[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Array = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.ascontiguousarray(decoded[top:, left:, ::-1])


def _kind(rng: np.random.Generator) -> int:
    return KINDS[int(rng.integers(len(KINDS)))]

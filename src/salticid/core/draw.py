"""Pictures of results: disparities and errors as colors, class masks, skeletons, images beside each other.

Every function returns a new RGB image and leaves what it was given as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from salticid.core.types import Array, FloatMap, Image
from salticid.errors import InputError

UNKNOWN_RGB = (64, 64, 64)
MARGIN_RGB = (32, 32, 32)
TITLE_RGB = (235, 235, 235)

TITLE_HEIGHT_PX = 28
GAP_PX = 4

# One color per edge in turn, of equal lightness, so that left and right limbs are told apart.
EDGE_RGB = ((255, 128, 0), (0, 200, 255), (140, 220, 60), (255, 90, 160), (180, 140, 255), (255, 210, 60))
POINT_RGB = (255, 255, 255)

_FAR_PX = 1 << 20  # where a coordinate is cut off, so that it fits into OpenCV's integers
_SUBPIXEL_BITS = 3


def disparity_colors(disparity_px: FloatMap, low: float | None = None, high: float | None = None) -> Image:
    """Return a disparity map as colors: near is warm, far is cold, unknown is dark gray.

    Parameters
    ----------
    disparity_px
        (H, W); nan where unknown.
    low, high
        Disparities of the coldest and the warmest color; by default those that one percent of the
        known pixels lie below and above.

    Returns
    -------
    Image
        (H, W, 3) uint8 RGB, in the turbo color map (Mikhailov 2019).

    Raises
    ------
    InputError
        The map is not two-dimensional, or `low` lies above `high`.
    """
    known = disparity_px[np.isfinite(disparity_px)]
    usual = np.percentile(known, [1, 99]) if known.size else (0.0, 1.0)
    return _colors(
        disparity_px,
        float(usual[0]) if low is None else low,
        float(usual[1]) if high is None else high,
        cv2.COLORMAP_TURBO,
    )


def error_colors(error: FloatMap, limit: float) -> Image:
    """Return errors as colors: none is black, `limit` and more is bright yellow, unknown is dark gray.

    Parameters
    ----------
    error
        (H, W), with or without sign; nan where unknown.
    limit
        The error that gets the brightest color, above 0.
    """
    if not limit > 0:
        raise InputError(f"limit must be above 0, not {limit}")
    return _colors(np.abs(error), 0.0, limit, cv2.COLORMAP_INFERNO)


def mask_overlay(image: Image, labels: Array, palette: Array, opacity: float = 0.5) -> Image:
    """Return an image with every pixel tinted in the color of its class.

    Parameters
    ----------
    image
        (H, W) or (H, W, 3) uint8.
    labels
        (H, W) integers or bool; a label that is not in the palette, such as a void of 255, leaves
        the pixel as it is.
    palette
        (N, 3) uint8 RGB, one row per class.
    opacity
        0 shows the image alone, 1 the classes alone.

    Raises
    ------
    InputError
        The sizes of image and labels differ, `palette` is not (N, 3), or `opacity` is not in 0..1.
    """
    below, colors = _rgb(image), np.asarray(palette)
    if labels.shape != below.shape[:2] or labels.dtype.kind not in "biu":
        raise InputError(
            f"labels are {labels.dtype} {labels.shape}: give whole numbers, one per pixel of {below.shape}"
        )
    if colors.ndim != 2 or colors.shape[1] != 3 or not len(colors):
        raise InputError(f"palette must be (N, 3), not {colors.shape}")
    if not 0 <= opacity <= 1:
        raise InputError(f"opacity must be in 0..1, not {opacity}")
    numbers = labels.view(np.uint8) if labels.dtype == np.bool_ else labels
    tint = np.take(colors.astype(np.uint8), numbers, axis=0, mode="clip")
    mixed = np.asarray(cv2.addWeighted(below, 1 - opacity, tint, opacity, 0), np.uint8)
    unpainted = (numbers < 0) | (numbers >= len(colors))
    if unpainted.any():
        mixed[unpainted] = below[unpainted]
    return mixed


def skeleton(
    image: Image,
    keypoints: Array,
    edges: Sequence[tuple[int, int]],
    scores: Array | None = None,
    min_score: float = 0.3,
) -> Image:
    """Return an image with the keypoints of one or more bodies and the edges between them.

    Parameters
    ----------
    image
        (H, W) or (H, W, 3) uint8.
    keypoints
        (K, 2 or 3) or (N, K, 2 or 3), x and y in pixels first; nan where unknown.
    edges
        Pairs of keypoint numbers.
    scores
        (K,) or (N, K), 0..1; keypoints below `min_score` are left out, and so are their edges.
    min_score
        See `scores`.

    Raises
    ------
    InputError
        A shape does not fit, or an edge names a keypoint that there is not.
    """
    picture = _rgb(image)
    bodies, confident = _bodies(np.asarray(keypoints, np.float64), scores, min_score)
    count = bodies.shape[1]
    if any(not 0 <= end < count for edge in edges for end in edge):
        raise InputError(f"edges name keypoints that are not among 0 to {count - 1}: {list(edges)}")
    width = max(1, round(min(picture.shape[:2]) / 120))
    for points, seen in zip(_fixed_point(bodies), confident, strict=True):
        _draw_body(picture, points, seen, edges, width)
    return picture


def side_by_side(images: Sequence[Image], titles: Sequence[str] | None = None) -> Image:
    """Return images in one row, from left to right, each under its title.

    Parameters
    ----------
    images
        (H, W) or (H, W, 3) uint8, of any sizes.
    titles
        One per image.

    Raises
    ------
    InputError
        There are no images, or not as many titles.
    """
    if not images or (titles is not None and len(titles) != len(images)):
        raise InputError(f"{len(images)} images and {titles} as titles: give one title per image")
    columns = [_rgb(image) for image in images]
    if titles is not None:
        columns = [_titled(image, title) for image, title in zip(columns, titles, strict=True)]
    height = max(len(column) for column in columns)
    framed = [_framed(column, height - len(column), GAP_PX) for column in columns]
    return np.concatenate(framed, axis=1)[:, :-GAP_PX]


def _colors(values: FloatMap, low: float, high: float, color_map: int) -> Image:
    if values.ndim != 2:
        raise InputError(f"a map must be (H, W), not {values.shape}")
    if not low <= high:
        raise InputError(f"low must not lie above high: {low} and {high}")
    known = np.isfinite(values)
    inside = np.clip(np.where(known, values, low).astype(np.float64), low, high)
    levels = ((inside - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
    colors = np.empty((*values.shape, 3), np.uint8)
    if values.size:
        cv2.cvtColor(cv2.applyColorMap(levels, color_map), cv2.COLOR_BGR2RGB, dst=colors)
    colors[~known] = UNKNOWN_RGB
    return colors


def _rgb(image: Image) -> Image:
    """Return a copy of `image` as (H, W, 3)."""
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or not image.size:
        raise InputError(f"image must be (H, W) or (H, W, 3) uint8 and not empty, not {image.dtype} {image.shape}")
    return np.stack([image] * 3, axis=-1) if image.ndim == 2 else image.copy(order="C")


def _bodies(keypoints: Array, scores: Array | None, min_score: float) -> tuple[Array, Array]:
    """Return keypoints as (N, K, 2), and which of them are to be drawn, (N, K) bool."""
    if keypoints.ndim not in (2, 3) or keypoints.shape[-1] not in (2, 3):
        raise InputError(f"keypoints must be (K, 2 or 3) or (N, K, 2 or 3), not {keypoints.shape}")
    seen = np.isfinite(keypoints[..., :2]).all(axis=-1)
    if scores is not None:
        if np.shape(scores) != seen.shape:
            raise InputError(f"scores are {np.shape(scores)} and keypoints {keypoints.shape}: give one score each")
        seen = seen & (np.asarray(scores) >= min_score)
    count = keypoints.shape[-2]
    return keypoints[..., :2].reshape(-1, count, 2), seen.reshape(-1, count)


def _fixed_point(points: Array) -> Array:
    """Return coordinates as the whole numbers that OpenCV's drawing takes; unknown ones anywhere."""
    near = np.clip(np.nan_to_num(points), -_FAR_PX, _FAR_PX)
    return np.asarray(np.rint(near * (1 << _SUBPIXEL_BITS)).astype(np.int64))


def _draw_body(picture: Image, points: Array, seen: Array, edges: Sequence[tuple[int, int]], width: int) -> None:
    for number, (start, end) in enumerate(edges):
        if seen[start] and seen[end]:
            color = EDGE_RGB[number % len(EDGE_RGB)]
            cv2.line(picture, points[start], points[end], color, width, cv2.LINE_AA, _SUBPIXEL_BITS)
    for point in points[seen]:
        cv2.circle(picture, point, width + 1 << _SUBPIXEL_BITS, POINT_RGB, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)


def _titled(image: Image, title: str) -> Image:
    bar = _framed(image[:0], TITLE_HEIGHT_PX, 0)
    cv2.putText(bar, title, (6, TITLE_HEIGHT_PX - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.55, TITLE_RGB, 1, cv2.LINE_AA)
    return np.concatenate([bar, image])


def _framed(image: Image, below: int, right: int) -> Image:
    framed = np.empty((image.shape[0] + below, image.shape[1] + right, 3), np.uint8)
    framed[:] = MARGIN_RGB
    framed[: image.shape[0], : image.shape[1]] = image
    return framed

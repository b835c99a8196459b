"""The arithmetic of BlazePose: what its two networks say, as people and landmarks in pixels of a picture.

    detections = decode_detections(boxes, logits)               # in pixels of the square that the picture was put in
    region = region_between(detections.points[0, 0], detections.points[0, 1])
    landmarks = decode_landmarks(values, heatmaps)              # in pixels of the region's crop
    points = to_picture(landmarks.points, region)

Bazarevsky et al. 2020, arXiv:2006.10204. All constants are those of the published graphs `pose_detection_cpu`,
`pose_landmark_by_roi_cpu` and `pose_landmarks_to_roi` of mediapipe 0.10.21.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array

DETECTOR_PX = 224  # side of the detector's input
CROP_PX = 256  # side of the landmark network's input
LANDMARKS = 33  # of the body; two more are the center and the rim of the next region
CENTER, RIM = 33, 34

LEAST_SCORE = 0.5  # of a person, for the detector and for the landmark network

_STRIDES = ((8, 2), (16, 2), (32, 6))  # pixels per cell of a grid, anchors per cell
_SAME_PERSON_IOU = 0.3
_ELONGATED = 1.2  # long over short side from which parts of a picture are searched, too
_REGION_SCALE = 1.25  # a region's side over the diameter of the circle around the body
_VALUES_PER_LANDMARK = 5  # x, y, z, visibility, presence
_HALF_WINDOW = 4  # cells of the heatmap around a landmark that refine it


@dataclass(frozen=True, slots=True)
class Detections:
    """People in a picture, the surest first; in pixels of the detector's square input."""

    scores: Array  # (N,) float32, 0..1
    points: Array  # (N, 4, 2) float32: middle of the hips, rim of the body's circle, middle of the shoulders, its rim

    def __len__(self) -> int:
        """Return the number of people."""
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Region:
    """A turned square of a picture that holds a body upright."""

    x: float  # of the center, px
    y: float
    side: float  # px
    angle: float  # radians, clockwise as seen in a picture


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What the landmark network says of one crop."""

    points: Array  # (35, 2) float32, pixels of the crop
    visibility: Array  # (35,) float32, 0..1


@functools.cache
def anchors() -> Array:
    """Return the centers of the detector's anchors, (2254, 2) float32, in shares of its input's side."""
    grids = []
    for stride, per_cell in _STRIDES:
        count = DETECTOR_PX // stride
        y, x = np.mgrid[:count, :count]
        centers = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) / count
        grids.append(centers.repeat(per_cell, axis=0))
    return np.concatenate(grids).astype(np.float32)


def decode_detections(boxes: Array, logits: Array, least_score: float = LEAST_SCORE) -> Detections:
    """Return the people that the detector sees.

    Parameters
    ----------
    boxes
        (2254, 12) float32: x, y, width, height and four points in pixels, relative to the anchors.
    logits
        (2254,) float32.
    least_score
        Less sure detections are dropped.
    """
    scores = _sigmoid(logits)
    sure = np.flatnonzero(scores >= least_score)
    sure = sure[np.argsort(-scores[sure], kind="stable")]
    centers = anchors()[sure] * DETECTOR_PX
    points = boxes[sure, 4:].reshape(-1, 4, 2) + centers[:, None]
    middle, half = boxes[sure, :2] + centers, boxes[sure, 2:4] / 2
    return _merged(scores[sure], np.concatenate([middle - half, middle + half], axis=1), points)


def region_between(center: Array, rim: Array) -> Region:
    """Return the region around a body, from the middle of its hips and a point on the circle around it, (2,) px."""
    right, down = float(rim[0] - center[0]), float(rim[1] - center[1])
    side = 2 * _REGION_SCALE * math.hypot(right, down)
    return Region(float(center[0]), float(center[1]), side, math.atan2(right, -down))


def decode_landmarks(values: Array, heatmaps: Array) -> Landmarks:
    """Return landmarks in pixels of the crop.

    Parameters
    ----------
    values
        195 float32: 39 times x, y, z in pixels, then logits of visibility and presence.
    heatmaps
        (64, 64, 39) float32 logits, by which the points are refined.
    """
    table = values.reshape(-1, _VALUES_PER_LANDMARK)[: RIM + 1]
    return Landmarks(_refined(table[:, :2], heatmaps), _sigmoid(table[:, 3]))


def to_picture(points: Array, region: Region) -> Array:
    """Return points of a crop, (N, 2), in pixels of the picture, (N, 2) float32."""
    matrix = crop_matrix(region, CROP_PX)
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def crop_matrix(region: Region, size_px: int) -> Array:
    """Return the (2, 3) float64 matrix from a pixel of the crop, whose side is `size_px`, to one of the picture."""
    scale = region.side / size_px
    cos, sin = scale * math.cos(region.angle), scale * math.sin(region.angle)
    half = size_px / 2
    return np.array([[cos, -sin, region.x - (cos - sin) * half], [sin, cos, region.y - (sin + cos) * half]], np.float64)


def views(width: int, height: int) -> list[Region]:
    """Return the upright squares of a picture that are searched: first the whole of it, then parts.

    In its 224 pixels the detector misses people who are less than a third of the picture high. Three squares of the
    shorter side, which overlap, show them larger.
    """
    long, short = float(max(width, height)), float(min(width, height))
    whole = Region(width / 2, height / 2, long, 0.0)
    if long < _ELONGATED * short:
        return [whole]
    middles = (short / 2, long / 2, long - short / 2)
    parts = [(middle, height / 2) if width > height else (width / 2, middle) for middle in middles]
    return [whole, *(Region(x, y, short, 0.0) for x, y in parts)]


def turn_world(values: Array, region: Region) -> Array:
    """Return the network's landmarks in meters, (33, 3) float32, turned as the region was; y points down."""
    points = values.reshape(-1, 3)[:LANDMARKS]
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    turned = points[:, :2] @ np.array([[cos, sin], [-sin, cos]], np.float32)
    return np.concatenate([turned, points[:, 2:]], axis=1)


def _merged(scores: Array, boxes: Array, points: Array) -> Detections:
    """Merge boxes that overlap into one, weighted by their scores; they come sorted by these."""
    left = np.arange(len(scores))
    merged_scores, merged_points = [], []
    while len(left):
        same = _iou(boxes[left], boxes[left[0]]) > _SAME_PERSON_IOU
        group = left[same] if same.any() else left[:1]
        merged_scores.append(scores[left[0]])
        merged_points.append(np.average(points[group], axis=0, weights=scores[group]))
        left = left[~same] if same.any() else left[1:]
    return Detections(np.array(merged_scores, np.float32), np.array(merged_points, np.float32).reshape(-1, 4, 2))


def _iou(boxes: Array, box: Array) -> Array:
    """Return the overlap of each of (N, 4) boxes with one, as a share of what both cover."""
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(shared / (areas + (box[2:] - box[:2]).prod() - shared))


def _refined(points_px: Array, heatmaps: Array) -> Array:
    """Return each point moved to the mean of its heatmap around it, where that is sure of something."""
    cells = len(heatmaps)
    share = points_px / CROP_PX
    offsets = np.arange(-_HALF_WINDOW, _HALF_WINDOW + 1)
    middle = (share * cells).astype(np.int64)  # towards 0, as a conversion in C
    columns, rows = (middle[:, axis, None] + offsets for axis in (0, 1))  # (N, 9)
    inside = _within(rows, cells)[:, :, None] & _within(columns, cells)[:, None, :]
    number = np.arange(len(share))[:, None, None]
    logits = heatmaps[rows.clip(0, cells - 1)[:, :, None], columns.clip(0, cells - 1)[:, None, :], number]
    confidence = np.where(inside, _sigmoid(logits), 0)
    total = confidence.sum(axis=(1, 2))
    x = (confidence.sum(axis=1) * columns).sum(axis=1)
    y = (confidence.sum(axis=2) * rows).sum(axis=1)
    sure = _within(middle, cells).all(axis=1) & (confidence.max(axis=(1, 2)) >= LEAST_SCORE)
    found = np.stack([x, y], axis=1) / np.maximum(total, 1e-9)[:, None] / cells
    return np.asarray(np.where(sure[:, None], found, share) * CROP_PX, np.float32)


def _within(cells: Array, count: int) -> Array:
    return np.asarray((cells >= 0) & (cells < count))


def _sigmoid(logits: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -80, 80))), np.float32)

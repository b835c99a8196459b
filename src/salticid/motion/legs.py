"""Left and right legs that a network has exchanged, put back.

Seen from the side, a network takes one leg for the other now and then: for a frame or two, or from one crossing of the
legs to the next. Legs do not do that; they move on. So of all ways to exchange the legs frame by frame, the one is taken
in which they move most evenly, by the exact best path over all frames (Viterbi 1967). Where that makes no difference
the network's word counts.

Rates above that of usual video are decided at its rate first: from one frame to the next a slow camera sees a leg change
its speed by much more than a joint's noise, a fast camera does not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import Keypoints

PARTS = ("knee", "ankle", "heel", "toe", "hip")
USUAL_FPS = 30.0
# Costs are squares of accelerations, in leg lengths per frame². A joint's noise alone costs about 0.001.
MOST = 0.25  # of one joint: what leaps further is no leg of either side
DOUBT = 5e-4  # per frame, of not believing the network at the usual rate
STRONG_DOUBT = 2e-3  # and at a higher one, where only leaps are to be mended


def with_legs_in_order(keypoints: Keypoints) -> tuple[Keypoints, Array]:
    """Return keypoints whose legs do not change places, and (T,) bool: in which frames they were exchanged.

    Keypoints of fewer than three frames, or without both legs, come back as they are.
    """
    columns = _columns(keypoints.names)
    nothing = np.zeros(len(keypoints), bool)
    if columns.shape[1] == 0 or len(keypoints) < 3:
        return keypoints, nothing
    legs = np.stack([keypoints.positions[:, side] for side in columns], axis=1).astype(np.float64)
    length = _length(keypoints)
    if not length > 0:
        return keypoints, nothing
    exchanged = exchanges(legs / length, keypoints.fps)
    return (_exchanged(keypoints, columns, exchanged) if exchanged.any() else keypoints), exchanged


def exchanges(legs: Array, fps: float) -> Array:
    """Return in which frames the two legs are exchanged, (T,) bool.

    Parameters
    ----------
    legs
        (T, 2, J, 2 or 3) joints of the left and the right leg, in leg lengths; nan where unknown.
    """
    stride = max(1, round(fps / USUAL_FPS))
    coarse = _best_path(legs[::stride], DOUBT)
    if stride == 1:
        return coarse
    whole = np.repeat(coarse, stride)[: len(legs)]
    return np.asarray(whole ^ _best_path(_in_order(legs, whole), STRONG_DOUBT))


def _columns(names: tuple[str, ...]) -> Array:
    """Return the places of the parts that both legs have, (2, J)."""
    both = [part for part in PARTS if f"left_{part}" in names and f"right_{part}" in names]
    return np.array([[names.index(f"{side}_{part}") for part in both] for side in ("left", "right")], int)


def _length(keypoints: Keypoints) -> float:
    """Return the usual length of a leg in the unit of the positions; nan where it is never seen whole."""
    lengths = [
        np.linalg.norm(keypoints.joint(f"{side}_{start}") - keypoints.joint(f"{side}_{end}"), axis=1)
        for side in ("left", "right")
        for start, end in (("hip", "knee"), ("knee", "ankle"))
    ]
    known = [values[np.isfinite(values)] for values in lengths]
    return float(sum(np.percentile(values, 75) for values in known) / 2) if all(map(len, known)) else float("nan")


def _best_path(legs: Array, doubt: float) -> Array:
    """Return the cheapest way to exchange the legs, (T,) bool.

    The cost of three frames in a row is how much the joints change their speed in them, for each of the eight ways to
    exchange legs in these frames; the path is over pairs of frames.
    """
    costs = _costs(legs)  # (T - 2, 2, 2, 2)
    if not len(costs):
        return np.zeros(len(legs), bool)
    word = np.array([0.0, doubt])
    best = word[:, None] + word[None]  # of the first two frames
    came_from = np.zeros((len(costs), 2, 2), np.int8)
    for step, cost in enumerate(costs):
        options = best[:, :, None] + cost
        came_from[step] = options.argmin(axis=0)
        best = options.min(axis=0) + word
    return _traced(best, came_from)


def _costs(legs: Array) -> Array:
    ways = np.stack([legs, legs[:, ::-1]])  # (2, T, 2, J, D)
    costs = np.zeros((max(0, len(legs) - 2), 2, 2, 2))
    for first, second, third in np.ndindex(2, 2, 2):
        change = ways[third, 2:] - 2 * ways[second, 1:-1] + ways[first, :-2]
        squares = np.minimum(np.nan_to_num((change**2).sum(axis=-1)), MOST)
        costs[:, first, second, third] = squares.mean(axis=(1, 2))
    return costs


def _traced(best: Array, came_from: Array) -> Array:
    before, last = np.unravel_index(int(best.argmin()), best.shape)
    path = [int(last), int(before)]
    for step in came_from[::-1]:
        path.append(int(step[path[-1], path[-2]]))
    return np.array(path[::-1], bool)


def _in_order(legs: Array, exchanged: Array) -> Array:
    return np.where(exchanged[:, None, None, None], legs[:, ::-1], legs)


def _exchanged(keypoints: Keypoints, columns: Array, frames: Array) -> Keypoints:
    """Return keypoints with the legs of some frames exchanged, with their scores."""
    order = np.arange(len(keypoints.names))
    order[columns[0]], order[columns[1]] = columns[1], columns[0]
    world = keypoints.world_m
    return replace(
        keypoints,
        positions=np.where(frames[:, None, None], keypoints.positions[:, order], keypoints.positions),
        scores=np.where(frames[:, None], keypoints.scores[:, order], keypoints.scores),
        world_m=None if world is None else np.where(frames[:, None, None], world[:, order], world),
    )

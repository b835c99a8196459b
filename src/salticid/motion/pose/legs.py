"""Left and right legs that a network has exchanged, put back.

Seen from the side, a network takes one leg for the other now and then: for a frame or two, or from one crossing of the
legs to the next. Legs do not do that; they move on. So of all ways to exchange the legs frame by frame, the one is
taken in which they move most evenly, by the exact best path over all frames (Viterbi 1967). Where that makes no
difference the network's word counts.

Rates above that of usual video are decided at its rate first: from one frame to the next a slow camera sees a leg
change its speed by much more than a joint's noise, a fast camera does not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import Keypoints

PARTS = ("knee", "ankle", "heel", "toe", "hip")
USUAL_FPS = 30.0
LAGS = (1, 2, 3)  # frames between the three whose evenness is looked at
MEMORY = 2 * max(LAGS)
STATES = 1 << MEMORY
# Costs are squares of accelerations, in leg lengths per frame². A joint's noise alone costs about 0.001.
MOST = 0.25  # of one joint: what leaps further is no leg of either side
DOUBT = 5e-4  # per frame, of not believing the network at the usual rate
STRONG_DOUBT = 2e-3  # and at a higher one, where only leaps are to be mended


def with_legs_in_order(keypoints: Keypoints) -> tuple[Keypoints, Array]:
    """Return keypoints whose legs do not change places, and (T,) bool: in which frames they were exchanged.

    Keypoints of three dimensions, of fewer than three frames, or without both legs, come back as they are: what has
    depth does not take one leg for the other.
    """
    columns = _columns(keypoints.names)
    nothing = np.zeros(len(keypoints), bool)
    if keypoints.dimensions != 2 or columns.shape[1] == 0 or len(keypoints) < 3:
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

    A state is what was decided of the last six frames, the newest in its lowest bit: that is as far as the longest of
    `LAGS` looks back. So a frame in which both legs are lost does not hide on which side they come out again.
    """
    costs = [_costs(legs, lag) for lag in LAGS]
    bits = np.arange(STATES)[:, None] >> np.arange(MEMORY) & 1  # of each state, by age
    best = np.where(np.arange(STATES) == 0, 0.0, np.inf)  # before the first frame nothing was exchanged
    left_off = np.zeros((len(legs), STATES), np.int8)  # the oldest decision, which a new state forgets
    for frame in range(len(legs)):
        options = np.repeat(best[:, None], 2, axis=1)
        options[:, 1] += doubt
        for lag, cost in zip(LAGS, costs, strict=True):
            if frame >= 2 * lag:
                options += cost[frame - 2 * lag][bits[:, 2 * lag - 1], bits[:, lag - 1]]
        both = options.reshape(2, STATES)  # by the oldest decision
        left_off[frame] = both.argmin(axis=0)
        best = both.min(axis=0)
    return _traced(int(best.argmin()), left_off)


def _costs(legs: Array, lag: int) -> Array:
    """Return what each way to exchange legs in three frames, `lag` apart, costs, (T - 2 lag, 2, 2, 2)."""
    ways = np.stack([legs, legs[:, ::-1]])  # (2, T, 2, J, D)
    count = max(0, len(legs) - 2 * lag)
    costs = np.zeros((count, 2, 2, 2))
    for first, second, third in np.ndindex(2, 2, 2):
        change = ways[third, 2 * lag :] - 2 * ways[second, lag : lag + count] + ways[first, :count]
        squares = np.minimum(np.nan_to_num((change**2).sum(axis=-1)), MOST)
        costs[:, first, second, third] = squares.mean(axis=(1, 2))
    return costs


def _traced(state: int, left_off: Array) -> Array:
    """Return the decisions that lead to the last state."""
    path = np.zeros(len(left_off), bool)
    for frame in range(len(left_off) - 1, -1, -1):
        path[frame] = state & 1
        state = state >> 1 | int(left_off[frame, state]) << MEMORY - 1
    return path


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

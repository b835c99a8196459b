"""Weighted medians: around a pixel, those vote on its disparity that look like it.

A vote is the disparity of one of 5x5 pixels around, `spacing` px apart; of a sparse ballot every other one votes, as on
the black fields of a chessboard. A vote's weight falls with the difference of its color, from 9 to 0: it is
10 exp(-(4 n + 1.5) / 15), rounded, where the sum over three channels is 4 n to 4 n + 3 gray levels; a gray image counts
three times. Beyond the border votes the nearest pixel. The median is the smallest vote at which half of the weight is
reached. Where all votes differ by no more than `alike`, a pixel keeps what it has.

    Ma, He, Wei, Sun, Wu 2013, "Constant time weighted median filtering for stereo matching and beyond", ICCV

is the idea; few votes and weights from a table make it fast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import Array, Image, Mask

REACH = 2  # votes to each side
WEIGHTS = np.array([9, 7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0], np.int16)  # by color, in steps of 4 gray levels
BAND = 64  # rows that are looked at at a time


@dataclass(frozen=True, slots=True)
class Ballot:
    """Who votes."""

    spacing: int  # px between neighboring votes
    alike: int  # votes that differ by no more leave a pixel as it is; 0: always vote
    sparse: bool = False  # 13 of the 25 vote


def weighted_median(values: NDArray[np.int16], image: Image, ballot: Ballot) -> tuple[NDArray[np.int16], Mask]:
    """Return the weighted median around each pixel, and which pixels keep their value because all votes are alike.

    Parameters
    ----------
    values
        (H, W) int16.
    image
        (H, W, C) uint8 with C = 1 or 3.
    """
    margin = REACH * ballot.spacing
    padded = np.pad(values, margin, mode="edge")
    colors = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="edge").astype(np.int16)
    medians, settled = np.empty_like(values), np.empty(values.shape, bool)
    for first in range(0, len(values), BAND):
        rows = slice(first, min(first + BAND, len(values)))
        votes = np.stack([_shifted(padded, rows, place, margin) for place in _places(ballot)], axis=-1)
        apart = [_apart(colors, rows, place, margin) for place in _places(ballot)]
        weights = WEIGHTS[np.minimum(np.stack(apart, axis=-1) // 4, len(WEIGHTS) - 1)]
        settled[rows] = np.ptp(votes.astype(np.int32), axis=-1) <= ballot.alike if ballot.alike else False
        medians[rows] = np.where(settled[rows], values[rows], _median(votes, weights))
    return medians, settled


def _places(ballot: Ballot) -> list[tuple[int, int]]:
    offsets = range(-REACH * ballot.spacing, REACH * ballot.spacing + 1, ballot.spacing)
    places = [(dy, dx) for dy in offsets for dx in offsets]
    return places[::2] if ballot.sparse else places


def _shifted(padded: Array, rows: slice, place: tuple[int, int], margin: int) -> Array:
    dy, dx = place[0] + margin, place[1] + margin
    return padded[rows.start + dy : rows.stop + dy, dx : dx + padded.shape[1] - 2 * margin]


def _apart(colors: Array, rows: slice, place: tuple[int, int], margin: int) -> Array:
    apart = np.abs(_shifted(colors, rows, place, margin) - _shifted(colors, rows, (0, 0), margin)).sum(axis=-1)
    summed: Array = apart * (3 // colors.shape[2])
    return summed


def _median(votes: Array, weights: Array) -> Array:
    order = votes.argsort(axis=-1, kind="stable")
    reached = np.take_along_axis(weights, order, axis=-1).cumsum(axis=-1)
    chosen = (2 * reached < reached[..., -1:]).sum(axis=-1, keepdims=True)
    medians: Array = np.take_along_axis(votes, np.take_along_axis(order, chosen, axis=-1), axis=-1)[..., 0]
    return medians

"""How well a body was followed through a clip: what a reader has to know before a number is believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES, Keypoints

LEAST_SCORE = 0.5  # joints seen less surely count as occluded

_LEG = ("hip", "knee", "ankle")
_BODY = ("shoulder", "hip", "knee", "ankle", "heel", "toe")

# How far the hips may move between two frames, in body lengths: a body that moves fast, and the joints' own noise.
_FASTEST_PER_S = 5.0  # a sprinter's
_NOISE = 0.25
_LONGEST_STEP_S = 0.2  # after a longer gap a body may still not be just anywhere

_LEAST_SWAP = 0.1  # body lengths that the legs move at once when left becomes right

# From which share on a warning is due.
_GAPS, _OCCLUDED, _OUTSIDE = 0.05, 0.4, 0.05


@dataclass(frozen=True, slots=True)
class TrackQuality:
    """How well a body was followed; shares are of the frames in which it was found."""

    found_share: float  # of all frames
    longest_gap_s: float  # between two frames in which the body was found
    people: int | None  # followed for at least a tenth of the clip; None where only keypoints are known
    jumps: int  # times that the body was suddenly elsewhere, as when another person is taken for it
    mended_share: float  # frames in which left and right leg had been taken for each other, and were put back
    swaps: int  # times that they changed places and were not put back
    occluded_share: float  # joints of trunk and legs seen with a score below 0.5; nan where nobody was found
    outside_share: float  # frames in which trunk or legs reach out of the picture; nan where its size is unknown

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should be told, in sentences."""
        return tuple(_warnings(self))


def track_quality(keypoints: Keypoints, people: int | None = None, mended: Array | None = None) -> TrackQuality:
    """Return how well the body of `keypoints` was followed.

    Parameters
    ----------
    people
        How many were seen, where that is known.
    mended
        (T,) bool: in which frames the legs were put back (`legs.py`); None: in none.
    """
    found = keypoints.found
    times_s = keypoints.times_s[found]
    legs = np.stack([_chain(keypoints, side)[found] for side in SIDES])  # (2, N, 3, 2 or 3)
    length = _body_length(keypoints)
    return TrackQuality(
        found_share=float(found.mean()) if len(found) else 0.0,
        longest_gap_s=float(np.diff(times_s).max()) if len(times_s) > 1 else 0.0,
        people=people,
        jumps=_jumps(times_s, legs[:, :, 0].mean(axis=0), length),
        mended_share=float(mended[found].mean()) if mended is not None and len(times_s) else 0.0,
        swaps=_swaps(legs[:, :, 1:], length),
        occluded_share=_occluded_share(keypoints),
        outside_share=_outside_share(keypoints),
    )


def _chain(keypoints: Keypoints, side: str) -> Array:
    """Return hip, knee and ankle of a side, (T, 3, 2 or 3)."""
    return np.stack([keypoints.joint(f"{side}_{joint}") for joint in _LEG], axis=1)


def _body_length(keypoints: Keypoints) -> float:
    """Return the median of trunk, thigh and shank together; nan where they were never seen at once."""
    lengths = []
    for side in SIDES:
        points = np.concatenate([keypoints.joint(f"{side}_shoulder")[:, None], _chain(keypoints, side)], axis=1)
        lengths.append(np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1))
    known = np.concatenate(lengths)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if known.size else float("nan")


def _jumps(times_s: Array, hips: Array, length: float) -> int:
    """Count the steps from frame to frame that are longer than a body can go."""
    step_s = np.minimum(np.diff(times_s), _LONGEST_STEP_S)
    moved = np.linalg.norm(np.diff(hips, axis=0), axis=1)
    return int((moved > (_NOISE + _FASTEST_PER_S * step_s) * length).sum())


def _swaps(legs: Array, length: float) -> int:
    """Count the steps after which the left leg is where the right one was, and the other way round; (2, N, 2, 2)."""
    before, after = legs[:, :-1], legs[:, 1:]
    moved = np.linalg.norm(after - before, axis=3).mean(axis=(0, 2))
    crossed = np.linalg.norm(after[::-1] - before, axis=3).mean(axis=(0, 2))
    return int(((moved > _LEAST_SWAP * length) & (crossed < moved / 2)).sum())


def _occluded_share(keypoints: Keypoints) -> float:
    wanted = [keypoints.names.index(name) for name in _body_names(keypoints)]
    scores = keypoints.scores[keypoints.found][:, wanted]
    return float((scores < LEAST_SCORE).mean()) if scores.size else float("nan")


def _outside_share(keypoints: Keypoints) -> float:
    if keypoints.size_px is None or keypoints.dimensions != 2:
        return float("nan")
    names = _body_names(keypoints)
    if not names or not keypoints.found.any():
        return float("nan")
    points = np.stack([keypoints.joint(name)[keypoints.found] for name in names], axis=1)
    outside = (points < 0) | (points > np.array(keypoints.size_px, np.float32))
    return float(outside.any(axis=(1, 2)).mean())


def _body_names(keypoints: Keypoints) -> list[str]:
    """Return those joints of trunk and legs that the source knows."""
    every = [f"{side}_{joint}" for joint in _BODY for side in SIDES]
    return [name for name in every if name in keypoints.names]


def _warnings(quality: TrackQuality) -> Iterator[str]:
    if quality.found_share == 0:
        yield "no person was found in any frame"
        return
    if quality.found_share < 1 - _GAPS:
        yield f"the person was found in only {quality.found_share:.0%} of the frames"
    if quality.people is not None and quality.people > 1:
        choice = "choose with --person (person=) left, right or largest"
        yield f"{quality.people} people are in view, and one of them was followed: {choice}"
    if quality.jumps:
        check = "see in the overlay whether it is always the same"
        yield f"the person is suddenly elsewhere {_times(quality.jumps)}: {check}"
    if quality.mended_share:
        check = "see in the overlay whether that is right"
        yield f"the legs were taken for each other in {quality.mended_share:.0%} of the frames and put back: {check}"
    if quality.swaps:
        yield f"left and right leg change places {_times(quality.swaps)}"
    if quality.occluded_share > _OCCLUDED:
        yield f"{quality.occluded_share:.0%} of the joints of trunk and legs are hidden or seen unsurely"
    if quality.outside_share > _OUTSIDE:
        yield f"the body reaches out of the picture in {quality.outside_share:.0%} of the frames"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

"""Pictures for a report: one stride of each foot at the moments that a reader looks for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from salticid.core.types import Image
from salticid.motion.keypoints import SIDES, Keypoints
from salticid.motion.measured import Measured
from salticid.motion.pose.clip import Clip
from salticid.motion.pose.overlay import draw_pose, stills
from salticid.motion.score import MotionScore

BACKGROUND_RGB = (24, 28, 34)  # where there is no video


def report_stills(score: MotionScore, path: str | os.PathLike[str]) -> list[tuple[Image, str]]:
    """Return pictures of a clip with the skeleton, and what they show; none where its strides or joints are unknown.

    Parameters
    ----------
    path
        The video, or the file of keypoints, which are drawn on a plain ground.

    Raises
    ------
    InputError
        The video cannot be read any more.
    """
    clip = score.clip
    if clip is None or clip.keypoints.dimensions != 2:
        return []
    frames = {_frame(clip.keypoints, time_s): says for time_s, says in moments(score.measured)}
    return list(zip(_pictures(clip, path, list(frames)), frames.values(), strict=True))


def moments(measured: Measured) -> Iterator[tuple[float, str]]:
    """Yield contact, midstance and toe-off of the middle stride of each foot, in seconds of the clip, with captions."""
    for side in SIDES:
        whole = [stride for stride in measured.strides if stride.side == side and np.isfinite(stride.toe_off_s)]
        if not whole:
            continue
        stride = whole[len(whole) // 2]
        yield stride.start_s, f"{side} foot: contact, {stride.start_s:.2f} s"
        middle_s = (stride.start_s + stride.toe_off_s) / 2
        yield middle_s, f"{side} foot: midstance, {middle_s:.2f} s"
        yield stride.toe_off_s, f"{side} foot: toe-off, {stride.toe_off_s:.2f} s"


def _frame(keypoints: Keypoints, time_s: float) -> int:
    return int(np.abs(keypoints.times_s - time_s).argmin())


def _pictures(clip: Clip, path: str | os.PathLike[str], frames: list[int]) -> list[Image]:
    if clip.info is not None:
        return stills(path, clip.keypoints, frames)
    if clip.keypoints.size_px is None:
        return []
    width, height = clip.keypoints.size_px
    ground = np.broadcast_to(np.array(BACKGROUND_RGB, np.uint8), (height, width, 3))
    return [draw_pose(ground, clip.keypoints, frame) for frame in frames]

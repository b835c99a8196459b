"""The skeleton drawn into the video: whether the right person was followed, and how well, is seen at a glance."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence

from salticid.core import draw
from salticid.core.image import resize
from salticid.core.types import Image
from salticid.core.video import VideoReader, VideoWriter
from salticid.errors import BrokenStreamError, InputError
from salticid.motion.keypoints import Keypoints
from salticid.motion.pose.clip import Progress
from salticid.motion.pose.followed import rising

MOST_HEIGHT_PX = 720  # of the pictures: larger ones are reduced
LEAST_SCORE = 0.3  # joints seen less surely are not drawn

_USUAL_FPS = 30.0
_MOST_FPS = 1000.0  # that a file can state; the frames keep their own times all the same


def write_overlay(
    video: str | os.PathLike[str],
    keypoints: Keypoints,
    path: str | os.PathLike[str],
    *,
    most_height_px: int = MOST_HEIGHT_PX,
    overwrite: bool = True,
    progress: Progress | None = None,
) -> None:
    """Write a video with the skeleton drawn into every frame, at the frames' own times.

    Parameters
    ----------
    video
        The file that the keypoints are from.
    path
        Ends in .mp4, .mov or .mkv.
    most_height_px
        Larger pictures are reduced to this height.
    progress
        Called after each frame with the frames done and those in all.

    Raises
    ------
    InputError
        The video cannot be read or is another one than the keypoints are from, or the file cannot be written.
    MissingError, ResourceError
        An extra is not installed; the disk is full.
    """
    with VideoReader(video) as reader:
        _check_same(os.fspath(video), (reader.info.width, reader.info.height), keypoints)
        pictures = _pictures(reader, keypoints, most_height_px)
        first = next(pictures, None)
        if first is None:
            raise InputError(f"no frame of {os.fspath(video)} can be shown: there is nothing to draw into")
        start_s, (height, width) = first[1], first[0].shape[:2]
        rate = min(reader.info.average_fps or _USUAL_FPS, _MOST_FPS)
        with VideoWriter(path, fps=rate, width=width, height=height, overwrite=overwrite) as out:
            for done, (picture, time_s) in enumerate(itertools.chain([first], pictures), start=1):
                out.write(picture, time_s - start_s)
                if progress is not None:
                    progress(done, len(keypoints))


def stills(
    video: str | os.PathLike[str],
    keypoints: Keypoints,
    frames: Sequence[int],
    *,
    most_height_px: int = MOST_HEIGHT_PX,
) -> list[Image]:
    """Return single frames with the skeleton, (H, W, 3) uint8 each, by their numbers and in their order.

    Raises
    ------
    InputError
        The video cannot be read, is another one than the keypoints are from, or has no such frame.
    """
    wanted = set(frames)
    found: dict[int, Image] = {}
    with VideoReader(video) as reader:
        _check_same(os.fspath(video), (reader.info.width, reader.info.height), keypoints)
        for number, frame in enumerate(rising(reader)):
            if number in wanted:
                found[number] = draw_pose(frame.image, keypoints, number, most_height_px)
            if len(found) == len(wanted):
                break
    missing = sorted(wanted - set(found))
    if missing:
        raise InputError(f"{os.fspath(video)} has no frame {missing[0]}: it ends before")
    return [found[number] for number in frames]


def draw_pose(image: Image, keypoints: Keypoints, number: int, most_height_px: int = MOST_HEIGHT_PX) -> Image:
    """Return frame `number` of the video, reduced, with the skeleton drawn into it."""
    height, width = image.shape[:2]
    scale = min(1.0, most_height_px / height)
    small = image if scale == 1 else resize(image, round(width * scale), round(height * scale))
    points = keypoints.positions[number] * scale
    return draw.skeleton(small, points, keypoints.edges(), keypoints.scores[number], LEAST_SCORE)


def _pictures(reader: VideoReader, keypoints: Keypoints, most_height_px: int) -> Iterator[tuple[Image, float]]:
    """Yield each frame that there are keypoints of, drawn, and its time; a break ends them, as it ended these."""
    try:
        for number, frame in enumerate(rising(reader)):
            if number >= len(keypoints):
                return
            yield draw_pose(frame.image, keypoints, number, most_height_px), frame.time_s
    except BrokenStreamError:
        return


def _check_same(name: str, size_px: tuple[int, int], keypoints: Keypoints) -> None:
    if keypoints.size_px != size_px:
        raise InputError(f"{name} has frames of {size_px}, the keypoints are of {keypoints.size_px}: give their video")
    if not len(keypoints):
        raise InputError(f"there are no keypoints to draw into {name}")

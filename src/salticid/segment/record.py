"""Write a stream as a video: every picture at the time of its frame."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable

from salticid.core.types import Image
from salticid.core.video import VideoWriter
from salticid.core.video_writer import codec_of, likely_fps
from salticid.errors import InputError
from salticid.runtime.clock import StageClock


def write_video(
    pictures: Iterable[tuple[Image, float]],
    path: str | os.PathLike[str],
    *,
    fps: float | None = None,
    overwrite: bool = False,
    clock: StageClock | None = None,
) -> None:
    """Write pictures, (H, W, 3) uint8 of one size, and their times in seconds, as a video that begins at 0 s.

    Parameters
    ----------
    path
        Ends in .mp4, .mov, .mkv or .webm. The file appears when all pictures are in it, and not at all otherwise.
    fps
        Rate of the source, where it is known: how long the last picture is shown.
    clock
        Gets what writing took, as stage "write".

    Raises
    ------
    InputError
        Another suffix, no pictures, pictures of several sizes, times that do not grow, or the file exists and
        `overwrite` is false.
    MissingError
        The extra `video` is not installed.
    ResourceError
        The disk is full.
    """
    codec, clock = codec_of(path), clock or StageClock()
    remaining = iter(pictures)
    first = next(remaining, None)
    if first is None:
        raise InputError(f"there is no frame to write to {os.fspath(path)}")
    (height, width), start_s = first[0].shape[:2], first[1]
    with VideoWriter(path, fps=likely_fps(fps), width=width, height=height, codec=codec, overwrite=overwrite) as video:
        for picture, time_s in itertools.chain([first], remaining):
            with clock("write"):
                video.write(picture, time_s - start_s)

"""Write a stream as a video: every picture at the time of its frame."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

from salticid.core.types import Image
from salticid.core.video import VideoWriter
from salticid.core.video_writer import Codec
from salticid.errors import InputError
from salticid.runtime.clock import StageClock

# Plays everywhere, but WebM holds no H.264.
CODECS: dict[str, Codec] = {".mp4": "h264", ".mov": "h264", ".mkv": "h264", ".webm": "vp9"}

USUAL_FPS = 30.0
MOST_FPS = 1000.0  # some sources tell the ticks of their clock instead


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
    rate = fps if fps and 0.1 <= fps <= MOST_FPS else USUAL_FPS
    with VideoWriter(path, fps=rate, width=width, height=height, codec=codec, overwrite=overwrite) as video:
        for picture, time_s in itertools.chain([first], remaining):
            with clock("write"):
                video.write(picture, time_s - start_s)


def codec_of(path: str | os.PathLike[str]) -> Codec:
    """Return the codec for a video file of this name; `InputError` where there is none."""
    suffix = Path(path).suffix.lower()
    if suffix not in CODECS:
        raise InputError(f"cannot write {os.fspath(path)}: a video ends in {', '.join(CODECS)}")
    return CODECS[suffix]

"""Frames on their way to be enlarged, and what is known of them beforehand: those of a file, or of a camera."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from salticid.core.types import Image
from salticid.core.video import Frame, VideoReader
from salticid.errors import BrokenStreamError, InputError


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """Frames that are read once, from first to last."""

    name: str  # of their source, as messages call it
    frames: Iterable[Frame]
    size: tuple[int, int]  # height and width of a frame, upright
    fps: float | None  # of the source, where it tells
    count: int | None = None  # of the frames, where it is told
    duration_s: float | None = None  # likewise
    live: bool = False  # goes on whether or not anybody keeps up: the newest frame wins
    limit_s: float = math.inf  # what begins later than this after the first frame is left out, of the sound as well

    @property
    def expected(self) -> int | None:
        """How many frames it will be, as far as anything tells."""
        if self.count or not (self.fps and self.duration_s):
            return self.count
        return max(1, round(self.fps * self.duration_s))

    def limited(self, seconds: float) -> Footage:
        """Return the part that begins within this time of the first frame; errors are those of `check_seconds`."""
        check_seconds(seconds)
        count = min(self.count, math.ceil(seconds * self.fps)) if self.count and self.fps else None
        duration_s = min(seconds, self.duration_s or math.inf)
        frames = _within(self.frames, seconds)
        return replace(self, frames=frames, count=count, duration_s=duration_s, limit_s=seconds)

    def checked(self) -> Iterator[Frame]:
        """Yield the frames; `BrokenStreamError` at the first one of another size."""
        for frame in self.frames:
            if frame.image.shape[:2] != self.size:
                raise BrokenStreamError(self._other_size(frame.index, frame.image), frame.index)
            yield frame

    def _other_size(self, index: int, image: Image) -> str:
        (height, width), (rows, columns) = image.shape[:2], self.size
        what = f"frame {index} of {self.name} is {width} x {height}, not {columns} x {rows}"
        return what if self.live else f"{what}: cut the video there, and enlarge both parts"


def footage_of(video: VideoReader, path: str | os.PathLike[str]) -> Footage:
    """Return what an open video shows."""
    info = video.info
    size = info.height, info.width
    return Footage(os.fspath(path), video, size, info.average_fps, info.frame_count, info.duration_s)


def check_seconds(seconds: float) -> None:
    """Raise `InputError` now when footage could not be limited to this time."""
    if not 0 < seconds < math.inf:
        raise InputError(f"seconds must be above 0, and finite, not {seconds}: leave it out to take everything")


def _within(frames: Iterable[Frame], seconds: float) -> Iterator[Frame]:
    first_s = None
    for frame in frames:
        first_s = frame.time_s if first_s is None else first_s
        if frame.time_s - first_s >= seconds:
            return
        yield frame

"""What a file claims of its recording, held against what recordings are: a few bytes must not ask for gigabytes."""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError

MOST_SIDE_PX, MOST_PIXELS = 1 << 15, 1 << 27  # of a picture; 8K has a quarter of each
LEAST_FPS, MOST_FPS = 0.08, 100_000.0  # milliseconds that are taken for seconds are mostly below it
MOST_SAMPLES = 1 << 20  # at the file's rate from its first time to its last: five hours at 60 frames a second


def picture_size(width: float, height: float, file: str) -> tuple[int, int]:
    """Return the size of a picture in whole pixels; `InputError` where there is no such picture."""
    sides = 1 <= width <= MOST_SIDE_PX and 1 <= height <= MOST_SIDE_PX
    if not (sides and width * height <= MOST_PIXELS):
        raise InputError(
            f"{file}: its picture is said to have a width and a height of {width:g} and {height:g} pixels: "
            f"1 to {MOST_SIDE_PX:,} each and {MOST_PIXELS:,} in all are read; correct them or leave them out"
        )
    return int(width), int(height)


def check_times(times_s: Array, file: str) -> None:
    """Raise `InputError` where rising times, (N,) s, are those of no recording of a body that moves."""
    if len(times_s) < 2:
        return
    rate, span_s = 1 / float(np.median(np.diff(times_s))), float(times_s[-1] - times_s[0])
    if not LEAST_FPS <= rate <= MOST_FPS:
        raise InputError(
            f"{file}: its times make {rate:g} frames per second: they must be in seconds (in a column time_ms: "
            f"milliseconds), or say how many frames were filmed per second (--fps, fps=)"
        )
    if span_s * rate > max(MOST_SAMPLES, 2 * len(times_s)):
        raise InputError(
            f"{file}: its {len(times_s):,} frames at {rate:g} per second are spread over {span_s:g} s: a time is "
            f"wrong, or it is several recordings; cut it into clips"
        )

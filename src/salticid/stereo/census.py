"""The census transform: each pixel becomes the bits that say which of its neighbors are darker.

The Hamming distance between two codes compares two surroundings by their order of gray values alone, so gain, offset
and gamma between two cameras do not matter.

    Zabih and Woodfill 1994, "Non-parametric local transforms for computing visual correspondence", ECCV, section 3
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from salticid.core import native
from salticid.errors import InputError

CensusWindow = Literal["5x5", "9x7"]

WINDOWS: dict[str, tuple[int, int]] = {"5x5": (5, 5), "9x7": (9, 7)}  # width, height in pixels


def census(
    gray: NDArray[np.uint8],
    window: CensusWindow = "9x7",
    *,
    threads: int = 1,
    instruction_set: str | None = None,
) -> NDArray[np.uint64]:
    """Return the census code of every pixel of `gray`, its border replicated.

    The neighbors in the window are read row by row; the first is the most significant of the 24 (5x5) or 62 (9x7)
    bits in use, and a bit is set where the neighbor is darker than the center.

    Parameters
    ----------
    gray
        (H, W) uint8, of any strides and of at least one pixel.
    window
        Width x height of the surroundings.
    threads
        Bands of rows that are computed side by side.
    instruction_set
        One of `salticid.core.native.instruction_sets()`, or None for the best. The codes are the same for all, and
        the same as `census_reference` gives, which is used where no kernels were built.

    Returns
    -------
    NDArray[np.uint64]
        (H, W).

    Raises
    ------
    InputError
        `gray` is not such an image, or an option has a value that is not allowed.
    MissingError
        `instruction_set` names one that this machine does not run.
    """
    _check(gray, window)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads must be a whole number of at least 1, not {threads!r}")
    chosen = native.choose(instruction_set)
    kernels = native.load()
    if kernels is None:
        return census_reference(gray, window)
    rows = gray if gray.strides[1] == 1 else np.ascontiguousarray(gray)
    codes = np.empty(gray.shape, np.uint64)
    kernels.census(rows, codes, window, threads, chosen)
    return codes


def census_reference(gray: NDArray[np.uint8], window: CensusWindow = "9x7") -> NDArray[np.uint64]:
    """Return what `census` returns, computed with numpy, one neighbor at a time."""
    _check(gray, window)
    width, height = WINDOWS[window]
    padded = np.pad(gray, ((height // 2, height // 2), (width // 2, width // 2)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, gray.shape)  # (height, width, H, W)
    codes = np.zeros(gray.shape, np.uint64)
    for dy, dx in np.ndindex(height, width):
        if (dy, dx) != (height // 2, width // 2):
            codes <<= 1
            codes |= views[dy, dx] < gray
    return codes


def hamming(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return the number of bits in which the codes `a` and `b` differ, 0 to 62 for the larger window.

    Raises
    ------
    InputError
        `a` or `b` is not uint64, or their shapes do not broadcast.
    """
    for codes in (a, b):
        if getattr(codes, "dtype", None) != np.uint64:
            given = getattr(codes, "dtype", type(codes).__name__)
            raise InputError(f"census codes are uint64, not {given}: give what census() returned")
    try:
        distances: NDArray[np.uint8] = np.bitwise_count(a ^ b)
    except ValueError as error:
        raise InputError(f"census codes of shapes {a.shape} and {b.shape} cannot be compared pixel by pixel") from error
    return distances


def _check(gray: NDArray[np.uint8], window: str) -> None:
    if not isinstance(gray, np.ndarray) or gray.dtype != np.uint8 or gray.ndim != 2:
        given = f"{gray.dtype} {gray.shape}" if isinstance(gray, np.ndarray) else type(gray).__name__
        raise InputError(f"gray must be a uint8 array (H, W), not {given}: convert the image to gray first")
    if gray.size == 0:
        raise InputError(f"gray has no pixels: its shape is {gray.shape}; give at least 1x1")
    if window not in tuple(WINDOWS):
        raise InputError(f"window must be one of {', '.join(WINDOWS)}, not {window!r}")

"""Kernels in C++; `salticid.core.native` says which of them this machine runs."""

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import FloatMap, Image, Mask

def instruction_sets() -> tuple[str, ...]:
    """Return the instruction sets usable on this machine, best first; the last is "scalar"."""

def census(gray: NDArray[np.uint8], codes: NDArray[np.uint64], window: str, threads: int, instruction_set: str) -> None:
    """Write the census codes of `gray` (H, W), of contiguous columns, to `codes` (H, W), contiguous.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or the window or the instruction set is unknown here.
    TypeError
        An array has another dtype or number of axes, or cannot be written.
    """

class Sgm:
    """Semi-global matching with these options; keeps its working memory from one pair to the next.

    Of `penalties` the first is P1; P2 falls from the second by the fourth for each gray level, to the third.
    """

    def __init__(
        self,
        window: str,
        paths: int,
        min_disparity: int,
        num_disparities: int,
        penalties: tuple[int, int, int, int],
        uniqueness_percent: int,
        left_right: int,
        instruction_set: str,
    ) -> None:
        """Prepare for pairs of any size.

        Raises
        ------
        ValueError
            A value is out of its range, or the window or the instruction set is unknown here.
        TypeError
            A value has another type, or does not fit that of the kernels.
        """

    def match(
        self,
        left: Image,
        right: Image,
        disparity: FloatMap,
        confidence: FloatMap,
        evidence: tuple[NDArray[np.uint16], ...] | None,
        threads: int,
        thrifty: bool,
    ) -> None:
        """Match two views (H, W), of contiguous columns, and write to `disparity` and `confidence` (H, W), contiguous.

        And to `evidence`, unless None, six (H, W), contiguous: the sums of the winner, of the candidates before and
        after it and of the second best, the difference to the right view's winner and that between the sweeps.

        Raises
        ------
        ValueError
            The arrays do not fit each other.
        TypeError
            An array has another dtype or number of axes, or cannot be written.
        MemoryError
            The working memory is not to be had.
        """

    def bytes(self, height: int, width: int, threads: int, thrifty: bool, evidence: bool) -> int:
        """Return the working memory that `match` takes for a pair of this size, bytes."""

def census_compare_only(count: int, instruction_set: str) -> None:
    """Make `count` comparisons of bytes and nothing else, to time the least that a census of them could take."""

def median_of_known(disparity: FloatMap, result: FloatMap, threads: int, instruction_set: str) -> None:
    """Write the medians of `disparity` (H, W) to `result` (H, W), which overlap nowhere; both of contiguous columns.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or the instruction set is unknown here.
    TypeError
        An array has another dtype or number of axes, or cannot be written.
    """

def remove_speckles(disparity: FloatMap, area_px: int, range_px: float, threads: int) -> None:
    """Make small islands of `disparity` (H, W), of contiguous columns, unknown.

    Raises
    ------
    ValueError
        The array is empty, or its columns are not contiguous.
    TypeError
        It has another dtype or number of axes, or cannot be written.
    """

def guided_median(
    disparity: FloatMap,
    kept: Mask,
    image: Image,
    weights: NDArray[np.uint32],
    reach: int,
    spacing: int,
    result: FloatMap,
    threads: int,
    instruction_set: str,
) -> None:
    """Write to `result` (H, W) the pixels `kept` of `disparity`, and for the others the weighted median around them.

    `image` is (H, W, C), contiguous; `weights` has 255 C + 1 numbers, up to 1 000 000, for each sum of differences of
    two pixels.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or a number is out of its range.
    TypeError
        An array has another dtype or number of axes, or cannot be written.
    """

"""Semi-global matching by the native kernels: the cost of every disparity, added up along 4 or 8 paths.

    Hirschmueller 2008, "Stereo processing by semiglobal matching and mutual information", IEEE TPAMI 30(2)

The cost of a match is the number of census bits that differ, plus how much the horizontal gradients differ, up to a
cap; neither minds if one view is brighter. `sgm_reference.py` has the same in numpy, as a lecture.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from salticid.core import native
from salticid.core.recycle import Recycler
from salticid.core.types import Array, Image
from salticid.errors import InputError, MissingError, ResourceError
from salticid.stereo.matched import Evidence, Matched
from salticid.stereo.ranges import WORTHWHILE, Ranges, half_search, half_size, search_ranges

SgmWindow = Literal["5x5", "7x7", "9x7"]

WINDOWS: tuple[SgmWindow, ...] = ("5x5", "7x7", "9x7")  # 24, 24 and 32 neighbors; the larger two take every second one
PATHS = (4, 8)
MAX_PENALTY = 63  # what four paths add to a cost then fits a byte
MAX_SLOPE = 63
MAX_DISPARITIES = 4096
MAX_LEFT_RIGHT_PX = 4096
MAX_SIZE = 1 << 20  # px, either way
MAX_THREADS = 1 << 16


class SemiGlobalMatcher:
    """Matches rectified gray views; keeps its working memory from one pair to the next, and that of results let go.

    The result does not depend on `threads`, `instruction_set` or `low_memory`. Threads may share a matcher: they take
    turns.
    """

    def __init__(
        self,
        *,
        window: SgmWindow = "7x7",
        paths: int = 8,
        min_disparity: int = 0,
        num_disparities: int = 128,
        p1: int = 16,
        p2: int = 63,
        p2_least: int = 12,
        p2_slope: int = 4,
        uniqueness_percent: int = 0,
        left_right_px: int = 1,
        coarse_to_fine: bool = False,
        threads: int = 1,
        instruction_set: str | None = None,
    ) -> None:
        """Prepare for pairs of any size.

        Parameters
        ----------
        window
            Surroundings of a pixel that the census compares with it.
        paths
            4: along rows and columns; 8: along the diagonals too.
        min_disparity, num_disparities
            The range to search, px.
        p1, p2
            Penalties for a change of disparity by 1 and by more, in units of one census bit.
        p2_least, p2_slope
            P2 falls by `p2_slope` for each gray level between two pixels, to `p2_least`: depth changes at edges.
        uniqueness_percent
            A disparity is unknown unless the sum of the second best, farther than 1 px, is so much larger.
        left_right_px
            A disparity is unknown where the right view's differs by more; -1: no check.
        coarse_to_fine
            Search near the disparities that the views show at half their size, found in the same way (`ranges.py`).
            Takes about three quarters of the time for 128 disparities and less than half for 256; what is thin and far
            from its surroundings can be missed.
        threads
            Threads to work with.
        instruction_set
            One of `salticid.core.native.instruction_sets()`, or None for the best.

        Raises
        ------
        InputError
            A value is not allowed.
        MissingError
            The kernels were not built, or do not run `instruction_set` here.
        """
        _check_choice("window", window, WINDOWS)
        _check_choice("paths", paths, PATHS)
        _check_range("min_disparity", min_disparity, -MAX_DISPARITIES, MAX_DISPARITIES)
        _check_range("num_disparities", num_disparities, 1, MAX_DISPARITIES)
        _check_range("p2", p2, 0, MAX_PENALTY)
        _check_range("p1", p1, 0, p2)
        _check_range("p2_least", p2_least, 0, p2)
        _check_range("p2_slope", p2_slope, 0, MAX_SLOPE)
        _check_range("uniqueness_percent", uniqueness_percent, 0, 100)
        _check_range("left_right_px", left_right_px, -1, MAX_LEFT_RIGHT_PX)
        _check_choice("coarse_to_fine", coarse_to_fine, (False, True))
        _check_range("threads", threads, 1, MAX_THREADS)
        chosen = native.choose(instruction_set)
        kernels = native.load()
        if kernels is None:
            raise MissingError(f"engine native cannot be used: {native.reason()}")
        self.min_disparity, self.num_disparities = min_disparity, num_disparities
        self.threads = threads
        self._half: SemiGlobalMatcher | None = None
        if coarse_to_fine and num_disparities > WORTHWHILE:
            half_first, half_number = half_search(min_disparity, num_disparities)
            self._half = SemiGlobalMatcher(
                window=window,
                paths=paths,
                min_disparity=half_first,
                num_disparities=half_number,
                p1=p1,
                p2=p2,
                p2_least=p2_least,
                p2_slope=p2_slope,
                coarse_to_fine=True,
                threads=threads,
                instruction_set=instruction_set,
            )
        self._results = Recycler()
        self._sgm = kernels.Sgm(
            *(window, paths, min_disparity, num_disparities, (p1, p2, p2_least, p2_slope)),
            *(uniqueness_percent, left_right_px, chosen),
        )

    def __call__(self, left: Image, right: Image, *, evidence: bool = False, low_memory: bool = False) -> Matched:
        """Match one pair.

        Parameters
        ----------
        left, right
            (H, W) uint8 of any strides, of one size and at least one pixel.
        evidence
            Return the evidence for each pixel too; takes about 40 % longer.
        low_memory
            Compute some things twice rather than keep them: for large views a small part of the memory, in about a
            third more time.

        Raises
        ------
        InputError
            The views are not such arrays.
        ResourceError
            The memory that it takes is not to be had.
        """
        views = _checked_pair(left, right)
        shape = views[0].shape
        try:
            ranges = self.ranges(*views, low_memory=low_memory)
            disparity_px, confidence = (self._results.empty(shape, np.float32) for _ in range(2))
            counts = tuple(np.empty(shape, np.uint16) for _ in range(6)) if evidence else None
            self._sgm.match(*views, ranges, disparity_px, confidence, counts, self.threads, bool(low_memory))
        except MemoryError as error:
            needed = self.memory_bytes(*shape, low_memory=low_memory, evidence=evidence)
            hint = "use fewer disparities or smaller views" if low_memory else "say low_memory=True"
            raise ResourceError(f"matching {shape[1]}x{shape[0]} takes {needed / 1e6:.0f} MB: {hint}") from error
        return Matched(disparity_px, confidence, Evidence(*counts) if counts else None)

    @property
    def coarse_to_fine(self) -> bool:
        """Whether the search is from coarse to fine: few disparities are searched in full also where that was asked."""
        return self._half is not None

    def ranges(self, left: Image, right: Image, *, low_memory: bool = False) -> Ranges | None:
        """Return which disparities each tile of 64x8 pixels will search, or None where all are searched.

        Parameters
        ----------
        left, right
            (H, W) uint8, of one size and at least one pixel.

        Returns
        -------
        Ranges
            (tiles down, tiles across, 2) uint32: the first disparity, counted from `min_disparity`, and how many.

        Raises
        ------
        InputError
            The views are not such arrays.
        """
        views = _checked_pair(left, right)
        if self._half is None:
            return None
        coarse = self._half(*map(half_size, views), low_memory=low_memory)
        return search_ranges(coarse.disparity_px, self.min_disparity, self.num_disparities, threads=self.threads)

    def memory_bytes(self, height: int, width: int, *, low_memory: bool = False, evidence: bool = False) -> int:
        """Return the working memory that a pair takes beyond views and results; it is kept for the next pair."""
        _check_range("height", height, 1, MAX_SIZE)
        _check_range("width", width, 1, MAX_SIZE)
        stated: int = self._sgm.bytes(
            height, width, self.coarse_to_fine, self.threads, bool(low_memory), bool(evidence)
        )
        if self._half is not None:
            stated += self._half.memory_bytes(-(-height // 2), -(-width // 2), low_memory=low_memory)
        return stated


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if type(value) is not type(choices[0]) or value not in choices:
        raise InputError(f"{name} must be one of {', '.join(map(str, choices))}, not {value!r}")


def _check_range(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} must be a whole number of {low} to {high}, not {value!r}")


def _checked_pair(left: Array, right: Array) -> tuple[Image, Image]:
    views = _checked_view("left", left), _checked_view("right", right)
    if views[0].shape != views[1].shape:
        raise InputError(f"the views differ in size: left {views[0].shape}, right {views[1].shape}")
    return views


def _checked_view(name: str, view: Array) -> Image:
    if not isinstance(view, np.ndarray) or view.dtype != np.uint8:
        given = getattr(view, "dtype", type(view).__name__)
        raise InputError(f"the {name} view must be a uint8 array, not {given}")
    if view.ndim != 2 or view.size == 0:
        raise InputError(f"the {name} view must be (H, W) and not empty, not {view.shape}")
    return view if view.strides[1] == 1 else np.ascontiguousarray(view)

"""The engine of our own kernels: semi-global matching, then a median and the removal of speckles."""

from __future__ import annotations

import numpy as np

from salticid.core.recycle import Recycler
from salticid.core.types import FloatMap, Image
from salticid.errors import InputError
from salticid.runtime import hardware
from salticid.runtime.clock import StageClock
from salticid.stereo.filters import median_of_known, remove_speckles
from salticid.stereo.matched import Matched
from salticid.stereo.options import StereoOptions
from salticid.stereo.sgm import SemiGlobalMatcher

RESULT_BYTES = 24  # of a pixel: disparity before and after the median, confidence, and evidence
# In a full search the left-right check, speckles and confidence tell right from wrong better. From coarse to fine,
# where only what is near can be a rival, a little of it helps.
UNIQUENESS_PERCENT = {"full": 0, "coarse to fine": 3}


class NativeEngine:
    """Holds the matcher and its working memory."""

    def __init__(self, options: StereoOptions, mode: str, threads: int) -> None:
        """Prepare to match in `mode`: sgm4 or sgm8.

        Raises
        ------
        InputError
            An option was set that only the other engine has.
        MissingError
            The kernels were not built.
        """
        if options.block_size is not None:
            raise InputError(
                "block_size is an option of engine opencv: leave it out, choose a window, or say that engine"
            )
        self.options = options
        self.threads = threads
        self._matcher = SemiGlobalMatcher(
            window=options.window,
            paths=int(mode.removeprefix("sgm")),
            min_disparity=options.min_disparity,
            num_disparities=options.num_disparities,
            uniqueness_percent=_uniqueness_percent(options),
            left_right_px=options.left_right_px,
            coarse_to_fine=options.coarse_to_fine,
            threads=threads,
        )
        self._results = Recycler()
        self._large: dict[tuple[int, ...], bool] = {}

    def __call__(self, left: Image, right: Image, clock: StageClock, *, evidence: bool) -> Matched:
        """Match two gray views, (H, W) uint8."""
        low_memory = self.options.low_memory or self._is_large(left.shape)
        with clock("match"):
            matched = self._matcher(left, right, evidence=evidence, low_memory=low_memory)
        with clock("median"):
            disparity_px: FloatMap = self._results.empty(left.shape, np.float32)
            median_of_known(matched.disparity_px, threads=self.threads, out=disparity_px)
        with clock("speckles"):
            area_px, range_px = self.options.speckle_area_px, self.options.speckle_range_px
            remove_speckles(disparity_px, area_px, range_px, threads=self.threads, out=disparity_px)
            self._forget_what_lies_outside(disparity_px)
            np.multiply(matched.confidence, np.isfinite(disparity_px), out=matched.confidence)
        remarks = ["coarse to fine"] if self._matcher.coarse_to_fine else []
        if low_memory > self.options.low_memory:
            remarks.append("in bands: memory is short")
        return Matched(disparity_px, matched.confidence, matched.evidence, ", ".join(remarks))

    def _forget_what_lies_outside(self, disparity_px: FloatMap) -> None:
        """Leave out matches beyond the ends of the right view, where the median may have moved them by a little."""
        width = disparity_px.shape[1]
        first, end = self.options.min_disparity, self.options.min_disparity + self.options.num_disparities
        left = disparity_px[:, : max(0, end)]
        right = disparity_px[:, max(0, width + min(0, first)) :]
        if self.options.full_width:
            left[left > np.arange(left.shape[1])] = np.nan
            right[right < np.arange(-right.shape[1], 0) + 1] = np.nan
        else:
            left[:] = right[:] = np.nan

    def _is_large(self, shape: tuple[int, ...]) -> bool:
        """Whether to compute things twice instead: the result is the same, so nobody has to be asked.

        Asked once for each size of image: later the memory that is missing may be our own.
        """
        if shape not in self._large:
            results_bytes = RESULT_BYTES * shape[0] * shape[1]
            self._large[shape] = self._matcher.memory_bytes(*shape) + results_bytes > hardware.memory_budget()
        return self._large[shape]


def _uniqueness_percent(options: StereoOptions) -> int:
    search = "coarse to fine" if options.coarse_to_fine else "full"
    return UNIQUENESS_PERCENT[search] if options.uniqueness_percent is None else options.uniqueness_percent

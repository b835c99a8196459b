"""Matching a pair: for each pixel of the left view, how far to the left the right view shows the same thing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from salticid.core.types import Array, FloatMap, Image
from salticid.errors import InputError
from salticid.runtime import hardware
from salticid.stereo import opencv_engine
from salticid.stereo.calibration import Calibration, Rectifier
from salticid.stereo.confidence import match_confidence
from salticid.stereo.disparity import DisparityMap
from salticid.stereo.options import StereoOptions

# What each engine makes of the options: a function of two gray views to the disparity of the left one.
ENGINES: dict[str, Callable[[StereoOptions], Callable[[Image, Image], FloatMap]]] = {"opencv": opencv_engine.prepare}


class StereoMatcher:
    """Matches pairs of views; holds the rectification maps and the matcher's buffers.

    >>> matcher = StereoMatcher(profile="speed", num_disparities=64)
    >>> matcher.options.mode
    '3way'
    """

    def __init__(
        self, rig: Calibration | None = None, *, profile: str = "quality", threads: int | None = None, **options: Any
    ) -> None:
        """Prepare for pairs that `rig` took; without a rig the pairs must be rectified already.

        Parameters
        ----------
        rig
            Calibration of the cameras. Where it tells how far to search, that is the default of `num_disparities`.
        profile
            speed, quality or memory: a row of `StereoOptions.PROFILES`.
        threads
            CPU threads of the steps that are ours; None: all that this process may use. OpenCV's matchers take as many
            as `cv2.getNumThreads()` says.
        options
            Any field of `StereoOptions`.

        Raises
        ------
        InputError
            An option is unknown or has a value that is not allowed.
        """
        hint = {"num_disparities": rig.num_disparities} if rig is not None and rig.num_disparities else {}
        self.options = StereoOptions.profile(profile).replace(**{**hint, **options})
        self.rig = rig
        self.threads = hardware.threads() if threads is None else threads
        self._rectifier = Rectifier(rig) if rig is not None and not rig.is_rectified else None
        self._match = ENGINES[self.options.engine](self.options)

    def __call__(self, left: Image, right: Image) -> DisparityMap:
        """Match one pair.

        Parameters
        ----------
        left, right
            (H, W) gray or (H, W, 3) RGB, uint8, of one size. Rectified, unless the matcher has a rig that rectifies.

        Raises
        ------
        InputError
            The views are not such arrays, or their size is not the rig's.
        """
        self._check_pair(left, right)
        clock = _Clock()
        if self._rectifier is not None:
            with clock("rectify"):
                left, right = self._rectifier(left, right)
        grays = _gray(left), _gray(right)
        with clock("match"):
            disparity_px = self._match(*grays)
        if self._rectifier is not None:
            disparity_px[~self._rectifier.visible] = np.nan
        with clock("confidence"):
            confidence = match_confidence(*grays, disparity_px, threads=self.threads)
        engine = f"{self.options.engine}:{self.options.mode}"
        return DisparityMap(disparity_px, confidence, left, engine, clock.latency_ms)

    def _check_pair(self, left: Array, right: Array) -> None:
        for name, view in (("left", left), ("right", right)):
            if not isinstance(view, np.ndarray) or view.dtype != np.uint8:
                given = getattr(view, "dtype", type(view).__name__)
                raise InputError(f"the {name} view must be a uint8 array, not {given}")
            if view.ndim not in (2, 3) or (view.ndim == 3 and view.shape[2] != 3) or view.size == 0:
                raise InputError(f"the {name} view must be (H, W) or (H, W, 3) and not empty, not {view.shape}")
        (height, width), other = left.shape[:2], right.shape[:2]
        if (height, width) != other:
            raise InputError(f"the views differ in size: left {width}x{height}, right {other[1]}x{other[0]}")
        if self.rig is not None and self.rig.image_size != (width, height):
            raise InputError(
                f"the calibration is for views of {'{}x{}'.format(*self.rig.image_size)}, not {width}x{height}"
            )


class _Clock:
    """Milliseconds per stage."""

    def __init__(self) -> None:
        self.latency_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.latency_ms[stage] = 1000 * (time.perf_counter() - start)


def _gray(view: Image) -> Image:
    if view.ndim == 2:
        return np.ascontiguousarray(view)
    return np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.uint8)

"""Matching a pair: for each pixel of the left view, how far to the left the right view shows the same thing."""

from __future__ import annotations

from typing import Any, Protocol

import cv2
import numpy as np

from salticid.core import native
from salticid.core.types import Array, FloatMap, Image
from salticid.errors import InputError
from salticid.runtime import hardware
from salticid.runtime.clock import StageClock
from salticid.stereo.calibration import Calibration, Rectifier
from salticid.stereo.disparity import DisparityMap
from salticid.stereo.fill import MOST_PX
from salticid.stereo.matched import Matched
from salticid.stereo.native_engine import NativeEngine
from salticid.stereo.opencv_engine import OpencvEngine
from salticid.stereo.options import StereoOptions
from salticid.stereo.refine import Refiner
from salticid.stereo.refine_network import MODEL


class Engine(Protocol):
    """What matches two rectified gray views, (H, W) uint8, and times its stages."""

    def __call__(self, left: Image, right: Image, clock: StageClock, *, evidence: bool) -> Matched:
        """Match one pair; InputError where `evidence` cannot be given."""


class EngineFactory(Protocol):
    """What makes an engine ready."""

    def __call__(self, options: StereoOptions, mode: str, threads: int) -> Engine:
        """Prepare to match in `mode`."""


ENGINES: dict[str, EngineFactory] = {"native": NativeEngine, "opencv": OpencvEngine}


class StereoMatcher:
    """Matches pairs of views; holds the rectification maps and the matcher's buffers.

    >>> matcher = StereoMatcher(profile="speed", mode="3way", num_disparities=64)
    >>> matcher.engine
    'opencv:3way'
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
            An option is unknown, has a value that is not allowed, or is not one of the engine's.
        MissingError
            The engine native was asked for, and its kernels were not built.
        IntegrityError
            The refinement network is damaged.
        """
        hint = {"num_disparities": rig.num_disparities} if rig is not None and rig.num_disparities else {}
        self.options = StereoOptions.profile(profile).replace(**{**hint, **options})
        self.rig = rig
        self.threads = hardware.threads() if threads is None else threads
        self._rectifier = Rectifier(rig) if rig is not None and not rig.is_rectified else None
        engine, mode = choose_engine(self.options)
        self.engine = f"{engine}:{mode}"
        self._match = ENGINES[engine](self.options, mode, self.threads)
        self._refiner = make_refiner(self.options, self.threads) if self.options.refine else None

    def __call__(self, left: Image, right: Image, *, evidence: bool = False) -> DisparityMap:
        """Match one pair.

        Parameters
        ----------
        left, right
            (H, W) gray or (H, W, 3) RGB, uint8, of one size. Rectified, unless the matcher has a rig that rectifies.
        evidence
            Keep what speaks for each disparity too; engine native alone can tell.

        Raises
        ------
        InputError
            The views are not such arrays, or their size is not the rig's.
        """
        self._check_pair(left, right)
        clock = StageClock()
        if self._rectifier is not None:
            with clock("rectify"):
                left, right = self._rectifier(left, right)
        grays = _gray(left), _gray(right)
        matched = self._match(*grays, clock, evidence=evidence)
        disparity_px, confidence, measured = self._leave_unseen(matched.disparity_px), matched.confidence, None
        engine = f"{self.engine} ({matched.remark})" if matched.remark else self.engine
        if self._refiner is not None:
            with clock("refine"):
                refined = self._refiner(disparity_px, confidence, left)
                disparity_px, confidence = self._leave_unseen(refined.disparity_px), refined.confidence
            measured, engine = refined.measured, f"{engine}, refined by {refined.method}"
        if self._rectifier is not None:
            confidence[~self._rectifier.visible] = 0
        return DisparityMap(disparity_px, confidence, left, engine, clock.latency_ms, matched.evidence, measured)

    def _leave_unseen(self, disparity_px: FloatMap) -> FloatMap:
        """Make unknown what the rectified view does not show."""
        if self._rectifier is not None:
            disparity_px[~self._rectifier.visible] = np.nan
        return disparity_px

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


def choose_engine(options: StereoOptions) -> tuple[str, str]:
    """Return the engine and the mode that `options` ask for.

    Raises
    ------
    InputError
        The mode is not one of the engine's.
    """
    if options.mode is not None:
        [engine] = [name for name, modes in options.MODES.items() if options.mode in modes]
        if options.engine not in (None, engine):
            raise InputError(f"mode {options.mode} is one of engine {engine}, not of {options.engine}: leave one out")
        return engine, options.mode
    if (options.engine or ("native" if native.load() else "opencv")) == "native":
        return "native", f"sgm{options.paths}"
    return "opencv", "3way" if options.paths == 4 or options.low_memory else "hh4"


def make_refiner(options: StereoOptions, threads: int) -> Refiner:
    """Return what refines maps as `options` ask.

    Raises
    ------
    InputError
        The search goes further than a refinement can.
    MissingError, IntegrityError
        The network is not on this machine, or is damaged.
    """
    farthest = max(abs(options.min_disparity), abs(options.min_disparity + options.num_disparities))
    if farthest > MOST_PX:
        raise InputError(
            f"refine works up to {MOST_PX} px of disparity, not {farthest}: search less far, or leave it out"
        )
    return Refiner(MODEL if options.refine_by == "network" else None, threads=threads)


def _gray(view: Image) -> Image:
    if view.ndim == 2:
        return np.ascontiguousarray(view)
    return np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.uint8)

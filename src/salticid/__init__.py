"""Real-time vision on the hardware people have: depth, motion, meaning and detail on a CPU.

    import salticid as sal

    pair = sal.simulate_pair()
    found = sal.StereoMatcher(num_disparities=128)(pair.left, pair.right)
    found.to_cloud(pair.rig).save("scan.ply")

Importing the package costs nothing: a name is loaded when it is used for the first time (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from salticid.core.image import read_image, write_image
    from salticid.engine.optimizer import ModelOptimizer
    from salticid.engine.tensorrt import TensorRTOptimizer
    from salticid.errors import (
        BrokenStreamError,
        InputError,
        IntegrityError,
        MissingError,
        RefusedBaselineError,
        ResourceError,
        SalticidError,
    )
    from salticid.motion.baseline import Baseline, create_baseline
    from salticid.motion.keypoints import Keypoints
    from salticid.motion.options import MotionOptions
    from salticid.motion.pose.estimator import PoseEstimator
    from salticid.motion.score import MotionScore
    from salticid.segment.infer import Segmenter
    from salticid.segment.losses import OHEMLoss
    from salticid.segment.network import FastSegNet
    from salticid.segment.options import SegmentOptions
    from salticid.segment.realtime import RealtimeSegmentation
    from salticid.segment.result import Segmentation
    from salticid.segment.train import SegmentationTrainer
    from salticid.stereo.calibration import Calibration
    from salticid.stereo.cloud import PointCloud
    from salticid.stereo.disparity import DisparityMap
    from salticid.stereo.fill import FilledMap, fill_holes
    from salticid.stereo.matching import StereoMatcher
    from salticid.stereo.options import StereoOptions
    from salticid.stereo.refine import RefinedMap, Refiner
    from salticid.stereo.refine_network import UltraLightweightRefinementNet
    from salticid.stereo.simulate import ScenePair, simulate_pair
    from salticid.upscale.infer import Upscaler
    from salticid.upscale.options import UpscaleOptions
    from salticid.upscale.result import Upscaled

__version__ = "0.1.0"

_HOMES = {
    "Baseline": "motion.baseline",
    "BrokenStreamError": "errors",
    "Calibration": "stereo.calibration",
    "DisparityMap": "stereo.disparity",
    "FastSegNet": "segment.network",
    "FilledMap": "stereo.fill",
    "InputError": "errors",
    "IntegrityError": "errors",
    "Keypoints": "motion.keypoints",
    "MissingError": "errors",
    "ModelOptimizer": "engine.optimizer",
    "MotionOptions": "motion.options",
    "MotionScore": "motion.score",
    "OHEMLoss": "segment.losses",
    "PointCloud": "stereo.cloud",
    "PoseEstimator": "motion.pose.estimator",
    "RealtimeSegmentation": "segment.realtime",
    "RefinedMap": "stereo.refine",
    "Refiner": "stereo.refine",
    "RefusedBaselineError": "errors",
    "ResourceError": "errors",
    "SalticidError": "errors",
    "ScenePair": "stereo.simulate",
    "SegmentOptions": "segment.options",
    "Segmentation": "segment.result",
    "SegmentationTrainer": "segment.train",
    "Segmenter": "segment.infer",
    "StereoMatcher": "stereo.matching",
    "StereoOptions": "stereo.options",
    "TensorRTOptimizer": "engine.tensorrt",
    "UltraLightweightRefinementNet": "stereo.refine_network",
    "UpscaleOptions": "upscale.options",
    "Upscaled": "upscale.result",
    "Upscaler": "upscale.infer",
    "create_baseline": "motion.baseline",
    "fill_holes": "stereo.fill",
    "read_image": "core.image",
    "simulate_pair": "stereo.simulate",
    "write_image": "core.image",
}

__all__ = [
    "Baseline",
    "BrokenStreamError",
    "Calibration",
    "DisparityMap",
    "FastSegNet",
    "FilledMap",
    "InputError",
    "IntegrityError",
    "Keypoints",
    "MissingError",
    "ModelOptimizer",
    "MotionOptions",
    "MotionScore",
    "OHEMLoss",
    "PointCloud",
    "PoseEstimator",
    "RealtimeSegmentation",
    "RefinedMap",
    "Refiner",
    "RefusedBaselineError",
    "ResourceError",
    "SalticidError",
    "ScenePair",
    "SegmentOptions",
    "Segmentation",
    "SegmentationTrainer",
    "Segmenter",
    "StereoMatcher",
    "StereoOptions",
    "TensorRTOptimizer",
    "UltraLightweightRefinementNet",
    "UpscaleOptions",
    "Upscaled",
    "Upscaler",
    "__version__",
    "create_baseline",
    "fill_holes",
    "read_image",
    "simulate_pair",
    "write_image",
]


def __getattr__(name: str) -> Any:
    """Load the public name `name` from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'salticid' has no attribute {name!r}")
    value = getattr(_home(name), name)
    globals()[name] = value
    return value


def _home(name: str) -> Any:
    """Import the module of a public name; `MissingError` with what installs it where an optional package is absent."""
    try:
        return importlib.import_module(f"salticid.{_HOMES[name]}")
    except ModuleNotFoundError as problem:
        from salticid.engine import packages

        if problem.name not in packages.INSTALL:
            raise
        raise packages.missing(problem.name) from problem


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *__all__})

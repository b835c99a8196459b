"""What is compared: an image in, one four times as large out; all are told by plain values, for fresh processes too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from salticid.core.types import Array, Image
from salticid.engine.session import Session
from salticid.errors import MissingError
from salticid.runtime.clock import StageClock
from salticid.upscale.engines import sizes

OPENCV, PEER, OURS = "OpenCV", "peer", "Salticid"
SCALE, SCALES = 4, (2, 4)  # of times and memory, and of accuracy
THREADS = 2
IMAGE, LARGE = "image", "large"  # what the files of peers take and give
NETWORK, TOTAL = "network", "total"  # the stage that is no pixel work, and what is no stage
NAMES = sizes()
NATIVE = ("native", "int8")
WAYS = (NATIVE, ("onnxruntime", "int8"), ("onnxruntime", "fp32"))
RESIZES = {"bicubic": cv2.INTER_CUBIC, "Lanczos": cv2.INTER_LANCZOS4}
VALUES = np.arange(256, dtype=np.float32) / np.float32(255)  # 0 to 1, as networks take them


class Enlarged(Protocol):
    """What every candidate returns."""

    image: Image
    latency_ms: Mapping[str, float]


Way = Callable[[Image], Enlarged]


@dataclass(frozen=True, slots=True)
class Large:
    """What candidates of others return."""

    image: Image
    latency_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to enlarge."""

    name: str
    by: str  # OPENCV, PEER or OURS
    engine: str
    precision: str
    path: str = ""  # of the file of a peer

    @property
    def labels(self) -> dict[str, Any]:
        """The columns that say which candidate a row is about."""
        return {"candidate": self.name, "by": self.by, "engine": self.engine, "precision": self.precision}

    @property
    def way(self) -> tuple[str, str]:
        """Who computes it, and in what."""
        return self.engine, self.precision

    @property
    def learned(self) -> bool:
        """Whether the image that it makes can be judged: the weights of peers are random."""
        return self.by != PEER

    def load(self, threads: int, scale: int = SCALE) -> Way:
        """Return what enlarges; OpenCV takes the threads that `cv2.setNumThreads` gave to the whole process."""
        return LOADED[self.by](self, threads, scale)


def resizes() -> list[Candidate]:
    """Return what OpenCV has."""
    return [Candidate(name, OPENCV, "OpenCV", "uint8") for name in RESIZES]


def ours() -> list[Candidate]:
    """Return our networks: the same bits by our kernel and by the library, and in floating point."""
    return [Candidate(name, OURS, *way) for name in NAMES for way in WAYS]


def upscaler(candidate: Candidate, threads: int, scale: int) -> Way:
    """Do what a user does, but take no other way where that one is not possible."""
    from salticid.upscale.infer import Upscaler

    how = {"engine": candidate.engine, "precision": candidate.precision, "threads": threads}
    ours = Upscaler(candidate.name, **how)

    def enlarge(image: Image) -> Enlarged:
        large = ours(image, scale=scale)
        if large.skipped:
            raise MissingError(f"{candidate.name}, {large.skipped[0].step}: {large.skipped[0].reason}")
        return large

    return enlarge


def resized(candidate: Candidate, threads: int, scale: int) -> Way:
    """Do what everybody does."""
    how = RESIZES[candidate.name]

    def enlarge(image: Image) -> Large:
        clock = StageClock()
        with clock("resize"):
            large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
        return Large(np.asarray(large, np.uint8), clock.latency_ms)

    return enlarge


def peer(candidate: Candidate, threads: int, scale: int) -> Way:
    """Run a network for 4 times in float32, and do what stands between it and images as fast as OpenCV does that."""
    session = Session(candidate.path, engine="onnxruntime", threads=threads)

    def enlarge(image: Image) -> Large:
        clock = StageClock()
        with clock("prepare"):
            tensor = planes(image)
        with clock(NETWORK):
            found = session.run({IMAGE: tensor})[LARGE]
        with clock("finish"):
            large = pixels(found)
        return Large(large, clock.latency_ms)

    return enlarge


LOADED: dict[str, Callable[[Candidate, int, int], Way]] = {OPENCV: resized, PEER: peer, OURS: upscaler}


def planes(image: Image) -> Array:
    """Return (H, W, 3) uint8 as (1, 3, H, W) float32 of 0 to 1."""
    tensor = np.empty((1, 3, *image.shape[:2]), np.float32)
    for channel, plane in zip(cv2.split(image), tensor[0], strict=True):
        cv2.LUT(channel, VALUES, dst=plane)
    return tensor


def pixels(tensor: Array) -> Image:
    """Return (1, 3, H, W) float32 of 0 to 1 as (H, W, 3) uint8, rounded and cut off."""
    rounded = [cv2.addWeighted(plane, 255, plane, 0, 0, dtype=cv2.CV_8U) for plane in tensor[0]]
    return np.asarray(cv2.merge(rounded), np.uint8)


def blobs(width: int, height: int) -> Image:
    """Return an image."""
    noise = np.random.default_rng(0).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

"""What is compared: an image in, labels out, and the network alone; each as a call that remembers what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from stereo_candidates import Recorded, without_result
from upsample_argmax import make_logits, mixed_cells

from salticid.core.types import Image
from salticid.engine.session import Session
from salticid.errors import MissingError
from salticid.runtime import hardware
from salticid.runtime.clock import StageClock
from salticid.segment.infer import PIXELS_PER_THREAD, Segmenter
from salticid.segment.network_file import LABELS, LOGITS_STRIDE, STRIDE
from salticid.segment.prepare import Preparer, rounded_up
from salticid.segment.upsample import upsample_argmax

END_TO_END, CORE = "end to end", "core"
BFLOAT16 = {"avx512_bf16", "amx_bf16"}
Call = Callable[[], Mapping[str, float]]  # returns the milliseconds of its stages, where they are known


@dataclass(frozen=True, slots=True)
class Network:
    """An ONNX file with the outputs `labels` and logits, and how its users get labels from it."""

    name: str
    path: Path
    classes: int
    labels_by: str  # "graph", as part of the file; "kernel", ours, from smooth logits; "segmenter", ours, from its own
    precision: str = "fp32"  # of the file
    logits: str = "logits8"
    published: str = ""
    everywhere: bool = False  # in OpenVINO too


@dataclass(frozen=True, slots=True)
class How:
    """By what a network is run."""

    engine: str
    precision: str
    threads: int

    @property
    def settings(self) -> dict[str, Any]:
        """What a session takes."""
        return {"engine": self.engine, "precision": self.precision, "threads": self.threads}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One network, run in one way, with labels or without."""

    network: Network
    how: How
    part: str
    run: Recorded

    @property
    def name(self) -> str:
        """A name of its own."""
        return f"{self.network.name} {self.how.engine} {self.precision} {self.part}"

    @property
    def precision(self) -> str:
        """What it computes in: what the file says, and the engine where the file leaves it open."""
        below = {self.network.precision, self.how.precision} - {"fp32"}
        return " and ".join(sorted(below, reverse=True)) or "fp32"


def candidates(network: Network, how: How, image: Image) -> Iterator[Candidate]:
    """Yield the network with labels and alone.

    Raises
    ------
    MissingError
        The engine is not installed, or has no such arithmetic in hardware here.
    """
    if how.precision == "bf16" and not BFLOAT16.intersection(hardware.instruction_sets()):
        raise MissingError("this CPU has no bfloat16: neither AVX512_BF16 nor AMX")
    alone = Session(network.path, outputs=[network.logits], **how.settings)
    feeds = {"image": Preparer(STRIDE)(image)}
    yield Candidate(network, how, END_TO_END, Recorded(LABELED[network.labels_by](network, how, alone, image)))
    yield Candidate(network, how, CORE, Recorded(without_result(lambda: alone.run(feeds))))


def by_graph(network: Network, how: How, alone: Session, image: Image) -> Call:
    """Prepare the image, run the network with the layers that make labels, cut off what was padded."""
    session = Session(network.path, outputs=[LABELS], **how.settings)
    prepare = Preparer(STRIDE)
    height, width = image.shape[:2]

    def call() -> Mapping[str, float]:
        np.ascontiguousarray(session.run({"image": prepare(image)})[LABELS][0, :height, :width])
        return {}

    return call


def by_kernel(network: Network, how: How, alone: Session, image: Image) -> Call:
    """Do what `Segmenter` does, but label smooth logits: those of random weights have borders everywhere."""
    smooth = smooth_logits(image, network.classes)
    prepare = Preparer(STRIDE)
    size = image.shape[:2]
    threads = max(1, min(how.threads, size[0] * size[1] // PIXELS_PER_THREAD))

    def call() -> Mapping[str, float]:
        clock = StageClock()
        with clock("prepare"):
            tensor = prepare(image)
        with clock("network"):
            alone.run({"image": tensor})
        with clock("labels"):
            upsample_argmax(smooth, scale=LOGITS_STRIDE, size=size, threads=threads)
        return clock.latency_ms

    return call


def by_segmenter(network: Network, how: How, alone: Session, image: Image) -> Call:
    """Do what a user does."""
    segmenter = Segmenter(network.path, **how.settings)
    return lambda: segmenter(image).latency_ms


LABELED: dict[str, Callable[[Network, How, Session, Image], Call]] = {
    "graph": by_graph,
    "kernel": by_kernel,
    "segmenter": by_segmenter,
}


def smooth_logits(image: Image, classes: int) -> np.ndarray:
    """Return logits (classes, h, w) of an image that would have regions, as those of a street."""
    height, width = (rounded_up(side, STRIDE) // LOGITS_STRIDE for side in image.shape[:2])
    return make_logits(width, height, classes)


def mixed_percent(network: Network, image: Image) -> float:
    """Return in how many of a hundred cells our kernel has to look closer, in the logits that it is given."""
    if network.labels_by == "kernel":
        return 100 * mixed_cells(smooth_logits(image, network.classes))
    session = Session(network.path, threads=1, outputs=[network.logits])
    return 100 * mixed_cells(session.run({"image": Preparer(STRIDE)(image)})[network.logits][0])

"""Who computes a network: the native kernel in 8 bits, or onnxruntime in 8 bits or floating point.

    engine = open_engine(find_files("fast", "clean", "int8")[4], options, device="cpu", threads=2)
    large = engine(rgb)                       # (H, W, 3) uint8 -> (4H, 4W, 3); floating point takes uint16 as well

In 8 bits both give the same image to the last bit.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np

from salticid.core import native
from salticid.core.types import Array
from salticid.engine import cards, models
from salticid.engine.session import Session
from salticid.errors import InputError, MissingError
from salticid.upscale.integer_net import IntegerNet, enlarge
from salticid.upscale.network_file import IMAGE, LARGE, read_integer_net, read_shape
from salticid.upscale.options import UpscaleOptions
from salticid.upscale.shape import BODIES, COLORS, Scale, Shape, Weights

File = str | os.PathLike[str]

Precision = Literal["int8", "fp32"]

# What one pixel of a tile takes in onnxruntime beyond the image and the result, in features of a byte or four.
FEATURES_HELD = 3.0


class Engine(Protocol):
    """A network that is ready."""

    name: str  # how it computes: "native int8 (avx2)"
    shape: Shape
    takes_16_bits: bool

    def __call__(self, rgb: Array) -> Array:
        """Return (scale H, scale W, 3) for (H, W, 3), of the same type."""

    def bytes_per_pixel(self) -> float:
        """Return what a pixel of a tile takes in memory, its result included."""


class NativeEngine:
    """The kernel, which goes through the image row by row and holds three rows of every layer."""

    takes_16_bits = False

    def __init__(self, net: IntegerNet, shape: Shape, threads: int) -> None:
        self.shape, self._net, self._threads = shape, net, threads
        self.name = f"native int8 ({native.instruction_sets()[0]})"

    def __call__(self, rgb: Array) -> Array:
        """Return (scale H, scale W, 3) uint8."""
        return enlarge(self._net, rgb, threads=self._threads)

    def bytes_per_pixel(self) -> float:
        """Return what a pixel takes: its result, and a share of some rows."""
        return COLORS * (self.shape.scale**2 + 1)


class OnnxEngine:
    """A file in onnxruntime."""

    def __init__(self, path: Path, shape: Shape, *, device: str, threads: int) -> None:
        self._session = Session(path, engine="onnxruntime", device=device, threads=threads)
        self.takes_16_bits = self._session.inputs[0].dtype != "uint8"
        self.shape = shape
        self.name = f"onnxruntime {'fp32' if self.takes_16_bits else 'int8'} on {self._session.device}"

    def __call__(self, rgb: Array) -> Array:
        """Return (scale H, scale W, 3) of the type of `rgb`."""
        planes = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])
        if not self.takes_16_bits:
            return interleaved(self._session.run({IMAGE: planes})[LARGE][0])
        most = float(np.iinfo(rgb.dtype).max)
        large = self._session.run({IMAGE: planes.astype(np.float32) / np.float32(most)})[LARGE][0]
        np.multiply(large, most, out=large)
        np.clip(np.rint(large, out=large), 0, most, out=large)
        return interleaved(large.astype(rgb.dtype))

    def bytes_per_pixel(self) -> float:
        """Return what a pixel takes: features of some layers at a time, and the result in several forms."""
        size = 4 if self.takes_16_bits else 1
        result = COLORS * self.shape.scale**2 * (16 if self.takes_16_bits else 5)
        return FEATURES_HELD * size * (self.shape.channels + 16) + result


def interleaved(planes: Array) -> Array:
    """Return (3, H, W) as (H, W, 3)."""
    import cv2

    return np.asarray(cv2.merge(list(planes)))


def sizes(weights: Weights = "clean") -> list[str]:
    """Return the names of the networks that there are such weights of, the smallest first."""
    known = cards.cards()
    return [size for size in BODIES if any(_card(size, scale, weights, "fp32") in known for scale in get_args(Scale))]


def find_files(size: str, weights: Weights, precision: Precision) -> dict[Scale, Path]:
    """Return the files of a network by their scales; errors are those of `salticid.engine.models.find`."""
    known = cards.cards()
    names = {scale: _card(size, scale, weights, precision) for scale in get_args(Scale)}
    return {scale: models.find(known[name]) for scale, name in names.items() if name in known}


def _card(size: str, scale: Scale, weights: Weights, precision: Precision) -> str:
    return f"upscale-{size}-x{scale}{'-real' if weights == 'real' else ''}{'-int8' if precision == 'int8' else ''}"


def open_engine(path: Path, options: UpscaleOptions, *, device: str, threads: int) -> Engine:
    """Open a file of `salticid train upscale`, in floating point or in 8 bits.

    Raises
    ------
    InputError
        The file is none, or `options.engine` cannot compute it.
    MissingError
        The engine or the device is not on this machine.
    """
    shape = read_shape(path)
    if options.engine == "onnxruntime" or device != "cpu":
        return OnnxEngine(path, shape, device=device, threads=threads)
    net = read_integer_net(path)
    if net is not None and native.load() is not None:
        return NativeEngine(net, shape, threads)
    if options.engine == "native" and net is None:
        raise InputError(f"{path} computes in floating point, the native kernel in 8 bits: engine='onnxruntime'")
    if options.engine == "native":
        raise MissingError(f"engine='native' cannot be used: {native.reason()}")
    return OnnxEngine(path, shape, device=device, threads=threads)

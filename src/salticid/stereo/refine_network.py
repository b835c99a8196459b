"""The refinement network: 49 numbers around a pixel in, four out, in 2,196 parameters.

It looks at what several ways of filling and smoothing propose for a pixel, at how steady the map is around it, at how
sure the matcher was there, and at the view. It says which of three disparities to take, by how much to move it, and how
sure that is:

    near score, far score   take `near` or `far` where its score is the higher one and above 0, else `filled`
    residual                px to add, at most 1 either way
    confidence              logit of being within 1 px of the truth

Three layers, 49-32-16-4, with ReLU between them. What the 49 inputs are is in `TAPS`; they are whole numbers, the same
in training, in the kernels and on a microcontroller.
"""

from __future__ import annotations

import io
import lzma
import os
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salticid.core.atomic import write_bytes
from salticid.core.types import Array
from salticid.engine import models
from salticid.engine.integer import FloatLayer, IntegerNetwork, quantize_to, real_layer
from salticid.engine.patches import MIDDLE, PatchNetwork, Tap
from salticid.errors import IntegrityError
from salticid.stereo.refine_maps import CONFIDENCE, FAR, FILLED, GRAY, MAPS, NEAR, ROWS

MODEL = "refine"  # the name of its card

WIDTHS = (49, 32, 16, 4)
NEAR_SCORE, FAR_SCORE, RESIDUAL, SURE = range(4)
INPUT_SCALE = 1 / 32  # of one step of an input
RESIDUAL_STEP_PX = 1 / 256
FINEST_LOGIT_BITS = 12  # a step of the logit is worth 2^-12 at the finest: 16 bits then reach 8 either way
WITHIN_PX = 1.0  # what the confidence is about

# What reading a damaged file raises; RuntimeError where its packing is one that zipfile does not know.
DAMAGED = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


def _grid(plane: int, reach: int, spacing: int, center: int | None) -> tuple[Tap, ...]:
    """Return taps on a square around a pixel; itself only where it is not what the others are compared with."""
    offsets = range(-reach * spacing, reach * spacing + 1, spacing)
    return tuple(
        Tap(plane, dy, dx, center, 0) for dy in offsets for dx in offsets if (dy, dx) != (0, 0) or center is None
    )


TAPS = (
    *(Tap(plane, 0, 0, center, 1) for plane, center in ((NEAR, FILLED), (FAR, FILLED), (FAR, NEAR), (ROWS, FILLED))),
    *_grid(NEAR, 2, 3, NEAR),
    *_grid(CONFIDENCE, 1, 5, None),
    *(Tap(CONFIDENCE, dy, dx, None, 0) for dy, dx in ((-12, 0), (0, -12), (0, 12), (12, 0))),
    *_grid(GRAY, 1, 2, GRAY),
)


@dataclass(frozen=True, slots=True, eq=False)
class UltraLightweightRefinementNet:
    """The trained network; 8 KB as float32, 2 KB as bytes.

    >>> net = load()
    >>> net.parameters
    2196
    """

    weights: tuple[NDArray[np.float32], ...]  # (32, 49), (16, 32), (4, 16)
    biases: tuple[NDArray[np.float32], ...]
    ranges: tuple[NDArray[np.float32], ...]  # (32,), (16,): how far the hidden units reach
    taps: tuple[Tap, ...] = TAPS

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(array.size for array in (*self.weights, *self.biases))

    def layers(self) -> list[FloatLayer]:
        """Return the layers as they were trained, on inputs `(u7 - 64) / 32`."""
        last = len(self.weights) - 1
        pairs = enumerate(zip(self.weights, self.biases, strict=True))
        return [FloatLayer(weights, bias, relu=number < last) for number, (weights, bias) in pairs]

    def __call__(self, inputs: ArrayLike) -> NDArray[np.float64]:
        """Return the outputs in floating point, (N, 4), for (N, 49) inputs 0..127."""
        values: Array = (np.asarray(inputs, np.float64) - MIDDLE) * INPUT_SCALE
        for layer in self.layers():
            values = real_layer(layer, values)
            values = np.maximum(values, 0) if layer.relu else values
        return values

    def patch_network(self) -> PatchNetwork:
        """Return the network in whole numbers, with its taps."""
        free = self._quantized((None, None, RESIDUAL_STEP_PX, None)).layers[-1]
        scores = float(free.scale[: FAR_SCORE + 1].max())  # the two are compared: a step of both is worth the same
        bits = np.floor(-np.log2(free.scale[SURE] / (1 << free.shift[SURE])))  # as fine as its weights allow
        logit = 2.0 ** -min(float(bits), FINEST_LOGIT_BITS)  # what is beyond 16 bits is sure enough
        return PatchNetwork(MAPS, self.taps, self._quantized((scores, scores, RESIDUAL_STEP_PX, logit)))

    def _quantized(self, output_scale: tuple[float | None, ...]) -> IntegerNetwork:
        return quantize_to(
            self.layers(),
            self.ranges,
            input_shape=(len(self.taps),),
            input_scale=INPUT_SCALE,
            input_zero=MIDDLE,
            output_scale=output_scale,
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write the network as .npz, rounded to float16."""
        arrays: dict[str, Any] = {
            f"range{number}": reach.astype(np.float16) for number, reach in enumerate(self.ranges)
        }
        for number, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            arrays |= {f"weights{number}": weights.astype(np.float16), f"bias{number}": bias.astype(np.float16)}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        write_bytes(path, buffer.getvalue(), overwrite=overwrite)


def load(model: str | os.PathLike[str] = MODEL) -> UltraLightweightRefinementNet:
    """Return the trained network: that of the package, or one that `salticid train refine` wrote.

    Raises
    ------
    IntegrityError
        The file is damaged, or holds another network.
    InputError, MissingError
        There is no such file.
    """
    path = models.find(model)
    try:
        with zipfile.ZipFile(path) as archive:
            return _network(archive)
    except DAMAGED as error:
        raise IntegrityError(
            f"{path} is not a refinement network ({error}): write one with 'salticid train refine'"
        ) from error


def _network(archive: zipfile.ZipFile) -> UltraLightweightRefinementNet:
    layers = range(len(WIDTHS) - 1)
    return UltraLightweightRefinementNet(
        tuple(_checked(archive, f"weights{n}", (WIDTHS[n + 1], WIDTHS[n])) for n in layers),
        tuple(_checked(archive, f"bias{n}", (WIDTHS[n + 1],)) for n in layers),
        tuple(_checked(archive, f"range{n}", (WIDTHS[n + 1],)) for n in layers[:-1]),
    )


def _checked(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    with archive.open(f"{name}.npy") as file:
        array = np.lib.format.read_array(file)  # one of objects is refused
    if array.shape != shape or array.dtype != np.float16 or not np.isfinite(array).all():
        raise ValueError(f"{name} is not {shape} finite numbers of 16 bits")
    return array.astype(np.float32)

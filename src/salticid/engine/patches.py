"""A dense network that looks at the surroundings of every pixel, in whole numbers.

Its inputs are taps: values of a few maps at fixed offsets, most of them relative to the pixel itself. So a patch is
never copied out of its image: a kernel reads the maps row by row, and a microcontroller a pixel at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import Mask
from salticid.engine.integer import MOST_ACTIVATION, IntegerNetwork
from salticid.errors import InputError

MIDDLE = 64  # the input of a tap that equals what it is compared with
MOST_TAP_SHIFT = 8  # with it, a difference that is cut off at 16 bits gives the same input
MOST_REACH = 127  # px between a tap and its pixel

Plane = NDArray[np.int16]  # (H, W)


@dataclass(frozen=True, slots=True)
class Tap:
    """One input: `clamp(((planes[plane][y + dy, x + dx] - planes[center][y, x]) >> shift) + 64, 0, 127)`.

    Without `center` nothing is subtracted, and nothing added. Beyond the border counts the nearest pixel.
    """

    plane: int
    dy: int
    dx: int
    center: int | None
    shift: int


@dataclass(frozen=True, slots=True, eq=False)
class PatchNetwork:
    """Maps, the taps on them, and the network whose inputs they are; calling it is the readable definition."""

    planes: tuple[str, ...]  # what the maps are called
    taps: tuple[Tap, ...]
    network: IntegerNetwork

    def __post_init__(self) -> None:
        if self.network.input_shape != (len(self.taps),) or any(layer.is_convolution for layer in self.network.layers):
            raise InputError(f"the network must be dense, with {len(self.taps)} inputs, one for each tap")
        check_taps(self.taps, self.planes)

    @property
    def outputs(self) -> int:
        """Numbers that come out for one pixel."""
        return self.network.outputs

    def __call__(self, planes: Sequence[Plane], mask: Mask | None = None) -> NDArray[np.int16]:
        """Return the network's outputs for every pixel, (H, W, outputs) int16; 0 where `mask` is False.

        Parameters
        ----------
        planes
            The maps, (H, W) int16 each, in the order of their names.
        mask
            (H, W) bool, the pixels to look at; None: all.

        Raises
        ------
        InputError
            The maps or the mask are not such arrays.
        """
        shape = check_planes(self.planes, planes, mask)
        wanted = np.ones(shape, bool) if mask is None else mask
        outputs = np.zeros((*shape, self.outputs), np.int16)
        outputs[wanted] = self.network(gather(self.taps, planes, wanted))
        return outputs


def gather(taps: Sequence[Tap], planes: Sequence[Plane], mask: Mask) -> NDArray[np.uint8]:
    """Return the inputs of the network for the pixels in `mask`, (N, taps) uint8, 0..127."""
    height, width = mask.shape
    y, x = np.nonzero(mask)
    inputs = np.empty((len(y), len(taps)), np.uint8)
    for number, tap in enumerate(taps):
        rows, columns = (y + tap.dy).clip(0, height - 1), (x + tap.dx).clip(0, width - 1)
        values = planes[tap.plane][rows, columns].astype(np.int32)
        if tap.center is not None:
            values -= planes[tap.center][y, x]
        middle = 0 if tap.center is None else MIDDLE
        inputs[:, number] = ((values >> tap.shift) + middle).clip(0, MOST_ACTIVATION)
    return inputs


def check_taps(taps: Sequence[Tap], names: Sequence[str]) -> None:
    """Raise InputError unless every tap looks at one of the maps called `names`, and near enough."""
    for number, tap in enumerate(taps):
        known = {tap.plane, tap.plane if tap.center is None else tap.center} <= set(range(len(names)))
        near = max(abs(tap.dy), abs(tap.dx)) <= MOST_REACH
        if not (known and near and 0 <= tap.shift <= MOST_TAP_SHIFT):
            raise InputError(
                f"tap {number} = {tap} is not valid: planes 0..{len(names) - 1}, offsets up to "
                f"{MOST_REACH}, shift 0..{MOST_TAP_SHIFT}"
            )


def check_planes(names: Sequence[str], planes: Sequence[Plane], mask: Mask | None) -> tuple[int, int]:
    """Return the size of the maps; raise InputError unless they and the mask fit a network on maps called `names`."""
    if len(planes) != len(names):
        raise InputError(f"the network looks at {len(names)} maps ({', '.join(names)}), not {len(planes)}")
    for name, plane in zip(names, planes, strict=True):
        if not isinstance(plane, np.ndarray) or plane.dtype != np.int16 or plane.ndim != 2 or plane.size == 0:
            given = f"{plane.dtype} {plane.shape}" if isinstance(plane, np.ndarray) else type(plane).__name__
            raise InputError(f"{name} must be an int16 array (H, W) with at least one pixel, not {given}")
        if plane.shape != planes[0].shape:
            raise InputError(f"{name} is {plane.shape} and {names[0]} {planes[0].shape}: give maps of one size")
    if mask is not None and (mask.dtype != np.bool_ or mask.shape != planes[0].shape):
        raise InputError(f"mask must be {planes[0].shape} bool, not {mask.shape} {mask.dtype}")
    height, width = planes[0].shape
    return height, width

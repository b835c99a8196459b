"""Networks on the surroundings of every pixel, run by the kernels of this machine, or by numpy where there are none.

    kernel = PatchKernel(network, threads=2)
    outputs = kernel(planes, mask)

A `PatchNetwork` gives the same bits either way; a `FloatPatchNetwork` the same numbers to about 1e-6 of their range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from salticid.core import native
from salticid.core.recycle import Recycler
from salticid.core.types import Array, Mask
from salticid.engine.float_patches import FloatPatchNetwork
from salticid.engine.patches import PatchNetwork, Plane, Tap, check_planes
from salticid.errors import InputError

MOST_UNITS, MOST_OUTPUTS = 128, 8  # of a layer or taps, and of the last layer: what kernels have room for


class PatchKernel:
    """Runs one network in whole numbers on maps of any size."""

    def __init__(self, network: PatchNetwork, *, threads: int = 1, instruction_set: str | None = None) -> None:
        """Pack a network for its kernel.

        Parameters
        ----------
        network
            What to run.
        threads
            Threads to work with. The result does not depend on it.
        instruction_set
            One of `salticid.core.native.instruction_sets()`, or None for the best. The result is the same for all.

        Raises
        ------
        InputError
            There is no such instruction set or number of threads, or the network is too large for the kernels.
        MissingError
            This machine does not run the instruction set.
        """
        self.network = network
        self._run = _Run(network, threads, instruction_set)

    def __call__(self, planes: Sequence[Plane], mask: Mask | None = None) -> NDArray[np.int16]:
        """Return the network's outputs for every pixel, (H, W, outputs) int16; 0 where `mask` is False.

        Parameters
        ----------
        planes
            The maps, (H, W) int16 each, in the order of their names.
        mask
            (H, W) bool, the pixels to look at; None: all. The fewer they are, the less time it takes.

        Raises
        ------
        InputError
            The maps or the mask are not such arrays.
        """
        outputs: NDArray[np.int16] = self._run(planes, mask, np.int16)
        return outputs


class FloatPatchKernel:
    """Runs one network in floating point on maps of any size."""

    def __init__(self, network: FloatPatchNetwork, *, threads: int = 1, instruction_set: str | None = None) -> None:
        """Pack a network for its kernel: see `PatchKernel`. Instruction sets differ in how they round."""
        self.network = network
        self._run = _Run(network, threads, instruction_set)

    def __call__(self, planes: Sequence[Plane], mask: Mask | None = None) -> NDArray[np.float32]:
        """Return the network's outputs for every pixel, (H, W, outputs) float32: see `PatchKernel.__call__`."""
        outputs: NDArray[np.float32] = self._run(planes, mask, np.float32)
        return outputs


class _Run:
    """A network, packed where there are kernels."""

    def __init__(self, network: PatchNetwork | FloatPatchNetwork, threads: int, instruction_set: str | None) -> None:
        if threads < 1:
            raise InputError(f"threads must be at least 1, not {threads}")
        _check_size(network)
        chosen = native.choose(instruction_set)
        kernels = native.load()
        self._network = network
        self._threads = threads
        self._packed = packed(kernels, network, chosen) if kernels else None
        self._results = Recycler()

    def __call__(self, planes: Sequence[Plane], mask: Mask | None, dtype: DTypeLike) -> NDArray[Any]:
        if self._packed is None:
            return self._network(planes, mask)
        shape = check_planes(self._network.planes, planes, mask)
        outputs = self._results.empty((*shape, self._network.outputs), dtype)
        wanted = None if mask is None else np.ascontiguousarray(mask)
        self._packed.run([np.ascontiguousarray(plane) for plane in planes], wanted, outputs, self._threads)
        return outputs


def packed(kernels: Any, network: PatchNetwork | FloatPatchNetwork, instruction_set: str | None) -> Any:
    """Return the network as the kernels hold it."""
    taps = np.stack([_numbers(tap) for tap in network.taps])
    if isinstance(network, PatchNetwork):
        layers = [(layer.weights, layer.bias, layer.shift) for layer in network.network.layers]
        return kernels.PatchNetwork(taps, layers, len(network.planes), instruction_set)
    floats = [(_float32(layer.weights), _float32(layer.bias)) for layer in network.layers]
    scale = float(network.input_scale), network.input_zero
    return kernels.FloatPatchNetwork(taps, floats, len(network.planes), *scale, instruction_set)


def _numbers(tap: Tap) -> NDArray[np.int32]:
    return np.array([tap.plane, tap.dy, tap.dx, -1 if tap.center is None else tap.center, tap.shift], np.int32)


def _float32(array: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, np.float32)


def _check_size(network: PatchNetwork | FloatPatchNetwork) -> None:
    layers = network.network.layers if isinstance(network, PatchNetwork) else network.layers
    sizes = [len(network.taps), *(len(layer.weights) for layer in layers[:-1])]
    if max(sizes) > MOST_UNITS or network.outputs > MOST_OUTPUTS:
        raise InputError(
            f"kernels take up to {MOST_UNITS} taps and units of a layer, and {MOST_OUTPUTS} outputs, not "
            f"{'-'.join(map(str, (*sizes, network.outputs)))}"
        )

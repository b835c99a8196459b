"""What an export is made of and what was measured of it: for its header, and for programs as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

from salticid.engine.c_layout import PackedLayer, WeightKind
from salticid.engine.c_source import room
from salticid.engine.integer import IntegerNetwork
from salticid.engine.patches import PatchNetwork


@dataclass(frozen=True, slots=True)
class LayerReport:
    """A layer of an export."""

    kind: str  # "dense" or "convolution"
    shape: tuple[int, ...]  # of its output
    macs: int
    weight_bits: int
    bytes: int  # of weights, biases and shifts
    largest_sum: int  # below 2**31


@dataclass(frozen=True, slots=True)
class HostCheck:
    """Built by this machine's compiler, the export gives the bits of the readable definition."""

    compiler: str
    checked: int  # inputs or pixels
    sanitized: bool  # also under the address and undefined-behavior sanitizers


@dataclass(frozen=True, slots=True)
class BoardCheck:
    """On an emulated Cortex-M4F, the export gives the bits of the readable definition."""

    compiler: str
    flags: str
    checked: int  # inputs or pixels
    instructions: int  # for an input; for a pixel whose taps lie inside the image, gathering included
    most_instructions: int  # for any input or pixel
    flash_bytes: int  # numbers and code, without the self-test
    stack_bytes: int


@dataclass(frozen=True, slots=True)
class CReport:
    """What was exported."""

    prefix: str
    weights: WeightKind
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    planes: tuple[str, ...]  # the maps of a network of patches, else empty
    input_scale: float
    input_zero: int
    output_scale: tuple[float, ...]
    scratch_bytes: int  # from the caller; a network of patches has its activations on the stack
    layers: tuple[LayerReport, ...]
    host: HostCheck | None = None
    board: BoardCheck | None = None
    files: tuple[Path, ...] = ()

    @property
    def inputs(self) -> int:
        """Numbers that go in."""
        return prod(self.input_shape)

    @property
    def outputs(self) -> int:
        """Numbers that come out."""
        return prod(self.output_shape)

    @property
    def macs(self) -> int:
        """Products for an input or a pixel."""
        return sum(layer.macs for layer in self.layers)

    @property
    def number_bytes(self) -> int:
        """Bytes of weights, biases and shifts; the code comes on top."""
        return sum(layer.bytes for layer in self.layers)

    def plain(self) -> dict[str, Any]:
        """Return what a program wants to know, the files by their names alone."""
        own = asdict(self) | {"macs": self.macs, "number_bytes": self.number_bytes}
        return own | {"files": [path.name for path in self.files]}


def inner_network(network: IntegerNetwork | PatchNetwork) -> IntegerNetwork:
    """Return the network proper, without the taps on its inputs."""
    return network.network if isinstance(network, PatchNetwork) else network


def describe(
    network: IntegerNetwork | PatchNetwork, layers: Sequence[PackedLayer], prefix: str, weights: WeightKind
) -> CReport:
    """Return what is known of an export before it was built."""
    inner = inner_network(network)
    shapes = inner.shapes()
    own_stack = isinstance(network, PatchNetwork)
    return CReport(
        prefix=prefix,
        weights=weights,
        input_shape=inner.input_shape,
        output_shape=shapes[-1],
        planes=network.planes if isinstance(network, PatchNetwork) else (),
        input_scale=inner.input_scale,
        input_zero=inner.input_zero,
        output_scale=tuple(layers[-1].layer.scale.tolist()),
        scratch_bytes=0 if own_stack else 2 * room(inner, layers).length,
        layers=tuple(_describe_layer(one, shape) for one, shape in zip(layers, shapes[1:], strict=True)),
    )


def _describe_layer(one: PackedLayer, shape: tuple[int, ...]) -> LayerReport:
    return LayerReport(
        kind="convolution" if one.layer.is_convolution else "dense",
        shape=shape,
        macs=one.layer.macs * prod(shape[1:]),
        weight_bits=16 if one.wide else 8,
        bytes=one.bytes,
        largest_sum=one.layer.largest_sum(),
    )

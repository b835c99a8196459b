"""The C of a network: its numbers, and what is done with them, one function call for a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from salticid.engine.c_layout import PackedLayer
from salticid.engine.c_text import table, template
from salticid.engine.integer import IntegerNetwork


@dataclass(frozen=True, slots=True)
class Room:
    """Room for activations, in numbers of 16 bits.

    Dense layers read `even` and write `odd`, then the other way round. A convolution puts what it looks at into `even`,
    and the units of a pixel into `odd`. The images between convolutions are bytes, two to a number.
    """

    even: int = 0
    odd: int = 0
    even_image: int = 0
    odd_image: int = 0

    @property
    def length(self) -> int:
        """All of it."""
        return self.even + self.odd + self.even_image + self.odd_image

    def with_at_least(self, name: str, length: int) -> Room:
        """Return room in which `name` is at least so long."""
        return replace(self, **{name: max(length, getattr(self, name))})


def convolutions(layers: Sequence[PackedLayer]) -> int:
    """Return how many layers are convolutions: the first ones."""
    return sum(one.layer.is_convolution for one in layers)


def room(network: IntegerNetwork, layers: Sequence[PackedLayer]) -> Room:
    """Return how much room the activations of a network need."""
    found = Room()
    first_dense = convolutions(layers)
    for number, one in enumerate(layers):
        source, target = buffers(number, first_dense)
        found = found.with_at_least(source, 2 * one.pairs)
        if one.layer.relu:
            found = found.with_at_least(target, len(one.start))
        if one.layer.relu and one.layer.is_convolution:
            found = found.with_at_least(image(number), -(-int(np.prod(network.shapes()[number + 1])) // 2))
    return found


def layers_text(layers: Sequence[PackedLayer]) -> str:
    """Return the kernels and the numbers of all layers."""
    tables = [template("kernel.c")]
    for number, one in enumerate(layers):
        tables.append(table("uint32_t", f"net_weights{number}", one.weights))
        tables.append(table("int32_t", f"net_start{number}", one.start))
    tables.append(table("uint8_t", "net_shifts", layers[-1].layer.shift))
    rows = "".join(f"    {{{_row(one, number)}}},\n" for number, one in enumerate(layers))
    tables.append(f"static const net_layer net_layers[{len(layers)}] = {{\n{rows}}};\n")
    return "\n".join(tables)


def dense_calls(layers: Sequence[PackedLayer]) -> list[str]:
    """Return the calls of the dense layers; the inputs of their first are in `even`."""
    first_dense = convolutions(layers)
    calls = []
    for number in range(first_dense, len(layers)):
        source, target = buffers(number, first_dense)
        if layers[number].layer.relu:
            calls.append(f"net_hidden(&net_layers[{number}], {source}, {target});")
        else:
            calls.append(f"net_last(&net_layers[{number}], {source}, outputs, 1);")
    return calls


def buffers(number: int, first_dense: int) -> tuple[str, str]:
    """Return where layer `number` reads and writes."""
    if number < first_dense or (number - first_dense) % 2 == 0:
        return "even", "odd"
    return "odd", "even"


def image(number: int) -> str:
    """Return where convolution `number` writes its image."""
    return "even_image" if number % 2 == 0 else "odd_image"


def function(head: str, body: Sequence[str]) -> str:
    """Return a function whose body has no blocks."""
    lines = "".join(f"    {line}\n" for line in body)
    return f"{head}\n{{\n{lines}}}\n"


def _row(one: PackedLayer, number: int) -> str:
    shift = f".shift = {one.layer.shift[0]}" if one.layer.relu else ".shifts = net_shifts"
    return (
        f".weights = net_weights{number}, .start = net_start{number},\n"
        f"     .units = {one.units}, .pairs = {one.pairs}, .unroll = {one.unroll}, .wide = {int(one.wide)}, {shift}"
    )

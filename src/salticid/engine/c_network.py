"""The C of a network that stands alone: bytes in, numbers of 16 bits out, convolutions first and then dense layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from salticid.engine.c_layout import PackedLayer
from salticid.engine.c_source import convolutions, dense_calls, function, image, layers_text, room
from salticid.engine.c_text import template
from salticid.engine.integer import IntegerNetwork

SIGNATURE = "void net_run(const uint8_t *input, int16_t *outputs, uint16_t *scratch)"


def network_text(network: IntegerNetwork, layers: Sequence[PackedLayer]) -> str:
    """Return what follows the header's include."""
    count = convolutions(layers)
    parts = [layers_text(layers)]
    if count:
        parts.append(template("window.c"))
        parts += [_convolution(network, layers, number) for number in range(count)]
    if count < len(layers):
        parts.append(template("values.c"))
    parts.append(function(SIGNATURE, _body(network, layers)))
    return "\n".join(parts)


def _body(network: IntegerNetwork, layers: Sequence[PackedLayer]) -> list[str]:
    """Return the lines of `net_run`."""
    found = room(network, layers)
    count = convolutions(layers)
    lines = ["uint16_t *const even = scratch;"]
    if found.odd:
        lines.append(f"uint16_t *const odd = even + {found.even};")
    if found.even_image:
        lines.append(f"uint8_t *const even_image = (uint8_t *)(odd + {found.odd});")
    if found.odd_image:
        lines.append(f"uint8_t *const odd_image = even_image + {2 * found.even_image};")
    lines += [_call(layers, number) for number in range(count)]
    if count < len(layers):
        values = int(np.prod(network.shapes()[count]))
        lines.append(f"net_widen({_source(count)}, {values}, even);")
        lines.append(f"net_fill_up(even, {values}, {2 * layers[count].pairs});")
    return lines + dense_calls(layers)


def _source(number: int) -> str:
    """Return what layer `number` reads as bytes."""
    return image(number - 1) if number else "input"


def _call(layers: Sequence[PackedLayer], number: int) -> str:
    if layers[number].layer.relu:
        return f"net_convolution{number}({_source(number)}, even, odd, {image(number)});"
    return f"net_convolution{number}({_source(number)}, even, outputs);"


def _convolution(network: IntegerNetwork, layers: Sequence[PackedLayer], number: int) -> str:
    """Return the function of one convolution."""
    one = layers[number]
    (channels, height, width), (_, rows, columns) = network.shapes()[number : number + 2]
    kernel_height, kernel_width = one.layer.weights.shape[2:]
    around = 0 if number else network.input_zero
    if one.layer.relu:
        head = "const uint8_t *image, uint16_t *even, uint16_t *odd, uint8_t *result"
        use = f"net_hidden(&net_layers[{number}], even, odd);\n            "
        use += f"net_spread(odd, {one.units}, result + row * {columns} + column, {rows * columns});"
    else:
        head = "const uint8_t *image, uint16_t *even, int16_t *result"
        use = f"net_last(&net_layers[{number}], even, result + row * {columns} + column, {rows * columns});"
    top, left = (f"{name} * {one.layer.stride} - {one.layer.padding}" for name in ("row", "column"))
    return f"""\
static void net_convolution{number}({head})
{{
    for (int32_t row = 0; row < {rows}; row++)
        for (int32_t column = 0; column < {columns}; column++) {{
            net_window(image, {channels}, {height}, {width}, {top}, {left}, {kernel_height}, {kernel_width}, {around},
                       even);
            net_fill_up(even, {one.inputs}, {2 * one.pairs});
            {use}
        }}
}}
"""

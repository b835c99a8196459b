"""The header of an export: what to call, in which units, what it costs, and why nothing overflows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import salticid
from salticid.engine.c_report import BoardCheck, CReport, LayerReport
from salticid.engine.c_text import constants, template


def header_text(report: CReport) -> str:
    """Return the header, in which every name starts with `net_` or `NET_`."""
    comment = "".join(f" * {line}".rstrip() + "\n" for line in _story(report))
    return "\n".join(
        [
            f"/*\n{comment} */\n#ifndef NET_H\n#define NET_H\n\n#include <stdint.h>\n",
            _constants(report),
            '#ifdef __cplusplus\nextern "C" {\n#endif\n',
            _functions(report),
            "#ifdef __cplusplus\n}\n#endif\n\n#endif\n",
        ]
    )


def _story(report: CReport) -> Iterator[str]:
    yield f"{report.prefix}: a network in whole numbers, exported by salticid {salticid.__version__}."
    yield "SPDX-License-Identifier: Apache-2.0"
    yield ""
    yield from _patch_story(report) if report.planes else _run_story(report)
    yield "An output times its number in NET_OUTPUT_SCALES is what it stands for."
    yield ""
    yield "C99 and <stdint.h>; on ARM cores with SMLAD, <arm_acle.h> as well. No heap, no static variables, no library."
    yield f"{report.macs} products; {report.number_bytes} bytes of weights and biases, to which the code adds."
    yield from _measured(report.board)
    yield ""
    yield "No sum overflows, whatever the input: for every unit |bias| + 127 * sum |weight| < 2^31 = 2147483648."
    yield from (_layer_line(layer, number) for number, layer in enumerate(report.layers))


def _patch_story(report: CReport) -> Iterator[str]:
    names = ", ".join(report.planes)
    yield f"From {report.inputs} values around a pixel of {len(report.planes)} int16 maps to {report.outputs} int16:"
    yield ""
    yield from textwrap.wrap(
        f"    net_planes planes = {{{names}, width, height, stride}};", 110, subsequent_indent=" " * 8
    )
    yield "    int16_t outputs[NET_OUTPUTS];"
    yield "    net_pixel(&planes, x, y, outputs);"
    yield ""


def _run_story(report: CReport) -> Iterator[str]:
    yield f"From {_shape(report.input_shape)} uint8 to {_shape(report.output_shape)} int16. An input is 0..127:"
    yield f"its real value / {report.input_scale:.9g} + {report.input_zero}, rounded."
    yield ""
    yield "    static uint16_t scratch[NET_SCRATCH];"
    yield "    int16_t outputs[NET_OUTPUTS];"
    yield "    net_run(input, outputs, scratch);"
    yield ""
    yield f"The {report.scratch_bytes} bytes of scratch need not be kept between two calls."


def _measured(board: BoardCheck | None) -> Iterator[str]:
    if board is None:
        yield "Not measured: salticid export --verify qemu writes instructions, flash and stack here."
        return
    yield f"Cortex-M4F, {board.flags}: {board.instructions} instructions (at most {board.most_instructions}),"
    yield f"{board.flash_bytes} bytes of flash for numbers and code, {board.stack_bytes} bytes of stack."
    yield f"Measured in QEMU, which counts instructions, not cycles; {board.checked} results compared bit by bit."
    yield f"Built by {board.compiler}."


def _layer_line(layer: LayerReport, number: int) -> str:
    return (
        f"  layer {number}, {layer.kind} {_shape(layer.shape)}: {layer.largest_sum} "
        f"({layer.macs} products, int{layer.weight_bits} weights, {layer.bytes} bytes)"
    )


def _constants(report: CReport) -> str:
    sizes = {"INPUTS": report.inputs, "OUTPUTS": report.outputs}
    if not report.planes:
        sizes["SCRATCH"] = report.scratch_bytes // 2
    scales = ", ".join(f"{scale:.9e}f" for scale in report.output_scale)
    return constants(sizes) + f"#define NET_OUTPUT_SCALES {{{scales}}}\n"


def _functions(report: CReport) -> str:
    if not report.planes:
        return template("run.h")
    members = "\n".join(f"    const int16_t *{name};" for name in report.planes)
    return template("patch.h").replace("NET_MEMBERS", members)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))

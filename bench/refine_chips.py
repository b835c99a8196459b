"""The network of the package on an emulated Cortex-M4F: our C, and that of another exporter where it is installed.

Ours is counted with its taps, which read six maps, and without, as a network on 49 numbers that lie in a row: that is
what the other gets. `emx-onnx-cgen` is looked for among the commands: it comes by pip, best into an environment of its
own. Its C is built with the flags of ours.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from stereo_candidates import Row

from salticid.engine.c_export import export_c
from salticid.engine.c_text import template
from salticid.engine.c_verify import ARM, BOARD_FLAGS, BOARD_PROGRAM_FLAGS, PACKAGES, QEMU
from salticid.stereo.refine_network import INPUT_SCALE, UltraLightweightRefinementNet, load

EMX = "emx-onnx-cgen"
FIGURES = ("instructions", "flash_bytes", "stack_bytes")

PROGRAM = """
#include "check.h"
#define FOUND 1
{compare}
void peer(const float inputs[1][{inputs}], float outputs[1][{outputs}]);
static const float given[1][{inputs}] = {{{{{values}}}}}, expected[{outputs}] = {{{right}}};

int check(void)
{{
    float got[1][{outputs}];
    uint32_t start = instructions(), wrong = 0;
    const uint32_t nothing = instructions() - start;
    start = instructions();
    peer(given, got);
    say_value("instructions", instructions() - start - nothing);
    for (int k = 0; k < {outputs}; k++) {{
        const float off = got[0][k] - expected[k];
        wrong += !(off < 1e-3f && off > -1e-3f);
    }}
    stack_paint();
    peer(given, got);
    say_value("stack", stack_used());
    if (wrong)
        differ("peer", 0, (const int16_t[]){{0}}, 1);
    return wrong != 0;
}}
"""


def chips() -> Iterator[Row]:
    """Yield one row per export; none where the tools for the board are missing."""
    if not all(map(shutil.which, PACKAGES)):
        return
    network = load().patch_network()
    for exported, what in ((network, "taps and network"), (network.network, "network")):
        for weights in ("int8", "int16"):
            with tempfile.TemporaryDirectory() as folder:
                board = export_c(exported, folder, weights=weights, verify="qemu").board
            assert board is not None
            figures = {name: getattr(board, name) for name in FIGURES}
            yield {"kind": "chip", "exporter": "salticid", "weights": weights, "what": what, **figures}
    if shutil.which(EMX):
        yield {"kind": "chip", "exporter": EMX, "weights": "float32", "what": "network", **emx(load())}


def emx(network: UltraLightweightRefinementNet) -> Row:
    """Return the figures of the C that emx-onnx-cgen makes of the network."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "peer.onnx").write_bytes(as_onnx(network).SerializeToString())
        command([EMX, "compile", "peer.onnx", "peer.c", "--model-name", "peer"], folder)
        for file in ("check.h", "check_board.c", "check_board.ld"):
            (folder / file).write_text(template(file))
        (folder / "check.c").write_text(program(network))
        gcc = f"{ARM}gcc"
        command([gcc, *BOARD_FLAGS, "-std=c99", "-c", "peer.c"], folder)
        files = ["check.c", "check_board.c", "peer.o", "-nostdlib", "-T", "check_board.ld", "-lm", "-lgcc"]
        command([gcc, *BOARD_PROGRAM_FLAGS, *files, "-o", "check.elf"], folder)
        said = dict(re.findall(r"^(\w+) (\d+)$", command([*QEMU, "-kernel", "check.elf"], folder), re.MULTILINE))
        code, data, _ = command([f"{ARM}size", "peer.o"], folder).splitlines()[1].split()[:3]
    figures = int(said["instructions"]), int(code) + int(data), int(said["stack"])
    return dict(zip(FIGURES, figures, strict=True))


def program(network: UltraLightweightRefinementNet) -> str:
    """Return what counts the instructions of a call, and compares its outputs."""
    inputs = np.random.default_rng(0).integers(0, 128, (1, network.weights[0].shape[1]))
    outputs = network(inputs)[0]
    return PROGRAM.format(
        compare=template("check_compare.c"),
        inputs=inputs.size,
        outputs=outputs.size,
        values=", ".join(f"{value}" for value in ((inputs[0] - 64) * INPUT_SCALE).tolist()),
        right=", ".join(f"{value}" for value in outputs.tolist()),
    )


def as_onnx(network: UltraLightweightRefinementNet) -> onnx.ModelProto:
    """Return the network in floating point as a model."""
    nodes, numbers, last = [], [], "inputs"
    for n, layer in enumerate(network.layers()):
        named = {f"w{n}": layer.weights, f"b{n}": layer.bias}
        numbers += [onnx.numpy_helper.from_array(array.astype(np.float32), name) for name, array in named.items()]
        nodes.append(onnx.helper.make_node("Gemm", [last, *named], [f"sum{n}"], transB=1))
        last = f"sum{n}"
        if layer.relu:
            nodes.append(onnx.helper.make_node("Relu", [last], [f"unit{n}"]))
            last = f"unit{n}"
    sizes = {"inputs": network.weights[0].shape[1], last: network.weights[-1].shape[0]}
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size]) for name, size in sizes.items()]
    graph = onnx.helper.make_graph(nodes, "refine", ends[:1], ends[1:], numbers)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


def command(words: list[str], folder: Path) -> str:
    """Return what a command says, on either output."""
    done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, timeout=120)
    said = done.stdout + done.stderr  # semihosting writes to standard error
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed: {said[-2000:]}")
    return said

"""Time the kernel of plain 8-bit networks, beside the least that its products take and the same network in floats.

    python bench/upscale_kernel.py [--output bench/results/upscale_kernel.json]

Weights are random; times do not depend on them. `floor_ms` is the least time in which this CPU can make and add up the
network's products in 8 bits, one by one, with nothing else to do: borders, rounding and memory come on top of it. Where
`floor_percent` is above 100, the kernel got along with fewer products (native/plain_net_tiles_avx2.cpp). `onnxruntime
fp32` is the network in floating point, of the same shape.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core import native
from salticid.engine import bench, packages
from salticid.upscale.integer_net import IntegerLayer, IntegerNet, enlarge
from salticid.upscale.shape import BODIES, REPEATS, Shape

SCALE = 4
SIZES = ((320, 180), (512, 512))  # width and height in pixels; what is slow is measured at the first alone
THREADS = (1, 2)
PRODUCTS = 1 << 28
SLOW = ("scalar", "onnxruntime")  # measured less often
WEIGHTS = 20  # the largest


def main() -> None:
    """Measure all networks and sizes, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--networks", nargs="+", default=list(BODIES), choices=list(BODIES))
    arguments = parser.parse_args()
    floors = {name: products_per_ms(name) for name in native.instruction_sets()}
    rows = [
        row
        for name in arguments.networks
        for width, height in SIZES
        for row in measure(name, width, height, floors, arguments.repeats)
    ]
    bench.write_report("upscale_kernel", rows, arguments.output)


def measure(name: str, width: int, height: int, floors: dict[str, float], repeats: int) -> list[dict[str, Any]]:
    """Return one row per candidate and number of threads."""
    shape = Shape.of(name, SCALE)
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    runs = candidates(shape, image)
    slow = {name: run for name, run in runs.items() if name.startswith(SLOW)}
    fast = {name: run for name, run in runs.items() if name not in slow}
    timings = bench.compare(fast, repeats=repeats)
    if (width, height) == SIZES[0]:
        timings += bench.compare(slow, warmup=1, repeats=max(repeats // 5, 1))
    products = width * height * sum(9 * taken * made for taken, made in shape.widths())
    return [{"network": name, "size": f"{width}x{height}"} | row(timing, products, floors) for timing in timings]


def row(timing: bench.Timing, products: int, floors: dict[str, float]) -> dict[str, Any]:
    """Return what was measured of one candidate."""
    candidate, _, threads = timing.name.rpartition(" ")
    figures: dict[str, Any] = {"median_ms": round(timing.median_ms, 2), "spread_ms": round(timing.spread_ms, 2)}
    if candidate in floors:
        floor_ms = products / floors[candidate] / int(threads)
        figures |= {"floor_ms": round(floor_ms, 2), "floor_percent": round(100 * floor_ms / timing.median_ms, 1)}
    return {"candidate": candidate, "threads": int(threads)} | figures


def candidates(shape: Shape, image: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return our kernel with each instruction set, and the network in floating point."""
    net = random_net(shape)
    out = np.empty((image.shape[0] * SCALE, image.shape[1] * SCALE, 3), np.uint8)
    runs: dict[str, Callable[[], object]] = {}
    for threads in THREADS:
        for name in native.instruction_sets():
            runs[f"{name} {threads}"] = partial(enlarge, net, image, threads=threads, instruction_set=name, out=out)
        runs[f"onnxruntime fp32 {threads}"] = in_floats(shape, image, threads)
    return runs


def random_net(shape: Shape) -> IntegerNet:
    """Return a network of this shape."""
    random = np.random.default_rng(0)
    layers = []
    for taken, made in shape.widths():
        weights = random.integers(-WEIGHTS, WEIGHTS + 1, (made, taken, 3, 3)).astype(np.int8)
        multiplier = np.full(made, 1 / (WEIGHTS * np.sqrt(9 * taken)), np.float32)
        layers.append(IntegerLayer(weights, np.zeros(made, np.int32), multiplier))
    return IntegerNet(tuple(layers), shape.scale, REPEATS)


def in_floats(shape: Shape, image: np.ndarray, threads: int) -> Callable[[], object]:
    """Return a run of the convolutions alone, in onnxruntime."""
    from onnx import helper, numpy_helper

    nodes, weights, value = [], [], "image"
    for number, (taken, made) in enumerate(shape.widths()):
        last = number == len(shape.widths()) - 1
        array = np.random.default_rng(number).normal(size=(made, taken - last * 3 * REPEATS, 3, 3)) / np.sqrt(9 * taken)
        weights.append(numpy_helper.from_array(array.astype(np.float32), f"weights{number}"))
        nodes.append(helper.make_node("Conv", [value, f"weights{number}"], [f"sums{number}"], pads=[1] * 4))
        value = "large" if last else f"features{number}"
        ending = {"blocksize": SCALE, "mode": "CRD"} if last else {}
        nodes.append(helper.make_node("DepthToSpace" if last else "Relu", [f"sums{number}"], [value], **ending))
    size = [1, 3, None, None]
    inputs, outputs = ([helper.make_tensor_value_info(name, 1, size)] for name in ("image", "large"))
    graph = helper.make_graph(nodes, "plain", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnxruntime = packages.onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None]).astype(np.float32) / 255
    return partial(session.run, None, {"image": planes})


def products_per_ms(instruction_set: str) -> float:
    """Return how many products one thread can make and add up, at its best of several tries."""
    kernels: Any = native.load()
    best_s = np.inf
    for _ in range(7):
        begin = time.perf_counter()
        kernels.PatchNetwork.multiply_only(PRODUCTS, instruction_set)
        best_s = min(best_s, time.perf_counter() - begin)
    return PRODUCTS / (1000 * best_s)


if __name__ == "__main__":
    main()

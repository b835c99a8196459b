"""Time the way from logits at 1/8 to labels: ours, and what else gives the same labels.

    python bench/upsample_argmax.py [--output bench/results/upsample_argmax.json]

The logits are smooth random fields in which, as in those of a network for street scenes, about one cell in eight lies
between positions of different winners; elsewhere our kernel has nothing to compute. `different_px` counts the labels
that are not those of torch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from salticid.core import native
from salticid.engine import bench, packages
from salticid.segment.upsample import upsample_argmax, upsample_argmax_reference

SIZES = ((1024, 512, 19), (480, 384, 11))  # width and height in pixels, classes
SCALE = 8
THREADS = (1, 2)
SMOOTHED = 11.0  # standard deviation of what the fields are smoothed with, in positions
REFERENCE_REPEATS = 3
Runs = dict[str, Callable[[], np.ndarray]]


def main() -> None:
    """Measure all sizes, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    parser.add_argument("--repeats", type=int, default=40)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    rows = [row for size in SIZES for row in measure(*size, arguments.repeats)]
    bench.write_report("upsample_argmax", rows, arguments.output)


def measure(width: int, height: int, classes: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row per candidate and thread count; those that take long take their turns apart."""
    logits = make_logits(width // SCALE, height // SCALE, classes)
    slow, fast = libraries(logits), kernels(logits)
    expected = slow["torch 1"]()
    different = {name: int((run() != expected).sum()) for name, run in (slow | fast).items()}
    timings = [*bench.compare(slow, warmup=1, repeats=min(repeats, 15)), *bench.compare(fast, repeats=repeats)]
    of_size = {"size": f"{width}x{height}x{classes}", "mixed_cells_percent": round(100 * mixed_cells(logits), 1)}
    return [of_size | row(timing) | {"different_px": different[timing.name]} for timing in timings]


def row(timing: bench.Timing) -> dict[str, Any]:
    """Return what was measured of one candidate."""
    candidate, _, threads = timing.name.rpartition(" ")
    figures = {"median_ms": round(timing.median_ms, 3), "spread_ms": round(timing.spread_ms, 3)}
    return {"candidate": candidate, "threads": int(threads), **figures}


def kernels(logits: np.ndarray) -> Runs:
    """Return our kernel with each instruction set and number of threads."""
    settings = [(name, threads) for name in native.instruction_sets() for threads in THREADS]
    return {
        f"{name} {threads}": partial(upsample_argmax, logits, scale=SCALE, threads=threads, instruction_set=name)
        for name, threads in settings
    }


def libraries(logits: np.ndarray) -> Runs:
    """Return what computes all logits of all pixels."""
    runs: Runs = {"numpy 1": partial(upsample_argmax_reference, logits, scale=SCALE)}
    runs["cv2.resize, numpy.argmax 1"] = partial(by_opencv, logits)
    for threads in THREADS:
        runs[f"torch {threads}"] = partial(by_torch, logits, threads)
        runs[f"onnxruntime {threads}"] = by_onnxruntime(logits, threads)
    return runs


def by_opencv(logits: np.ndarray) -> np.ndarray:
    """Resize class by class, as OpenCV has to with more than four."""
    size = (logits.shape[2] * SCALE, logits.shape[1] * SCALE)
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in logits]).argmax(0)


def by_torch(logits: np.ndarray, threads: int) -> np.ndarray:
    """Interpolate, then take the argmax."""
    torch = packages.torch()
    torch.set_num_threads(threads)
    upsampled = torch.nn.functional.interpolate(
        torch.from_numpy(logits)[None], scale_factor=SCALE, mode="bilinear", align_corners=False
    )
    labels: np.ndarray = upsampled[0].argmax(0).to(torch.uint8).numpy()
    return labels


def by_onnxruntime(logits: np.ndarray, threads: int) -> Callable[[], np.ndarray]:
    """Return a run of the graph that an exported network ends with: Resize, ArgMax and Cast."""
    onnxruntime = packages.onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(tail_of_a_network(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"logits": logits[None]})[0][0]


def tail_of_a_network() -> bytes:
    """Return that graph as an ONNX model."""
    from onnx import helper, numpy_helper

    scales = numpy_helper.from_array(np.array([1, 1, SCALE, SCALE], np.float32), "scales")
    options = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    nodes = [
        helper.make_node("Resize", ["logits", "", "scales"], ["upsampled"], **options),
        helper.make_node("ArgMax", ["upsampled"], ["classes"], axis=1, keepdims=0),
        helper.make_node("Cast", ["classes"], ["labels"], to=2),
    ]
    inputs = [helper.make_tensor_value_info("logits", 1, [1, None, None, None])]
    outputs = [helper.make_tensor_value_info("labels", 2, [1, None, None])]
    graph = helper.make_graph(nodes, "tail", inputs, outputs, [scales])
    opset = helper.make_opsetid("", 17)
    model: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()
    return model


def make_logits(width: int, height: int, classes: int) -> np.ndarray:
    """Return logits (classes, height, width) of regions some positions wide."""
    random = np.random.default_rng(0)
    noise = random.standard_normal((classes, height, width)).astype(np.float32)
    fields = [cv2.GaussianBlur(plane, (0, 0), SMOOTHED) for plane in noise]
    return np.stack([10 * field / field.std() for field in fields]) + 0.2 * noise


def mixed_cells(logits: np.ndarray) -> float:
    """Return in which part of the cells between four positions these have different winners."""
    winners = np.pad(logits.argmax(0), 1, mode="edge")
    corners = np.lib.stride_tricks.sliding_window_view(winners, (2, 2))
    return float((corners != corners[..., :1, :1]).any(axis=(2, 3)).mean())


if __name__ == "__main__":
    main()

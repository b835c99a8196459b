"""Time the refinement of disparity maps: its network alone beside other ways to run it, and the whole step.

    python bench/refine.py [--output bench/results/refine.json]

The kinds of rows:

    body    a network of its size on 7x7 values around each pixel, on all pixels, or on those where the matcher is
            least sure (refine_candidates.py). GMAC/s counts the products that were asked for. The floor makes as many
            products and sums in the same vector registers, and loads, orders and stores next to nothing: measured here
            on one thread, and divided by the number of threads.
    step    from the map of a matcher to the refined one
    chip    the network of the package as C on an emulated Cortex-M4F (refine_chips.py), where its compiler and QEMU are
            installed
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy is loaded: its products are too small to be shared

import cv2
import numpy as np
from refine_candidates import Body, Run, body, check, onnxruntime_convolutions, patches, torch_convolutions
from refine_chips import chips
from stereo_candidates import HEIGHT, NUM_DISPARITIES, WIDTH, Row

from salticid.core import native
from salticid.core.types import FloatMap, Image, Mask
from salticid.engine import bench
from salticid.stereo.fill import fill_holes
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.refine import Refiner
from salticid.stereo.simulate import simulate_pair

THREADS = (1, 2)
PRECISIONS = ("float32", "int8")
SHARES = (0.3, 0.1)  # of the pixels
UNSURE_PX = 9  # what is unsure lies together: confidence is averaged over so many pixels
PROBED = 10**9  # products


def main() -> None:
    """Measure everything, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    pair = simulate_pair(WIDTH, HEIGHT)
    found = StereoMatcher(num_disparities=NUM_DISPARITIES)(pair.left, pair.right)
    plane = np.rint(np.nan_to_num(found.disparity_px)).clip(0, 127).astype(np.int16)
    rows = [
        *bodies(body(plane), found.confidence, arguments.repeats),
        *steps(found.disparity_px, found.confidence, pair.left, arguments.repeats),
        *chips(),
    ]
    bench.write_report("refine", rows, arguments.output)


def bodies(given: Body, confidence: FloatMap, repeats: int) -> Iterator[Row]:
    """Yield one row per candidate, share of pixels and number of threads."""
    runs = ours(given, None) | others(given)
    expected = given.floats([given.plane])[..., 0]
    check(expected, {name: run for name, run in runs.items() if "int8" not in name})
    peaks = {
        f"{precision} {name}": partial(probe, precision, name)
        for precision in PRECISIONS
        for name in native.instruction_sets()
    }
    peak_gmac = {timing.name: PROBED / timing.median_ms / 1e6 for timing in bench.compare(peaks, repeats=repeats)}
    yield from measured(given, runs, 1.0, peak_gmac, repeats)
    for share in SHARES:
        yield from measured(given, ours(given, least_sure(confidence, share)), share, peak_gmac, repeats)


def ours(given: Body, mask: Mask | None) -> dict[str, Run]:
    """Return our kernels, by precision, instruction set and threads."""
    return {
        f"ours {precision} {name} {threads}": given.ours(precision, mask, threads, name)
        for precision in PRECISIONS
        for name in native.instruction_sets()
        for threads in THREADS
    }


def others(given: Body) -> dict[str, Run]:
    """Return the other ways."""
    runs = {"numpy patches 1": patches(given)}
    for threads in THREADS:
        runs[f"torch conv2d {threads}"] = torch_convolutions(given, threads)
        runs[f"onnxruntime float32 {threads}"] = onnxruntime_convolutions(given, "float32", threads)
        runs[f"onnxruntime int8 {threads}"] = onnxruntime_convolutions(given, "int8", threads)
    return runs


def probe(precision: str, instruction_set: str) -> None:
    """Make products and sums and nothing else."""
    kernels = native.load()
    network = kernels.PatchNetwork if precision == "int8" else kernels.FloatPatchNetwork
    network.multiply_only(PROBED, instruction_set)


def least_sure(confidence: FloatMap, share: float) -> Mask:
    """Return the pixels around which the matcher is least sure."""
    score = cv2.blur(np.nan_to_num(confidence), (UNSURE_PX, UNSURE_PX)).ravel()
    mask = np.zeros(score.size, bool)
    mask[np.argsort(score, kind="stable")[: round(share * score.size)]] = True
    return mask.reshape(confidence.shape)


def measured(
    given: Body, runs: dict[str, Run], share: float, peak_gmac: dict[str, float], repeats: int
) -> Iterator[Row]:
    """Yield one row per run; ours with its distance from the peak."""
    gmac = share * given.plane.size * given.macs / 1e9
    for timing in bench.compare(runs, warmup=1, repeats=repeats):
        candidate, _, threads = timing.name.rpartition(" ")
        gmac_per_s = gmac / timing.median_ms * 1e3
        row = {"kind": "body", "candidate": candidate, "share": share, "threads": int(threads), **figures(timing)}
        row["gmac_per_s"] = round(gmac_per_s, 1)
        peak = peak_gmac.get(candidate.removeprefix("ours "))
        if peak is not None:
            of_threads = peak * int(threads)
            row |= {"peak_gmac_per_s": round(of_threads, 1), "share_of_peak": round(gmac_per_s / of_threads, 3)}
            row["floor_ms"] = round(gmac / of_threads * 1e3, 3)
        yield row


def steps(disparity_px: FloatMap, confidence: FloatMap, image: Image, repeats: int) -> Iterator[Row]:
    """Yield one row per way to refine and number of threads, with the best instruction set."""
    runs: dict[str, Callable[[], object]] = {}
    mask = least_sure(confidence, SHARES[0])
    for threads in THREADS:
        given = disparity_px, confidence, image
        runs[f"network {threads}"] = partial(Refiner(threads=threads), *given)
        runs[f"network, {SHARES[0]:.0%} of pixels {threads}"] = partial(Refiner(threads=threads), *given, mask=mask)
        runs[f"classical {threads}"] = partial(Refiner(None, threads=threads), *given)
        runs[f"holes only {threads}"] = partial(fill_holes, disparity_px, image, threads=threads)
    for timing in bench.compare(runs, repeats=repeats):
        candidate, _, threads = timing.name.rpartition(" ")
        yield {"kind": "step", "candidate": candidate, "threads": int(threads), **figures(timing)}


def figures(timing: bench.Timing) -> Row:
    """Return the times of a row."""
    return {"median_ms": round(timing.median_ms, 3), "spread_ms": round(timing.spread_ms, 3)}


if __name__ == "__main__":
    main()

"""Images enlarged four times: ours beside networks of others in onnxruntime, and the resizes of OpenCV.

    python bench/upscale.py [--data FOLDER] [--repeats N] [--output bench/results/upscale.json]

The kinds of rows:

    network    weights, and products for each size (upscale_networks.py); peers have random weights, as time asks
    time       all candidates in turns in one process, from image to image: the network, and apart what stands between
               it and images, which are uint8 in memory; no file is read or written
    memory     the peak of a new process that loads a candidate and enlarges one image (upscale_memory.py)
    command    `salticid upscale` from a PNG to a PNG, its start included (upscale_command.py)
    limit      the same under --max-memory, of images and results of several kinds (upscale_limits.py)
    accuracy   PSNR and SSIM of luma on Set5, of all that have learned, or have nothing to learn (upscale_accuracy.py)
    degraded   the same on images that were also blurred, noisy and compressed, with both kinds of weights
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

import cv2
from stereo_candidates import Recorded, Row, digits, statistics
from upscale_accuracy import accuracy
from upscale_candidates import NETWORK, THREADS, TOTAL, Candidate, Way, blobs, ours, resizes
from upscale_command import commands
from upscale_limits import limits
from upscale_memory import memory

from salticid.core.types import Image
from salticid.engine import bench

SIZES = ((320, 180), (512, 512))  # width and height of the small image, px
WARMUP, REPEATS = 1, 5
BASELINE = "SRVGGNetCompact"  # what all are compared with
SET = "Set5"


def main() -> None:
    """Read the command line, measure, write."""
    data = Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "upscale"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help=f"where {SET} is")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    given = parser.parse_args()
    from upscale_networks import networks, peers  # here, lest torch is part of every process that is measured

    with tempfile.TemporaryDirectory(prefix="salticid-bench-") as folder:
        candidates = [*ours(), *peers(Path(folder)), *resizes()]
        rows = [*networks(SIZES), *measured(candidates, given.data / SET, given.repeats), *commands(Path(folder))]
        rows += limits(Path(folder))
    bench.write_report("upscale", rows, given.output)


def measured(candidates: Sequence[Candidate], images: Path, repeats: int) -> Iterator[Row]:
    """Yield all that is measured of some candidates, among them the one that others are compared with."""
    for width, height in SIZES:
        yield from times(candidates, width, height, repeats)
        yield from memory(candidates, width, height, THREADS)
    yield from accuracy(candidates, images)


def times(candidates: Sequence[Candidate], width: int, height: int, repeats: int) -> Iterator[Row]:
    """Yield what every candidate takes when all take turns."""
    cv2.setNumThreads(THREADS)
    image = blobs(width, height)
    runs = [Recorded(stages(candidate.load(THREADS), image)) for candidate in candidates]
    bench.compare({str(number): run for number, run in enumerate(runs)}, warmup=WARMUP, repeats=repeats)
    [baseline] = [run for run, candidate in zip(runs, candidates, strict=True) if candidate.name == BASELINE]
    for candidate, run in zip(candidates, runs, strict=True):
        row = {"kind": "time", "size": f"{width}x{height}", **candidate.labels, "threads": THREADS}
        yield row | parts(run) | {"of_baseline": digits(ratio(run, baseline))}


def stages(way: Way, image: Image) -> Callable[[], Mapping[str, float]]:
    """Return a call that enlarges an image, gives the memory back, and tells what its stages took."""
    return lambda: way(image).latency_ms


def parts(run: Recorded) -> Row:
    """Return what a candidate took in all, and where it tells: in each stage, in the network, and in all others."""
    recorded = run.stage_ms[WARMUP:]
    stage_ms = {stage: digits(median(each[stage] for each in recorded)) for stage in recorded[0] if stage != TOTAL}
    pixels = [taken for stage, taken in stage_ms.items() if stage != NETWORK]
    row = {"network_ms": stage_ms.get(NETWORK), "pixels_ms": digits(sum(pixels)) if pixels else None}
    return statistics(run.total_ms[WARMUP:]) | row | {"stage_ms": stage_ms}


def ratio(run: Recorded, baseline: Recorded) -> float:
    """Return the median over the rounds of the share of what the baseline took in the same round."""
    rounds = zip(run.total_ms[WARMUP:], baseline.total_ms[WARMUP:], strict=True)
    return median(own / theirs for own, theirs in rounds)


if __name__ == "__main__":
    main()

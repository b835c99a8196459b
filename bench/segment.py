"""Time from an image to the class of every pixel, and that of the networks alone: ours, and others of their kind.

    python bench/segment.py [--model MODEL.onnx] [--int8 MODEL_INT8.onnx] [--output bench/results/segment.json]

All candidates of a size and a number of threads take turns in one process. Weights are random, except in the trained
files: by default that of the card `fastseg-camvid`, and the same in 8 bits. What our kernel takes from logits to labels
depends on the logits; with random weights, which see borders everywhere, it is given smooth fields as in
bench/upsample_argmax.py instead. Peers are exported for exactly one size, ours for any.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from segment_candidates import Network, mixed_percent
from segment_networks import Trained, networks
from segment_times import times
from stereo_candidates import Row

from salticid.core.image import read_image, resize
from salticid.core.types import Image
from salticid.engine import bench
from salticid.engine.profile import profile
from salticid.segment.network_file import STRIDE
from salticid.segment.prepare import rounded_up

SIZES = ((1024, 512, 19), (480, 360, 11))  # width and height in pixels, classes: as Cityscapes and CamVid have them
THREADS = (2, 1)


def main() -> None:
    """Read the command line, measure, write."""
    data = Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "segmentation"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a trained network instead of that of the card")
    parser.add_argument("--int8", type=Path, help="the same in 8 bits")
    parser.add_argument("--data", type=Path, default=data, help="where camvid/val is, for a real image")
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    given = parser.parse_args()
    trained = Trained(given.model, given.int8)
    rows = [row for size in SIZES for row in measured(*size, trained, given.data, given.repeats)]
    bench.write_report("segment", rows, given.output)


def measured(width: int, height: int, classes: int, trained: Trained, data: Path, repeats: int) -> Iterator[Row]:
    """Yield all rows of one size: the networks, what is absent, and the times."""
    image, seen = picture(width, height, data)
    with tempfile.TemporaryDirectory(prefix="salticid-bench-") as folder:
        found, rows = networks(image, classes, trained, Path(folder))
        rows += [network_row(network, image, seen) for network in found]
        gmac = {row["network"]: row["gmac"] for row in rows if row["kind"] == "network"}
        for threads in THREADS:
            rows += times(found, gmac, image, threads, repeats)
    yield from ({"size": f"{width}x{height}"} | row for row in rows)


def picture(width: int, height: int, data: Path) -> tuple[Image, str]:
    """Return an image of CamVid where it is here, else blobs; and which."""
    files = sorted((data / "camvid" / "val").glob("*.jpg"))
    if files:
        return resize(read_image(files[0]), width, height), "a street of CamVid"
    noise = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return resize(noise, width, height), "blobs"


def network_row(network: Network, image: Image, seen: str) -> Row:
    """Return what a network consists of, and which logits our kernel gets from it."""
    height, width = (rounded_up(side, STRIDE) for side in image.shape[:2])
    found = profile(network.path, (1, 3, height, width), threads=max(THREADS))
    kernel = network.labels_by != "graph"
    return {
        "kind": "network",
        "network": network.name,
        "classes": network.classes,
        "parameters": found.parameters,
        "gmac": round(found.macs / 1e9, 3),
        "published": network.published or None,
        "logits": {"graph": None, "kernel": "smooth fields", "segmenter": f"its own, of {seen}"}[network.labels_by],
        "mixed_cells_percent": round(mixed_percent(network, image), 1) if kernel else None,
    }


if __name__ == "__main__":
    main()

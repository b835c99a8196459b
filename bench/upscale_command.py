"""The whole command, from a PNG to a PNG: how long it takes, its start included, and its peak of memory."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import cv2
from stereo_candidates import Row
from upscale_candidates import NAMES, SCALE, blobs

SIDES = (512, 2048)  # of the square image; the larger one becomes 8192 x 8192
LIMITED_MB = 200  # given to the larger one once more
REPEATS = 3

# What the system counts of a child begins with what its parent held, so the program tells its own peak.
PROGRAM = """
import atexit, re
from pathlib import Path
atexit.register(lambda: print(re.search("VmHWM:.*", Path("/proc/self/status").read_text())[0]))
from salticid.cli.app import app
app()
"""


def commands(folder: Path) -> Iterator[Row]:
    """Yield what `salticid upscale` takes with each network."""
    for side in SIDES:
        image = folder / f"{side}.png"
        cv2.imwrite(str(image), blobs(side, side))
        for name in NAMES:
            yield row(image, side, name, None)
    yield row(folder / f"{SIDES[-1]}.png", SIDES[-1], NAMES[-1], LIMITED_MB)


def row(image: Path, side: int, name: str, limit_mb: int | None) -> Row:
    """Return the time and the memory of one command."""
    target = image.with_name("large.png")
    words = ["upscale", str(image), "-o", str(target), "--scale", str(SCALE)]
    words += ["--model", name, "--overwrite", "--quiet", *(["--max-memory-mb", str(limit_mb)] if limit_mb else [])]
    runs = [run(words) for _ in range(REPEATS)]
    seconds, peaks = zip(*runs, strict=True)
    told = {"kind": "command", "size": f"{side}x{side}", "model": name, "limit_mb": limit_mb}
    return told | {"seconds": round(median(seconds), 2), "peak_mb": round(max(peaks) / 1e6)}


def run(words: list[str]) -> tuple[float, int]:
    """Return the seconds that a command takes, and the most bytes of its process."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    return time.perf_counter() - start, 1024 * int(done.stdout.split()[-2])

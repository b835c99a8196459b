"""Memory of every candidate: a new process for each, beyond one that only has the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import cv2
from stereo_candidates import Row
from stereo_memory import run_alone
from upscale_candidates import Candidate, blobs


def memory(candidates: Sequence[Candidate], width: int, height: int, threads: int) -> Iterator[Row]:
    """Yield what loading each candidate and enlarging one image takes at its peak."""
    once = partial(enlarge_once, width=width, height=height, threads=threads)
    bare = run_alone(once, None).peak_bytes
    for candidate in candidates:
        peak_mb = round((run_alone(once, candidate).peak_bytes - bare) / 1e6)
        yield {
            "kind": "memory",
            "size": f"{width}x{height}",
            **candidate.labels,
            "threads": threads,
            "peak_mb": peak_mb,
        }


def enlarge_once(candidate: Candidate | None, *, width: int, height: int, threads: int) -> None:
    """Make an image, and enlarge it unless there is no candidate."""
    cv2.setNumThreads(threads)
    image = blobs(width, height)
    if candidate is not None:
        candidate.load(threads)(image)

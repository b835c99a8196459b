"""The whole command under `--max-memory`: what an image and its result are counts, and the limit is kept.

The smallest limits, in steps of 50 MB, that leave room for tiles of a good size; the result is 4096 x 4096 but where
the scale is another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from stereo_candidates import Row
from upscale_candidates import blobs
from upscale_command import run

SIDE = 1024


@dataclass(frozen=True, slots=True)
class Case:
    """A command and its limit."""

    what: str
    image: str
    large: str
    limit_mb: int
    words: tuple[str, ...] = ()


CASES = (
    Case("RGB to PNG", "rgb", "png", 150),
    Case("3.1 times, by 4 and reduced", "rgb", "png", 150, ("--scale", "3.1")),
    Case("8 times, by 4 and 2", "rgb", "png", 150, ("--scale", "8")),
    Case("strength 0.5, bicubic mixed in", "rgb", "png", 150, ("--strength", "0.5")),
    Case("with alpha", "rgba", "png", 150),
    Case("16 bits with alpha", "rgba16", "png", 250),
    Case("RGB to JPEG", "rgb", "jpg", 400),
    Case("RGB to TIFF", "rgb", "tif", 400),
    Case("gray to WebP", "gray", "webp", 950),
)


def limits(folder: Path) -> Iterator[Row]:
    """Yield what each command takes of what it may."""
    rgba = cv2.cvtColor(blobs(SIDE, SIDE), cv2.COLOR_RGB2RGBA)
    images = {"gray": rgba[..., 0], "rgb": rgba[..., :3], "rgba": rgba, "rgba16": rgba.astype(np.uint16) * 257}
    for name, image in images.items():
        cv2.imwrite(str(folder / f"{name}.png"), image)
    for case in CASES:
        words = ["upscale", str(folder / f"{case.image}.png"), "-o", str(folder / f"limited.{case.large}"), *case.words]
        seconds, peak = run([*words, "--overwrite", "--quiet", "--max-memory-mb", str(case.limit_mb)])
        told = {"kind": "limit", "what": case.what, "limit_mb": case.limit_mb}
        yield told | {"seconds": round(seconds, 2), "peak_mb": round(peak / 1e6)}

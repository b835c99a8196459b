"""How good enlarged images are, as super-resolution is judged: small ones made of large ones are made large again.

    found = evaluate(enlarge, ["Set5/"], scale=4)
    print(found.mean.psnr_db, found.mean.bicubic_psnr_db)

Large images are cut to a multiple of the scale, and made small by MATLAB's bicubic in 8 bits, unless small ones are
given. What counts is luma (ITU-R BT.601) without a border as wide as the scale. What MATLAB's bicubic makes of the same
small image stands beside, for figures of different images say nothing about who enlarged them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from salticid.core.color import rgb_to_y
from salticid.core.image import read_image
from salticid.core.metrics import SSIM_RADIUS, psnr_db, ssim
from salticid.core.progress import Progress, unseen
from salticid.core.resample import bicubic_uint8
from salticid.core.types import Image
from salticid.errors import InputError
from salticid.upscale.data import Pair, degraded_pair, find_images, shrunk

File = str | os.PathLike[str]
Enlarge = Callable[[Image], Image]  # (H, W, 3) to (scale H, scale W, 3), uint8
T = TypeVar("T")

NAMED_AT_MOST = 5  # files in one message


@dataclass(frozen=True, slots=True)
class Score:
    """How good one image is, or several are in the mean."""

    name: str
    psnr_db: float  # of luma; infinite where nothing is wrong
    ssim: float  # of luma, at most 1
    bicubic_psnr_db: float  # what bicubic makes of the same small image
    bicubic_ssim: float
    ms: float  # that enlarging took


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good every image is."""

    scale: int
    rows: tuple[Score, ...]

    @property
    def mean(self) -> Score:
        """The mean of each figure over the images, each image counting alike."""
        figures = [field.name for field in fields(Score) if field.name != "name"]
        return Score("mean", **{name: fmean(getattr(row, name) for row in self.rows) for name in figures})


def evaluate(
    enlarge: Enlarge,
    paths: Sequence[File],
    scale: int,
    *,
    small: File | None = None,
    degrade: bool = False,
    progress: Progress = unseen,
) -> Evaluation:
    """Enlarge the small version of every image and compare with the large one.

    Parameters
    ----------
    enlarge
        Takes (H, W, 3) RGB uint8 and returns the same so many times as large. Every call is timed: where the first one
        loads something, call it once before.
    paths
        Large images: folders with images directly in them, or files.
    scale
        From 2 on.
    small
        A folder with the small images, whose names are those of the large ones but for the suffix.
    degrade
        Whether small images are blurred, noisy and compressed as well, as images are found: see `degrade.py`. What
        happens to each depends on its place in the order alone.
    progress
        Is given the work, how much it is and what it is.

    Raises
    ------
    InputError
        There is no image, one is damaged or too small, or no partner of its size is in `small`; or `enlarge` returns
        something else than such an image; or images that are given small are to be degraded.
    """
    if scale < 2:
        raise InputError(f"the scale is {scale}: images are judged that were enlarged 2 times or more")
    if degrade and small is not None:
        raise InputError(f"the small images of {os.fspath(small)} are as they are: degrade those that are made here")
    large = find_images(paths)
    work = _partners(large, small) if small is not None else [(path, None) for path in large]
    rows: list[Score] = []
    for path, partner in progress(work, len(work), "images"):
        pair = _pair(path, partner, scale)
        judged = degraded_pair(pair, scale, len(rows)) if degrade else pair
        rows.append(_score(enlarge, path, judged, scale))
    return Evaluation(scale, tuple(rows))


def _partners(large: Sequence[Path], folder: File) -> list[tuple[Path, Path | None]]:
    """Return every large image with the small one of its name."""
    ours, theirs = _by_name(large), _by_name(find_images([folder]))
    for lacking, where in ((ours.keys() - theirs.keys(), f"in {folder}"), (theirs.keys() - ours.keys(), "large")):
        if lacking:
            raise InputError(
                f"no image is there {where} that is called {_some(lacking)}: both must have the same names"
            )
    return [(path, theirs[name]) for name, path in ours.items()]


def _by_name(paths: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        other = found.setdefault(path.stem, path)
        if other is not path:
            raise InputError(f"{other} and {path} have the same name: which is the other's partner cannot be known")
    return found


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    rest = len(ordered) - NAMED_AT_MOST
    return ", ".join(ordered[:NAMED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")


def _pair(path: Path, partner: Path | None, scale: int) -> Pair:
    """Return an image, cut to a multiple of the scale, and its small version."""
    image = read_image(path)
    height, width = image.shape[0] // scale, image.shape[1] // scale
    least = 2 * scale + 2 * SSIM_RADIUS + 1  # a border at each side, and one window of SSIM
    if scale * min(height, width) < least:
        raise InputError(
            f"{path} is {image.shape[1]} x {image.shape[0]}: at scale {scale}, images of {-(-least // scale) * scale} "
            "pixels a side or more can be judged"
        )
    if partner is None:
        return shrunk(image, scale)
    small = read_image(partner)
    if small.shape[:2] != (height, width):
        raise InputError(
            f"{partner} is {small.shape[1]} x {small.shape[0]}, and a {scale}th of {path} is {width} x {height}: "
            "give the scale by which they differ"
        )
    return Pair(image[: height * scale, : width * scale], small)


def _score(enlarge: Enlarge, path: Path, pair: Pair, scale: int) -> Score:
    bicubic = _judged(bicubic_uint8(pair.small, *pair.large.shape[:2]), pair.large, scale)
    begin = time.perf_counter()
    image = enlarge(pair.small)
    ms = 1000 * (time.perf_counter() - begin)
    if image.shape != pair.large.shape or image.dtype != pair.large.dtype:
        raise InputError(
            f"{path} is {pair.large.shape} {pair.large.dtype}, and what was enlarged is {image.shape} {image.dtype}: "
            f"what enlarges must return (H, W, 3) uint8, {scale} times the size that it is given"
        )
    return Score(path.name, *_judged(image, pair.large, scale), *bicubic, ms)


def _judged(image: Image, truth: Image, scale: int) -> tuple[float, float]:
    """Return PSNR in dB and SSIM of luma."""
    luma, wanted = rgb_to_y(image), rgb_to_y(truth)
    return psnr_db(luma, wanted, crop=scale), ssim(luma, wanted, crop=scale)

"""Images to learn enlarging from and to judge by: small ones are made of large ones.

    learned, judged = apart(find_images(["T91/", "BSDS500/train/"]))
    pairs = list(load(learned, scale=4, side=48))         # of images of 192 px a side or more

`Crops` draws what is learned from out of these pairs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from salticid.core.image import read_image
from salticid.core.image_header import SUFFIXES
from salticid.core.resample import bicubic_uint8
from salticid.core.types import Image
from salticid.errors import InputError
from salticid.upscale.degrade import degraded

File = str | os.PathLike[str]

JUDGED_EVERY = 48  # one image in so many is not learned from
JUDGED_SIDE = 3  # px of a small image that is judged by: borders do not count, and something has to be left


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and what is left of it when it is made small."""

    large: Image  # (scale H, scale W, 3)
    small: Image  # (H, W, 3)


def find_images(folders: Sequence[File]) -> list[Path]:
    """Return all images directly in some folders, or the files that are given themselves, sorted by folder and name.

    Raises
    ------
    InputError
        There is no such place, or no image in it.
    """
    found: list[Path] = []
    for folder in map(Path, folders):
        if folder.is_file():
            found.append(folder)
            continue
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}: give folders of images")
        inside = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not inside:
            raise InputError(f"{folder} holds no image: give folders with images directly in them")
        found.extend(inside)
    return found


def shrunk(image: Image, scale: int) -> Pair:
    """Return an image, cut to a multiple of `scale`, and the same at 1/scale by MATLAB's bicubic, rounded to 8 bits."""
    height, width = image.shape[0] // scale, image.shape[1] // scale
    if not (height and width):
        raise InputError(f"an image of {image.shape[1]} x {image.shape[0]} cannot be made {scale} times smaller")
    large = image[: height * scale, : width * scale]
    return Pair(large, bicubic_uint8(large, height, width))


def with_reduced(pairs: Sequence[Pair], scale: int, side: int, shares: Iterable[float]) -> list[Pair]:
    """Return all pairs, and those of their large images at some shares of their sides: the same things, but sharper.

    What a photograph shows of a lens, of noise and of JPEG is gone there (as usual since Dong et al. 2016, FSRCNN).

    Parameters
    ----------
    side
        Of the small image, px, at least.

    Raises
    ------
    InputError
        At one of the shares no image is that large.
    """
    found = list(pairs)
    for share in shares:
        sizes = [tuple(round(share * length) for length in pair.large.shape[:2]) for pair in pairs]
        fitting = [(pair, size) for pair, size in zip(pairs, sizes, strict=True) if min(size) >= side * scale]
        if not fitting:
            raise InputError(f"at {share} of their sides no image holds a crop of {side * scale} px: leave it out")
        found += [shrunk(bicubic_uint8(pair.large, *size), scale) for pair, size in fitting]
    return found


def degraded_pair(pair: Pair, scale: int, seed: int) -> Pair:
    """Return the same large image with a small one as it is found: see `degrade`. The seed says what happens to it."""
    return Pair(pair.large, degraded(pair.large, scale, np.random.default_rng(seed)))


def load(paths: Iterable[Path], scale: int, side: int) -> Iterator[Pair]:
    """Yield the pair of every image that is large enough; smaller ones are left out.

    Parameters
    ----------
    paths
        Large images.
    side
        Of the small image, px, at least; for crops of this side to be cut out of it.
    """
    for path in paths:
        image = read_image(path)
        if min(image.shape[:2]) >= side * scale:
            yield shrunk(image, scale)


def apart(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Split images into those to learn from and those to judge by, which are spread evenly."""
    judged = [path for number, path in enumerate(paths) if number % JUDGED_EVERY == JUDGED_EVERY // 2]
    return [path for path in paths if path not in judged], judged

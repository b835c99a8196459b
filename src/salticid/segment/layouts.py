"""Where images and their labels lie. Three layouts are found by themselves:

    images/ labels/                        pairs by name, split here; or both below train/ and val/
    train/ trainannot/ val/ valannot/      CamVid, as SegNet's authors publish it
    leftImg8bit/train/*/ gtFine/train/*/   Cityscapes

An image without labels is paired with the file that is missing, so that whoever reads the pair says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from salticid.errors import InputError

Split = Literal["train", "val"]
Layout = Literal["folder", "camvid", "cityscapes"]

SPLITS: tuple[Split, ...] = ("train", "val")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm")
LABEL_SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".pgm")
EVERY = 5  # of the pairs of a folder without a split, one in so many is kept for validation


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and its label image."""

    image: Path
    labels: Path


Pairs = dict[Split, tuple[Pair, ...]]


def find_pairs(root: Path) -> tuple[Layout, Pairs]:
    """Return the layout of a folder and its pairs.

    Raises
    ------
    InputError
        There is no such folder, it has none of the layouts, or nothing in it.
    """
    if not root.is_dir():
        raise InputError(f"there is no folder {root}")
    for layout, find in _LAYOUTS.items():
        pairs = find(root)
        if pairs is None:
            continue
        if not any(pairs.values()):
            raise InputError(f"{root} holds no images in the folders of its layout ({layout})")
        return layout, pairs
    raise InputError(
        f"{root} is laid out in no way that is known: it needs images/ and labels/, or train/ and trainannot/, "
        "or leftImg8bit/ and gtFine/"
    )


def _cityscapes(root: Path) -> Pairs | None:
    if not (root / "leftImg8bit").is_dir():
        return None
    return {split: _cityscapes_pairs(root, split) for split in SPLITS}


def _cityscapes_pairs(root: Path, split: Split) -> tuple[Pair, ...]:
    pairs = []
    for image in sorted((root / "leftImg8bit" / split).glob("*/*_leftImg8bit.png")):
        stem = image.name.removesuffix("_leftImg8bit.png")
        pairs.append(Pair(image, root / "gtFine" / split / image.parent.name / f"{stem}_gtFine_labelIds.png"))
    return tuple(pairs)


def _camvid(root: Path) -> Pairs | None:
    if not (root / "trainannot").is_dir():
        return None
    return {split: _by_name(root / split, root / f"{split}annot") for split in SPLITS}


def _folder(root: Path) -> Pairs | None:
    if (root / "train" / "images").is_dir():
        return {split: _by_name(root / split / "images", root / split / "labels") for split in SPLITS}
    if not (root / "images").is_dir():
        return None
    pairs = _by_name(root / "images", root / "labels")
    kept = pairs[::EVERY]  # by name: the same ones every time
    return {"train": tuple(pair for number, pair in enumerate(pairs) if number % EVERY), "val": kept}


def _by_name(images: Path, labels: Path) -> tuple[Pair, ...]:
    by_stem = {path.stem: path for path in _files(labels, LABEL_SUFFIXES)}
    return tuple(
        Pair(path, by_stem.get(path.stem, labels / f"{path.stem}.png")) for path in _files(images, IMAGE_SUFFIXES)
    )


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())


_LAYOUTS: dict[Layout, Callable[[Path], Pairs | None]] = {
    "cityscapes": _cityscapes,
    "camvid": _camvid,
    "folder": _folder,
}

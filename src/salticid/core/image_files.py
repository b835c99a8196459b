"""Which image files a name stands for: one file, the images in a folder, or all files that fit a pattern."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from salticid.core.files import looks_like, read_head
from salticid.core.image_header import SUFFIXES
from salticid.errors import InputError

GLOB_SIGNS = "*?["


def find_images(source: str | os.PathLike[str]) -> list[Path] | None:
    """Return the images that `source` names as a folder, a pattern or itself, in order; None when it is none of these.

    Raises
    ------
    InputError
        The folder or the pattern names no image, or the file cannot be read.
    """
    if not os.fspath(source):
        raise InputError("the name of the input is empty: give a file, a folder or a pattern ('.' is this folder)")
    path = Path(source)
    if path.is_dir():
        found = sorted(item for item in path.iterdir() if item.suffix.lower() in SUFFIXES and item.is_file())
        if not found:
            raise InputError(f"the folder {path} holds no images: those end in {', '.join(SUFFIXES)}")
        return found
    if not path.exists() and any(sign in os.fspath(source) for sign in GLOB_SIGNS):
        found = sorted(Path(item) for item in glob.glob(os.fspath(source)) if Path(item).is_file())  # noqa: PTH207
        if not found:
            raise InputError(f"no file is named like {os.fspath(source)}")
        return found
    return [path] if is_image(path) else None


def is_image(path: Path) -> bool:
    """Tell by its name, else by its first bytes, whether a file is an image; `InputError` where it cannot be read."""
    return path.suffix.lower() in SUFFIXES or looks_like(read_head(path)).endswith("image")

"""What the words of a command line stand for: images, videos, the number of a camera, an image on standard input.

The word for an output stands for a folder or a file.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from salticid.errors import InputError

Kind = Literal["image", "video", "camera", "stdin"]

STDIN = "-"
MOST_STDIN_BYTES = 400_000_000  # as of an image file


@dataclass(frozen=True, slots=True)
class Input:
    """One input."""

    name: str  # as messages call it; of a camera its number
    kind: Kind
    path: Path | None  # of an image or video

    @property
    def moving(self) -> bool:
        """Whether it has many frames."""
        return self.kind in ("video", "camera")

    @property
    def stem(self) -> str:
        """How the name of a file that is made of it begins."""
        if self.path is not None:
            return self.path.stem
        return "stdin" if self.kind == "stdin" else f"camera{self.name}"


def find_inputs(words: list[str]) -> list[Input]:
    """Return what the words stand for, in order; `InputError` where one stands for nothing."""
    return [item for given in words for item in _found(given)]


def means_folder(output: str) -> bool:
    """Return whether an output is a folder: one that is there, or a name that ends in / or has no suffix.

    >>> means_folder("results"), means_folder("results.v2/"), means_folder("large.png")
    (True, True, False)
    """
    return output.endswith(("/", os.sep)) or Path(output).is_dir() or not Path(output).suffix


def read_stdin() -> bytes:
    """Return the file on standard input; `InputError` where it is empty."""
    given = sys.stdin.buffer.read(MOST_STDIN_BYTES + 1)
    if not given:
        raise InputError("standard input is empty: send an image into it, as in 'salticid ... - < photo.png'")
    return given


@contextmanager
def ended_by_ctrl_c(stop: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C call `stop` in place of breaking off, so that what was recorded of a live source is kept."""
    before = signal.signal(signal.SIGINT, lambda *_: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _found(given: str) -> Iterator[Input]:
    from salticid.core.image_files import find_images

    if given == STDIN:
        yield Input("standard input", "stdin", None)
    elif given.isdecimal() and not Path(given).exists():
        yield Input(given, "camera", None)
    else:
        images = find_images(given)
        if images is None:
            yield Input(given, "video", Path(given))
        for path in images or ():
            yield Input(str(path), _kind(path), path)


def _kind(path: Path) -> Kind:
    """Return what a file is that a folder or a pattern names."""
    from salticid.core.image_files import is_image

    try:
        return "image" if is_image(path) else "video"
    except InputError:  # is said when it is its turn, so that the others are done
        return "image"

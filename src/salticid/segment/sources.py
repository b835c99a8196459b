"""Where the images of a stream come from: a video, a camera, a folder, or whatever yields frames.

A source is read once, from first to last, in a thread of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from salticid.core.camera import Camera
from salticid.core.image import read_image
from salticid.core.image_files import find_images
from salticid.core.types import Image
from salticid.core.video import Frame, VideoReader
from salticid.errors import InputError, SalticidError

StreamSource = str | os.PathLike[str] | int | Iterable[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One image of a source, or the reason why there is none."""

    index: int
    name: str
    time_s: float  # on the source's own clock
    image: Image | None
    error: SalticidError | None = None


class Source(Protocol):
    """What a stream reads from."""

    live: bool  # it goes on whether or not anybody keeps up
    independent: bool  # one broken image says nothing about the others
    count: int | None  # of images, where it is known
    fps: float | None

    def __iter__(self) -> Iterator[Shot]:
        """Yield the images in order; called once."""

    def close(self) -> None:
        """Let go of files and devices."""


def open_source(source: StreamSource, *, live: bool | None = None) -> Source:
    """Return what reads `source`.

    Parameters
    ----------
    source
        A video, an image, a folder or pattern of images; the number of a camera; several image files; or anything that
        yields `Frame`s or (H, W, 3) RGB or (H, W) gray uint8 arrays.
    live
        Whether frames may be dropped; by default of cameras alone.

    Raises
    ------
    InputError
        There is no such file, no image in the folder, it is no video that is read here, or one image that should be in
        a list.
    MissingError
        There is no such camera, or the extra `video` is not installed.
    """
    if isinstance(source, int) and not isinstance(source, bool):
        return CameraSource(source, live=live is not False)
    if isinstance(source, (str, os.PathLike)):
        return _open_path(source)
    if isinstance(source, np.ndarray) and (source.ndim < 3 or (source.ndim == 3 and source.shape[2] == 3)):
        raise InputError(f"an array {source.shape} is one image, not frames: give [image], or label it by itself")
    if isinstance(source, Iterable):
        given: Any = list(source) if isinstance(source, (list, tuple)) else source
        if isinstance(given, list) and given and all(isinstance(item, (str, os.PathLike)) for item in given):
            return ImageSource([Path(item) for item in given])
        return FrameSource(given, live=live is True)
    raise InputError(f"a source is a path, the number of a camera or frames, not {type(source).__name__}")


def _open_path(source: str | os.PathLike[str]) -> Source:
    images = find_images(source)
    return VideoSource(source) if images is None else ImageSource(images)


class VideoSource:
    """The frames of a video file."""

    live, independent = False, False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._name = os.fspath(path)
        # One thread: the other cores have the network to compute.
        self._reader = VideoReader(path, threads=1)
        self.count = self._reader.info.frame_count
        self.fps = self._reader.info.average_fps

    def __iter__(self) -> Iterator[Shot]:
        for frame in self._reader:
            yield Shot(frame.index, self._name, frame.time_s, frame.image)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class ImageSource:
    """Image files, each for itself: one that cannot be read is told, and the next one comes."""

    live, independent = False, True

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self.count: int | None = len(paths)
        self.fps: float | None = None

    def __iter__(self) -> Iterator[Shot]:
        for index, path in enumerate(self._paths):
            try:
                yield Shot(index, os.fspath(path), float(index), read_image(path))
            except SalticidError as error:
                yield Shot(index, os.fspath(path), float(index), None, error)

    def close(self) -> None:
        """Nothing is open between two images."""


class FrameSource:
    """Whatever yields frames or images."""

    independent = False

    def __init__(self, frames: Iterable[Frame | Image], *, live: bool) -> None:
        self._frames = frames
        self.live = live
        self.count: int | None = len(frames) if isinstance(frames, list) else None
        self.fps: float | None = None

    def __iter__(self) -> Iterator[Shot]:
        start = time.perf_counter()
        for index, frame in enumerate(self._frames):
            if isinstance(frame, Frame):
                yield Shot(frame.index, f"frame {frame.index}", frame.time_s, frame.image)
            elif isinstance(frame, np.ndarray):
                yield Shot(index, f"frame {index}", time.perf_counter() - start, frame)
            else:
                raise InputError(f"frame {index} must be an array or a Frame, not {type(frame).__name__}")

    def close(self) -> None:
        """Close what can be closed."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()


class CameraSource:
    """A camera of this machine; errors are those of `Camera`."""

    independent = False

    def __init__(self, number: int, *, live: bool = True) -> None:
        self.live, self._camera = live, Camera(number)
        self.count: int | None = None
        self.fps = self._camera.fps

    def __iter__(self) -> Iterator[Shot]:
        for frame in self._camera:
            yield Shot(frame.index, self._camera.name, frame.time_s, frame.image)

    def close(self) -> None:
        """Give the camera back."""
        self._camera.close()

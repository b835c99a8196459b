"""The frames that `salticid upscale` works on: those of a video, or what a camera sees."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from salticid.cli.inputs import Input

if TYPE_CHECKING:
    from salticid.core.video import Frame
    from salticid.upscale.footage import Footage


@contextmanager
def open_footage(item: Input, seconds: float | None, stopped: threading.Event) -> Iterator[Footage]:
    """Open a video or a camera, whose frames end with the next one when `stopped` is set, or after a time.

    Raises
    ------
    InputError
        The file is no video that is read here; this is no number of a camera, or it gives no picture.
    MissingError
        There is no such camera, or the extra `video` is not installed.
    """
    opened = _camera(int(item.name), stopped) if item.path is None else _video(item.path)
    with opened as footage:
        yield footage if seconds is None else footage.limited(seconds)


@contextmanager
def _video(path: Path) -> Iterator[Footage]:
    from salticid.core.video import VideoReader
    from salticid.upscale.footage import footage_of

    with VideoReader(path, threads=1) as video:
        yield footage_of(video, path)


@contextmanager
def _camera(number: int, stopped: threading.Event) -> Iterator[Footage]:
    from salticid.core.camera import Camera
    from salticid.upscale.footage import Footage

    with Camera(number) as camera:
        frames = _until(camera, stopped)
        first = next(frames)
        height, width = first.image.shape[:2]
        seen = itertools.chain([first], frames)
        yield Footage(camera.name, seen, (height, width), camera.fps, live=True)


def _until(frames: Iterable[Frame], stopped: threading.Event) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        if stopped.is_set():
            return

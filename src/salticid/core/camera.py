"""What a camera of this machine sees, through OpenCV, which every installation has.

with Camera(0) as camera:
    for frame in camera:
        show(frame.image)
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import cv2
import numpy as np

from salticid.core.video import Frame
from salticid.errors import BrokenStreamError, InputError, MissingError

MOST_CAMERAS = 10_000  # OpenCV also takes 200 + n and the like, for a kind of driver; what is no number at all ends it


class Camera:
    """The pictures of a camera, the newest first where the driver can, with the seconds since the first was asked for.

    Raises
    ------
    InputError
        This is no number of a camera.
    MissingError
        It cannot be opened.
    """

    def __init__(self, number: int) -> None:
        if not 0 <= number < MOST_CAMERAS:
            raise InputError(f"a camera is a number from 0 on and below {MOST_CAMERAS}, not {number}")
        self.name = f"camera {number}"
        with _silent():
            self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise MissingError(
                f"{self.name} cannot be opened: is it plugged in, allowed, and not in use? Cameras count from 0"
            )
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # where the driver can: no picture waits in it and grows old
        self.fps: float | None = float(self._capture.get(cv2.CAP_PROP_FPS)) or None

    def __iter__(self) -> Iterator[Frame]:
        """Yield pictures; `BrokenStreamError` when no more come."""
        start, index = time.perf_counter(), 0
        while True:
            taken, picture = self._capture.read()
            if not taken:
                raise BrokenStreamError(f"{self.name} gives no more pictures after {index} frames", index)
            time_s = time.perf_counter() - start
            yield Frame(index, time_s, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)))
            index += 1

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()

    def __enter__(self) -> Camera:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the camera back."""
        self.close()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep OpenCV from printing why each of its ways to a camera failed; we say it once."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)

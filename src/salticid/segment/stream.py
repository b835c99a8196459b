"""Labels for a stream of images: read, computed and used at the same time.

    with segmenter.frames("street.mp4") as stream:
        for frame in stream:
            frame.image, frame.result
    stream.report                                   # frames, dropped, frames per second, ms of every stage

While the loop's body works on one frame, the network computes the next one, and the one after that is read. Of files
nothing is ever dropped: whoever is slower is waited for. A live source (a camera) does not wait, so there the newest
frame wins: one that comes while the network is busy replaces the one that was waiting, which is counted as dropped.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from salticid.core.types import Image
from salticid.errors import InputError, SalticidError
from salticid.runtime.ahead import DEPTH, Dropped, ahead
from salticid.runtime.clock import StageClock
from salticid.segment.result import Segmentation
from salticid.segment.sources import Shot, Source, StreamSource, open_source

if TYPE_CHECKING:
    from salticid.segment.infer import Segmenter

__all__ = ["SegmentStream", "StreamFrame", "StreamReport", "StreamSource"]


@dataclass(frozen=True, slots=True, eq=False)
class StreamFrame:
    """One image of a stream with its labels, or the reason why it has none."""

    index: int  # in the source: a gap is a dropped frame
    name: str  # of its file or source
    time_s: float  # on the source's clock
    error: SalticidError | None  # of an image file that could not be read or labelled
    _image: Image | None
    _result: Segmentation | None

    @property
    def image(self) -> Image:
        """The image, (H, W, 3) or (H, W) uint8; raises `error` where there is one."""
        if self._image is None:
            raise self.error or InputError(f"{self.name} has no image")
        return self._image

    @property
    def result(self) -> Segmentation:
        """Its labels; raises `error` where there is one."""
        if self._result is None:
            raise self.error or InputError(f"{self.name} has no labels")
        return self._result


@dataclass(frozen=True, slots=True)
class StreamReport:
    """How a stream went."""

    frames: int  # that came out with labels
    failed: int  # image files that could not be read or labelled
    dropped: int  # frames of a live source that were replaced by newer ones
    seconds: float  # from the first to the last
    latency_ms: dict[str, float]  # mean of each stage over the frames; stages run at the same time
    engine: str
    device: str
    precision: str

    @property
    def fps(self) -> float:
        """Frames that came out per second; nan when none did."""
        return self.frames / self.seconds if self.frames and self.seconds else float("nan")


class SegmentStream:
    """The labelled frames of a source, once, from first to last.

    Attributes
    ----------
    count, fps
        Frames of the source and its own rate, where it tells them.
    live
        Whether frames may be dropped.
    clock
        For the stages of whoever uses the frames: `with stream.clock("draw"): ...` makes them part of the report.
    """

    def __init__(self, segmenter: Segmenter, source: StreamSource, *, live: bool | None = None) -> None:
        """Open a source; parameters and errors are those of `salticid.segment.sources.open_source`.

        While iterating, whatever is wrong with the source or the network is raised; of image files, and of them alone,
        one that is broken comes as a frame with an `error`.
        """
        self._segmenter = segmenter
        self._source: Source = open_source(source, live=live)
        self.live = self._source.live
        self.count, self.fps = self._source.count, self._source.fps
        self.clock = StageClock()
        self._dropped = Dropped()
        self._frames = self._failed = 0
        self._start = self._end = 0.0
        self._stopped = threading.Event()
        # Not held, so that a loop which is left takes its threads with it.
        self._running: weakref.ref[Generator[StreamFrame, None, None]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[StreamFrame]:
        if self._running is not None:
            raise InputError("a stream is read once: open the source again to read it from the start")
        running = self._run()
        self._running = weakref.ref(running)
        return running

    def stop(self) -> None:
        """End the stream after the frames that are in work, as if the source had ended; any thread may call this."""
        self._stopped.set()

    def close(self) -> None:
        """End the stream now: no thread is left, and the source is closed."""
        self.stop()
        running = self._running() if self._running is not None else None
        if running is not None:
            running.close()
        self._source.close()

    @property
    def report(self) -> StreamReport:
        """How it went so far."""
        done = max(1, self._frames)
        return StreamReport(
            frames=self._frames,
            failed=self._failed,
            dropped=self._dropped.count,
            seconds=(self._end or time.perf_counter()) - self._start if self._start else 0.0,
            latency_ms={stage: total / done for stage, total in self.clock.latency_ms.copy().items()},
            engine=self._segmenter.engine,
            device=self._segmenter.device,
            precision=self._segmenter.options.precision,
        )

    def _run(self) -> Generator[StreamFrame, None, None]:
        self._start = time.perf_counter()
        dropped = self._dropped if self.live else None
        work = ahead(self._shots(), self._label, depth=1 if self.live else DEPTH, dropped=dropped)
        try:
            for frame in work:
                self._frames += frame.error is None
                self._failed += frame.error is not None
                yield frame
        finally:
            work.close()
            self._source.close()
            self._end = time.perf_counter()

    def _shots(self) -> Iterator[Shot]:
        """Read the source until it ends or is stopped; runs in a thread of its own."""
        shots = iter(self._source)
        while not self._stopped.is_set():
            with self.clock("read"):
                shot = next(shots, None)
            if shot is None:
                return
            yield shot

    def _label(self, shot: Shot) -> StreamFrame:
        """Label one image; runs in a thread of its own."""
        result, error = None, shot.error
        if shot.image is not None:
            try:
                result = self._segmenter(shot.image)
                self.clock.add(dict(result.latency_ms))
            except SalticidError as problem:
                if not self._source.independent:
                    raise
                error = problem
        return StreamFrame(shot.index, shot.name, shot.time_s, error, shot.image, result)

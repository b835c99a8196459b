"""Enlarging a video: decoded, enlarged and encoded at the same time, with its sound and its times.

    done = upscale_video(Upscaler("fast"), "small.mp4", "large.mp4", scale=4)
    done.frames, done.fps, done.unchanged

While one frame is encoded the next is enlarged and the one after that decoded; only a few are ever held. Every frame is
shown when it was shown, upright, and the sound is copied as it is. A video that breaks off becomes one that ends there,
and the result says so. Of a file nothing is dropped; a camera does not wait, so of its frames the newest one is taken.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from salticid.core.progress import Progress, unseen
from salticid.core.video import Frame, VideoReader, VideoWriter
from salticid.core.video_audio import AudioCopy
from salticid.core.video_writer import Codec, codec_of, likely_fps
from salticid.errors import BrokenStreamError
from salticid.runtime.ahead import DEPTH, Dropped, ahead
from salticid.runtime.clock import StageClock
from salticid.runtime.ladder import Skip
from salticid.upscale.footage import Footage, footage_of
from salticid.upscale.frames import FrameUpscaler
from salticid.upscale.infer import Upscaler
from salticid.upscale.plan import target_size
from salticid.upscale.result import Upscaled

File = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class UpscaledVideo:
    """How a video was enlarged."""

    path: Path
    frames: int
    dropped: int  # frames of a live source that were replaced by newer ones
    size: tuple[int, int]  # height and width of a frame, upright
    target: tuple[int, int]  # and of the result
    model: str  # which network; "bicubic" where none could be used
    steps: dict[str, int]  # how many frames were computed how, by the step of the ladder
    skipped: tuple[Skip, ...]  # better ways that were not possible, and why
    unchanged: float  # share of all tiles whose result was taken over from the frame before
    tracks: int  # of sound that were copied
    warnings: tuple[str, ...]  # what is missing in the result, and why
    seconds: float
    latency_ms: dict[str, float]  # mean per frame and stage; stages run at the same time

    @property
    def fps(self) -> float:
        """Frames that were made per second."""
        return self.frames / self.seconds if self.seconds else float("nan")

    def better_than(self, step: str) -> tuple[Skip, ...]:
        """Return what was skipped above a step: all, or for one that was itself given up later, what came before."""
        return tuple(takewhile(lambda skip: skip.step != step, self.skipped))


def upscale_video(
    upscaler: Upscaler,
    source: File,
    path: File,
    *,
    scale: float | None = None,
    width: int | None = None,
    height: int | None = None,
    seconds: float | None = None,
    codec: Codec | None = None,
    overwrite: bool = False,
    progress: Progress = unseen,
) -> UpscaledVideo:
    """Enlarge a video into a file, which appears when it is whole.

    Parameters
    ----------
    source
        A local video file.
    path
        Ends in .mp4, .mov, .mkv or .webm.
    scale, width, height
        As in `Upscaler.__call__`, of a frame.
    seconds
        What begins later than this after the first frame is left out, of the sound as well.
    codec
        "h264", "vp9" or "ffv1" (lossless); by default h264, and vp9 for .webm.
    progress
        Is given the frames, how many there are and what they are, where the file tells how many.

    Raises
    ------
    InputError
        The file is no video, not one frame of it can be read, the size is out of range, `seconds` is not above 0, the
        codec does not go with the suffix, or `path` exists and `overwrite` is false.
    MissingError
        The extra `video` is not installed, or what was asked for by name is not on this machine.
    ResourceError
        Memory does not hold a frame, or the disk is full.
    """
    how: dict[str, Any] = {"scale": scale, "width": width, "height": height, "codec": codec, "overwrite": overwrite}
    with ExitStack() as opened:
        reader = opened.enter_context(VideoReader(source, threads=1))  # the other CPUs have the network to compute
        audio = opened.enter_context(AudioCopy(source)) if reader.info.has_audio else None
        footage = footage_of(reader, source)
        if seconds is not None:
            footage = footage.limited(seconds)
        return upscale_footage(upscaler, footage, path, audio=audio, progress=progress, **how)


def upscale_footage(
    upscaler: Upscaler,
    footage: Footage,
    path: File,
    *,
    scale: float | None = None,
    width: int | None = None,
    height: int | None = None,
    codec: Codec | None = None,
    overwrite: bool = False,
    audio: AudioCopy | None = None,
    progress: Progress = unseen,
) -> UpscaledVideo:
    """Enlarge frames, of a camera say, into a video file; it is whole when they end, or break off after the first one.

    Parameters and errors are those of `upscale_video`.
    """
    target = target_size(footage.size, scale, width, height)
    work = _Work(upscaler, footage, target)
    out = VideoWriter(
        path,
        fps=likely_fps(footage.fps),
        width=target[1],
        height=target[0],
        codec=codec or codec_of(path),
        overwrite=overwrite,
        threads=upscaler.threads,
        audio=audio,
    )
    with closing(work.run()) as frames, out:
        count = footage.count
        work.write(progress(frames, count, "frames") if count else frames, out, audio)
    return work.report(Path(path), audio)


class _Work:
    """One video on its way."""

    def __init__(self, upscaler: Upscaler, footage: Footage, target: tuple[int, int]) -> None:
        self._upscaler, self._footage, self._target = FrameUpscaler(upscaler), footage, target
        self._clock, self._start = StageClock(), time.perf_counter()
        self._dropped = Dropped()
        self._steps: dict[str, int] = {}
        self._skipped: dict[str, Skip] = {}
        self._broken, self._model = "", ""
        self._origin_s = self._last_s = 0.0  # on the clock of the source, and on that of the copy

    @property
    def frames(self) -> int:
        """That are done."""
        return sum(self._steps.values())

    def run(self) -> Generator[tuple[float, Upscaled], None, None]:
        """Yield the time of each frame and what becomes of it, made in threads of their own."""
        live = self._footage.live
        dropped = self._dropped if live else None
        return ahead(self._read(), self._enlarge, depth=1 if live else DEPTH, dropped=dropped)

    def write(self, frames: Iterable[tuple[float, Upscaled]], out: VideoWriter, audio: AudioCopy | None) -> None:
        """Write the frames as far as they can be read, and the sound as far as there are frames."""
        for time_s, large in self._until_break(frames):
            if not self.frames:
                self._begin(time_s, audio)
            with self._clock("encode"):
                out.write(large.image, time_s - self._origin_s)
            self._note(large, time_s - self._origin_s)
        if audio is not None and self._broken:
            audio.stop_at(self._last_s)

    def report(self, path: Path, audio: AudioCopy | None) -> UpscaledVideo:
        """Return how it went."""
        return UpscaledVideo(
            path=path,
            frames=self.frames,
            dropped=self._dropped.count,
            size=self._footage.size,
            target=self._target,
            model=self._model,
            steps=dict(self._steps),
            skipped=tuple(self._skipped.values()),
            unchanged=self._upscaler.unchanged,
            tracks=audio.tracks if audio is not None else 0,
            warnings=tuple(
                warning for warning in (self._broken, audio.problem if audio is not None else "") if warning
            ),
            seconds=time.perf_counter() - self._start,
            latency_ms={stage: total / self.frames for stage, total in self._clock.latency_ms.items()},
        )

    def _read(self) -> Iterator[Frame]:
        frames = self._footage.checked()
        while True:
            with self._clock("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _enlarge(self, frame: Frame) -> tuple[float, Upscaled]:
        with self._clock("enlarge"):
            return frame.time_s, self._upscaler.next(frame.image, self._target)

    def _until_break(self, frames: Iterable[tuple[float, Upscaled]]) -> Iterator[tuple[float, Upscaled]]:
        try:
            yield from frames
        except BrokenStreamError as broken:
            if not self.frames:
                raise
            self._broken = str(broken)

    def _begin(self, first_s: float, audio: AudioCopy | None) -> None:
        """Let the copy begin with the first frame, or with the sound where that is earlier."""
        self._origin_s = first_s
        if audio is not None:
            self._origin_s = audio.origin_s = min(first_s, max(0.0, audio.start_s))
            audio.stop_at(first_s - self._origin_s + self._footage.limit_s)

    def _note(self, large: Upscaled, time_s: float) -> None:
        self._model, self._last_s = large.model, time_s
        self._steps[large.step] = self._steps.get(large.step, 0) + 1
        self._skipped |= {skip.step: skip for skip in large.skipped}

"""Enlarging a video: decoded, enlarged and encoded at the same time, with its sound and its times.

    done = upscale_video(Upscaler("fast"), "small.mp4", "large.mp4", scale=4)
    done.frames, done.fps, done.unchanged

While one frame is encoded the next is enlarged and the one after that decoded; only a few are ever held. Every frame is
shown when it was shown, upright, and the sound is copied as it is. A video that breaks off becomes one that ends there,
and the result says so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from salticid.core.progress import Progress, unseen
from salticid.core.video import Frame, VideoReader, VideoWriter
from salticid.core.video_audio import AudioCopy
from salticid.core.video_writer import Codec, codec_of, likely_fps
from salticid.errors import BrokenStreamError
from salticid.runtime.ahead import ahead
from salticid.runtime.clock import StageClock
from salticid.runtime.ladder import Skip
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


def upscale_video(
    upscaler: Upscaler,
    source: File,
    path: File,
    *,
    scale: float | None = None,
    width: int | None = None,
    height: int | None = None,
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
    codec
        "h264", "vp9" or "ffv1" (lossless); by default h264, and vp9 for .webm.
    progress
        Is given the frames, how many there are and what they are, where the file tells how many.

    Raises
    ------
    InputError
        The file is no video, not one frame of it can be read, the size is out of range, the codec does not go with the
        suffix, or `path` exists and `overwrite` is false.
    MissingError
        The extra `video` is not installed, or what was asked for by name is not on this machine.
    ResourceError
        Memory does not hold a frame, or the disk is full.
    """
    with ExitStack() as opened:
        reader = opened.enter_context(VideoReader(source, threads=1))  # the other CPUs have the network to compute
        audio = opened.enter_context(AudioCopy(source)) if reader.info.has_audio else None
        target = target_size((reader.info.height, reader.info.width), scale, width, height)
        work = _Work(upscaler, reader, os.fspath(source), target)
        out = VideoWriter(
            path,
            fps=likely_fps(reader.info.average_fps),
            width=target[1],
            height=target[0],
            codec=codec or codec_of(path),
            overwrite=overwrite,
            threads=upscaler.threads,
            audio=audio,
        )
        frames = opened.enter_context(closing(ahead(work.read(), work.enlarge)))
        opened.enter_context(out)
        count = reader.info.frame_count
        work.write(progress(frames, count, "frames") if count else frames, out, audio)
    return work.report(Path(path), audio)


class _Work:
    """One video on its way."""

    def __init__(self, upscaler: Upscaler, reader: VideoReader, name: str, target: tuple[int, int]) -> None:
        self.target, self._name = target, name
        self._upscaler, self._reader = FrameUpscaler(upscaler), reader
        self._size = reader.info.height, reader.info.width
        self._clock, self._start = StageClock(), time.perf_counter()
        self._steps: dict[str, int] = {}
        self._skipped: dict[str, Skip] = {}
        self._broken, self._model, self._last_s = "", "", 0.0

    @property
    def frames(self) -> int:
        """That are done."""
        return sum(self._steps.values())

    def read(self) -> Iterator[Frame]:
        """Yield the frames as far as they are of one size; runs in a thread of its own."""
        frames = iter(self._reader)
        while True:
            with self._clock("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            if frame.image.shape[:2] != self._size:
                height, width = frame.image.shape[:2]
                what = (
                    f"frame {frame.index} of {self._name} is {width} x {height}, not {self._size[1]} x {self._size[0]}"
                )
                raise BrokenStreamError(f"{what}: cut the video there, and enlarge both parts", frame.index)
            yield frame

    def enlarge(self, frame: Frame) -> tuple[float, Upscaled]:
        """Return the time of a frame and what becomes of it; runs in a thread of its own."""
        with self._clock("enlarge"):
            return frame.time_s, self._upscaler.next(frame.image, self.target)

    def write(self, frames: Iterable[tuple[float, Upscaled]], out: VideoWriter, audio: AudioCopy | None) -> None:
        """Write the frames as far as they can be read, and the sound as far as there are frames."""
        origin_s = None
        for time_s, large in self._until_break(frames):
            if origin_s is None:
                origin_s = time_s if audio is None else min(time_s, max(0.0, audio.start_s))
            if audio is not None:
                audio.origin_s = origin_s
            with self._clock("encode"):
                out.write(large.image, time_s - origin_s)
            self._note(large, time_s - origin_s)
        if audio is not None and self._broken:
            audio.stop_at(self._last_s)

    def report(self, path: Path, audio: AudioCopy | None) -> UpscaledVideo:
        """Return how it went."""
        return UpscaledVideo(
            path=path,
            frames=self.frames,
            size=self._size,
            target=self.target,
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

    def _until_break(self, frames: Iterable[tuple[float, Upscaled]]) -> Iterator[tuple[float, Upscaled]]:
        try:
            yield from frames
        except BrokenStreamError as broken:
            if not self.frames:
                raise
            self._broken = str(broken)

    def _note(self, large: Upscaled, time_s: float) -> None:
        self._model, self._last_s = large.model, time_s
        self._steps[large.step] = self._steps.get(large.step, 0) + 1
        self._skipped |= {skip.step: skip for skip in large.skipped}

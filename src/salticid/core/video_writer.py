"""Write a video frame by frame, with exact times; a half-written file never appears.

The colors are those of BT.709 in limited range, tagged as such, which is what players expect of a video.
"""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import cv2
import numpy as np

from salticid.core.atomic import check_target, replacing
from salticid.core.pyav import import_av
from salticid.core.types import Array
from salticid.errors import InputError, MissingError, ResourceError

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from salticid.core.video_audio import AudioCopy

Codec = Literal["h264", "vp9", "ffv1"]

# Plays everywhere, but WebM holds no H.264.
CODECS: dict[str, Codec] = {".mp4": "h264", ".mov": "h264", ".mkv": "h264", ".webm": "vp9"}

USUAL_FPS = 30.0
MOST_FPS = 1000.0  # some sources tell the ticks of their clock instead

_MAX_SIDE = 16_384
_TICKS_PER_S = 90_000  # at least: the customary clock, on which usual frame rates fall exactly
_BT709, _LIMITED_RANGE = 1, 1  # as FFmpeg numbers them


@dataclass(frozen=True, slots=True)
class _Encoder:
    """How a codec is written."""

    name: str
    pixel_format: str
    options: dict[str, str]
    suffixes: tuple[str, ...]
    max_crf: int
    lossy: bool  # with half the resolution for color, which needs even sides, and a constant quality


# Without B-frames (bf) an MP4 states the right duration however uneven the times are.
_ENCODERS: dict[Codec, _Encoder] = {
    "h264": _Encoder("libx264", "yuv420p", {"preset": "veryfast", "bf": "0"}, (".mp4", ".mov", ".mkv"), 51, lossy=True),
    "vp9": _Encoder(
        "libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "6", "b": "0"}, (".webm", ".mkv"), 63, lossy=True
    ),
    "ffv1": _Encoder("ffv1", "bgr0", {}, (".mkv",), 51, lossy=False),
}


class VideoWriter:
    """Write a video in one step: the file appears when all went well, and after an exception nothing does.

    Parameters
    ----------
    path
        Ends in .mp4, .mov or .mkv for h264; .webm or .mkv for vp9; .mkv for ffv1.
    fps
        Frames per second, for frames that are written without a time.
    width, height
        Of every frame. h264 and vp9 need even sides: an odd one gets its last column or row once more.
    codec
        "h264" plays everywhere, "vp9" is smaller and slower, "ffv1" is lossless.
    crf
        Constant quality of h264 (0..51) and vp9 (0..63): lower is better and larger. ffv1 has no use for it.
    threads
        That encode; 0 takes one per CPU.
    audio
        Sound to be copied from another video; what cannot be copied is told by `audio.problem`.

    Raises
    ------
    InputError
        An argument is out of range, the suffix does not go with the codec, or the file cannot be written there.
        While writing: a frame of another size or dtype, a time that does not grow, no frame at all.
    MissingError
        The extra `video`, or an encoder in it, is not installed.
    ResourceError
        The encoder or the disk failed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        fps: float,
        width: int,
        height: int,
        codec: Codec = "h264",
        crf: int = 18,
        overwrite: bool = True,
        threads: int = 0,
        audio: AudioCopy | None = None,
    ) -> None:
        self._av, self._audio = import_av(), audio
        self._path, self._overwrite = Path(path), overwrite
        self._encoder = _encoder(codec, self._path)
        if not 0 <= crf <= self._encoder.max_crf:
            raise InputError(f"crf of {codec} must be in 0..{self._encoder.max_crf}, not {crf}")
        if not 0.01 <= fps <= 1000:
            raise InputError(f"fps must be in 0.01..1000, not {fps}")
        if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
            raise InputError(f"a video must be 1..{_MAX_SIDE} pixels a side, not {width} x {height}")
        check_target(self._path, overwrite=overwrite)
        self._frame_s = 1 / Fraction(float(fps)).limit_denominator(1001)
        self._tick_s = _tick(self._frame_s)
        self._width, self._height, self._crf, self._threads = width, height, crf, threads
        self._last_tick: int | None = None
        self._files: ExitStack | None = None

    def __enter__(self) -> Self:
        with ExitStack() as files:
            part = files.enter_context(replacing(self._path, overwrite=self._overwrite))
            try:
                self._container: OutputContainer = self._av.open(f"file:{part}", "w", options=self._file_options())
                files.callback(self._close)
                self._stream = self._add_stream()
                if self._audio is not None:
                    self._audio.connect(self._container, self._path.suffix.lower())
            except self._av.FFmpegError as error:
                raise ResourceError(f"cannot write {self._path}: {error.strerror}") from error
            self._reformatter = self._av.video.reformatter.VideoReformatter()
            files.push(self._finish)
            self._files = files.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        files, self._files = self._files, None
        if files is not None:
            files.__exit__(kind, error, trace)

    def write(self, image: Array, time_s: float | None = None) -> None:
        """Write one frame.

        Parameters
        ----------
        image
            (height, width, 3) RGB uint8.
        time_s
            When it is shown; None is one frame after the last one. Matroska and WebM round it to 1 ms.
        """
        if self._files is None:
            raise InputError("a VideoWriter writes only inside its 'with' block")
        if image.shape != (self._height, self._width, 3) or image.dtype != np.uint8:
            wanted = (self._height, self._width, 3)
            raise InputError(f"a frame of {self._path} must be {wanted} uint8, not {image.shape} {image.dtype}")
        tick = self._next_tick(time_s)
        self._encode(self._picture(image, tick))
        self._last_tick = tick

    def _add_stream(self) -> VideoStream:
        encoder = self._encoder
        if encoder.name not in self._av.codecs_available:
            raise MissingError(
                f"this PyAV has no encoder {encoder.name}: install PyAV's own wheel, or take codec 'ffv1'"
            )
        added = self._container.add_stream(encoder.name, rate=1 / self._frame_s, options=self._options())
        stream = cast("VideoStream", added)
        extra = int(encoder.lossy)
        stream.width, stream.height = self._width + extra * (self._width % 2), self._height + extra * (self._height % 2)
        stream.pix_fmt = encoder.pixel_format
        stream.time_base = stream.codec_context.time_base = self._tick_s
        stream.thread_count = self._threads
        if encoder.lossy:
            stream.color_range, stream.colorspace = _LIMITED_RANGE, _BT709
            stream.color_primaries = stream.color_trc = _BT709
        return stream

    def _file_options(self) -> dict[str, str]:
        """Put the index of an MP4 first, so that it plays while it is downloaded."""
        return {"movflags": "+faststart"} if self._path.suffix.lower() in (".mp4", ".mov") else {}

    def _options(self) -> dict[str, str]:
        return self._encoder.options | ({"crf": str(self._crf)} if self._encoder.lossy else {})

    def _next_tick(self, time_s: float | None) -> int:
        after = -1 if self._last_tick is None else self._last_tick
        if time_s is None:
            return 0 if self._last_tick is None else after + round(self._frame_s / self._tick_s)
        tick = round(time_s / self._tick_s) if math.isfinite(time_s) else -1
        if tick <= after:
            raise InputError(f"time_s must be at least 0 and grow from frame to frame, not {time_s} s")
        return tick

    def _picture(self, image: Array, tick: int) -> VideoFrame:
        below, right = self._stream.height - self._height, self._stream.width - self._width
        image = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
        rgb = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        colors = self._colors() if self._encoder.lossy else {}
        picture: VideoFrame = self._reformatter.reformat(rgb, format=self._encoder.pixel_format, **colors)
        picture.pts, picture.time_base = tick, self._tick_s
        picture.duration = round(self._frame_s / self._tick_s)
        return picture

    def _colors(self) -> dict[str, Any]:
        """Return how RGB becomes YUV: rounded to nearest, which costs nothing here (the default is up to 1 off)."""
        way = self._av.video.reformatter.Interpolation
        exact = way.BILINEAR | way.ACCURATE_RND | way.FULL_CHR_H_INP
        return {"dst_colorspace": "itu709", "dst_color_range": "MPEG", "interpolation": int(exact)}

    def _encode(self, picture: VideoFrame | None) -> None:
        """Encode one picture, or with None what the encoder still holds."""
        try:
            for packet in self._stream.encode(picture):
                if self._audio is not None and packet.pts is not None:
                    self._audio.send(self._container, float(packet.pts * packet.time_base))
                self._container.mux(packet)
            if self._audio is not None and picture is None:
                self._audio.send(self._container)
        except self._av.FFmpegError as error:
            raise ResourceError(f"cannot write {self._path}: {error.strerror}") from error

    def _finish(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        """Write what is left; runs before the file is closed and renamed."""
        if kind is not None:
            return
        if self._last_tick is None:
            raise InputError(f"no frame was written to {self._path}: a video needs at least one")
        self._encode(None)

    def _close(self) -> None:
        try:
            self._container.close()
        except self._av.FFmpegError as error:
            raise ResourceError(f"cannot write {self._path}: {error.strerror}") from error


def codec_of(path: str | os.PathLike[str]) -> Codec:
    """Return the codec for a video file of this name; `InputError` where there is none."""
    suffix = Path(path).suffix.lower()
    if suffix not in CODECS:
        raise InputError(f"cannot write {os.fspath(path)}: a video ends in {', '.join(CODECS)}")
    return CODECS[suffix]


def check_codec(codec: Codec, path: str | os.PathLike[str]) -> None:
    """Raise `InputError` now when `VideoWriter` could not write a file of this name by this codec."""
    _encoder(codec, Path(path))


def likely_fps(fps: float | None) -> float:
    """Return the rate that a source tells, or a usual one where it tells none that can be."""
    return fps if fps and 0.1 <= fps <= MOST_FPS else USUAL_FPS


def _encoder(codec: Codec, path: Path) -> _Encoder:
    if codec not in _ENCODERS:
        raise InputError(f"codec must be one of {', '.join(_ENCODERS)}, not {codec!r}")
    encoder = _ENCODERS[codec]
    if path.suffix.lower() not in encoder.suffixes:
        raise InputError(f"cannot write {path}: {codec} goes into a file that ends in {', '.join(encoder.suffixes)}")
    return encoder


def _tick(frame_s: Fraction) -> Fraction:
    """Return a clock tick on which every frame of a constant rate falls exactly."""
    per_second = frame_s.denominator
    return Fraction(1, per_second * max(1, -(-_TICKS_PER_S // per_second)))

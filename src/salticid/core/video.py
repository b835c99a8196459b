"""Video in and out: RGB frames with their exact times, upright, variable frame rates kept.

    with VideoReader("walk.mp4") as video:
        for frame in video:
            ...                                             # frame.image (H, W, 3), frame.time_s
    with VideoWriter("out.mp4", fps=30, width=640, height=480) as out:
        out.write(image)

FFmpeg does the work, through PyAV (extra `video`). Only containers and codecs that cameras, phones and editors
write are opened, only local files, and only up to a frame size that is checked before anything is decoded.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import numpy as np

from salticid.core.files import looks_like, read_head
from salticid.core.image_ifd import upright
from salticid.core.pyav import import_av
from salticid.core.types import Image
from salticid.core.video_planes import Planes, PlanesFrame, planes_of
from salticid.core.video_writer import VideoWriter
from salticid.errors import BrokenStreamError, InputError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.sidedata.sidedata import SideData
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["MAX_PIXELS", "Frame", "VideoInfo", "VideoReader", "VideoWriter"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

MAX_PIXELS = 4096 * 2304  # at most about 1 GB in the decoder: 17 pictures of 10 bits, 4:4:4

_CONTAINERS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,ivf,h264,hevc,yuv4mpegpipe"
_CODECS = (
    "h264,hevc,libdav1d,av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,mpeg2video,mpeg1video,mjpeg,ffv1,prores,dnxhd,theora,"
    "h263,flv,msmpeg4,msmpeg4v2,wmv1,wmv2,wmv3,vc1,rawvideo"
)
_DECLARE_DURATION = {"mov", "matroska", "avi", "flv", "asf"}  # in their head; others only estimate it
_MOST_THREADS = 64  # that FFmpeg starts
_PROBED = 4  # times max_pixels: frames up to this size are looked at, so that the message can tell their size
_MISSING_S = 0.5  # an end that comes this much before the declared one is a break

# The signs of a, b, c, d in a display matrix (x' = ax + cy, y' = bx + dy), as EXIF numbers the orientations.
_ORIENTATIONS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
_CLOCKWISE_DEG = {3: 180, 5: 90, 6: 90, 7: 270, 8: 270}


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video is, as its container and its first frame say."""

    width: int  # upright
    height: int
    rotation_deg: int  # 0, 90, 180 or 270 clockwise, applied already
    average_fps: float | None
    duration_s: float | None
    frame_count: int | None
    variable_frame_rate: bool | None  # None where the container holds no index that tells
    codec: str
    has_audio: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a video."""

    index: int
    time_s: float  # on the container's clock, which need not start at 0
    image: Image  # (H, W, 3) RGB, within 3 of 255 of the exact conversion; its size may change within a stream


class VideoReader:
    """The frames of a video file, once, from first to last.

    Parameters
    ----------
    path
        A local file.
    max_pixels
        Most pixels of a frame.
    threads
        That decode; 0 takes one per CPU.

    Raises
    ------
    InputError
        The file cannot be read, holds no video that salticid reads, or its frames are too large.
    BrokenStreamError
        While iterating: the stream breaks off or is damaged. All frames before that were yielded; where the codec
        looks ahead, the last few of them may show the damage.
    MissingError
        The extra `video` is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS, threads: int = 0) -> None:
        self._av = import_av()
        self._name = os.fspath(path)
        self._max_pixels, self._threads = max_pixels, threads
        self._problem, self._damaged_from = "", math.inf  # what is wrong, and from which time stamp on
        self._taken = self._closed = False
        self._container = open_container(self._av, path, max_pixels)
        with ExitStack() as on_error:
            on_error.callback(self.close)
            self._stream = _video_stream(self._container, self._name)
            _prepare(self._stream, self._name, max_pixels, threads)
            self._reformatter = self._av.video.reformatter.VideoReformatter()
            self._pictures = self._decode()
            first = self._first_picture()
            self._orientation = _orientation(first)
            self.info = _describe(self._container, self._stream, first, self._orientation)
            self._pictures = itertools.chain([first], self._pictures)
            on_error.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; frames that were read stay valid."""
        self._closed = True
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        for index, time_s, image in self._frames(self._to_rgb):
            yield Frame(index, time_s, image)

    def planes(self) -> Iterator[PlanesFrame]:
        """Yield the frames in brightness and color as stored, in place of RGB; each holds memory of the decoder."""
        for index, time_s, planes in self._frames(self._to_planes):
            yield PlanesFrame(index, time_s, planes)

    def _frames(self, convert: Callable[[VideoFrame], _T]) -> Iterator[tuple[int, float, _T]]:
        """Yield number, time and what `convert` makes of each picture, up to the end or to what is broken."""
        if self._taken or self._closed:
            raise InputError(f"{self._name} was read or closed already: open it again to read it from the start")
        self._taken = True
        count = 0
        for picture in self._pictures:
            converted = self._converted(picture, convert)
            if converted is None:
                break
            yield count, self._time_s(picture, count), converted
            count += 1
        if self._closed:
            raise InputError(f"{self._name} was closed while it was read")
        if self._problem:
            raise BrokenStreamError(f"{self._name} breaks off after {count} frames: {self._problem}", count)

    def _first_picture(self) -> VideoFrame:
        for picture in self._pictures:
            return picture
        limit = f"of up to {self._max_pixels:,} pixels"
        problem = self._problem or "it is empty"
        raise InputError(f"{self._name} holds no frame {limit} that can be decoded: {problem}")

    def _decode(self) -> Iterator[VideoFrame]:
        """Yield pictures up to the end or to the first damage; what the decoder still holds comes last."""
        recent: deque[int] = deque(maxlen=_MOST_THREADS)
        for packet in itertools.chain(self._packets(), [None]):
            if packet is not None and packet.pts is not None:
                recent.append(packet.pts)
            for picture in self._decode_packet(packet, recent):
                if picture.is_corrupt or (picture.pts or 0) >= self._damaged_from:
                    self._note("the stream is damaged")
                    return
                yield picture
                if self._closed:
                    return

    def _packets(self) -> Iterator[Packet[Any]]:
        """Yield the packets of the stream until a problem is noted."""
        expected = len(self._stream.index_entries) if _is_one_of(self._container, {"mov"}) else 0
        found, end_s = 0, 0.0
        try:
            for packet in self._container.demux():
                if packet.is_corrupt:
                    self._note("the file is truncated")
                if self._problem:
                    return
                end_s = max(end_s, _end_s(packet))
                if packet.size and packet.stream_index == self._stream.index:
                    found += 1
                    yield packet
        except self._av.FFmpegError as error:
            self._note(f"the file is damaged ({error.strerror})")
        self._note_missing_end(found, expected, end_s)

    def _note_missing_end(self, found: int, expected: int, end_s: float) -> None:
        declared_s = _declared_s(self._container)
        if found < expected:
            self._note(f"only {found} of {expected} frames are in the file: it is truncated")
        if end_s < declared_s - max(_MISSING_S, 3 * _frame_s(self._stream)):
            self._note(f"it ends after {end_s:.1f} of {declared_s:.1f} s: it is truncated")

    def _decode_packet(self, packet: Packet[Any] | None, recent: Sequence[int]) -> list[VideoFrame]:
        """Decode one packet, or with None what the decoder still holds; `recent` are the last time stamps."""
        try:
            return self._stream.decode(packet)
        except self._av.FFmpegError as error:
            self._note(f"the stream is damaged ({error.strerror})")
            # An error shows up late: it may be that of any packet which the decoder's threads have in hand.
            in_hand = max(1, self._stream.codec_context.thread_count)
            self._damaged_from = min(list(recent)[-in_hand:], default=0)
            return []

    def _converted(self, picture: VideoFrame, convert: Callable[[VideoFrame], _T]) -> _T | None:
        """Return what `convert` makes of a picture; None, and a note, when it cannot be made."""
        if picture.width * picture.height > self._max_pixels:
            self._note(f"a frame of {picture.width} x {picture.height} is more than max_pixels={self._max_pixels:,}")
            return None
        try:
            return convert(picture)
        except (self._av.FFmpegError, ValueError) as error:
            self._note(f"a frame cannot be converted ({error})")
            return None

    def _to_rgb(self, picture: VideoFrame) -> Image:
        rgb = self._reformatter.reformat(picture, format="rgb24", threads=self._threads).to_ndarray()
        return np.ascontiguousarray(upright(rgb, self._orientation), np.uint8)

    def _to_planes(self, picture: VideoFrame) -> Planes:
        return planes_of(picture, self._orientation, self._reformatter, self._threads)

    def _time_s(self, picture: VideoFrame, index: int) -> float:
        """Return the time stamp; a raw stream has none and is taken to run at its average rate."""
        if picture.pts is None or self._stream.time_base is None:
            return index * _frame_s(self._stream)
        return float(picture.pts * self._stream.time_base)

    def _note(self, problem: str) -> None:
        self._problem = self._problem or problem


def open_container(
    av: ModuleType, path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS, *, more_codecs: str = ""
) -> InputContainer:
    """Open a local file of the kinds that are read here; errors are those of `VideoReader`.

    `more_codecs` names decoders that may look at it beside those of pictures, with commas between them.
    """
    name = os.fspath(path)
    noun = looks_like(read_head(path))
    if noun.endswith(("image", "document", "page")):
        raise InputError(f"{name} is not a video: it looks like {noun}")
    # "file:" and the white lists keep a hostile file from naming other files or addresses to open.
    limits = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
    decoding = {"codec_whitelist": f"{_CODECS},{more_codecs}", "max_pixels": str(_PROBED * max_pixels)}
    try:
        container: InputContainer = av.open(
            f"file:{Path(path).absolute()}", options=decoding, container_options=limits, metadata_errors="replace"
        )
    except (av.FFmpegError, ValueError) as error:
        hint = "it is damaged, or its copy did not finish" if "video" in noun else f"it looks like {noun}"
        raise InputError(f"{name} is not a video that salticid reads: {hint}") from error
    return container


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    """Return the first stream of moving pictures; the cover of a song is none."""
    for stream in container.streams.video:
        if stream.disposition & stream.disposition.attached_pic:
            continue
        if stream.codec_context is None or stream.codec_context.name not in _CODECS.split(","):
            raise InputError(f"{name} holds video of a codec that salticid does not decode: convert it to H.264 first")
        return stream
    what = "only sound" if container.streams.audio else "or none that is whole: its copy may not have finished"
    raise InputError(f"{name} holds no video, {what}")


def _prepare(stream: VideoStream, name: str, max_pixels: int, threads: int) -> None:
    """Limit what the decoder takes on; FFmpeg keeps to `max_pixels` when the size changes later, too."""
    context = stream.codec_context
    if context.width * context.height > max_pixels:
        size = f"{context.width} x {context.height}"
        raise InputError(
            f"{name} has frames of {size}, more than max_pixels={max_pixels:,}: shrink it or raise max_pixels"
        )
    context.options = {"max_pixels": str(max_pixels)}
    context.thread_count = threads
    context.thread_type = "AUTO"


def _describe(container: InputContainer, stream: VideoStream, first: VideoFrame, orientation: int) -> VideoInfo:
    width, height = (first.height, first.width) if orientation >= 5 else (first.width, first.height)
    return VideoInfo(
        width=width,
        height=height,
        rotation_deg=_CLOCKWISE_DEG.get(orientation, 0),
        average_fps=float(stream.average_rate) if stream.average_rate else None,
        duration_s=_duration_s(container, stream),
        frame_count=stream.frames or None,
        variable_frame_rate=_varies(stream),
        codec=stream.codec_context.codec.canonical_name,
        has_audio=bool(container.streams.audio),
    )


def _is_one_of(container: InputContainer, formats: set[str]) -> bool:
    return not formats.isdisjoint(container.format.name.split(","))


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


def _declared_s(container: InputContainer) -> float:
    """Return the end that the head of the file promises for its longest stream, or 0."""
    return (container.duration or 0) / 1e6 if _is_one_of(container, _DECLARE_DURATION) else 0.0


def _end_s(packet: Packet[Any]) -> float:
    if packet.pts is None or packet.time_base is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _frame_s(stream: VideoStream) -> float:
    rate = stream.average_rate or stream.guessed_rate
    return float(1 / rate) if rate else 0.0


def _varies(stream: VideoStream) -> bool | None:
    """Tell from an index of all frames whether their distances differ by more than rounding."""
    if not 2 < stream.frames <= len(stream.index_entries):
        return None
    ticks = [entry.timestamp for entry in stream.index_entries]
    steps = [after - before for before, after in itertools.pairwise(ticks)]
    return max(steps) - min(steps) > 1


def _orientation(picture: VideoFrame) -> int:
    """Return how to turn the picture, as EXIF numbers it; slanted matrices are left alone."""
    try:
        stored = cast("SideData | None", picture.side_data.get("DISPLAYMATRIX"))
    except ValueError:  # beside it lies a kind of data that this PyAV has no name for
        stored = None
    if stored is None:
        return 1
    matrix = np.sign(np.frombuffer(bytes(stored), np.int32, 5))
    orientation = _ORIENTATIONS.get(tuple(matrix[[0, 1, 3, 4]].tolist()))
    if orientation is None:
        _log.warning("the display matrix of the video is not a quarter turn and was left out")
    return orientation or 1

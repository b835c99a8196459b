"""The sound of a video, copied into another file packet by packet: nothing is decoded, so nothing is lost.

    with AudioCopy("walk.mp4") as audio, VideoWriter("large.mp4", ..., audio=audio) as out:
        for frame in frames:
            out.write(frame)
    audio.problem                                           # why there is no sound, or not all of it; else empty

A container does not take every codec. Whether this one takes that one is tried beforehand, in memory: a head that
cannot be written would be the end of the whole video.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from salticid.core.pyav import import_av
from salticid.core.video import open_container

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

# Decoders that tell the rate and the channels of a track where its container does not, as in MPEG-TS.
_CODECS = (
    "aac,aac_latm,mp3float,mp3,mp2float,mp2,ac3,eac3,dca,opus,libopus,vorbis,libvorbis,flac,alac,wmav1,wmav2,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_bluray,pcm_dvd,pcm_mulaw,pcm_alaw"
)
_NAMES = ("language", "title")  # of a track; what else its metadata say may be true of the other file alone
_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}


class AudioCopy:
    """The sound tracks of a video file, for one `VideoWriter` that takes them over as they are.

    Parameters
    ----------
    path
        A local file.

    Attributes
    ----------
    start_s
        When the sound begins, on the clock of the file; nan where there is none.
    origin_s
        What time on that clock is 0 s in the copy; 0, unless it is set before the first frame is written.
    tracks
        How many tracks are copied; known when the writer's block has begun.
    problem
        Why some of the sound is missing in the copy; empty where all is there.

    Raises
    ------
    InputError
        The file cannot be read, or is no video.
    MissingError
        The extra `video` is not installed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._av, self._path = import_av(), Path(path)
        self._container = open_container(self._av, path, more_codecs=_CODECS)
        self.start_s = min(map(_start_s, self._container.streams.audio), default=math.nan)
        self.origin_s, self.tracks, self.problem = 0.0, 0, ""
        self._stop_s = math.inf
        self._ways: dict[int, AudioStream] = {}  # to the track of the copy, by the number of the own one
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._next: Packet[AudioStream] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def connect(self, target: OutputContainer, suffix: str) -> None:
        """Give a file with this suffix, of which nothing is written yet, the tracks that it can hold."""
        refused = []
        for stream, first in _with_first_packets(self._av, self._path, self._container):
            if first is None or not _is_taken(self._av, first, _FORMATS[suffix]):
                refused.append(stream.codec_context.name if stream.codec_context else "unknown codec")
                continue
            copy = target.add_stream_from_template(stream)
            copy.metadata.update({key: stream.metadata[key] for key in _NAMES if key in stream.metadata})
            self._ways[stream.index] = copy
        self.tracks = len(self._ways)
        if refused:
            self._note(f"{suffix} does not take its {', '.join(refused)}: choose another container, such as .mkv")
        if self._ways:
            self._packets = self._read(
                [stream for stream in self._container.streams.audio if stream.index in self._ways]
            )
            self._next = next(self._packets, None)

    def send(self, target: OutputContainer, until_s: float = math.inf) -> None:
        """Write what begins up to a time on the clock of the copy."""
        most = min(until_s, self._stop_s)
        while self._next is not None and _time_s(self._next) - self.origin_s <= most:
            self._send(target, self._next)
            self._next = next(self._packets, None)

    def stop_at(self, time_s: float) -> None:
        """Leave out what begins after a time on the clock of the copy: where the video ends, or breaks off."""
        self._stop_s = time_s

    def _send(self, target: OutputContainer, packet: Packet[AudioStream]) -> None:
        shift = round(self.origin_s / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        at_s = _time_s(packet)
        packet.stream = self._ways[packet.stream_index]
        try:
            target.mux(packet)
        except (self._av.ArgumentError, self._av.InvalidDataError) as error:
            self._note(f"it cannot be copied from {max(at_s, 0.0):.1f} s on ({error.strerror})")
            self._packets = iter(())

    def _read(self, streams: list[AudioStream]) -> Iterator[Packet[AudioStream]]:
        """Yield packets up to the end, or to what is damaged."""
        at_s = 0.0
        packet: Any
        try:
            for packet in self._container.demux(*streams):
                if packet.is_corrupt:
                    self._note(f"it breaks off after {at_s:.1f} s")
                    return
                if packet.size and (packet.dts is not None or packet.pts is not None):
                    at_s = _time_s(packet) - self.origin_s
                    yield packet
        except self._av.FFmpegError as error:
            self._note(f"it breaks off after {at_s:.1f} s ({error.strerror})")

    def _note(self, problem: str) -> None:
        self.problem = self.problem or f"the sound of {self._path}: {problem}"


def _start_s(stream: AudioStream) -> float:
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    return float(stream.start_time * stream.time_base)


def _time_s(packet: Packet[AudioStream]) -> float:
    ticks = packet.pts if packet.pts is not None else packet.dts
    return float((ticks or 0) * packet.time_base)


def _with_first_packets(
    av: ModuleType, path: Path, container: InputContainer
) -> Iterator[tuple[AudioStream, Packet[AudioStream] | None]]:
    """Yield each track with its first packet, which is read from the file opened once more."""
    for stream in container.streams.audio:
        with open_container(av, path, more_codecs=_CODECS) as again:
            same: Any = again.streams[stream.index]
            try:
                yield stream, next((packet for packet in again.demux(same) if packet.size), None)
            except av.FFmpegError:
                yield stream, None


def _is_taken(av: ModuleType, packet: Packet[AudioStream], name: str) -> bool:
    """Return whether a container of this name can begin with that packet."""
    try:
        with av.open(io.BytesIO(), "w", format=name) as trial:
            packet.stream = trial.add_stream_from_template(packet.stream)
            trial.mux(packet)
    except (av.FFmpegError, ValueError):
        return False
    return True

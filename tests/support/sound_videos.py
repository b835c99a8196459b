"""Small videos in which a square moves over a still scene, with a tone or without."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np

SIZE = (96, 64)  # width, height
RATE, SAMPLES = 48_000, 1024  # per second, per frame of sound


def scene(index, size=SIZE):
    """Return frame `index`: the square has moved by two pixels per frame."""
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 256, (8, 12, 3), np.uint8), size, interpolation=cv2.INTER_CUBIC)
    left = 2 * index % (size[0] - 16)
    image[24:40, left : left + 16] = (250, 40, 20)
    return image


def write_sound_video(
    path, count=20, *, fps=25, sound="aac", codec="libx264", seconds=None, start=0, delay_s=0.0, tracks=1
):
    """Write a video of `count` frames from tick `start` on, and a tone as long as `seconds` (default: as the video)."""
    seconds = count / fps if seconds is None else seconds
    with av.open(str(path), "w") as file:
        video = file.add_stream(codec, rate=fps)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        tones = [file.add_stream(sound, rate=RATE) for _ in range(tracks if sound else 0)]
        for number, tone in enumerate(tones):
            tone.layout = "mono"
            tone.metadata["language"] = ("eng", "deu")[number]
        for index in range(count):
            picture = av.VideoFrame.from_ndarray(scene(index), format="rgb24")
            picture.pts, picture.time_base = start + index, Fraction(1, fps)
            file.mux(video.encode(picture))
        file.mux(video.encode(None))
        for number, tone in enumerate(tones):
            _write_tone(file, tone, 440 * (number + 1), seconds, delay_s)
    return path


def _write_tone(file, tone, hertz, seconds, delay_s):
    samples = 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)
    kind, wanted = np.dtype(np.float32), tone.format.name
    if wanted.startswith("s"):
        kind = np.dtype(f"int{int(wanted[1:3])}")
        samples = samples * np.iinfo(kind).max
    for first in range(0, len(samples), SAMPLES):
        part = np.ascontiguousarray(samples[None, first : first + SAMPLES].astype(kind))
        frame = av.AudioFrame.from_ndarray(part, format=wanted, layout="mono")
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = first + round(delay_s * RATE)
        file.mux(tone.encode(frame))
    file.mux(tone.encode(None))


def sound_packets(path, track=0):
    """Return the bytes of each packet of a track, and their times in seconds."""
    with av.open(str(path)) as file:
        packets = [packet for packet in file.demux(file.streams.audio[track]) if packet.size]
        return [bytes(packet) for packet in packets], [float(packet.pts * packet.time_base) for packet in packets]

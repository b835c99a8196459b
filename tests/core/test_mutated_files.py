"""Two thousand damaged files: each is read well or refused with an `InputError`, and nothing worse ever happens.

The readers run in processes of their own, so that a crash or a memory bomb is a failed test that names the case:

    python tests/core/test_mutated_files.py SEED FIRST COUNT      # run COUNT cases from FIRST on, as the test does
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from salticid.core.image import Picture, open_picture, write_image
from salticid.core.image_ifd import tiff_file
from salticid.core.pfm import read_pfm, write_pfm
from salticid.core.video import VideoReader, VideoWriter
from salticid.errors import InputError

SEED, CASES, WORKERS = 20260101, 2000, 2
PEAK_BYTES = 1_000_000_000
CASE_SECONDS = 20
BATCH_SECONDS = 300
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".ts")
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@pytest.mark.slow
def test_two_thousand_mutated_files_are_read_or_refused_but_never_crash_hang_or_eat_memory(tmp_path):
    share = CASES // WORKERS
    firsts = range(0, CASES, share)
    with contextlib.ExitStack() as running:
        batches = [running.enter_context(started(first, share, tmp_path / f"{first}.log")) for first in firsts]
        codes = [batch.wait(BATCH_SECONDS) for batch in batches]
    for first, code in zip(firsts, codes, strict=True):
        said = (tmp_path / f"{first}.log").read_text(errors="replace")
        assert (code, said.splitlines()[-1:]) == (0, [f"{share} cases done"]), (
            f"a negative code is a signal\n{said[-2000:]}"
        )


@contextlib.contextmanager
def started(first: int, count: int, log: Path) -> Iterator[subprocess.Popen]:
    """Run a batch in a process of its own, and see to it that it ends."""
    command = [sys.executable, __file__, str(SEED), str(first), str(count)]
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT) as batch:
        try:
            yield batch
        finally:
            batch.kill()


def main(seed: int, first: int, count: int) -> None:
    """Run `count` cases and say which one comes next before it runs; end with an error at the first bad one."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        seeds = sorted(seed_files(Path(folder)).items())
        for case in range(first, first + count):
            print(f"seed {seed} case {case}: ", end="", flush=True)
            random_numbers = random.Random(f"{seed} {case}")
            name, data = seeds[case % len(seeds)]
            mutated = mutate(data, random_numbers, random_numbers.choice(seeds)[1])
            print(name, flush=True)
            signal.alarm(CASE_SECONDS)
            read_mutated(Path(folder) / f"mutated{Path(name).suffix}", mutated)
            signal.alarm(0)
            if peak_bytes() > PEAK_BYTES:
                print(f"case {case} ({name}) took {peak_bytes() / 1e6:.0f} MB")
                sys.exit(1)
    print(f"{count} cases done")


def peak_bytes() -> int:
    """Return the most memory that this process has had; `ru_maxrss` would count what its parent had, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def read_mutated(path: Path, data: bytes) -> None:
    """Read the file; only InputError is expected, and what comes without it must be well formed."""
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        if path.suffix == ".pfm":
            values = read_pfm(path)
            assert values.ndim == 2
            assert values.dtype == np.float32
        elif path.suffix in VIDEO_SUFFIXES:
            check_video(path)
        else:
            check_picture(open_picture(path))


def check_picture(picture: Picture) -> None:
    pixels, alpha = picture.pixels, picture.alpha
    assert pixels.dtype in (np.uint8, np.uint16)
    assert pixels.size
    assert pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    assert alpha is None or (alpha.shape == pixels.shape[:2] and alpha.dtype == pixels.dtype)
    assert picture.icc is None or isinstance(picture.icc, bytes)
    assert picture.exif is None or isinstance(picture.exif, bytes)


def check_video(path: Path) -> None:
    with VideoReader(path, threads=1) as video:
        assert video.info.width > 0
        for count, frame in enumerate(video):
            assert frame.index == count
            assert np.isfinite(frame.time_s)
            assert frame.image.dtype == np.uint8
            assert frame.image.ndim == 3
            assert frame.image.shape[2] == 3
            if count == 100:
                break


def mutate(data: bytes, random_numbers: random.Random, other: bytes) -> bytes:
    """Damage `data` in one to three ways; half of the time checksums and lengths are made right again."""
    for _ in range(random_numbers.choice((1, 1, 2, 3))):
        way = random_numbers.choice(
            (flip_bits, flip_bits, overwrite, overwrite, overwrite, cut, splice, repeat, remove)
        )
        data = way(data, random_numbers, other) or b"\0"
    if random_numbers.random() < 0.5:
        data = heal_png(data) if data.startswith(b"\x89PNG") else heal_riff(data)
    return data


def flip_bits(data: bytes, random_numbers: random.Random, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random_numbers.randint(1, 8)):
        changed[place(data, random_numbers)] ^= 1 << random_numbers.randrange(8)
    return bytes(changed)


def cut(data: bytes, random_numbers: random.Random, other: bytes) -> bytes:
    return data[: place(data, random_numbers) + 1]


def splice(data: bytes, random_numbers: random.Random, other: bytes) -> bytes:
    start, size = place(other, random_numbers), random_numbers.randint(1, 200)
    at = place(data, random_numbers)
    return data[:at] + other[start : start + size] + data[at + size * random_numbers.randint(0, 1) :]


def overwrite(data: bytes, random_numbers: random.Random, other: bytes) -> bytes:
    """Put an edge value where a length, a side or a count may stand."""
    size = random_numbers.choice((1, 2, 4, 8))
    value = random_numbers.choice(EDGES) % (1 << 8 * size)
    at = place(data, random_numbers)
    return data[:at] + value.to_bytes(size, random_numbers.choice(("little", "big"))) + data[at + size :]


def repeat(data: bytes, random_numbers: random.Random, other: bytes) -> bytes:
    start, size = place(data, random_numbers), random_numbers.randint(1, 300)
    return data[: start + size] + data[start : start + size] * random_numbers.randint(1, 4) + data[start + size :]


def remove(data: bytes, random_numbers: random.Random, other: bytes) -> bytes:
    start = place(data, random_numbers)
    return data[:start] + data[start + random_numbers.randint(1, 64) :]


def place(data: bytes, random_numbers: random.Random) -> int:
    """Choose a byte; every other time near the start, where the headers are."""
    return random_numbers.randrange(min(len(data), 96) if random_numbers.random() < 0.5 else len(data))


def heal_png(data: bytes) -> bytes:
    changed, position = bytearray(data), 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        struct.pack_into(">I", changed, end, zlib.crc32(changed[position + 4 : end]))
        position = end + 4
    return bytes(changed)


def heal_riff(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", max(0, len(data) - 8)) + data[8:] if data.startswith(b"RIFF") else data


def seed_files(folder: Path) -> dict[str, bytes]:
    """Make a small file of every kind that is read, by name."""
    gray = (np.add.outer(np.arange(24), np.arange(32)) * 4).astype(np.uint8)
    color = np.dstack([gray, gray[::-1], 255 - gray])
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    full = Picture(color, alpha=gray, icc=b"profile" * 30, exif=exif)
    tiles = {322: (16,), 323: (16,), 324: (8, 264, 520, 776), 325: (256,) * 4}
    makers: dict[str, Callable[[Path], None]] = {
        "8.png": functools.partial(write_image, picture=full),
        "gray.png": functools.partial(write_image, picture=gray),
        "16.png": functools.partial(write_image, picture=color.astype(np.uint16) * 257),
        "palette.png": lambda path: path.write_bytes(palette_png(gray)) and None,
        "baseline.jpg": functools.partial(write_image, picture=dataclasses.replace(full, alpha=None)),
        "progressive.jpg": functools.partial(by_opencv, image=color, flags=[cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        "24.bmp": functools.partial(write_image, picture=color),
        "8.bmp": functools.partial(by_opencv, image=gray),
        "masks.bmp": lambda path: path.write_bytes(masked_bmp(gray)) and None,
        "palette.tif": lambda path: path.write_bytes(tiff([gray.tobytes()], {262: (3,), 320: (*range(768),)})) and None,
        "tiled.tif": lambda path: path.write_bytes(tiff([bytes(1024)], tiles)) and None,
        "bits.tif": lambda path: path.write_bytes(tiff([bytes(96)], {258: (1,), 262: (0,)})) and None,
        "planar.tif": lambda path: (
            path.write_bytes(tiff([gray.tobytes()] * 3, {277: (3,), 262: (2,), 284: (2,)})) and None
        ),
        "clear.tif": lambda path: path.write_bytes(tiff([bytes(3072)], {277: (4,), 262: (2,), 338: (1,)})) and None,
        "animated.gif": lambda path: cv2.imwriteanimation(str(path), animation(color)) and None,
        "deflate.tif": functools.partial(write_image, picture=dataclasses.replace(full, exif=None)),
        "lzw.tif": functools.partial(by_opencv, image=color.astype(np.uint16) * 257),
        "packbits.tif": functools.partial(by_opencv, image=gray, flags=[cv2.IMWRITE_TIFF_COMPRESSION, 32773]),
        "lossless.webp": functools.partial(write_image, picture=full),
        "lossy.webp": functools.partial(
            by_opencv, image=np.dstack([color, gray]), flags=[cv2.IMWRITE_WEBP_QUALITY, 60]
        ),
        "animated.webp": lambda path: cv2.imwriteanimation(str(path), animation(color)) and None,
        "binary.ppm": functools.partial(write_image, picture=color.astype(np.uint16) * 257),
        "text.pgm": lambda path: path.write_text("P2 6 4 999\n" + "# text\n" + "1 200 999 " * 8) and None,
        "text.pbm": lambda path: path.write_text("P1 6 4\n" + "101 0 1 1 " * 4) and None,
        "text.ppm": lambda path: path.write_text("P3 # text\n4 3 15\n" + "1 2 3 " * 12) and None,
        "bits.pbm": lambda path: path.write_bytes(b"P4 32 24\n" + bytes(range(96))) and None,
        "map.pfm": functools.partial(write_pfm, values=gray.astype(np.float32)),
        "h264.mp4": functools.partial(make_video, color=color, codec="h264"),
        "h264.mov": functools.partial(make_video, color=color, codec="h264"),
        "h264.mkv": functools.partial(make_video, color=color, codec="h264"),
        "vp9.webm": functools.partial(make_video, color=color, codec="vp9"),
        "ffv1.mkv": functools.partial(make_video, color=color, codec="ffv1"),
        "mpeg4.avi": functools.partial(make_video_by_av, color=color, codec="mpeg4"),
        "mjpeg.mkv": functools.partial(make_video_by_av, color=color, codec="mjpeg"),
        "bframes.mp4": functools.partial(make_video_by_av, color=color, codec="libx264"),
        "h264.ts": functools.partial(make_video_by_av, color=color, codec="libx264"),
    }
    for name, make in makers.items():
        make(folder / name)
    return {name: (folder / name).read_bytes() for name in makers}


def palette_png(indices: np.ndarray) -> bytes:
    height, width = indices.shape
    rows = b"".join(b"\0" + row.tobytes() for row in indices)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)), (b"PLTE", bytes(range(256)) * 3)]
    parts += [(b"tRNS", bytes(range(256))), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def masked_bmp(gray: np.ndarray) -> bytes:
    words = gray.astype("<u2").tobytes()
    size = struct.pack("<IiiHHIIiiII", 40, gray.shape[1], gray.shape[0], 1, 16, 3, len(words), 0, 0, 0, 0)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    return b"BM" + struct.pack("<IHHI", 66 + len(words), 0, 0, 66) + size + masks + words


def tiff(strips: list[bytes], tags: dict[int, tuple[int, ...] | bytes]) -> bytes:
    return tiff_file(strips, {256: (32,), 257: (24,), 258: (8,), 262: (1,), 277: (1,), 278: (24,)} | tags)


def by_opencv(path: Path, image: np.ndarray, flags: list[int] | None = None) -> None:
    assert cv2.imwrite(str(path), image, flags or [])


def animation(color: np.ndarray) -> cv2.Animation:
    moving = cv2.Animation()
    moving.frames = [np.dstack([color, color[..., 0] | 128]), np.dstack([color[::-1], color[..., 0] | 128])]
    moving.durations = [100, 100]
    return moving


def make_video(path: Path, color: np.ndarray, codec: str) -> None:
    with VideoWriter(path, fps=25, width=32, height=24, codec=codec, threads=1) as video:
        for step in range(8):
            video.write(np.roll(color, step, axis=1))


def make_video_by_av(path: Path, color: np.ndarray, codec: str) -> None:
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.thread_count = 32, 24, 1
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for step in range(8):
            frame = av.VideoFrame.from_ndarray(np.roll(color, step, axis=1), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:4]))

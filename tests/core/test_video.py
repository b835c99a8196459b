"""Videos: every frame with its own time, upright, and a clear word when the stream breaks or is no stream."""

from __future__ import annotations

import gc
import os
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from salticid.core.video import VideoReader
from salticid.errors import BrokenStreamError, InputError, MissingError

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

WIDTH, HEIGHT = 64, 48
TICK = Fraction(1, 600)
DATA = Path(os.environ.get("SALTICID_DATA", Path(__file__).parents[3] / "shared" / "data"))


def picture(step: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """Return a picture whose brightness tells its step, with a red corner top left."""
    image = np.full((size[1], size[0], 3), 40 + 7 * step // 2, np.uint8)
    image[: size[1] // 2, : size[0] // 2] = [250, 10, 10]
    return image


def step_of(image: np.ndarray) -> int:
    return round((image[-2, -2].mean() - 39) / 3.5)  # FFmpeg's fast conversion is about 1 too dark


def make(path: Path, codec: str = "libx264", *, ticks: list[int] | None = None, count: int = 12, **more) -> Path:
    """Write a video by PyAV alone; `ticks` are times in 1/600 s."""
    ticks = [20 * step for step in range(count)] if ticks is None else ticks
    with av.open(str(path), "w", format=more.get("format"), options=more.get("options", {})) as file:
        stream = file.add_stream(codec, rate=30, options=more.get("encoder", {}))
        stream.width, stream.height = more.get("size", (WIDTH, HEIGHT))
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        # AVI has no times: each frame, given or not, lasts one tick.
        stream.time_base = stream.codec_context.time_base = Fraction(1, 30) if path.suffix == ".avi" else TICK
        stream.bit_rate = 8_000_000
        if "matrix" in more:
            stream.set_display_matrix(more["matrix"])
        sound = file.add_stream("aac", rate=8000, layout="mono") if more.get("sound") else None
        for step, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(picture(step, (stream.width, stream.height)), format="rgb24")
            frame.pts, frame.time_base = tick, TICK
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if sound:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.sample_rate = 8000
            file.mux(sound.encode(silence))
            file.mux(sound.encode(None))
    return path


def read(path: Path, **settings) -> tuple[list[int], list[float]]:
    """Return which steps a video shows, and when."""
    with VideoReader(path, **settings) as video:
        frames = list(video)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    return [step_of(frame.image) for frame in frames], [frame.time_s for frame in frames]


def read_until_it_breaks(path: Path, **settings) -> tuple[list[int], BrokenStreamError]:
    steps: list[int] = []
    with VideoReader(path, **settings) as video, pytest.raises(BrokenStreamError) as caught:
        steps.extend(step_of(frame.image) for frame in video)  # keeps what came before the error
    return steps, caught.value


KINDS = [
    ("a.mp4", "libx264"),
    ("a.mov", "mjpeg"),
    ("a.mkv", "libx264"),
    ("a.webm", "libvpx-vp9"),
    ("a.avi", "mpeg4"),
    ("a.ts", "libx264"),
]


@pytest.mark.parametrize(("name", "codec"), KINDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_every_container_gives_every_frame_in_order(tmp_path, name, codec, threads):
    steps, times = read(make(tmp_path / name, codec), threads=threads)
    assert steps == list(range(12))
    np.testing.assert_allclose(np.diff(times), 1 / 30, atol=0.0011)  # Matroska rounds to 1 ms


UNEVEN = [0, 60, 90, 300, 360, 366, 600, 1800, 1803, 1806]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_times_of_a_variable_frame_rate_are_exact(tmp_path, name):
    path = make(tmp_path / name, ticks=UNEVEN)
    assert read(path) == (list(range(10)), [tick / 600 for tick in UNEVEN])
    with VideoReader(path) as video:
        assert video.info.variable_frame_rate is True


def test_times_in_matroska_are_exact_to_its_millisecond(tmp_path):
    path = make(tmp_path / "a.mkv", ticks=UNEVEN)
    np.testing.assert_allclose(read(path)[1], np.array(UNEVEN) / 600, atol=0.00051)
    with VideoReader(path) as video:
        assert video.info.variable_frame_rate is None


def test_the_clock_of_the_container_is_kept(tmp_path):
    assert read(make(tmp_path / "a.ts", ticks=list(range(600, 1200, 20))))[1][0] >= 1


def test_a_raw_stream_without_times_runs_at_its_average_rate(tmp_path):
    path = make(tmp_path / "a.h264", format="h264")
    steps, times = read(path)
    with VideoReader(path) as video:
        rate = video.info.average_fps
    assert steps == list(range(12))
    np.testing.assert_allclose(times, np.arange(12) / rate)


def test_the_info_says_what_the_video_is(tmp_path):
    with VideoReader(make(tmp_path / "a.mp4", sound=True)) as video:
        info = video.info
    assert (info.width, info.height, info.rotation_deg, info.codec, info.has_audio) == (64, 48, 0, "h264", True)
    assert (info.frame_count, info.variable_frame_rate) == (12, False)
    assert info.average_fps == pytest.approx(30)
    assert info.duration_s == pytest.approx(0.4, abs=0.04)
    with VideoReader(make(tmp_path / "b.mp4")) as video:
        assert video.info.has_audio is False


# a, b, c, d of a display matrix; where the red corner (top left as stored) is shown; clockwise degrees.
MATRICES = [
    ((1, 0, 0, 1), (0, 0), 0),
    ((-1, 0, 0, 1), (0, -1), 0),
    ((-1, 0, 0, -1), (-1, -1), 180),
    ((1, 0, 0, -1), (-1, 0), 0),
    ((0, 1, 1, 0), (0, 0), 90),
    ((0, 1, -1, 0), (0, -1), 90),
    ((0, -1, -1, 0), (-1, -1), 270),
    ((0, -1, 1, 0), (-1, 0), 270),
]


@pytest.mark.parametrize(("signs", "corner", "degrees"), MATRICES)
def test_rotation_and_mirroring_are_applied(tmp_path, signs, corner, degrees):
    a, b, c, d = (sign << 16 for sign in signs)
    with VideoReader(make(tmp_path / "a.mp4", matrix=[a, b, 0, c, d, 0, 0, 0, 1 << 30])) as video:
        image = next(iter(video)).image
        size = (video.info.height, video.info.width)
        assert video.info.rotation_deg == degrees
    assert image.shape[:2] == size == ((WIDTH, HEIGHT) if degrees in (90, 270) else (HEIGHT, WIDTH))
    inner = [3 if side == 0 else -4 for side in corner]
    assert image[inner[0], inner[1], 0] > 200
    assert image.flags.c_contiguous


def test_a_slanted_display_matrix_is_left_out_and_logged(tmp_path, caplog):
    with VideoReader(make(tmp_path / "a.mp4", matrix=[46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30])) as video:
        assert video.info.rotation_deg == 0
    assert "not a quarter turn" in caplog.text


@pytest.mark.parametrize(("colors", "range_"), [("ITU709", "MPEG"), ("ITU601", "MPEG"), ("ITU709", "JPEG")])
def test_colors_are_those_of_the_declared_matrix_and_range(tmp_path, colors, range_):
    wanted = np.array([[200, 30, 90], [10, 200, 30], [255, 255, 255], [0, 0, 0], [20, 40, 220]], np.uint8)
    with av.open(str(tmp_path / "a.mkv"), "w") as file:
        stream = file.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv444p"
        stream.colorspace, stream.color_range = {"ITU709": 1, "ITU601": 6}[colors], {"MPEG": 1, "JPEG": 2}[range_]
        for color in wanted:
            frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), color), format="rgb24")
            file.mux(stream.encode(frame.reformat(format="yuv444p", dst_colorspace=colors, dst_color_range=range_)))
        file.mux(stream.encode(None))
    with VideoReader(tmp_path / "a.mkv") as video:
        found = [frame.image[8, 8].astype(int) for frame in video]
    assert np.abs(np.array(found) - wanted).max() <= 3


def test_a_size_that_changes_in_the_middle_is_followed(tmp_path):
    parts = [
        make(tmp_path / f"{side}.h264", format="h264", size=(side, side), count=3).read_bytes() for side in (64, 96)
    ]
    (tmp_path / "a.h264").write_bytes(b"".join(parts))
    with VideoReader(tmp_path / "a.h264") as video:
        assert [frame.image.shape for frame in video] == [(64, 64, 3)] * 3 + [(96, 96, 3)] * 3


# Limits.


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_frames_above_the_limit_are_refused_before_they_are_decoded(tmp_path, name, codec):
    path = make(tmp_path / name, codec)
    with pytest.raises(InputError, match="64 x 48, more than max_pixels=3,071"):
        VideoReader(path, max_pixels=WIDTH * HEIGHT - 1)


def test_a_size_that_grows_above_the_limit_breaks_the_stream(tmp_path):
    parts = [
        make(tmp_path / f"{side}.h264", format="h264", size=(side, side), count=3).read_bytes() for side in (64, 256)
    ]
    (tmp_path / "a.h264").write_bytes(b"".join(parts))
    steps, error = read_until_it_breaks(tmp_path / "a.h264", max_pixels=10_000)
    assert error.frames_read == len(steps) <= 3


# Streams that break.


def faststart(path: Path, count: int = 60, **more) -> Path:
    return make(path, count=count, options={"movflags": "faststart"} if path.suffix == ".mp4" else {}, **more)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_that_was_cut_gives_its_good_frames_and_then_an_error(tmp_path, name, threads):
    path = faststart(tmp_path / name, codec="mpeg4" if name == "a.avi" else "libx264", encoder={"g": "10"})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    steps, error = read_until_it_breaks(path, threads=threads)
    assert 10 < len(steps) < 55
    assert steps == list(range(len(steps)))
    assert error.frames_read == len(steps)
    assert f"{name} breaks off after {len(steps)} frames" in str(error)
    assert "truncated" in str(error)


def test_an_index_at_the_end_that_was_cut_off_is_an_error_at_once(tmp_path):
    path = make(tmp_path / "a.mp4", count=60)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"a\.mp4 .*copy"):
        VideoReader(path)


@pytest.mark.parametrize("threads", [1, 2])
def test_damage_in_the_middle_never_lets_a_frame_of_the_damaged_packet_through(tmp_path, threads):
    path = faststart(tmp_path / "a.mp4", encoder={"bf": "0", "g": "10"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as file:
        packet = [packet for packet in file.demux(video=0) if packet.size][35]
        start, size = packet.pos, packet.size
    data[start + 4 : start + size] = bytes(255 - value for value in data[start + 4 : start + size])
    path.write_bytes(data)
    steps, error = read_until_it_breaks(path, threads=threads)
    assert steps == list(range(len(steps)))
    assert 30 <= len(steps) <= 35
    assert "damaged" in str(error)


def test_an_error_of_the_caller_is_not_taken_for_a_broken_stream(tmp_path):
    with VideoReader(make(tmp_path / "a.mp4")) as video, pytest.raises(ZeroDivisionError):
        sum(1 / frame.index for frame in video)


# Files that are no videos.


def sound_only(path: Path) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=8000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        file.mux(stream.encode(silence))
        file.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hello world " * 99, "it looks like text"),
        (bytes(range(256)) * 99, "data of an unknown kind"),
        (b"%PDF-1.7\n" * 99, "is not a video: it looks like a PDF document"),
        (cv2.imencode(".png", picture(0))[1].tobytes(), "is not a video: it looks like a PNG image"),
        (cv2.imencode(".jpg", picture(0))[1].tobytes(), "is not a video: it looks like a JPEG image"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "run 'git lfs pull'"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "it looks like text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "it looks like text"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41", "damaged, or its copy did not finish"),
    ],
)
def test_a_file_that_is_no_video_says_what_it_looks_like(tmp_path, content, says):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        VideoReader(tmp_path / "a.mp4")
    assert "a.mp4" in str(caught.value)


def test_sound_alone_is_no_video(tmp_path):
    sound_only(tmp_path / "a.mp4")
    with pytest.raises(InputError, match=r"a\.mp4 holds no video, only sound"):
        VideoReader(tmp_path / "a.mp4")


def test_missing_files_folders_and_addresses_are_input_errors(tmp_path):
    for path in (tmp_path / "lost.mp4", tmp_path, "http://localhost/a.mp4", "concat:a.mp4|b.mp4"):
        with pytest.raises(InputError, match="cannot read"):
            VideoReader(path)


def test_a_name_that_looks_like_an_address_is_a_local_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "a.mp4").rename(tmp_path / "tcp:x 100%.mp4")
    assert read("tcp:x 100%.mp4")[0] == list(range(12))


def test_without_pyav_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingError, match=r"pip install 'salticid\[video\]'"):
        VideoReader(tmp_path / "a.mp4")


# Closing.


def open_files() -> list[str]:
    gc.collect()
    return sorted(str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_no_file_stays_open_on_any_path(tmp_path):
    good, cut = make(tmp_path / "a.mp4"), faststart(tmp_path / "b.mp4")
    cut.write_bytes(cut.read_bytes()[: int(cut.stat().st_size * 0.6)])
    sound_only(tmp_path / "c.mp4")
    (tmp_path / "d.mp4").write_bytes(good.read_bytes()[:300])
    before = open_files()
    for _ in range(3):
        read(good)
        read_until_it_breaks(cut)
        for bad in ("c.mp4", "d.mp4"):
            with pytest.raises(InputError):
                VideoReader(tmp_path / bad)
        with pytest.raises(InputError, match="max_pixels"):
            VideoReader(good, max_pixels=10)
        with VideoReader(good) as video:
            next(iter(video))
    assert open_files() == before


def test_a_video_is_read_once(tmp_path):
    with VideoReader(make(tmp_path / "a.mp4")) as video:
        assert len(list(video)) == 12
        with pytest.raises(InputError, match="open it again"):
            list(video)


def test_reading_on_after_closing_is_an_input_error_and_no_crash(tmp_path):
    video = VideoReader(make(tmp_path / "a.mp4", count=40))
    frames = iter(video)
    first = next(frames)
    video.close()
    with pytest.raises(InputError, match="closed"):
        next(frames)
    assert step_of(first.image) == 0
    video.close()


@pytest.mark.parametrize("path", sorted(DATA.glob("motion/*.mp4")), ids=lambda path: path.name)
def test_real_videos_are_read_whole(path):
    with VideoReader(path) as video:
        times = [frame.time_s for frame in video]
        assert len(times) == video.info.frame_count
        assert times == sorted(times)

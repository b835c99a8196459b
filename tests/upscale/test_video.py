"""An enlarged video has every frame at its time, as `Upscaler` makes it, and its sound; and it says what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from enlarging_shortage import run_out_of_memory

from salticid.core.video import VideoReader, VideoWriter
from salticid.errors import BrokenStreamError, InputError, ResourceError
from salticid.upscale.frames import FrameUpscaler
from salticid.upscale.infer import Upscaler
from salticid.upscale.video import upscale_video

av = pytest.importorskip("av", reason="the extra 'video' is not installed")
pytest.importorskip("torch", reason="torch is not installed")

from enlarging_net import write_networks  # noqa: E402  # after torch was found
from sound_videos import SIZE, scene, sound_packets, write_sound_video  # noqa: E402  # after av was found

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Both forms of a network that enlarges 4 times."""
    return dict(zip(("fp32", "int8"), write_networks(tmp_path_factory.mktemp("networks")), strict=True))


@pytest.fixture(scope="module", params=["int8", "fp32"])
def upscaler(request, files):
    return Upscaler(str(files[request.param]), precision=request.param, threads=1)


@pytest.fixture
def bicubic():
    return Upscaler("bicubic", threads=1)


def write_frames(path, images, *, times=None):
    """Write frames without loss."""
    height, width = images[0].shape[:2]
    with VideoWriter(path, fps=25, width=width, height=height, codec="ffv1") as out:
        for index, image in enumerate(images):
            out.write(image, None if times is None else times[index])
    return path


def read_frames(path):
    with VideoReader(path) as video:
        return list(video)


@pytest.mark.parametrize(("scale", "tile_px"), [(4, 64), (4, 32), (3, 64), (8, 48)])
def test_every_frame_is_what_the_upscaler_makes_of_it_though_little_is_computed(upscaler, tmp_path, scale, tile_px):
    images = [scene(index) for index in (0, 0, 1, 2, 9)]
    write_frames(tmp_path / "a.mkv", images)
    tiled = Upscaler(upscaler.model, **{**_options(upscaler), "tile_px": tile_px})
    done = upscale_video(tiled, tmp_path / "a.mkv", tmp_path / "b.mkv", scale=scale, codec="ffv1")
    frames = read_frames(tmp_path / "b.mkv")
    assert (done.frames, len(frames), done.size) == (5, 5, SIZE[::-1])
    for image, frame in zip(images, frames, strict=True):
        np.testing.assert_array_equal(frame.image, upscaler(image, scale=scale).image)
    assert done.unchanged >= 0.2  # the frame that is the same twice, and what stands still in others
    assert sum(done.steps.values()) == 5


def test_the_share_of_unchanged_tiles_is_that_of_the_picture_that_stands_still(files, tmp_path):
    still = np.random.default_rng(0).integers(0, 256, (64, 320, 3), np.uint8)
    images = [still.copy() for _ in range(4)]
    for index, image in enumerate(images):
        image[8:24, 8:24] = 50 * index  # in one of twenty tiles, seen by no other
    write_frames(tmp_path / "a.mkv", images)
    done = upscale_video(Upscaler(str(files["int8"]), precision="int8"), tmp_path / "a.mkv", tmp_path / "b.mp4")
    assert done.unchanged == pytest.approx(3 * 19 / 80)


@pytest.mark.parametrize(("source", "copy"), [("a.mp4", "b.mp4"), ("a.mkv", "b.mkv"), ("a.mp4", "b.mov")])
def test_frames_come_at_their_times_and_with_their_sound(bicubic, tmp_path, source, copy):
    write_sound_video(tmp_path / source)
    done = upscale_video(bicubic, tmp_path / source, tmp_path / copy, scale=2)
    assert (done.frames, done.tracks, done.warnings) == (20, 1, ())
    assert (done.model, done.steps, done.skipped) == ("bicubic", {"bicubic": 20}, ())
    assert set(done.latency_ms) == {"decode", "enlarge", "encode"}
    times = [frame.time_s for frame in read_frames(tmp_path / copy)]
    sound = sound_packets(tmp_path / copy)
    assert sound[0] == sound_packets(tmp_path / source)[0]
    shift = sound[1][0] - sound_packets(tmp_path / source)[1][0]  # Matroska has no times below 0
    np.testing.assert_allclose(times, np.arange(20) / 25 + shift, atol=0.0015)


def test_uneven_times_are_kept(bicubic, tmp_path):
    times = [0, 0.1, 0.15, 1.0, 1.001, 3.0]
    write_frames(tmp_path / "a.mkv", [scene(index) for index in range(6)], times=times)
    upscale_video(bicubic, tmp_path / "a.mkv", tmp_path / "b.mp4", scale=2)
    assert [frame.time_s for frame in read_frames(tmp_path / "b.mp4")] == pytest.approx(times, abs=1e-4)


def test_a_rate_is_kept(bicubic, tmp_path):
    write_sound_video(tmp_path / "a.mp4", fps=30)
    upscale_video(bicubic, tmp_path / "a.mp4", tmp_path / "b.mp4", scale=1.5)
    with VideoReader(tmp_path / "b.mp4") as video:
        assert video.info.average_fps == pytest.approx(30)
        assert (video.info.width, video.info.height) == (144, 96)


def test_a_clock_that_starts_late_starts_at_0_and_sound_stays_with_the_pictures(bicubic, tmp_path):
    write_sound_video(tmp_path / "a.ts", start=250, delay_s=10.5)
    upscale_video(bicubic, tmp_path / "a.ts", tmp_path / "b.mp4", scale=2)
    first = {name: read_frames(tmp_path / name)[0].time_s for name in ("a.ts", "b.mp4")}
    heard = {name: sound_packets(tmp_path / name)[1][0] for name in ("a.ts", "b.mp4")}
    assert first["a.ts"] >= 10
    assert first["b.mp4"] == 0
    assert heard["b.mp4"] - first["b.mp4"] == pytest.approx(heard["a.ts"] - first["a.ts"], abs=0.001)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("start_s", [0, 2])
def test_a_limit_counts_from_the_first_frame_for_the_sound_as_well(bicubic, tmp_path, name, start_s):
    write_sound_video(tmp_path / name, 50, start=25 * start_s, seconds=start_s + 2)
    done = upscale_video(bicubic, tmp_path / name, tmp_path / "b.mp4", scale=1, seconds=1)
    times, (data, heard) = (
        [frame.time_s for frame in read_frames(tmp_path / "b.mp4")],
        sound_packets(tmp_path / "b.mp4"),
    )
    assert (done.frames, times[0]) == (25, pytest.approx(start_s, abs=0.03))
    assert data == sound_packets(tmp_path / name)[0][: len(data)]
    assert times[0] + 0.97 < max(heard) <= times[0] + 1


def test_a_limit_and_a_video_that_breaks_off_before_it_end_the_sound_with_the_pictures(bicubic, tmp_path):
    path = write_sound_video(tmp_path / "a.mkv", 50, sound="libopus")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    done = upscale_video(bicubic, path, tmp_path / "b.mp4", scale=1, seconds=1.9)
    assert 10 < done.frames < 45
    assert max(sound_packets(tmp_path / "b.mp4")[1]) <= done.frames / 25


def test_a_video_that_lies_on_its_side_stands_upright(bicubic, tmp_path):
    write_sound_video(tmp_path / "a.mp4", 4)
    _turn(tmp_path / "a.mp4")
    done = upscale_video(bicubic, tmp_path / "a.mp4", tmp_path / "b.mp4", scale=2)
    assert done.size == (96, 64)
    upright, large = read_frames(tmp_path / "a.mp4")[0].image, read_frames(tmp_path / "b.mp4")[0].image
    assert large.shape == (192, 128, 3)
    assert np.abs(large[::2, ::2].astype(int) - upright).mean() < 8


def test_sound_that_the_container_does_not_take_is_a_warning(bicubic, tmp_path):
    write_sound_video(tmp_path / "a.mp4")
    done = upscale_video(bicubic, tmp_path / "a.mp4", tmp_path / "b.webm", scale=2)
    assert done.tracks == 0
    assert "does not take its aac" in done.warnings[0]
    assert len(read_frames(tmp_path / "b.webm")) == 20


def test_a_video_that_breaks_off_becomes_one_that_ends_there_and_says_so(bicubic, tmp_path):
    path = write_sound_video(tmp_path / "a.mkv", 50, sound="libopus")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    done = upscale_video(bicubic, path, tmp_path / "b.mp4", scale=2)
    assert 10 < done.frames < 50
    assert len(read_frames(tmp_path / "b.mp4")) == done.frames
    assert f"breaks off after {done.frames} frames" in done.warnings[0]
    assert max(sound_packets(tmp_path / "b.mp4")[1]) <= done.frames / 25


def test_frames_that_change_their_size_end_the_video_there(bicubic, tmp_path, monkeypatch):
    write_sound_video(tmp_path / "a.mp4", sound=None)
    plain = VideoReader._to_rgb

    def smaller(reader, picture):
        image = plain(reader, picture)
        return image if picture.pts < 12_800 * 0.4 else image[:32]

    monkeypatch.setattr(VideoReader, "_to_rgb", smaller)
    done = upscale_video(bicubic, tmp_path / "a.mp4", tmp_path / "b.mp4", scale=2)
    assert done.frames == 10
    [warning] = done.warnings
    assert warning.startswith(f"frame 10 of {tmp_path / 'a.mp4'} is 96 x 32, not 96 x 64: cut the video there")


def test_a_video_of_which_no_frame_can_be_read_is_an_error(bicubic, tmp_path, monkeypatch):
    write_sound_video(tmp_path / "a.mp4")

    def broken(reader):
        raise BrokenStreamError("a.mp4 breaks off after 0 frames", 0)
        yield

    monkeypatch.setattr(VideoReader, "__iter__", broken)
    with pytest.raises(BrokenStreamError):
        upscale_video(bicubic, tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("name", "how", "words"),
    [
        ("b.png", {}, "a video ends in .mp4"),
        ("b.webm", {"codec": "h264"}, "h264 goes into a file"),
        ("b.mp4", {"seconds": 0}, "seconds must be above 0, and finite, not 0"),
        ("b.mp4", {"seconds": -1}, "seconds must be above 0, and finite, not -1"),
        ("b.mp4", {"seconds": float("nan")}, "seconds must be above 0, and finite, not nan"),
        ("b.mp4", {"seconds": float("inf")}, "seconds must be above 0, and finite, not inf"),
        ("b.mp4", {"scale": 9}, "scale must be 1 to 8"),
        ("b.mp4", {"width": 10}, "1 to 8 times as large"),
        ("lost/b.mp4", {}, "does not exist"),
        ("a.mp4", {}, "exists"),
    ],
)
def test_what_is_wrong_is_found_before_the_work(bicubic, tmp_path, name, how, words, monkeypatch):
    write_sound_video(tmp_path / "a.mp4")
    monkeypatch.setattr(FrameUpscaler, "next", lambda *_: pytest.fail("it was worked"))
    with pytest.raises(InputError, match=words):
        upscale_video(bicubic, tmp_path / "a.mp4", tmp_path / name, **how)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_exception_leaves_no_file_and_no_thread(bicubic, tmp_path, monkeypatch):
    write_sound_video(tmp_path / "a.mp4")
    plain, calls = FrameUpscaler.next, []

    def failing(upscaler, image, target):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return plain(upscaler, image, target)

    monkeypatch.setattr(FrameUpscaler, "next", failing)
    with pytest.raises(KeyboardInterrupt):
        upscale_video(bicubic, tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_once_a_way_is_not_possible_it_is_not_tried_again(files, monkeypatch):
    opened = []

    def short(*_, **__):
        opened.append(1)
        raise ResourceError("out of memory")

    monkeypatch.setattr("salticid.upscale.ways.open_engine", short)
    frames = FrameUpscaler(Upscaler(str(files["int8"]), precision="int8"))
    results = [frames.next(scene(index), (256, 384)) for index in range(3)]
    assert [result.model for result in results] == ["bicubic"] * 3
    assert len(opened) == 1


def test_frames_count_for_the_way_they_were_made_in_and_only_what_was_above_it_is_better(files, tmp_path, monkeypatch):
    run_out_of_memory(monkeypatch, 5)
    write_frames(tmp_path / "a.mkv", [scene(index) for index in range(20)])
    done = upscale_video(Upscaler(str(files["int8"]), precision="int8"), tmp_path / "a.mkv", tmp_path / "b.mp4")
    assert done.steps == {"int8 on cpu": 5, "bicubic": 15}
    assert (done.better_than("int8 on cpu"), done.better_than("bicubic")) == ((), done.skipped)
    assert [(skip.step, skip.reason) for skip in done.skipped] == [("int8 on cpu", "no memory")]


def test_few_frames_are_held_at_a_time(bicubic, tmp_path, monkeypatch):
    write_sound_video(tmp_path / "a.mp4", 60, sound=None)
    plain, write, made, ahead = FrameUpscaler.next, VideoWriter.write, [], []
    monkeypatch.setattr(FrameUpscaler, "next", lambda *given: made.append(1) or plain(*given))
    monkeypatch.setattr(VideoWriter, "write", lambda *given: ahead.append(len(made)) or write(*given))
    upscale_video(bicubic, tmp_path / "a.mp4", tmp_path / "b.mp4", scale=2)
    assert len(ahead) == 60
    assert max(done - number for number, done in enumerate(ahead)) <= 5


def test_a_plan_for_frames_counts_what_is_held_of_several_and_a_limit_is_kept(files, tmp_path):
    upscaler = Upscaler(str(files["int8"]), precision="int8")
    one, moving = upscaler.plan(640, 480), FrameUpscaler(upscaler).plan(640, 480)
    assert moving.peak_bytes > one.peak_bytes + 5 * 3 * 1920 * 2560
    assert (moving.model, moving.step) == (one.model, one.step)
    write_frames(tmp_path / "a.mkv", [np.zeros((480, 640, 3), np.uint8)])
    tight = Upscaler(str(files["int8"]), precision="int8", max_memory_mb=64)
    with pytest.raises(ResourceError, match="allow more memory"):
        upscale_video(tight, tmp_path / "a.mkv", tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


def _options(upscaler):
    return {name: getattr(upscaler.options, name) for name in ("precision", "threads")}


def _turn(path):
    """Set the display matrix of the first track of an MP4 to a quarter turn."""
    data = path.read_bytes()
    straight = b"".join(value.to_bytes(4, "big") for value in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    turned = b"".join(
        (value % (1 << 32)).to_bytes(4, "big") for value in (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    )
    track = data.index(straight, data.index(b"tkhd"))
    path.write_bytes(data[:track] + turned + data[track + len(straight) :])

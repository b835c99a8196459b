"""Written videos: the frames, times and colors that were given, and no file when anything went wrong."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.core.video import VideoReader, VideoWriter
from salticid.core.video_writer import check_codec, codec_of, likely_fps
from salticid.errors import InputError

pytest.importorskip("av", reason="the extra 'video' is not installed")

COLORS = [(200, 30, 90), (0, 0, 0), (255, 255, 255), (10, 200, 30), (20, 40, 220), (128, 128, 128)]
KINDS = [("h264", "a.mp4"), ("h264", "a.mov"), ("h264", "a.mkv"), ("vp9", "a.webm"), ("ffv1", "a.mkv")]


def plain(color: tuple[int, int, int], width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), color, np.uint8)


@pytest.mark.parametrize(("codec", "name"), KINDS)
def test_what_is_written_is_read_again(tmp_path, codec, name):
    with VideoWriter(tmp_path / name, fps=30, width=64, height=48, codec=codec) as out:
        for color in COLORS:
            out.write(plain(color))
    with VideoReader(tmp_path / name) as video:
        assert (video.info.width, video.info.height, video.info.codec) == (64, 48, codec)
        assert video.info.average_fps == pytest.approx(30)
        frames = list(video)
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(6) / 30, atol=0.0006)
    found = np.array([frame.image[24, 32] for frame in frames], int)
    assert np.abs(found - COLORS).max() <= (0 if codec == "ffv1" else 3)


def test_ffv1_is_lossless_at_any_size(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (3, 37, 51, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mkv", fps=25, width=51, height=37, codec="ffv1") as out:
        for image in noise:
            out.write(image)
    with VideoReader(tmp_path / "a.mkv") as video:
        np.testing.assert_array_equal([frame.image for frame in video], noise)


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30000 / 1001, 23.976, 59.94, 120, 0.5])
def test_a_constant_rate_has_exact_times(tmp_path, fps):
    with VideoWriter(tmp_path / "a.mp4", fps=fps, width=64, height=48) as out:
        for color in COLORS:
            out.write(plain(color))
    with VideoReader(tmp_path / "a.mp4") as video:
        assert video.info.variable_frame_rate is False
        np.testing.assert_allclose([frame.time_s for frame in video], np.arange(6) / fps, rtol=1e-5)


def test_times_that_are_given_are_kept(tmp_path):
    times = [0.0, 0.1, 0.15, 2.0, 2.001, 7.5]
    with VideoWriter(tmp_path / "a.mp4", fps=30, width=64, height=48) as out:
        for time_s, color in zip(times, COLORS, strict=True):
            out.write(plain(color), time_s)
    with VideoReader(tmp_path / "a.mp4") as video:
        assert video.info.variable_frame_rate is True
        assert video.info.duration_s == pytest.approx(7.5 + 1 / 30, abs=0.01)
        np.testing.assert_allclose([frame.time_s for frame in video], times, atol=1 / 90_000)


def test_a_frame_without_a_time_follows_the_last_one(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", fps=10, width=64, height=48) as out:
        out.write(plain(COLORS[0]))
        out.write(plain(COLORS[1]), 1.0)
        out.write(plain(COLORS[2]))
    with VideoReader(tmp_path / "a.mp4") as video:
        np.testing.assert_allclose([frame.time_s for frame in video], [0, 1, 1.1], atol=1e-9)


@pytest.mark.parametrize("size", [(65, 48), (64, 49), (65, 49), (1, 1)])
def test_an_odd_side_repeats_its_last_column_or_row(tmp_path, size):
    image = np.random.default_rng(0).integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 3), np.uint8)
    image = np.ascontiguousarray(image.repeat(8, 0).repeat(8, 1)[: size[1], : size[0]])
    with VideoWriter(tmp_path / "a.mp4", fps=30, width=size[0], height=size[1], crf=1) as out:
        out.write(image)
    with VideoReader(tmp_path / "a.mp4") as video:
        found = next(iter(video)).image
    assert found.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    padded = np.pad(image, ((0, size[1] % 2), (0, size[0] % 2), (0, 0)), mode="edge")
    assert np.abs(found.astype(int) - padded).mean() < 12  # color has half the resolution


def test_a_lower_crf_makes_a_larger_file(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for name, crf in (("good.mp4", 5), ("poor.mp4", 45)):
        with VideoWriter(tmp_path / name, fps=30, width=64, height=48, crf=crf) as out:
            out.write(noise)
    assert (tmp_path / "good.mp4").stat().st_size > 2 * (tmp_path / "poor.mp4").stat().st_size


def test_the_index_of_an_mp4_stands_first(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", fps=30, width=64, height=48) as out:
        out.write(plain(COLORS[0]))
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


# When something goes wrong nothing is left.


def test_an_exception_in_the_block_leaves_nothing(tmp_path):
    def break_off() -> None:
        with VideoWriter(tmp_path / "a.mp4", fps=30, width=64, height=48) as out:
            out.write(plain(COLORS[0]))
            raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError, match="power"):
        break_off()
    assert not list(tmp_path.iterdir())


def test_an_exception_keeps_the_video_that_was_there(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"old")

    def break_off() -> None:
        with VideoWriter(tmp_path / "a.mp4", fps=30, width=64, height=48) as out:
            out.write(np.zeros((2, 2, 3), np.uint8))

    with pytest.raises(InputError, match=r"must be \(48, 64, 3\) uint8, not \(2, 2, 3\)"):
        break_off()
    assert (tmp_path / "a.mp4").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("image", "time_s", "says"),
    [
        (plain((0, 0, 0)).astype(np.float32), None, "must be .* uint8, not .* float32"),
        (plain((0, 0, 0))[..., 0], None, "must be"),
        (plain((0, 0, 0)), 0.0, "must be at least 0 and grow"),
        (plain((0, 0, 0)), -1.0, "must be at least 0 and grow"),
        (plain((0, 0, 0)), float("nan"), "must be at least 0 and grow"),
        (plain((0, 0, 0)), float("inf"), "must be at least 0 and grow"),
    ],
)
def test_a_wrong_frame_is_refused_and_the_writer_goes_on(tmp_path, image, time_s, says):
    with VideoWriter(tmp_path / "a.mp4", fps=30, width=64, height=48) as out:
        out.write(plain(COLORS[0]))
        with pytest.raises(InputError, match=says):
            out.write(image, time_s)
        out.write(plain(COLORS[1]))
    with VideoReader(tmp_path / "a.mp4") as video:
        assert len(list(video)) == 2


def test_a_video_without_frames_is_an_input_error(tmp_path):
    def write_nothing() -> None:
        with VideoWriter(tmp_path / "a.mp4", fps=30, width=64, height=48):
            pass

    with pytest.raises(InputError, match="no frame was written"):
        write_nothing()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "keywords", "says"),
    [
        ("a.mp4", {"codec": "h263"}, "codec must be one of h264, vp9, ffv1"),
        ("a.webm", {}, r"h264 goes into a file that ends in \.mp4, \.mov, \.mkv"),
        ("a", {}, "goes into"),
        ("a.mp4", {"fps": 0}, "fps must be in"),
        ("a.mp4", {"fps": float("nan")}, "fps must be in"),
        ("a.mp4", {"crf": 52}, r"crf of h264 must be in 0\.\.51"),
        ("a.mp4", {"width": 0}, "pixels a side, not 0 x 48"),
        ("a.mp4", {"height": 20_000}, "pixels a side, not 64 x 20000"),
        ("lost/a.mp4", {}, "folder .* does not exist"),
    ],
)
def test_wrong_arguments_are_refused_at_once(tmp_path, name, keywords, says):
    with pytest.raises(InputError, match=says):
        VideoWriter(tmp_path / name, **({"fps": 30, "width": 64, "height": 48} | keywords))


def test_an_existing_video_is_kept_when_overwriting_is_off(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"old")
    with pytest.raises(InputError, match="exists"):
        VideoWriter(tmp_path / "a.mp4", fps=30, width=64, height=48, overwrite=False)


def test_writing_outside_the_block_is_an_input_error(tmp_path):
    out = VideoWriter(tmp_path / "a.mp4", fps=30, width=64, height=48)
    with pytest.raises(InputError, match="'with' block"):
        out.write(plain(COLORS[0]))
    with out:
        out.write(plain(COLORS[0]))
    with pytest.raises(InputError, match="'with' block"):
        out.write(plain(COLORS[0]))


def test_what_is_no_video_suffix_is_an_input_error():
    assert codec_of("a.WebM") == "vp9"
    with pytest.raises(InputError, match=r"a\.png: a video ends in \.mp4, \.mov, \.mkv, \.webm"):
        codec_of("a.png")


def test_whether_a_codec_goes_into_a_file_is_known_before_there_is_a_writer():
    check_codec("vp9", "a.MKV")
    with pytest.raises(
        InputError, match=r"cannot write a\.webm: h264 goes into a file that ends in \.mp4, \.mov, \.mkv"
    ):
        check_codec("h264", "a.webm")


@pytest.mark.parametrize(("told", "taken"), [(None, 30), (0.0, 30), (90_000.0, 30), (23.976, 23.976)])
def test_a_rate_that_is_none_is_not_believed(told, taken):
    assert likely_fps(told) == taken

"""A plan for a video tells what its frames take to be enlarged and encoded, from a short trial on some of them."""

from __future__ import annotations

import math
import tempfile
import time

import numpy as np
import pytest

from salticid.core.video import Frame, VideoReader, VideoWriter
from salticid.errors import BrokenStreamError, InputError
from salticid.upscale import video_plan
from salticid.upscale.footage import Footage, footage_of
from salticid.upscale.infer import Upscaler
from salticid.upscale.video_plan import TRIAL_FRAMES, TRIAL_PX, plan_video

pytest.importorskip("av", reason="the extra 'video' is not installed")

from sound_videos import scene, write_sound_video


@pytest.fixture
def bicubic():
    return Upscaler("bicubic", threads=1)


@pytest.fixture
def tried(monkeypatch):
    """Return what the encoder of a trial was given: the options of the writer, and the shapes of the frames."""
    given = []

    class Writer(VideoWriter):
        def __init__(self, path, **how):
            given.append((how, []))
            super().__init__(path, **how)

        def write(self, image, time_s=None):
            given[-1][1].append(image.shape)
            super().write(image, time_s)

    monkeypatch.setattr(video_plan, "VideoWriter", Writer)
    return given


def pass_by(seconds):
    """Be busy for a time."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def footage(size=(64, 96), count=20, **known):
    images = (scene(index, size[::-1]) for index in range(count))
    frames = (Frame(index, index / 25, image) for index, image in enumerate(images))
    return Footage("made up", frames, size, **{"fps": 25.0, "count": count} | known)


def test_the_time_of_the_encoder_is_part_of_the_estimate(bicubic, monkeypatch):
    write, busy_s = VideoWriter.write, 0.05

    def slow(*given):
        pass_by(busy_s)
        write(*given)

    monkeypatch.setattr(VideoWriter, "write", slow)
    plan = plan_video(bicubic, footage(), codec="h264", scale=2)
    least_s = busy_s * (TRIAL_FRAMES - 1) / TRIAL_FRAMES  # the first one is given to the encoder beforehand
    assert plan.latency_ms["encode"] >= 1000 * least_s
    assert plan.frame_seconds >= least_s
    assert plan.seconds == pytest.approx(20 * plan.frame_seconds)


def test_the_time_of_the_enlarging_is_part_of_the_estimate(bicubic, monkeypatch):
    call, busy_s = Upscaler.__call__, 0.05

    def slow(*given, **how):
        pass_by(busy_s)
        return call(*given, **how)

    monkeypatch.setattr(Upscaler, "__call__", slow)
    plan = plan_video(bicubic, footage(), codec="h264", scale=2)
    assert plan.latency_ms["enlarge"] >= 1000 * busy_s
    assert plan.frame_seconds >= busy_s


def test_a_slow_source_makes_the_estimate_longer_unless_it_is_live(bicubic):
    def slow(frames):
        for frame in frames:
            pass_by(0.05)
            yield frame

    for live in (False, True):
        given = footage()
        seen = Footage("made up", slow(given.frames), given.size, 25.0, 20, live=live)
        plan = plan_video(bicubic, seen, codec="h264", scale=1)
        assert ("decode" in plan.latency_ms) == (not live)
        assert live or plan.frame_seconds >= 0.05


@pytest.mark.parametrize("codec", ["h264", "vp9", "ffv1"])
def test_the_codec_and_the_threads_are_those_of_the_work(bicubic, tried, codec):
    plan_video(bicubic, footage(), codec=codec, scale=2)
    for how, shapes in tried:
        assert (how["codec"], how["threads"]) == (codec, 1)
        assert set(shapes) == {(128, 192, 3)}
    assert len(tried[-1][1]) == TRIAL_FRAMES


def test_of_large_frames_a_part_is_tried_and_stands_for_the_whole(bicubic, tried):
    whole = plan_video(bicubic, footage((200, 256), 3), codec="h264", scale=4)
    assert set(tried[-1][1]) == {(800, 1024, 3)}
    plan = plan_video(bicubic, footage((720, 1280), 3), codec="h264", scale=4)
    [(height, width, _)] = set(tried[-1][1])
    assert 0.9 * TRIAL_PX < height * width < 1.1 * TRIAL_PX
    assert plan.frame.target == (2880, 5120)
    assert plan.frame_seconds > 2 * whole.frame_seconds


@pytest.mark.parametrize("how", [{"scale": 4}, {"scale": 1.37}, {"scale": 8}, {"width": 1000}, {"scale": 1}])
def test_a_part_takes_as_many_passes_as_the_whole(bicubic, tried, how):
    plan = plan_video(bicubic, footage((517, 331), 2), codec="ffv1", **how)
    [(height, width, _)] = set(tried[-1][1])
    rows, columns = (max(1, math.ceil(side * math.sqrt(min(1, TRIAL_PX / plan.frame.pixels)))) for side in (517, 331))
    grown = [new / old for new, old in ((height, rows), (width, columns))]
    wanted = [new / old for new, old in zip(plan.frame.target, plan.frame.size, strict=True)]
    for power in (1, 2, 4, 8):
        assert all((a <= power) == (b <= power) for a, b in zip(grown, wanted, strict=True))


def test_nothing_is_left_of_a_trial(bicubic, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plan_video(bicubic, footage(), codec="h264", scale=2)
    assert list(tmp_path.iterdir()) == []


def test_frames_that_are_not_counted_are_told_by_the_rate_and_the_time(bicubic, tmp_path):
    for name in ("a.mp4", "a.mkv"):
        write_sound_video(tmp_path / name, 50, sound=None)
        with VideoReader(tmp_path / name) as video:
            seen = footage_of(video, tmp_path / name)
            plan = plan_video(bicubic, seen, codec="h264", scale=1)
        assert plan.frames == 50
        assert seen.limited(0.4).expected == 10
        assert seen.limited(9).expected == 50


def test_of_a_camera_nobody_knows_the_frames(bicubic):
    plan = plan_video(bicubic, footage(count=8, live=True), codec="h264", scale=1)
    assert plan.frames is None
    assert math.isnan(plan.seconds)
    assert plan.frame_seconds > 0


def test_frames_before_a_break_do_for_a_plan_and_none_is_an_error(bicubic, tried):
    def breaking(count):
        yield from footage(count=count).frames
        raise BrokenStreamError("it breaks off", count)

    plan_video(bicubic, Footage("made up", breaking(2), (64, 96), 25.0, 20), codec="h264", scale=1)
    assert len(tried[-1][1]) == 2
    with pytest.raises(BrokenStreamError):
        plan_video(bicubic, Footage("made up", breaking(0), (64, 96), 25.0, 20), codec="h264", scale=1)
    with pytest.raises(InputError, match="1 to 8"):
        plan_video(bicubic, footage(), codec="h264", scale=9)


def test_auto_is_tried_by_the_network_that_it_chose_for_the_whole_frame(monkeypatch):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    tried, call = [], Upscaler.__call__
    monkeypatch.setattr(Upscaler, "__call__", lambda self, *_, **how: tried.append(self.model) or call(self, *_, **how))
    plan = plan_video(Upscaler("auto", threads=1), footage(), codec="ffv1", scale=4)
    assert set(tried) == {plan.frame.model}
    assert plan.frame.model != "auto"


def test_frames_of_another_size_end_the_footage_there():
    seen = footage(count=3)
    other = Frame(3, 0.12, np.zeros((10, 10, 3), np.uint8))
    for live in (False, True):
        mixed = Footage("made up", [*footage(count=3).frames, other], seen.size, 25.0, live=live)
        frames = mixed.checked()
        assert [next(frames).index for _ in range(3)] == [0, 1, 2]
        with pytest.raises(BrokenStreamError, match="frame 3 of made up is 10 x 10, not 96 x 64") as broken:
            next(frames)
        assert ("cut the video there" in str(broken.value)) == (not live)

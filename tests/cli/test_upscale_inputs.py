"""`salticid upscale` takes what `salticid segment` takes: standard input and cameras as well, and it says how long."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading

import cv2
import numpy as np
import pytest

from salticid.core.image import read_image, write_image
from salticid.core.resample import bicubic_uint8
from salticid.core.video import VideoReader

pytest.importorskip("av", reason="the extra 'video' is not installed")

from color_network import COLORS
from color_videos import FakeCapture
from sound_videos import sound_packets, write_sound_video

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


@pytest.fixture
def upscale(salticid):
    """Call `salticid upscale` by bicubic."""
    return lambda *words: salticid("upscale", *words, "--model", "bicubic")


@pytest.fixture
def camera(monkeypatch):
    """Make number 0 a camera that gives so many pictures, without end for -1; the last one is returned by its call."""

    def plugged(count, on_read=None):
        capture = FakeCapture(0, count, on_read)
        monkeypatch.setattr(cv2, "VideoCapture", lambda number: capture)
        return capture

    return plugged


@pytest.fixture
def picture(tmp_path):
    """Return the bytes of an image file, and the image."""
    image = cv2.resize(np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8), (36, 24))
    write_image(tmp_path / "given.png", image)
    return (tmp_path / "given.png").read_bytes(), image


def give(monkeypatch, data):
    """Put bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def frames_of(path):
    with VideoReader(path) as video:
        return list(video)


def test_an_image_on_standard_input_is_enlarged_into_a_file(upscale, tmp_path, monkeypatch, picture):
    data, image = picture
    give(monkeypatch, data)
    done = upscale("-", "-o", tmp_path / "large.png", "--json")
    assert done.code == 0, done.err
    [item] = json.loads(done.out)["items"]
    assert (item["input"], item["file"]) == ("standard input", str(tmp_path / "large.png"))
    np.testing.assert_array_equal(read_image(tmp_path / "large.png"), bicubic_uint8(image, 96, 144))


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_in_a_folder_it_is_called_stdin_and_has_the_format_of_the_others(upscale, tmp_path, monkeypatch, picture, kind):
    give(monkeypatch, picture[0])
    done = upscale("-", tmp_path / "given.png", "-o", tmp_path / "out", "--format", kind)
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"given.{kind}", f"stdin.{kind}"]
    assert "[1/2] standard input: bicubic, 36 x 24 -> 144 x 96, " in done.out


def test_a_mask_belongs_to_an_image_on_standard_input_as_well(upscale, tmp_path, monkeypatch, picture):
    write_image(tmp_path / "mask.png", np.zeros((24, 36), np.uint8))
    give(monkeypatch, picture[0])
    assert upscale("-", "-o", tmp_path / "a.png", "--mask", tmp_path / "mask.png").code == 0
    done = upscale("0", "-o", tmp_path / "a.mp4", "--mask", tmp_path / "mask.png")
    assert done.code == 2
    assert "belongs to one image" in done.err


def test_an_image_on_standard_input_is_kept_when_resuming_and_planned(upscale, tmp_path, monkeypatch, picture):
    (tmp_path / "stdin.png").write_text("mine")
    give(monkeypatch, picture[0])
    assert f"kept {tmp_path / 'stdin.png'}" in upscale("-", "-o", tmp_path, "--resume").out
    assert (tmp_path / "stdin.png").read_text() == "mine"
    assert "standard input: 36 x 24 -> 144 x 96 by bicubic, " in upscale("-", "--plan").out


@pytest.mark.parametrize(("data", "words"), [(b"", "standard input is empty"), (b"hello", "looks like text")])
def test_what_is_no_image_on_standard_input_is_refused(upscale, tmp_path, monkeypatch, data, words):
    for more in (("-o", tmp_path / "large.png"), ("--plan",)):
        give(monkeypatch, data)
        done = upscale("-", *more)
        assert done.code == 2
        assert words in done.err
    assert not (tmp_path / "large.png").exists()


def test_what_a_camera_sees_becomes_a_video_in_which_every_picture_is_or_is_counted_as_dropped(
    upscale, tmp_path, camera
):
    capture = camera(12)
    done = upscale("0", "-o", tmp_path / "out", "--json", "--scale", "2")
    assert done.code == 0, done.err
    [item] = json.loads(done.out)["items"]
    assert (item["input"], item["size"], item["target"]) == ("camera 0", [48, 64], [96, 128])
    frames = frames_of(tmp_path / "out" / "camera0.mp4")
    assert len(frames) == item["frames"] >= 1
    assert item["frames"] + item["dropped"] == 12
    assert frames[0].image.shape == (96, 128, 3)
    assert np.abs(frames[0].image.mean(axis=(0, 1)) - COLORS["red"]).max() < 4
    assert "warning: camera 0 gives no more pictures after 12 frames" in done.err
    assert capture.released >= 1


def test_of_a_camera_the_newest_picture_is_taken_and_a_person_is_told_how_many_were_left_out(
    upscale, tmp_path, camera, monkeypatch
):
    from salticid.upscale.frames import FrameUpscaler

    plain, gone = FrameUpscaler.next, threading.Event()

    def late(upscaler, image, target):
        gone.wait(30)
        return plain(upscaler, image, target)

    monkeypatch.setattr(FrameUpscaler, "next", late)
    camera(20, lambda capture: capture.left == 0 and gone.set())
    done = upscale("0", "-o", tmp_path / "out.mkv", "--codec", "ffv1")
    assert done.code == 0, done.err
    count = len(frames_of(tmp_path / "out.mkv"))
    assert count <= 3
    assert f" {count} frames, {20 - count} dropped, " in done.out


def test_ctrl_c_ends_a_recording_whose_file_is_whole(upscale, tmp_path, camera):
    capture = camera(-1, lambda capture: capture.left == -40 and os.kill(os.getpid(), signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    done = upscale("0", "-o", tmp_path / "out.mp4", "--scale", "2")
    assert done.code == 0, done.err
    assert done.out.startswith("camera 0: until Ctrl-C\n")
    assert f"wrote {tmp_path / 'out.mp4'}" in done.out
    assert capture.released >= 1
    assert signal.getsignal(signal.SIGINT) is before
    assert len(frames_of(tmp_path / "out.mp4")) >= 1


def test_a_camera_is_stopped_after_the_time_that_is_asked_for(upscale, tmp_path, camera):
    camera(-1)
    done = upscale("0", "-o", tmp_path / "out.mp4", "--scale", "1", "--seconds", "0.2", "--json")
    assert done.code == 0, done.err
    frames = frames_of(tmp_path / "out.mp4")
    assert len(frames) == json.loads(done.out)["items"][0]["frames"]
    assert frames[-1].time_s - frames[0].time_s < 0.2


def test_a_video_is_stopped_after_the_time_that_is_asked_for_and_its_sound_as_well(upscale, tmp_path):
    write_sound_video(tmp_path / "a.mp4")
    done = upscale(tmp_path / "a.mp4", "-o", tmp_path / "b.mp4", "--seconds", "0.4", "--scale", "1")
    assert done.code == 0, done.err
    assert "frames: 10/10" in done.err
    assert len(frames_of(tmp_path / "b.mp4")) == 10
    assert 0.35 < max(sound_packets(tmp_path / "b.mp4")[1]) <= 0.4 < max(sound_packets(tmp_path / "a.mp4")[1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("0", "-o", "out.mp4"), "camera 0 gives no more pictures after 0 frames"),
        (("0", "--plan"), "camera 0 gives no more pictures after 0 frames"),
        (("99", "-o", "out.mp4"), "camera 99 cannot be opened"),
        (("99", "--plan"), "camera 99 cannot be opened"),
        (("1000000000000", "-o", "out.mp4"), "a camera is a number from 0 on"),
        (("0", "-o", "out.mp4", "--resume"), "--resume keeps files that were made before, and a camera sees something"),
        (("0", "-o", "out.png"), "a video ends in .mp4"),
        (("-", "-", "-o", "out"), "standard input and standard input would both become"),
        (("0", "-o", "out.mp4", "--seconds", "0"), "seconds must be above 0, and finite, not 0"),
        (("0", "-o", "out.mp4", "--seconds", "-1"), "seconds must be above 0, and finite, not -1"),
        (("0", "--plan", "--seconds", "inf"), "seconds must be above 0, and finite, not inf"),
        (("0", "-o", "out.webm", "--codec", "h264"), "cannot write out.webm: h264 goes into a file that ends in .mp4"),
        (("0", "-o", "out.mp4", "--codec", "ffv1"), "cannot write out.mp4: ffv1 goes into a file that ends in .mkv"),
    ],
)
def test_a_camera_that_cannot_be_recorded_is_exit_2_and_leaves_no_file(upscale, tmp_path, monkeypatch, words, message):
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: FakeCapture(number, 0))
    monkeypatch.chdir(tmp_path)
    done = upscale(*words)
    assert done.code == 2
    assert message in done.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("words", [("-o", "b.webm", "--codec", "h264"), ("-o", "out/", "--seconds", "0")])
def test_a_wrong_codec_or_time_is_found_before_a_network_is_loaded_or_a_folder_made(
    upscale, tmp_path, monkeypatch, words
):
    from salticid.upscale.infer import Upscaler

    write_sound_video(tmp_path / "a.mp4", 4)
    monkeypatch.setattr(Upscaler, "__init__", lambda *_, **__: pytest.fail("a network was loaded"))
    monkeypatch.chdir(tmp_path)
    assert upscale("a.mp4", *words).code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_plan_for_a_camera_says_what_a_frame_takes(upscale, tmp_path, camera):
    camera(20)
    done = upscale("0", "--plan", "--json")
    assert done.code == 0, done.err
    [item] = json.loads(done.out)["items"]
    assert (item["input"], item["frames"], item["seconds"]) == ("camera 0", None, None)
    assert (item["size"], item["target"]) == ([48, 64], [192, 256])
    assert set(item["latency_ms"]) == {"enlarge", "encode"}
    assert item["frame_seconds"] > 0
    camera(20)
    assert " a frame (ms each, at the same time: enlarge " in upscale("0", "--plan").out


def test_a_plan_for_a_video_counts_its_frames_and_its_encoder(upscale, tmp_path):
    write_sound_video(tmp_path / "a.mp4")
    for words, frames in (((), 20), (("--seconds", "0.2"), 5)):
        [item] = json.loads(upscale(tmp_path / "a.mp4", "--plan", "--json", *words).out)["items"]
        assert set(item["latency_ms"]) == {"decode", "enlarge", "encode"}
        assert item["frames"] == frames
        assert item["seconds"] == pytest.approx(frames * item["frame_seconds"])
        assert 1000 * item["frame_seconds"] >= 0.99 * item["latency_ms"]["encode"]


@pytest.mark.parametrize(
    ("words", "codec"),
    [
        ((), "h264"),
        (("-o", "b.webm"), "vp9"),
        (("--codec", "ffv1"), "ffv1"),
        (("-o", "out/"), "h264"),
        (("-o", "b.webm/"), "h264"),
    ],
)
def test_a_plan_takes_the_codec_that_will_be_used(upscale, tmp_path, monkeypatch, words, codec):
    from salticid.upscale import video_plan

    write_sound_video(tmp_path / "a.mp4", 4)
    plain, given = video_plan.plan_video, []
    monkeypatch.setattr(video_plan, "plan_video", lambda *_, **how: given.append(how["codec"]) or plain(*_, **how))
    assert upscale(tmp_path / "a.mp4", "--plan", *words).code == 0
    assert given == [codec]


def test_a_long_video_is_announced_with_its_encoder_and_a_short_one_is_not_tried(upscale, tmp_path, monkeypatch):
    write_sound_video(tmp_path / "a.mp4")
    monkeypatch.setattr("salticid.cli.upscale_work.LONG_S", 0)
    words = (tmp_path / "a.mp4", "-o", tmp_path / "b.mp4", "--scale", "1", "--overwrite")
    assert "at the same time" not in upscale(*words).out
    monkeypatch.setattr("salticid.cli.upscale_work.MANY_PX", 0)
    said = f"{tmp_path / 'a.mp4'}: 20 frames of 96 x 64 -> 96 x 64 by bicubic, "
    assert upscale(*words).out.startswith(said)
    assert ", encode " in upscale(*words).out.splitlines()[0]


def test_an_announcement_for_which_there_is_no_room_does_not_stop_the_work(upscale, tmp_path, monkeypatch):
    from salticid.errors import ResourceError
    from salticid.upscale import video_plan

    def full(*_, **__):
        raise ResourceError("the disk is full")

    write_sound_video(tmp_path / "a.mp4")
    monkeypatch.setattr("salticid.cli.upscale_work.MANY_PX", 0)
    monkeypatch.setattr(video_plan, "plan_video", full)
    assert upscale(tmp_path / "a.mp4", "-o", tmp_path / "b.mp4").code == 0
    assert len(frames_of(tmp_path / "b.mp4")) == 20

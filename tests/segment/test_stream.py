"""Streams: every frame of a file in order, of a camera the newest; no thread is left, however it ends."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest
from color_videos import FakeCapture, color_of, frame_image, write_color_video
from stream_threads import ours

from salticid.core.image import write_image
from salticid.errors import BrokenStreamError, InputError, ResourceError

WAIT_S = 20.0  # far more than it takes


pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_every_frame_of_a_video_comes_in_order_with_its_own_labels(segmenter, tmp_path):
    path = write_color_video(tmp_path / "a.mkv", 30)
    with segmenter.frames(path) as stream:
        frames = list(stream)
    assert [frame.index for frame in frames] == list(range(30))
    for frame in frames:
        assert frame.result.share[color_of(frame.index)] == 1
        np.testing.assert_array_equal(frame.image, frame_image(frame.index))
    report = stream.report
    assert (report.frames, report.failed, report.dropped) == (30, 0, 0)
    assert set(report.latency_ms) == {"read", "prepare", "network", "labels"}
    assert report.fps == pytest.approx(30 / report.seconds)
    assert (report.engine, report.device, report.precision) == ("onnxruntime", "cpu", "fp32")


def test_stages_of_the_user_are_part_of_the_report(segmenter):
    stream = segmenter.frames([frame_image(0)] * 4)
    for frame in stream:
        with stream.clock("draw"):
            frame.result.overlay(frame.image)
    assert stream.report.latency_ms["draw"] > 0
    assert stream.count == 4


def test_reading_labelling_and_using_happen_at_the_same_time(segmenter, monkeypatch):
    meeting = threading.Barrier(3, timeout=WAIT_S)  # passes only when reader, network and user are there together
    label = type(segmenter).__call__

    def source():
        for index in range(6):
            if index == 5:
                meeting.wait()
            yield frame_image(index)

    def labelled(self, image):
        if np.array_equal(image, frame_image(3)):
            meeting.wait()
        return label(self, image)

    monkeypatch.setattr(type(segmenter), "__call__", labelled)
    with segmenter.frames(source()) as stream:
        for frame in stream:
            if frame.index == 1:
                meeting.wait()
    assert stream.report.frames == 6


def test_a_broken_image_of_a_folder_is_a_frame_with_its_reason_and_the_others_come(segmenter, tmp_path):
    for index in range(3):
        write_image(tmp_path / f"{index}.png", frame_image(index))
    (tmp_path / "1.png").write_bytes(b"")
    with segmenter.frames(tmp_path) as stream:
        frames = list(stream)
    assert [frame.error is None for frame in frames] == [True, False, True]
    assert frames[2].result.share[color_of(2)] == 1
    for ask in (lambda: frames[1].image, lambda: frames[1].result):
        with pytest.raises(InputError, match=r"1\.png is empty"):
            ask()
    assert (stream.report.frames, stream.report.failed) == (2, 1)


def test_an_image_too_large_for_memory_costs_that_image_alone(segmenter, tmp_path, monkeypatch):
    write_image(tmp_path / "0.png", np.zeros((1500, 1500), np.uint8))
    write_image(tmp_path / "1.png", frame_image(0))
    monkeypatch.setattr("salticid.runtime.hardware.available_memory", lambda: 1_000_000)
    with segmenter.frames(tmp_path) as stream:
        frames = list(stream)
    assert isinstance(frames[0].error, ResourceError)
    assert frames[1].error is None


def test_a_video_that_breaks_off_gives_the_frames_before_and_then_raises(segmenter, tmp_path):
    path = write_color_video(tmp_path / "a.mkv", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    seen = []
    with segmenter.frames(path) as stream, pytest.raises(BrokenStreamError, match="breaks off") as caught:
        seen.extend(frame.result.share[color_of(frame.index)] for frame in stream)
    assert caught.value.frames_read == len(seen) or not seen
    assert stream.report.frames == caught.value.frames_read > 0


def test_of_a_live_source_the_newest_frame_wins_and_the_dropped_ones_are_counted(segmenter, monkeypatch):
    busy, all_out = threading.Event(), threading.Event()
    label = type(segmenter).__call__

    def camera():
        yield frame_image(0)
        assert busy.wait(WAIT_S)
        yield from (frame_image(index) for index in range(1, 11))
        all_out.set()

    def slow_at_first(self, image):
        if not busy.is_set():
            busy.set()
            assert all_out.wait(WAIT_S)
        return label(self, image)

    monkeypatch.setattr(type(segmenter), "__call__", slow_at_first)
    with segmenter.frames(camera(), live=True) as stream:
        frames = list(stream)
    assert [frame.index for frame in frames] == [0, 10]
    assert frames[1].result.share[color_of(10)] == 1
    assert (stream.report.frames, stream.report.dropped) == (2, 9)


def test_a_camera_is_live_and_given_back(segmenter, monkeypatch):
    capture = FakeCapture(0, count=5)
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: capture)
    seen = []

    def look():
        for frame in stream:
            seen.append(frame.result.share["red"])  # noqa: PERF401  # what came before the error is kept

    with segmenter.frames(0) as stream, pytest.raises(BrokenStreamError, match="no more pictures after 5 frames"):
        look()
    report = stream.report
    assert seen == [1] * report.frames
    assert stream.live
    assert report.frames + report.dropped == 5
    assert capture.released >= 1


def test_stop_ends_a_camera_as_its_end_would(segmenter, monkeypatch):
    capture = FakeCapture(0, count=-1)  # never ends
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: capture)
    with segmenter.frames(0) as stream:
        for frame in stream:
            if frame.index >= 3:
                stream.stop()
    assert stream.report.frames >= 1
    assert capture.released >= 1


@pytest.mark.parametrize("leave", ["break", "raise", "close", "never begun", "begun and forgotten"])
def test_whatever_way_a_stream_is_left_no_thread_is(segmenter, tmp_path, leave):
    path = write_color_video(tmp_path / "a.mkv", 200)
    if leave == "break":
        for _ in segmenter.frames(path):
            break
    elif leave == "raise":
        with pytest.raises(ZeroDivisionError):
            print([1 // 0 for _ in segmenter.frames(path)])
    elif leave == "close":
        stream = segmenter.frames(path)
        next(iter(stream))
        stream.close()
        stream.close()
    elif leave == "never begun":
        segmenter.frames(path).close()
    else:
        next(iter(segmenter.frames(path)))
    assert ours() == []


def test_a_frame_that_is_no_image_ends_the_stream_with_its_reason(segmenter):
    with pytest.raises(InputError, match="must be uint8"):
        list(segmenter.frames([frame_image(0), frame_image(0) / 255]))
    with pytest.raises(InputError, match="frame 1 must be an array or a Frame, not str"):
        list(segmenter.frames([frame_image(0), "a.png"]))


def test_a_stream_is_read_once(segmenter):
    stream = segmenter.frames([frame_image(0)])
    assert len(list(stream)) == 1
    with pytest.raises(InputError, match="read once"):
        iter(stream)
    assert stream.report.frames == 1

"""The documented name: the same labels, and a video in one call."""

from __future__ import annotations

import numpy as np
import pytest
from color_network import COLORS, patches
from color_videos import color_of, write_color_video

from salticid.core.palette import class_palette
from salticid.core.video import VideoReader
from salticid.errors import InputError
from salticid.segment.realtime import RealtimeSegmentation


@pytest.fixture(scope="module")
def realtime(model_path):
    return RealtimeSegmentation(model_path, backend="onnx", device="cpu")


def test_an_image_gets_the_labels_of_the_segmenter(realtime, segmenter):
    image = patches(list(COLORS))
    np.testing.assert_array_equal(realtime.infer(image).labels, segmenter(image).labels)


def test_a_video_becomes_a_video_of_its_classes(realtime, tmp_path):
    path = write_color_video(tmp_path / "a.mkv", 8)
    seen = []
    report = realtime.infer_video(path, tmp_path / "out.mp4", opacity=1.0, on_frame=lambda frame: seen.append(frame))
    assert (report.frames, report.dropped) == (8, 0)
    assert {"read", "network", "write"} <= set(report.latency_ms)
    assert [frame.index for frame in seen] == list(range(8))
    with VideoReader(tmp_path / "out.mp4") as video:
        for frame in video:
            color = class_palette(4)[list(COLORS).index(color_of(frame.index))]
            assert np.abs(frame.image.mean(axis=(0, 1)) - color).max() < 12


def test_without_an_output_the_frames_are_counted_alone(realtime, tmp_path):
    assert realtime.infer_video(write_color_video(tmp_path / "a.mkv", 5)).frames == 5
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


def test_an_unknown_backend_is_an_input_error(model_path):
    with pytest.raises(InputError, match="backend must be one of auto, onnx, onnxruntime, openvino, not 'tensorrt'"):
        RealtimeSegmentation(model_path, backend="tensorrt")

"""A recorded stream is a whole video with the times of its frames, or it is not there."""

from __future__ import annotations

import numpy as np
import pytest
from color_videos import frame_image

from salticid.core.video import VideoReader
from salticid.errors import InputError
from salticid.runtime.clock import StageClock
from salticid.segment.record import write_video


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "A.MP4"])
def test_pictures_come_back_at_their_times_from_zero_on(tmp_path, name):
    times, clock = [5.0, 5.1, 5.5, 6.0], StageClock()
    write_video(((frame_image(index), time) for index, time in enumerate(times)), tmp_path / name, clock=clock)
    with VideoReader(tmp_path / name) as video:
        frames = list(video)
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.5, 1.0], abs=0.001)
    for frame in frames:
        assert np.abs(frame.image.mean(axis=(0, 1)) - frame_image(frame.index)[0, 0]).max() < 12
    assert clock.latency_ms["write"] > 0


@pytest.mark.parametrize("fps", [None, 0.0, 90000.0, 24.0])
def test_a_rate_that_is_none_is_not_believed(tmp_path, fps):
    write_video([(frame_image(0), 0.0)], tmp_path / "a.mp4", fps=fps)
    assert (tmp_path / "a.mp4").stat().st_size > 0


def test_after_an_exception_there_is_no_file(tmp_path):
    def pictures():
        yield frame_image(0), 0.0
        raise KeyError("broken")

    with pytest.raises(KeyError):
        write_video(pictures(), tmp_path / "a.mp4")
    with pytest.raises(InputError, match="must be"):
        write_video([(frame_image(0), 0.0), (frame_image(0)[:32], 1.0)], tmp_path / "a.mp4")
    with pytest.raises(InputError, match="no frame to write"):
        write_video([], tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_exists_is_replaced_only_when_asked(tmp_path):
    (tmp_path / "a.mp4").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        write_video([(frame_image(0), 0.0)], tmp_path / "a.mp4")
    write_video([(frame_image(0), 0.0)], tmp_path / "a.mp4", overwrite=True)
    assert (tmp_path / "a.mp4").read_bytes() != b"mine"

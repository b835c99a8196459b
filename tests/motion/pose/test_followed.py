"""A video is followed from end to end, or to where its pictures stop being those that they were."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.pose.blazepose import LANDMARKS, Region
from salticid.motion.pose.blazepose_network import Pose
from salticid.motion.pose.followed import Followed, follow
from salticid.runtime.clock import StageClock

av = pytest.importorskip("av", reason="the extra 'video' is not installed")


class Everywhere:
    """Stands in for the networks: one body in the middle of every picture."""

    def __init__(self):
        self.clock, self.threads = StageClock(), 1

    def people(self, planes, view):
        return [Region(planes.width / 2, planes.height / 2, planes.height, 0.0)]

    def pose(self, planes, region):
        center = np.array([planes.width / 2, planes.height / 2], np.float32)
        points = np.tile(center, (LANDMARKS, 1))
        points[:, 1] += np.linspace(-10, 10, LANDMARKS, dtype=np.float32)
        world = np.zeros((LANDMARKS, 3), np.float32)
        return Pose(points, np.ones(LANDMARKS, np.float32), world, center, center - np.float32([0, planes.height / 3]))


def stream(path, side, count):
    """Write gray pictures as a bare stream, which may be followed by another one."""
    with av.open(str(path), "w", format="h264") as file:
        added = file.add_stream("libx264", rate=25)
        added.width, added.height, added.pix_fmt = side, side, "yuv420p"
        for _ in range(count):
            picture = av.VideoFrame.from_ndarray(np.full((side, side, 3), 90, np.uint8), format="rgb24")
            file.mux(added.encode(picture))
        file.mux(added.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("threads", ["1", "2"])
def test_pictures_of_another_size_end_the_clip_and_are_told(tmp_path, monkeypatch, no_thread_is_left, threads):
    monkeypatch.setenv("SALTICID_THREADS", threads)
    path = tmp_path / "a.h264"
    path.write_bytes(stream(tmp_path / "1.h264", 64, 4) + stream(tmp_path / "2.h264", 96, 4))
    followed = follow(path, Everywhere())
    assert (followed.info.width, len(followed.times_s)) == (64, 4)
    assert followed.points[..., 0].max() == 32
    [warning] = followed.warnings
    assert "a.h264" in warning
    assert "from 64 x 64 to 96 x 96 after 4 frames" in warning


def test_a_whole_video_has_nothing_to_tell(tmp_path):
    stream(tmp_path / "a.h264", 64, 5)
    told = []
    followed = follow(tmp_path / "a.h264", Everywhere(), lambda done, total: told.append(done))
    assert followed.warnings == ()
    assert followed.found.all()
    assert told == [1, 2, 3, 4, 5]
    assert isinstance(followed, Followed)

"""Overlays show the body where it is, at the right frames, and refuse the wrong video."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.core.video import VideoReader, VideoWriter
from salticid.errors import InputError
from salticid.motion.keypoints import Keypoints
from salticid.motion.pose.overlay import draw_pose, stills, write_overlay

pytest.importorskip("av", reason="the extra 'video' is not installed")

WIDTH, HEIGHT, FRAMES = 160, 120, 12
NAMES = ("left_hip", "left_knee")


def bone(frames=FRAMES, size=(WIDTH, HEIGHT)) -> Keypoints:
    """Return an upright bone that moves to the right by ten pixels a frame."""
    x = 20.0 + 10 * np.arange(frames)
    hip, knee = (np.column_stack([x, np.full(frames, y)]) for y in (30.0, 90.0))
    positions = np.stack([hip, knee], axis=1).astype(np.float32)
    return Keypoints(np.arange(frames) / 25, positions, np.ones((frames, 2), np.float32), NAMES, size)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write(tmp_path_factory.mktemp("video") / "gray.mp4")


def write(path, times=None, fps=25):
    with VideoWriter(path, fps=fps, width=WIDTH, height=HEIGHT, crf=4) as out:
        for index in range(FRAMES):
            gray = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
            out.write(gray, None if times is None else times[index])
    return path


def place(image) -> float:
    """Return the column around which something is drawn."""
    return float(np.nonzero((image.astype(int) - 40).max(axis=2) > 60)[1].mean())


def test_every_frame_shows_the_bone_of_its_own_time(video, tmp_path):
    told = []
    write_overlay(video, bone(), tmp_path / "out.mp4", progress=lambda done, total: told.append((done, total)))
    with VideoReader(tmp_path / "out.mp4") as found:
        places = [place(frame.image) for frame in found]
    np.testing.assert_allclose(places, 20 + 10 * np.arange(FRAMES), atol=2)
    assert told == [(done, FRAMES) for done in range(1, FRAMES + 1)]


def test_times_stay_as_uneven_as_they_are(tmp_path):
    times = np.cumsum([0.0, *([0.02, 0.1] * 6)])[:FRAMES]
    write(tmp_path / "a.mp4", times)
    write_overlay(tmp_path / "a.mp4", bone(), tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as found:
        np.testing.assert_allclose([frame.time_s for frame in found], times, atol=1e-3)


def test_stills_come_in_the_order_asked_for_and_as_often(video):
    found = stills(video, bone(), [7, 2, 7])
    np.testing.assert_allclose([place(image) for image in found], [90, 40, 90], atol=1)


def test_large_pictures_are_reduced_and_the_bone_with_them(video):
    (image,) = stills(video, bone(), [5], most_height_px=60)
    assert image.shape == (60, 80, 3)
    assert place(image) == pytest.approx(35, abs=1)


def test_what_was_not_found_is_not_drawn():
    keypoints = bone()
    keypoints.positions[3, 0] = np.nan
    keypoints.scores[3, 1] = 0.1
    image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    np.testing.assert_array_equal(draw_pose(image, keypoints, 3), image)
    assert (draw_pose(image, keypoints, 4) != image).any()


def test_fewer_keypoints_than_frames_end_the_overlay(video, tmp_path):
    write_overlay(video, bone(5), tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as found:
        assert len(list(found)) == 5


def test_another_video_is_refused(video, tmp_path):
    with pytest.raises(InputError, match="give their video"):
        write_overlay(video, bone(size=(640, 480)), tmp_path / "out.mp4")
    with pytest.raises(InputError, match="no keypoints"):
        write_overlay(video, bone(0), tmp_path / "out.mp4")
    with pytest.raises(InputError, match="no frame 12"):
        stills(video, bone(), [3, FRAMES])
    assert not (tmp_path / "out.mp4").exists()


def test_a_video_that_breaks_off_gives_an_overlay_up_to_there(tmp_path):
    noise = np.random.default_rng(0)
    path = tmp_path / "a.mp4"
    with VideoWriter(path, fps=25, width=WIDTH, height=HEIGHT) as out:
        for _ in range(FRAMES):
            out.write(noise.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    write_overlay(path, bone(), tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as found:
        assert 2 < len(list(found)) < FRAMES


def test_a_camera_of_more_frames_a_second_than_files_can_state_is_no_obstacle(tmp_path):
    times = np.arange(FRAMES) / 2500
    write(tmp_path / "a.mp4", times, fps=1000)
    with VideoReader(tmp_path / "a.mp4") as fast:
        assert fast.info.average_fps > 1000
    write_overlay(tmp_path / "a.mp4", bone(), tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as found:
        np.testing.assert_allclose([frame.time_s for frame in found], times, atol=1e-4)
